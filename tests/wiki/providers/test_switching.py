"""Promotions and rollbacks by another process while questions are asked, with real engines."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from swarm import CompletionRequest, CompletionResult, CompletionSpec, Host, Message
from tests.wiki.shop import wiki_only
from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki import ModelRegistry, WikiAnswer, ask
from wiki.engine import EnginePool
from wiki.registry import CorruptedVersionError

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("engine_process")]

_ASKERS = 8


@pytest.fixture
def home(tmp_path: Path, tiny_gguf: Path) -> Path:
    """A home with two versions of `pharma`; the second is live, the first previous."""
    registry = ModelRegistry(tmp_path / "models")
    registry.register("pharma", weights=tiny_gguf)
    registry.register("pharma", weights=write_tiny_gguf(tmp_path / "other.gguf", seed=8))
    for number in (1, 2):
        registry.promote("pharma", number)
    return tmp_path


@pytest.fixture
async def host(home: Path) -> AsyncIterator[Host]:
    """A host whose wiki is `pharma@live`."""
    catalog = wiki_only(model="registry/pharma@live", max_tokens=16)
    async with Host(catalog=catalog, home=home, environment={}) as opened:
        yield opened


async def _models(home: Path, *arguments: str) -> None:
    """Run `wikiswarm models` as an operator would, in a process of its own."""
    command = [sys.executable, "-m", "bindings.cli", "models", *arguments, "--home", str(home)]
    await anyio.run_process(command)


async def _pool(host: Host) -> EnginePool:
    async def missing() -> tuple[EnginePool, object]:
        raise AssertionError("no engine was started")

    return await host.shared("gguf", missing)  # pyright: ignore[reportArgumentType] - never started


@pytest.mark.requirement("S3-20", "S4-01")
async def test_no_question_is_lost_while_another_process_switches(host: Host, home: Path) -> None:
    answers: list[WikiAnswer] = []
    is_over = anyio.Event()

    async def keep_asking(number: int) -> None:
        while not is_over.is_set():
            answers.append(await ask("pharma", f"hello from {number}", host=host))

    with anyio.fail_after(90):
        await ask("pharma", "hello", host=host)
        async with anyio.create_task_group() as group:
            for number in range(_ASKERS):
                group.start_soon(keep_asking, number)
            for arguments, live in (
                (("rollback", "pharma"), 1),
                (("promote", "pharma@2"), 2),
                (("rollback", "pharma"), 1),
            ):
                before = len(answers)
                await _models(home, *arguments)
                # Whoever asks after the command has ended is answered by what it put into service.
                assert (await ask("pharma", "which?", host=host)).version == live
                assert len(answers) > before
            is_over.set()
    assert {answer.version for answer in answers} == {1, 2}
    assert all(answer.text and answer.route == "local" for answer in answers)


@pytest.mark.requirement("S3-20")
async def test_an_answer_under_way_ends_on_the_version_it_began_with(
    host: Host, home: Path
) -> None:
    spec = CompletionSpec(completion_name="w", model="registry/pharma@live", max_tokens=200)
    completion = await host.completion(spec)
    request = CompletionRequest(messages=[Message(role="user", content="hello")])
    items: list[str | CompletionResult] = []
    with anyio.fail_after(60):
        async for item in completion.stream(request):
            items.append(item)
            if len(items) == 1:
                await _models(home, "rollback", "pharma")
                assert (await ask("pharma", "which?", host=host)).version == 1
    *pieces, result = items
    assert isinstance(result, CompletionResult)
    assert result.model == "registry/pharma@2"
    assert result.message.content == "".join(str(piece) for piece in pieces) != ""


@pytest.mark.requirement("S3-20")
async def test_the_previous_version_is_loaded_before_it_is_needed(host: Host, home: Path) -> None:
    registry = ModelRegistry(home / "models")
    await ask("pharma", "hello", host=host)
    pool = await _pool(host)
    await pool.wait_for_loads()
    old, new = (registry.path_of_weights(f"pharma@{number}") for number in (1, 2))
    # The one that nobody has asked makes room first.
    assert pool.files == (old, new)
    registry.rollback("pharma")
    assert (await ask("pharma", "hello", host=host)).version == 1
    assert pool.files == (new, old)


async def test_nothing_is_loaded_ahead_where_there_is_no_room(home: Path) -> None:
    catalog = wiki_only(model="registry/pharma@live", max_tokens=4)
    environment = {"WIKISWARM_ENGINE_MEMORY": "500MiB"}
    async with Host(catalog=catalog, home=home, environment=environment) as host:
        await ask("pharma", "hello", host=host)
        pool = await _pool(host)
        await pool.wait_for_loads()
        assert len(pool.files) == 1


def _flip_a_bit(weights: Path) -> None:
    times = weights.stat()
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(content)
    # Whoever changes a file may well set its times back.
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.requirement("S3-26")
async def test_what_changed_after_it_was_loaded_is_not_loaded_again(home: Path) -> None:
    registry = ModelRegistry(home / "models")
    catalog = wiki_only(model="registry/pharma@live", max_tokens=4, fallback="offline")
    # Room for one engine: each version closes the other.
    environment = {"WIKISWARM_ENGINE_MEMORY": "500MiB"}
    async with Host(catalog=catalog, home=home, environment=environment) as host:
        assert (await ask("pharma", "hello", host=host)).version == 2
        registry.rollback("pharma")
        assert (await ask("pharma", "hello", host=host)).version == 1
        _flip_a_bit(registry.path_of_weights("pharma@2"))
        registry.rollback("pharma")
        with pytest.raises(CorruptedVersionError, match="other content"):
            await ask("pharma", "hello", host=host)
        # What is whole goes on.
        registry.promote("pharma", 1)
        assert (await ask("pharma", "hello", host=host)).version == 1


@pytest.mark.requirement("S3-26")
async def test_a_changed_version_is_not_loaded_ahead_either(
    host: Host, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _flip_a_bit(ModelRegistry(home / "models").path_of_weights("pharma@1"))
    assert (await ask("pharma", "hello", host=host)).version == 2
    pool = await _pool(host)
    await pool.wait_for_loads()
    assert len(pool.files) == 1
    assert "has other content than was registered" in caplog.text
