"""Embeddings of providers, over real HTTP: keys, retries, answers that are none."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from swarm import Host
from swarm.errors import (
    DeclarationError,
    MissingKeyError,
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
    ValidationError,
)
from swarm.memory import MemoryCallbackError
from swarm.memory.owner import Owner
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.cohere_server import CohereReply, open_cohere_server
from tests.swarm.memory.conftest import Declare
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio
ANNA = Owner("shop", "anna")
GOODS = [{"id": 1, "text": "zzz"}, {"id": 2, "text": "aaab"}, {"id": 3}]


@pytest.fixture
def host(program: Program) -> Callable[..., Host]:
    """Make a host with keys."""

    def make(**keys: str) -> Host:
        return Host(catalog=program.catalog, home=program.home, environment=keys)

    return make


@pytest.mark.parametrize("provider", ["openai", "ollama", "llama-server", "vllm"])
async def test_texts_are_embedded_by_a_server(
    declare: Declare, host: Callable[..., Host], provider: str
) -> None:
    async with StubServer() as server:
        extra: dict[str, Any] = {"extra_body": {"dimensions": 26}, "batch_size": 2}
        model = f"{provider}/some-embed:v1"
        declare(embedding_name="own", model=model, base_url=server.base_url, **extra)
        declare(storage_name="goods", embedding="own")
        async with host() as one:
            await one.memory.storages.upsert("goods", GOODS, ANNA)
            (found,) = await one.memory.storages.take("goods", "abba", 1, None, ANNA)
            assert found == GOODS[1]
        async with host() as one:
            await one.memory.storages.take("goods", "abba", 1, None, ANNA)
    assert [request["input"] for request in server.requests] == [
        ["zzz", "aaab"],
        [" "],
        ["abba"],
        ["abba"],
    ], "in batches, and items once"
    first = server.requests[0]
    assert (first["model"], first["dimensions"]) == ("some-embed:v1", 26)


async def test_keys_go_only_where_they_belong(declare: Declare, host: Callable[..., Host]) -> None:
    async with StubServer(key="secret-1") as server:
        declare(
            embedding_name="named", model="openai/a", base_url=server.base_url, api_key_env="MY_KEY"
        )
        declare(embedding_name="other", model="openai/a", base_url=server.base_url)
        declare(embedding_name="usual", model="openai/a")
        async with host(MY_KEY="secret-1", OPENAI_API_KEY="never sent there") as one:
            await one.memory.embeddings.embed("named", ["a"], is_search=True)
            with pytest.raises(ProviderRefusedError, match="no key was sent"):
                await one.memory.embeddings.embed("other", ["a"], is_search=True)
        assert "authorization" not in server.headers[-1]
        async with host(MY_KEY="secret-2") as one:
            with pytest.raises(ProviderRefusedError) as caught:
                await one.memory.embeddings.embed("named", ["a"], is_search=True)
            assert "secret-2" not in str(caught.value)
            assert "MY_KEY" in str(caught.value)
            with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
                await one.memory.embeddings.embed("usual", ["a"], is_search=True)


async def test_what_may_pass_is_tried_again(declare: Declare, host: Callable[..., Host]) -> None:
    replies = [StubReply(status=503), StubReply(status=429, headers={"Retry-After": "0"})]

    def embed(request: Mapping[str, Any]) -> StubReply | list[list[float]]:
        return replies.pop(0) if replies else [[1.0] for _ in request["input"]]

    async with StubServer(embed=embed) as server:
        fields: dict[str, Any] = {"model": "vllm/a", "base_url": server.base_url}
        declare(embedding_name="own", **fields)
        declare(embedding_name="once", max_retries=0, **fields)
        async with host() as one:
            embeddings = one.memory.embeddings
            assert len(await embeddings.embed("own", ["a", "b"], is_search=False)) == 2
            assert len(server.requests) == 3
            replies.append(StubReply(status=503))
            with pytest.raises(ProviderDownError):
                await embeddings.embed("once", ["c"], is_search=False)


async def test_cohere_tells_apart_what_is_searched_for_and_what_is_found(
    declare: Declare, host: Callable[..., Host]
) -> None:
    def embed(request: Mapping[str, Any]) -> CohereReply:
        if request["texts"] == ["refused"]:
            return CohereReply(status=401)
        vectors = [[1.0, float(len(text))] for text in request["texts"]]
        answer = {"id": "1", "embeddings": {"float": vectors}, "texts": request["texts"]}
        return CohereReply(body=orjson.dumps(answer))

    async with open_cohere_server(embed) as server:
        fields: dict[str, Any] = {"base_url": server.base_url, "api_key_env": "MY_KEY"}
        declare(embedding_name="own", model="cohere/embed-v4.0", similarity="dot", **fields)
        declare(storage_name="goods", embedding="own")
        async with host(MY_KEY="secret-1") as one:
            await one.memory.storages.upsert("goods", GOODS[:2], ANNA)
            (found,) = await one.memory.storages.take("goods", "zzz", 1, None, ANNA)
            assert found == GOODS[1]
            with pytest.raises(ProviderRefusedError, match="MY_KEY"):
                await one.memory.storages.take("goods", "refused", 1, None, ANNA)
    assert [(request["input_type"], request["texts"]) for request in server.requests] == [
        ("search_document", ["zzz", "aaab"]),
        ("search_query", ["zzz"]),
        ("search_query", ["refused"]),
    ]
    assert server.requests[0]["embedding_types"] == ["float"]
    assert set(server.keys) == {"Bearer secret-1"}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (StubReply(body=b"no json"), ProviderOutputError),
        (StubReply(body=b'{"data": 5}'), ProviderOutputError),
        (StubReply(body=b'{"data": [{"embedding": "abc"}]}'), ProviderOutputError),
        (StubReply(body=b'{"data": [{"embedding": [1, "x"]}]}'), ProviderOutputError),
        (StubReply(body=b'{"data": [{"embedding": []}]}'), ProviderOutputError),
        ([[1.0], [2.0]], ProviderOutputError),
        (StubReply(status=404), ProviderRefusedError),
        (StubReply(status=429), ProviderBusyError),
        (StubReply(breaks_off=True), ProviderDownError),
        (StubReply(hangs=True), ProviderTimeoutError),
    ],
)
async def test_a_failure_is_typed_and_changes_nothing(
    declare: Declare, host: Callable[..., Host], reply: Any, error: type[ProviderError]
) -> None:
    async with StubServer(embed=lambda request: reply) as server:
        declare(
            embedding_name="own",
            model="vllm/a",
            base_url=server.base_url,
            max_retries=0,
            timeout=0.3,
        )
        declare(storage_name="goods", embedding="own")
        async with host() as one:
            with pytest.raises(error):
                await one.memory.storages.upsert("goods", GOODS[:1], ANNA)
            assert await one.memory.storages.list("goods", ANNA) == []


async def test_a_function_of_a_module_is_a_model(
    declare: Declare, host: Callable[..., Host]
) -> None:
    place = "python:tests.swarm.memory.test_providers"
    declare(embedding_name="own", model=f"{place}:count_as")
    declare(embedding_name="gone", model=f"{place}:count_a")
    declare(embedding_name="fails", model=f"{place}:fail")
    async with host() as one:
        (vector,) = await one.memory.embeddings.embed("own", ["banana"], is_search=True)
        assert vector.tolist() == [3.0, 1.0]
        with pytest.raises(DeclarationError, match="did you mean 'count_as'"):
            await one.memory.embeddings.embed("gone", ["a"], is_search=True)
        with pytest.raises(MemoryCallbackError, match="model 'fail' of embedding 'fails'"):
            await one.memory.embeddings.embed("fails", ["a"], is_search=True)


def count_as(texts: list[str]) -> list[list[float]]:
    """Embed by the letter a."""
    return [[float(text.count("a")), 1.0] for text in texts]


async def fail(texts: list[str]) -> list[list[float]]:
    """Never embed."""
    raise ValueError("not today")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "hush"}, "did you mean 'hash'"),
        ({"model": "opnai/a"}, "did you mean 'openai'"),
        ({"model": "offline"}, "no provider 'offline' makes embeddings"),
        ({"model": "python:module"}, "python:module:function"),
        ({}, "exactly one of `model` and `create`"),
        ({"model": "hash", "read_embedding_cache": count_as}, "go together"),
    ],
)
def test_a_model_that_cannot_be_is_refused(
    declare: Declare, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        declare(embedding_name="own", **fields)
