"""Wikis behind the model registry: aliases, promotion in service, and refusal of changed files."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from swarm import CompletionRequest, CompletionSpec, Host, Message
from swarm.errors import UnknownNameError
from swarm.testing import StubReply, StubServer
from tests.wiki.shop import wiki_only
from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki import ModelRegistry, ask
from wiki.registry import CorruptedVersionError, NotPromotedError

pytestmark = pytest.mark.anyio


@pytest.fixture
def home(tmp_path: Path, tiny_gguf: Path) -> Path:
    """A home with two versions of `pharma`, the first one live."""
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", weights=tiny_gguf)
    registry.register("pharma", weights=write_tiny_gguf(tmp_path / "other.gguf", seed=8))
    registry.promote("pharma", 1)
    return tmp_path


@pytest.fixture
async def host(home: Path) -> AsyncIterator[Host]:
    """A host whose wiki is `pharma@live`."""
    catalog = wiki_only(model="registry/pharma@live", max_tokens=8)
    async with Host(catalog=catalog, home=home, environment={}) as opened:
        yield opened


@pytest.mark.requirement("S3-20", "S4-01")
async def test_a_promotion_takes_effect_at_the_next_question(host: Host, home: Path) -> None:
    registry = ModelRegistry(home / "models")
    first = await ask("pharma", "hello", host=host)
    assert (first.model, first.version) == ("registry/pharma@1", 1)
    assert first.confidence is not None
    registry.promote("pharma", 2)
    second = await ask("pharma", "hello", host=host)
    assert (second.model, second.version) == ("registry/pharma@2", 2)
    assert second.text != first.text
    registry.rollback("pharma")
    third = await ask("pharma", "hello", host=host)
    assert (third.version, third.text) == (1, first.text)


@pytest.mark.requirement("S3-20")
async def test_an_answer_under_way_keeps_its_version(tmp_path: Path) -> None:
    is_asked, may_answer = anyio.Event(), threading.Event()
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", remote=f"python:{__name__}:slow_model")
    registry.register("pharma", remote="offline")
    registry.promote("pharma", 1)
    _slow.clear()
    _slow.extend((is_asked.set, may_answer))
    catalog = wiki_only(model="registry/pharma@live")
    versions: list[int | None] = []
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:

        async def ask_slowly() -> None:
            versions.append((await ask("pharma", "hello", host=host)).version)

        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(ask_slowly)
                await is_asked.wait()
                await anyio.to_thread.run_sync(registry.promote, "pharma", 2)
                assert (await ask("pharma", "hello", host=host)).version == 2
                may_answer.set()
    assert versions == [1]


_slow: list[object] = []


async def slow_model(request: CompletionRequest) -> str:
    """Answer once the test lets it."""
    tell, may_answer = _slow
    assert callable(tell) and isinstance(may_answer, threading.Event)
    tell()
    await anyio.to_thread.run_sync(may_answer.wait)
    return "slow"


@pytest.mark.requirement("S3-26")
async def test_weights_that_changed_are_never_loaded(home: Path) -> None:
    weights = ModelRegistry(home / "models").path_of_weights("pharma@live")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(content)
    # Not even a fallback hides that somebody changed a model.
    catalog = wiki_only(model="registry/pharma@live", fallback="offline")
    async with Host(catalog=catalog, home=home, environment={}) as host:
        with pytest.raises(CorruptedVersionError, match="other content"):
            await ask("pharma", "hello", host=host)
    assert not (home / "logs").exists()


async def test_a_hosted_version_is_asked_where_it_is_hosted(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", remote="openai/ft:any:shop::a1")
    registry.promote("pharma", 1)
    async with StubServer(lambda _: StubReply("4.80 euros")) as server:
        spec = CompletionSpec(
            completion_name="wiki", model="registry/pharma@live", base_url=server.base_url
        )
        async with Host(catalog=wiki_only(get_chat=str), home=tmp_path, environment={}) as host:
            request = CompletionRequest(messages=[Message(role="user", content="How much?")])
            result = await (await host.completion(spec)).complete(request)
    assert (result.message.content, result.model) == ("4.80 euros", "registry/pharma@1")
    assert server.requests[0]["model"] == "ft:any:shop::a1"


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("registry/pharma@9", UnknownNameError),
        ("registry/pharm@live", UnknownNameError),
        ("registry/pharma@candidate", UnknownNameError),
        ("registry/pharma@previous", NotPromotedError),
    ],
)
async def test_a_version_that_is_not_there_is_named(
    home: Path, reference: str, error: type[Exception]
) -> None:
    async with Host(catalog=wiki_only(model=reference), home=home, environment={}) as host:
        with pytest.raises(error):
            await ask("pharma", "hello", host=host)


async def test_a_version_can_be_named_by_its_number(home: Path) -> None:
    catalog = wiki_only(model="registry/pharma@2", max_tokens=2)
    async with Host(catalog=catalog, home=home, environment={}) as host:
        assert (await ask("pharma", "hello", host=host)).version == 2
