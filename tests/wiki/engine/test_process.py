"""The engine's child process: what it serves, how it fails to start, and that it never outlives us.

The model is real and so is the server; only crashes and hangs are played by small programs in
the child's place.
"""

import importlib.metadata
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import anyio
import pytest

from swarm.errors import MissingExtraError, SetupError
from tests.wiki.tiny_gguf import CONTEXT_LENGTH, write_tiny_gguf
from wiki.engine import (
    Engine,
    EngineError,
    EngineTimeoutError,
    GgufError,
    UnsupportedModelError,
    child,
    start_engine,
)

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("engine_process")]

needs_pidfd = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="the system cannot wait for another's child"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="the system has no /proc")

_WAIT = 30


@pytest.fixture(scope="module")
async def engine(
    tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    log = tmp_path_factory.mktemp("engine") / "engine.log"
    async with await start_engine(tiny_gguf, log=log, threads=1) as running:
        yield running


@pytest.fixture
def replace_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Run another program in the child's place."""

    def replace(program: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(program, encoding="utf-8")
        monkeypatch.setattr(child, "__file__", str(path))
        return path

    return replace


def _question(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "max_tokens": 8, **more}


async def _post(
    engine: Engine, body: dict[str, Any], *, api_key: str | None = None
) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {engine.api_key if api_key is None else api_key}"}
    with anyio.fail_after(_WAIT):
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{engine.base_url}/chat/completions", json=body) as answer,
        ):
            return answer.status, await answer.text()


async def _answer(engine: Engine, text: str = "hello", **more: Any) -> dict[str, Any]:
    status, content = await _post(engine, _question(text, **more))
    assert status == 200, content
    return cast("dict[str, Any]", json.loads(content))


async def test_it_answers(engine: Engine) -> None:
    answer = await _answer(engine)
    assert answer["model"] == engine.model == "tiny"
    assert answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 8
    assert engine.alive
    assert engine.returncode is None


async def test_it_streams_the_same_answer(engine: Engine) -> None:
    whole = await _answer(engine)
    status, content = await _post(engine, _question(stream=True))
    lines = [line.removeprefix("data: ") for line in content.splitlines() if line]
    assert status == 200
    assert lines[-1] == "[DONE]"
    deltas = [json.loads(line)["choices"][0]["delta"] for line in lines[:-1]]
    said = "".join(delta.get("content") or "" for delta in deltas)
    assert said == whole["choices"][0]["message"]["content"]
    assert len(deltas) > 2


async def test_it_is_greedy_unless_asked(engine: Engine) -> None:
    first, second = [await _answer(engine, "hello there") for _ in range(2)]
    assert first["choices"][0]["message"] == second["choices"][0]["message"]
    sampled = [await _answer(engine, "hello there", temperature=3.0, seed=n) for n in range(4)]
    assert len({answer["choices"][0]["message"]["content"] for answer in sampled}) > 1


async def test_it_gives_log_probabilities(engine: Engine) -> None:
    answer = await _answer(engine, logprobs=True)
    tokens = answer["choices"][0]["logprobs"]["content"]
    assert len(tokens) == 8
    assert all(token["logprob"] <= 0 for token in tokens)


async def test_it_answers_many_at_once(engine: Engine) -> None:
    answers: list[dict[str, Any]] = []

    async def ask(text: str) -> None:
        answers.append(await _answer(engine, text))

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(ask, f"hello {number}")
    assert len(answers) == 8


async def test_a_conversation_has_the_models_room(engine: Engine) -> None:
    assert engine.context == CONTEXT_LENGTH
    # Byte tokens: most of the room, though four conversations share the engine.
    await _answer(engine, "x" * (CONTEXT_LENGTH - 60))
    status, content = await _post(engine, _question("x" * CONTEXT_LENGTH))
    assert status == 400, content


@pytest.mark.parametrize("api_key", ["", "wrong"])
async def test_a_wrong_key_is_refused(engine: Engine, api_key: str) -> None:
    status, content = await _post(engine, _question(), api_key=api_key)
    assert status == 401
    assert engine.api_key not in content


async def test_it_listens_on_this_machine_only(engine: Engine) -> None:
    assert engine.base_url.startswith("http://127.0.0.1:")


async def test_the_log_tells_neither_key_nor_questions(engine: Engine) -> None:
    await _answer(engine, "PATIENT RECORD")
    await _post(engine, _question("PATIENT RECORD"), api_key="wrong")
    log = await anyio.Path(engine.log).read_text(encoding="utf-8")
    assert "PATIENT" not in log
    assert engine.api_key not in log
    assert engine.api_key not in repr(engine)


@needs_proc
async def test_the_child_gets_no_secrets(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:planted@localhost/db")
    async with await start_engine(tiny_gguf, log=tmp_path / "log") as engine:
        folder = anyio.Path(f"/proc/{engine.pid}")
        shown = await (folder / "environ").read_bytes() + await (folder / "cmdline").read_bytes()
    assert b"planted" not in shown
    assert engine.api_key.encode() not in shown


async def test_closing_ends_the_child_and_may_be_repeated(tiny_gguf: Path, tmp_path: Path) -> None:
    engine = await start_engine(tiny_gguf, log=tmp_path / "log", model="pharma")
    assert (await _answer(engine))["model"] == "pharma"
    with anyio.fail_after(_WAIT):
        await engine.aclose()
        await engine.aclose()
    assert not engine.alive
    with pytest.raises(aiohttp.ClientConnectionError):
        await _post(engine, _question())


async def test_a_killed_child_is_noticed(tiny_gguf: Path, tmp_path: Path) -> None:
    async with await start_engine(tiny_gguf, log=tmp_path / "log") as engine:
        os.kill(engine.pid, signal.SIGKILL)
        with anyio.fail_after(_WAIT):
            assert await engine.wait() == -signal.SIGKILL
        assert not engine.alive
        assert "was ended by signal 9" in str(engine.death())


@needs_pidfd
@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_the_child_does_not_outlive_a_killed_parent(tiny_gguf: Path, tmp_path: Path) -> None:
    program = (
        "import anyio, sys\n"
        "from pathlib import Path\n"
        "from wiki.engine import start_engine\n"
        "async def main():\n"
        "    engine = await start_engine(Path(sys.argv[1]), log=Path(sys.argv[2]))\n"
        "    print(engine.pid, flush=True)\n"
        "    await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    command = [sys.executable, "-c", program, str(tiny_gguf), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        with os.fdopen(os.pidfd_open(pid), closefd=True) as watched:
            parent.kill()
            parent.wait(_WAIT)
            ended, _, _ = select.select([watched], [], [], _WAIT)
    assert ended


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such signal")
def test_a_child_that_is_busy_in_native_code_ends_as_well() -> None:
    # The pattern never comes to an end, and like native code that loads it lets no thread run.
    program = (
        "import os, re\n"
        "from wiki.engine import child\n"
        "child._end_with(0)\n"
        "os.write(1, b'busy\\n')\n"
        "re.match('(a+)+$', 'a' * 64 + 'b')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as busy:
        assert busy.stdin is not None and busy.stdout is not None
        assert busy.stdout.readline() == b"busy\n"
        busy.stdin.close()
        assert busy.wait(_WAIT) == -signal.SIGIO


async def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "mixer.gguf", architecture="mixer")
    with pytest.raises(UnsupportedModelError, match="does not know 'mixer' models"):
        await start_engine(path, log=tmp_path / "log")


async def test_a_file_that_lacks_a_tensor_ends_with_the_log(
    tiny_gguf: Path, tmp_path: Path
) -> None:
    content = await anyio.Path(tiny_gguf).read_bytes()
    path = tmp_path / "lacking.gguf"
    path.write_bytes(content.replace(b"blk.0.attn_q", b"blk.0.attn_x"))
    with pytest.raises(EngineError, match="ended with code 1 while loading it") as caught:
        await start_engine(path, log=tmp_path / "log")
    assert "tensor 'blk.0.attn_q.weight' not found" in caught.value.log_tail
    assert caught.value.log_tail in str(caught.value)


@pytest.mark.parametrize("kept", [0, 3, 100, 5_000, 300_000])
async def test_a_cut_file_never_reaches_the_child(
    tiny_gguf: Path, tmp_path: Path, kept: int
) -> None:
    content = await anyio.Path(tiny_gguf).read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(content[:kept])
    with pytest.raises(GgufError, match="cut short"):
        await start_engine(path, log=tmp_path / "log")
    assert not (tmp_path / "log").exists()


async def test_a_crash_while_loading_is_an_error_here(
    tiny_gguf: Path, tmp_path: Path, replace_child: Callable[[str], Path]
) -> None:
    replace_child("import os\nos.write(2, b'GGML_ASSERT(false) failed\\n')\nos.abort()\n")
    with pytest.raises(EngineError, match="signal 6 while loading") as caught:
        await start_engine(tiny_gguf, log=tmp_path / "log")
    assert caught.value.log_tail == "GGML_ASSERT(false) failed"
    assert isinstance(caught.value, SetupError)


@pytest.mark.parametrize(
    "report", ["no json", '{"port": ', "[]", "x" * 70_000, '{"error": "RuntimeError: no"}']
)
async def test_a_wrong_report_is_an_error(
    tiny_gguf: Path, tmp_path: Path, replace_child: Callable[[str], Path], report: str
) -> None:
    replace_child(f"print({report!r})\n")
    with pytest.raises(EngineError, match="while loading it"):
        await start_engine(tiny_gguf, log=tmp_path / "log")


_HANGS = "import os, time\nos.write(2, str(os.getpid()).encode())\ntime.sleep(600)\n"
_WAITS = "import os\nos.write(2, str(os.getpid()).encode())\nwhile os.read(0, 1): pass\n"


def _is_running(log: Path) -> bool:
    """Whether the child that wrote its process id into the log is still there."""
    return Path(f"/proc/{int(log.read_text(encoding='utf-8'))}").exists()


@needs_proc
async def test_a_child_that_is_not_ready_in_time_is_ended(
    tiny_gguf: Path, tmp_path: Path, replace_child: Callable[[str], Path]
) -> None:
    replace_child(_HANGS)
    log = tmp_path / "log"
    with pytest.raises(EngineTimeoutError, match=r"not loaded within 1 s"):
        await start_engine(tiny_gguf, log=log, load_timeout=1)
    assert not _is_running(log)


@needs_proc
async def test_a_cancelled_start_leaves_no_child(
    tiny_gguf: Path, tmp_path: Path, replace_child: Callable[[str], Path]
) -> None:
    replace_child(_WAITS)
    log = tmp_path / "log"
    with anyio.move_on_after(1) as scope:
        await start_engine(tiny_gguf, log=log)
    assert scope.cancelled_caught
    assert not _is_running(log)


async def test_a_file_in_the_working_folder_is_not_imported(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("xllamacpp", "json", "wiki"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('planted')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    async with await start_engine(tiny_gguf, log=tmp_path / "log") as engine:
        assert engine.alive


async def test_a_log_that_cannot_be_written_is_an_error(tiny_gguf: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EngineError, match="cannot start the engine"):
        await start_engine(tiny_gguf, log=tmp_path / "file" / "log")


async def test_a_missing_engine_names_its_extra(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", installed)
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[gguf\]'"):
        await start_engine(tiny_gguf, log=tmp_path / "log")


async def test_an_engine_that_only_the_child_misses_names_its_extra(
    tiny_gguf: Path, tmp_path: Path, replace_child: Callable[[str], Path]
) -> None:
    replace_child('print(\'{"error": "missing", "package": "xllamacpp"}\')\n')
    with pytest.raises(MissingExtraError, match=r"xllamacpp is not installed"):
        await start_engine(tiny_gguf, log=tmp_path / "log")


@pytest.mark.parametrize("version", ["0.2.14", "2026.7.10068", "2026.10"])
async def test_an_engine_with_known_holes_is_refused(
    tiny_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    def installed(_: str) -> str:
        return version

    monkeypatch.setattr(importlib.metadata, "version", installed)
    with pytest.raises(EngineError, match="too old"):
        await start_engine(tiny_gguf, log=tmp_path / "log")


@needs_proc
async def test_the_core_does_not_load_native_code() -> None:
    program = (
        "import sys, wiki.engine; print(sorted({'xllamacpp', 'numpy', 'gguf'} & {*sys.modules}))"
    )
    result = await anyio.run_process([sys.executable, "-c", program])
    assert result.stdout.decode().strip() == "[]"
