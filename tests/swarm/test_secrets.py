"""A key that a provider repeats in its errors reaches no error, no journal and no log."""

import logging
import traceback
from pathlib import Path

import pytest

from swarm import Host, add_agent, add_completion, add_swarm, session, use_catalog
from swarm.errors import MissingKeyError, ProviderError, SwarmError
from swarm.testing import StubReply, StubServer
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio

KEY = "sk-proj-Zz9PlantedPlantedPlanted0123456789"

_ECHOES = {
    "unauthorised": StubReply(
        status=401, body=b'{"error": {"message": "Bad key %s"}}' % KEY.encode()
    ),
    "bad request": StubReply(status=400, body=b"<html>key=%s</html>" % KEY.encode()),
    "cut in two": StubReply(status=403, body=b"x" * 190 + KEY.encode()),
    "busy": StubReply(status=429, body=b'{"error": "%s is over quota"}' % KEY.encode()),
    "down": StubReply(status=503, body=b'{"error": {"message": "%s"}}' % KEY.encode()),
    "inside": StubReply(body=b'{"error": {"message": "key %s expired"}}' % KEY.encode()),
    "no JSON": StubReply(body=b"key %s" % KEY.encode()),
    "redirect": StubReply(status=302, headers={"Location": f"http://127.0.0.1:1/{KEY}"}, body=b""),
}


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("reply", _ECHOES.values(), ids=_ECHOES.keys())
async def test_a_key_that_the_provider_echoes_stays_out(
    program: Program, caplog: pytest.LogCaptureFixture, reply: StubReply, is_streamed: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    async with StubServer(lambda request: reply, key=KEY) as server:
        with use_catalog(program.catalog):
            add_completion(
                completion_name="m",
                model="openai/any",
                base_url=server.base_url,
                api_key_env="OPENAI_API_KEY",
                max_retries=0,
            )
            add_agent(agent_name="seller", completion="m")
            add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
        host = Host(catalog=program.catalog, home=program.home, environment={"OPENAI_API_KEY": KEY})
        with pytest.raises(ProviderError) as caught:
            async with host, session("client", "shop", host=host) as chat:
                if is_streamed:
                    async for _ in chat.stream("hi"):
                        raise NotImplementedError
                else:
                    await chat.complete("hi")
    error: BaseException | None = caught.value
    assert error is not None
    told = "".join(traceback.format_exception(error)) + repr(vars(error))
    while error is not None:
        told += repr(error.args)
        error = error.__cause__ or error.__context__
    for text in (told, caplog.text, *_texts(program.home)):
        assert KEY not in text
        assert KEY[:10] not in text, "a part of the key"
    assert server.requests, "the server refused the key before it could repeat it"


def _texts(home: Path) -> list[str]:
    files = [path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file()]
    assert any("turn_started" in text for text in files)
    return files


@pytest.mark.requirement("S4-21")
async def test_a_key_that_is_missing_is_named_and_not_asked_for_elsewhere(
    program: Program,
) -> None:
    with use_catalog(program.catalog):
        add_completion(completion_name="m", model="openai/any")
        add_agent(agent_name="seller", completion="m")
    with pytest.raises(MissingKeyError, match="set OPENAI_API_KEY in the environment"):
        async with program.chat():
            raise NotImplementedError
    assert issubclass(MissingKeyError, SwarmError)
