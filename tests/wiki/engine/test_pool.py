"""The pool of engines: one child per file, room made by closing idle ones, never busy ones."""

import os
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest

from swarm.errors import SetupError
from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki.engine import EngineError, EnginePool, GgufError, memory_limit

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("engine_process")]

_TWO = 900 * 2**20
"""Room for two of the tiny models."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three models."""
    folder = tmp_path_factory.mktemp("models")
    return [write_tiny_gguf(folder / f"{n}.gguf", seed=n) for n in range(3)]


@asynccontextmanager
async def pool_of(limit: int, logs: Path) -> AsyncGenerator[EnginePool]:
    """Give a pool that is closed at the end."""
    pool = EnginePool(logs, limit)
    try:
        with anyio.fail_after(60):
            yield pool
    finally:
        await pool.aclose()


async def _pid(pool: EnginePool, path: Path) -> int:
    async with pool.lease(path, path.stem) as engine:
        return engine.pid


@pytest.mark.requirement("S0-35")
async def test_the_one_that_was_idle_longest_makes_room(files: list[Path], tmp_path: Path) -> None:
    a, b, c = files
    async with pool_of(_TWO, tmp_path) as pool:
        first = await _pid(pool, a)
        await _pid(pool, b)
        assert await _pid(pool, a) == first
        await _pid(pool, c)
        assert pool.files == (a, c)
        assert await _pid(pool, a) == first


async def test_one_that_answers_is_never_closed(files: list[Path], tmp_path: Path) -> None:
    a, b, c = files
    async with pool_of(_TWO, tmp_path) as pool:
        async with anyio.create_task_group() as group:
            is_through = anyio.Event()

            async def third() -> None:
                await _pid(pool, c)
                is_through.set()

            async with pool.lease(a, "a") as busy:
                async with pool.lease(b, "b") as other:
                    group.start_soon(third)
                    await anyio.wait_all_tasks_blocked()
                    assert not is_through.is_set()
                    assert busy.alive and other.alive
                await is_through.wait()
                assert busy.alive and not other.alive
        assert pool.files == (c, a)


async def test_a_model_beyond_the_limit_runs_alone(files: list[Path], tmp_path: Path) -> None:
    a, b, _ = files
    async with pool_of(1, tmp_path) as pool:
        await _pid(pool, a)
        await _pid(pool, b)
        assert pool.files == (b,)


async def test_a_crash_ends_no_other_engine_and_is_repaired(
    files: list[Path], tmp_path: Path
) -> None:
    a, b, _ = files
    async with pool_of(_TWO, tmp_path) as pool:
        first, other = await _pid(pool, a), await _pid(pool, b)
        async with pool.lease(a, "a") as engine:
            os.kill(engine.pid, signal.SIGSEGV)
            assert await engine.wait() == -signal.SIGSEGV
        assert await _pid(pool, a) != first
        assert await _pid(pool, b) == other


async def test_one_that_did_not_start_keeps_no_room(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dying.py"
    program.write_text("raise SystemExit(3)", encoding="utf-8")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(100))
    async with pool_of(1, tmp_path) as pool:
        with monkeypatch.context() as patch:
            patch.setattr("wiki.engine.child.__file__", str(program))
            with pytest.raises(EngineError, match="code 3"):
                await _pid(pool, files[0])
        with pytest.raises(GgufError):
            await _pid(pool, tmp_path / "bad.gguf")
        assert pool.files == ()
        assert await _pid(pool, files[1])


def test_the_limit_is_a_size() -> None:
    assert memory_limit({"WIKISWARM_ENGINE_MEMORY": "6GiB"}) == 6 * 2**30
    assert memory_limit({"WIKISWARM_ENGINE_MEMORY": "500 MB"}) == 500_000_000
    assert memory_limit({"WIKISWARM_ENGINE_MEMORY": "1000"}) == 1000
    assert memory_limit({}) > 2**28
    for wrong in ("much", "0", "-1GiB", "1.5GiB", "6gib"):
        with pytest.raises(SetupError, match="is no size"):
            memory_limit({"WIKISWARM_ENGINE_MEMORY": wrong})


async def test_who_gives_up_takes_the_load_from_nobody(files: list[Path], tmp_path: Path) -> None:
    path = files[0]
    is_begun, may_go_on = anyio.Event(), threading.Event()
    checks: list[str] = []

    def slow_check() -> None:
        checks.append("read")
        anyio.from_thread.run_sync(is_begun.set)
        assert may_go_on.wait(30)

    async def ask() -> None:
        async with pool.lease(path, "a", check=slow_check) as engine:
            assert engine.alive

    async with pool_of(_TWO, tmp_path) as pool:
        async with anyio.create_task_group() as waiting:
            async with anyio.create_task_group() as impatient:
                impatient.start_soon(ask)
                await is_begun.wait()
                waiting.start_soon(ask)
                await anyio.lowlevel.checkpoint()
                impatient.cancel_scope.cancel()
            may_go_on.set()
        assert checks == ["read"]
        assert pool.files == (path,)


async def test_who_waits_is_told_that_the_host_was_closed(
    files: list[Path], tmp_path: Path
) -> None:
    is_begun, may_go_on = anyio.Event(), threading.Event()

    def slow_check() -> None:
        anyio.from_thread.run_sync(is_begun.set)
        assert may_go_on.wait(30)

    async def ask() -> None:
        with pytest.raises(EngineError, match="its host was closed"):
            async with pool.lease(files[0], "a", check=slow_check):
                raise AssertionError("it was loaded")

    async with pool_of(_TWO, tmp_path) as pool, anyio.create_task_group() as group:
        group.start_soon(ask)
        await is_begun.wait()
        await pool.aclose()
        may_go_on.set()


async def test_a_model_that_took_too_long_is_there_for_the_next_question(
    files: list[Path], tmp_path: Path
) -> None:
    path = files[0]
    is_begun, may_go_on = anyio.Event(), threading.Event()

    def slow_check() -> None:
        anyio.from_thread.run_sync(is_begun.set)
        assert may_go_on.wait(30)

    async with pool_of(_TWO, tmp_path) as pool:
        async with anyio.create_task_group() as group:

            async def give_up() -> None:
                async with pool.lease(path, "a", check=slow_check):
                    raise AssertionError("it was loaded")

            group.start_soon(give_up)
            await is_begun.wait()
            group.cancel_scope.cancel()
        assert pool.files == ()
        may_go_on.set()
        await pool.wait_for_loads()
        assert pool.files == (path,)
