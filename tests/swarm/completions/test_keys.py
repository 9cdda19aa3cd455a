"""Keys: where they are read, where they are sent, and that they show up nowhere else."""

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from swarm import Catalog, Host, add_agent, add_completion, add_swarm, session, use_catalog
from swarm.completions import openai_compatible
from swarm.environment import read_environment
from swarm.errors import MissingKeyError, ProviderError, ProviderRefusedError
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import LITELLM_WARNINGS, MODES, ask, opener

pytestmark = pytest.mark.anyio

_KEY = "sk-test-" + "0123456789abcdef" * 4
_ENVIRONMENT = {
    "OPENAI_API_KEY": _KEY,
    "AZURE_OPENAI_API_KEY": _KEY,
    "COHERE_API_KEY": _KEY,
    "OLLAMA_API_KEY": _KEY,
    "VLLM_API_KEY": _KEY,
    "LLAMA_API_KEY": _KEY,
    "MY_KEY": f" {_KEY}\n",
}


def _host(home: Path, environment: dict[str, str] | None = None) -> Host:
    return Host(catalog=Catalog(), home=home, environment=environment or _ENVIRONMENT)


@pytest.mark.parametrize("provider", ["openai", "ollama", "vllm", "llama-server"])
@pytest.mark.requirement("S1-25")
async def test_a_key_does_not_go_to_an_address_of_your_own(tmp_path: Path, provider: str) -> None:
    async with StubServer() as server, _host(tmp_path) as host:
        for mode in MODES:
            await ask(await opener(host)(f"{provider}/m", server.base_url), mode)
    assert len(server.headers) == 2
    assert _KEY not in str(server.headers)
    assert all("authorization" not in headers for headers in server.headers)


@pytest.mark.requirement("S4-21", "S1-01")
async def test_a_key_goes_where_its_variable_is_named(tmp_path: Path) -> None:
    async with StubServer() as server, _host(tmp_path) as host:
        completion = await opener(host)("openai/m", server.base_url, api_key_env="MY_KEY")
        for mode in MODES:
            await ask(completion, mode)
    assert [headers["authorization"] for headers in server.headers] == [f"Bearer {_KEY}"] * 2


@pytest.mark.parametrize("fields", [{}, {"api_key_env": "MY_KEY"}])
async def test_azure_takes_the_key_in_a_header_of_its_own(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    async with StubServer() as server, _host(tmp_path) as host:
        for mode in MODES:
            await ask(await opener(host)("azure/m", server.base_url, **fields), mode)
    assert [headers["api-key"] for headers in server.headers] == [_KEY] * 2
    assert all("authorization" not in headers for headers in server.headers)


@pytest.mark.parametrize(
    ("model", "fields", "variable"),
    [
        ("openai/m", {}, "OPENAI_API_KEY"),
        ("openai/m", {"api_key_env": "MY_KEY"}, "MY_KEY"),
        ("openai/m", {"api_key_env": "MY_KEY", "base_url": "http://127.0.0.1:1/v1"}, "MY_KEY"),
        ("azure/m", {"base_url": "http://127.0.0.1:1/v1"}, "AZURE_OPENAI_API_KEY"),
        ("vllm/m", {"api_key_env": "MY_KEY"}, "MY_KEY"),
        ("cohere/m", {}, "COHERE_API_KEY"),
        ("cohere/m", {"api_key_env": "MY_KEY"}, "MY_KEY"),
        ("litellm/openai/m", {"api_key_env": "MY_KEY"}, "MY_KEY"),
    ],
)
@pytest.mark.requirement("S1-20", "S4-21")
@LITELLM_WARNINGS
async def test_a_missing_key_is_named(
    tmp_path: Path, model: str, fields: dict[str, Any], variable: str
) -> None:
    async with _host(tmp_path, {"OTHER": "x", variable: "  "}) as host:
        with pytest.raises(MissingKeyError) as caught:
            await opener(host)(model, **fields)
    assert caught.value.variable == variable
    assert caught.value.hint == f"set {variable} in the environment or in .env"
    assert model in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.requirement("S1-20")
async def test_a_refused_key_is_reported_with_its_variable(
    tmp_path: Path, mode: str, status: int
) -> None:
    said = b'{"error": {"message": "You lack the scope model.request."}}'
    async with (
        StubServer(lambda _: StubReply(status=status, body=said)) as server,
        _host(tmp_path) as host,
    ):
        with pytest.raises(ProviderRefusedError) as caught:
            named = await opener(host)("openai/m", server.base_url, api_key_env="MY_KEY")
            await ask(named, mode)
        assert "MY_KEY" in str(caught.value)
        assert "scope model.request" in str(caught.value)
        assert caught.value.hint == "check the key in MY_KEY and what it may do"
        with pytest.raises(ProviderRefusedError, match="no key was sent"):
            await ask(await opener(host)("openai/m", server.base_url), mode)


@pytest.mark.parametrize("variables", ["MY_KEY", ["MY_KEY", "OPENAI_API_KEY"]])
async def test_a_fallback_of_another_provider_sees_neither_key_nor_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Any
) -> None:
    async with (
        StubServer(lambda _: StubReply(status=500)) as server,
        StubServer(lambda _: "The other.") as other,
        _host(tmp_path, {"MY_KEY": _KEY, "OPENAI_API_KEY": _KEY}) as host,
    ):
        own = openai_compatible._Server(other.base_url, "VLLM_API_KEY")  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setitem(openai_compatible._SERVERS, "vllm", own)  # pyright: ignore[reportPrivateUsage]
        fields: dict[str, Any] = {"api_key_env": variables, "fallback": "vllm/other"}
        completion = await opener(host)("openai/m", server.base_url, **fields)
        assert (await ask(completion, "whole")).text == "The other."
    assert "authorization" in server.headers[0]
    assert "authorization" not in other.headers[0]


_ECHOES = {
    "a JSON error": StubReply(
        status=400, body=f'{{"error": {{"message": "no: {_KEY}"}}}}'.encode()
    ),
    "a text": StubReply(status=500, body=f"no: {_KEY}".encode()),
    "a text that is cut in the key": StubReply(
        status=400, body=b"x" * 150 + b" " + _KEY.encode() + b"y" * 9000
    ),
    "a JSON text that is cut in the key": StubReply(
        status=400, body=f'{{"error": "{"x" * 270} {_KEY}"}}'.encode()
    ),
    "an error inside a 200": StubReply(body=f'{{"error": {{"message": "{_KEY}"}}}}'.encode()),
    "an error in a shape of its own": StubReply(
        status=422, body=f'{{"detail": ["{_KEY}"]}}'.encode()
    ),
}


@pytest.mark.parametrize("name", _ECHOES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.requirement("S1-25")
async def test_a_key_that_a_server_repeats_is_hidden(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with StubServer(lambda _: _ECHOES[name]) as server, _host(tmp_path) as host:
        completion = await opener(host)("openai/m", server.base_url, api_key_env="MY_KEY")
        with pytest.raises(ProviderError) as caught:
            await ask(completion, mode)
    text = "".join(traceback.format_exception(caught.value))
    assert "***" in text or "cut" in name
    assert _KEY[:20] not in text + repr(caught.value) + caplog.text


async def test_a_password_in_the_address_is_hidden(tmp_path: Path) -> None:
    async with _host(tmp_path) as host:
        completion = await opener(host)("openai/m", "http://me:secret-word@127.0.0.1:1/v1")
        with pytest.raises(ProviderError) as caught:
            await ask(completion, "whole")
    assert "secret-word" not in str(caught.value)
    assert "127.0.0.1:1/v1/chat/completions" in str(caught.value)


@pytest.mark.requirement("S1-25")
async def test_a_key_reaches_no_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with use_catalog(Catalog()) as catalog:
        async with StubServer(key=_KEY) as server:
            add_completion(
                completion_name="model",
                model="openai/m",
                base_url=server.base_url,
                api_key_env="MY_KEY",
                max_retries=0,
            )
            add_agent(agent_name="seller", completion="model")
            add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
            async with (
                Host(catalog=catalog, home=home, environment=_ENVIRONMENT),
                session("client", "shop") as chat,
            ):
                assert await chat.complete("Hello") == "You said: Hello"
            # The key was exchanged for a wrong one, which the server repeats.
            wrong = {"MY_KEY": f"{_KEY}-old"}
            async with (
                Host(catalog=catalog, home=home, environment=wrong),
                session("client", "shop") as chat,
            ):
                with pytest.raises(ProviderRefusedError, match=r"\*\*\*"):
                    await chat.complete("Hello again")
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert all(_KEY.encode() not in path.read_bytes() for path in files)


@pytest.mark.requirement("S1-01")
async def test_a_key_in_a_dotenv_file_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "# keys\n\nexport MY_KEY='from-file'\nOTHER = \"from file\"\nTAKEN=from-file\n=x\nnothing\n"
    )
    (home.parent / ".env").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TAKEN", "from-environment")
    found = read_environment()
    assert (found["MY_KEY"], found["OTHER"]) == ("from-file", "from file")
    assert found["TAKEN"] == "from-environment"
    async with StubServer() as server, Host(catalog=Catalog()) as host:
        await ask(await opener(host)("openai/m", server.base_url, api_key_env="MY_KEY"), "whole")
    assert server.headers[0]["authorization"] == "Bearer from-file"
