"""Wikis behind a GGUF file, with a real engine in a child process."""

import dataclasses
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field, JsonValue

from swarm import (
    Catalog,
    CompletionRequest,
    CompletionResult,
    CompletionSpec,
    Host,
    Message,
    ResponseFormat,
    add_completion,
    add_outline,
    chat,
    json,
    use_catalog,
)
from swarm.errors import DeclarationError, ProviderDownError, ProviderRefusedError
from swarm.reference import parse_reference
from tests.wiki.shop import wiki_only
from wiki import ask
from wiki.engine import GgufError
from wiki.providers import open_gguf

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("gguf_host")]


@pytest.fixture(scope="module")
async def host(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    """A host whose wiki `pharma` is the tiny model."""
    catalog = wiki_only(model=f"gguf/{tiny_gguf}", max_tokens=8)
    async with Host(
        catalog=catalog, home=tmp_path_factory.mktemp("home"), environment={}
    ) as opened:
        yield opened


def _request(text: str = "hello") -> CompletionRequest:
    return CompletionRequest(messages=[Message(role="user", content=text)])


def _children() -> set[int]:
    """Return the ids of the engines that this process started."""
    task = Path(f"/proc/{os.getpid()}/task")
    found = {int(pid) for file in task.glob("*/children") for pid in file.read_text().split()}
    return {pid for pid in found if b"engine" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.mark.requirement("S4-01", "S4-10")
async def test_the_file_answers_with_its_confidence(host: Host, tiny_gguf: Path) -> None:
    first, second = [await ask("pharma", "hello", host=host) for _ in range(2)]
    assert first.text
    assert first.model == f"gguf/{tiny_gguf}"
    assert first.version is None
    assert first.confidence is not None and 0 < first.confidence < 1
    assert first.usage.output_tokens == 8
    assert first.text == second.text
    assert first.confidence == pytest.approx(second.confidence, rel=1e-3)


async def test_an_unsure_file_leaves_the_answer_to_the_fallback(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    catalog = wiki_only(
        model=f"gguf/{tiny_gguf}", max_tokens=4, min_confidence=0.999, fallback="offline"
    )
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        answer = await ask("pharma", "hello", host=host)
    assert (answer.is_fallback, answer.model) == (True, "offline")


@pytest.mark.requirement("S0-35")
async def test_streaming_gives_the_same_answer(host: Host, tiny_gguf: Path) -> None:
    spec = CompletionSpec(completion_name="tiny", model=f"gguf/{tiny_gguf}", max_tokens=8)
    completion = await host.completion(spec)
    whole = await completion.complete(_request())
    items = [item async for item in completion.stream(_request())]
    last = items.pop()
    assert isinstance(last, CompletionResult)
    assert "".join(str(item) for item in items) == last.message.content == whole.message.content
    assert (last.model, whole.model) == (f"gguf/{tiny_gguf}", f"gguf/{tiny_gguf}")
    assert last.confidence == pytest.approx(whole.confidence, rel=1e-3)


class Parcel(BaseModel):
    color: Literal["red", "green"]
    boxes: int = Field(ge=0, le=9)
    is_gift: bool
    note: str = Field(max_length=6)
    tags: list[Literal["new", "old"]] = Field(max_length=2)


async def test_noise_becomes_json_where_an_outline_asks(tiny_gguf: Path, tmp_path: Path) -> None:
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="tiny", model=f"gguf/{tiny_gguf}", max_tokens=150)
        add_outline(outline_name="parcel", completion="tiny", format=Parcel, max_attempts=1)
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        results = [await json("parcel", text, host=host) for text in ("hello", "bye")]
        plain = await chat("tiny", "hello", host=host)
    for result in results:
        assert isinstance(result.data, Parcel), result.error
        assert result.model == f"gguf/{tiny_gguf}"
        assert result.usage.output_tokens > 0
    # Without the schema the same weights say nothing of the kind.
    assert not plain.lstrip().startswith("{")


async def test_a_schema_that_the_engine_does_not_know_is_asked_for_without_it(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    spec = CompletionSpec(completion_name="tiny", model=f"gguf/{tiny_gguf}", max_tokens=8)
    part: JsonValue = {"$anchor": "part", "type": "string"}
    schema: dict[str, JsonValue] = {"properties": {"a": {"$ref": "#part"}}, "$defs": {"part": part}}
    wanted = ResponseFormat("odd", schema)
    request = dataclasses.replace(_request(), response_format=wanted)
    async with Host(catalog=Catalog(), home=tmp_path, environment={}) as host:
        bare = await open_gguf(parse_reference(f"gguf/{tiny_gguf}"), spec, host)
        with pytest.raises(ProviderRefusedError, match="HTTP 400"):
            await bare.complete(request)
        completion = await host.completion(spec)
        assert (await completion.complete(request)).message.content


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system has no /proc")
async def test_one_child_serves_a_file_and_is_started_again_when_killed(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    before = _children()
    copy = shutil.copy(tiny_gguf, tmp_path / "copy.gguf")
    catalog = wiki_only(model=f"gguf/{copy}", max_tokens=4, timeout=30)
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        assert _children() == before
        first = await ask("pharma", "hello", host=host)
        spec = CompletionSpec(completion_name="other", model=f"gguf/{copy}")
        await (await host.completion(spec)).complete(_request())
        [child] = _children() - before
        os.kill(child, signal.SIGKILL)
        again = await ask("pharma", "hello", host=host)
        assert again.text == first.text
        [other] = _children() - before
        assert other != child
    # Closing the host waits for its engines.
    assert _children() == before


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    catalog = wiki_only(model=f"gguf/{tmp_path / 'none.gguf'}")
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        with pytest.raises(DeclarationError, match="no such file"):
            await ask("pharma", "hello", host=host)


async def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(100))
    catalog = wiki_only(model=f"gguf/{tmp_path / 'bad.gguf'}", fallback="offline")
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        with pytest.raises(GgufError):
            await ask("pharma", "hello", host=host)


async def test_an_engine_that_does_not_start_is_a_model_that_is_down(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dying.py"
    program.write_text("import sys; sys.exit('no memory')", encoding="utf-8")
    monkeypatch.setattr("wiki.engine.child.__file__", str(program))
    model = f"gguf/{tiny_gguf}"
    async with Host(catalog=wiki_only(model=model), home=tmp_path, environment={}) as host:
        with pytest.raises(ProviderDownError, match="no memory"):
            await ask("pharma", "hello", host=host)
    catalog = wiki_only(model=model, fallback="offline")
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        assert (await ask("pharma", "hello", host=host)).is_fallback
