"""The engines of one host: one child for each file, within a limit of memory.

An engine that answers is never closed to make room. When the idle ones do not free enough, a
question waits until another is answered; its own timeout ends the waiting.
"""

import asyncio  # noqa: TID251 - a load outlives the question that began it
import logging
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from swarm.errors import SetupError, SwarmError
from wiki.engine.errors import EngineError, GgufError
from wiki.engine.gguf_header import check_header
from wiki.engine.process import Engine, start_engine

__all__ = ["Check", "EnginePool", "memory_limit"]

Check = Callable[[], object]
"""Raises when a file must not be loaded; called in a thread each time before it is."""

_log = logging.getLogger(__name__)
_VARIABLE = "WIKISWARM_ENGINE_MEMORY"
_SIZE = re.compile(r"([0-9]{1,15}) ?(|[KMGT]iB|[KMGT]B)")
_UNITS = {"": 1} | {
    f"{letter}{ending}": base**power
    for ending, base in (("iB", 1024), ("B", 1000))
    for power, letter in enumerate("KMGT", start=1)
}
_WORKING_BYTES = 384 * 2**20
"""What a child takes besides weights and conversations: its cache of prompts and its buffers."""
_CONTEXT, _PARALLEL = 4096, 4
_AHEAD_SECONDS = 1.0
"""How long after an answer a load ahead begins: a program that asks one question never sees it."""


def memory_limit(environment: Mapping[str, str]) -> int:
    """Return how many bytes the engines of a host may take together.

    `WIKISWARM_ENGINE_MEMORY` says it, such as `6GiB`; otherwise it is half of the machine's memory.

    Raises:
        SetupError: The variable is no size.
    """
    text = environment.get(_VARIABLE, "").strip()
    if text:
        found = _SIZE.fullmatch(text)
        if found is None or not int(found[1]):
            raise SetupError(f"{_VARIABLE} is no size; write bytes, or a size such as 6GiB")
        return int(found[1]) * _UNITS[found[2]]
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # Windows does not say
        return 4 * 2**30


@dataclass(slots=True, eq=False)
class _Seat:
    """The engine of one file: to be started, running, or to be started again."""

    size: int
    """Bytes that are kept for it."""
    users: int = 0
    used: int = 0
    """When it was last asked, as a count of questions."""
    engine: Engine | None = None
    starting: asyncio.Task[Engine] | None = None
    """Loads the file for all who wait. Invariant: at most one child per file."""


class EnginePool:
    """Starts engines when they are asked for and closes the one that was idle longest for room."""

    def __init__(self, logs: Path, limit: int) -> None:
        """Begin with no engine.

        Args:
            logs: The folder of the engines' logs.
            limit: Bytes that they may take together; a file that is larger runs alone.
        """
        self._logs, self._limit = logs, limit
        self._seats: dict[Path, _Seat] = {}
        self._clock = 0
        self._ahead: dict[Path, asyncio.Task[None]] = {}
        self._loads: set[asyncio.Task[Engine]] = set()
        self._is_closed = False
        # Invariant: seats and their users change together; who waits for room is told.
        self._changed = anyio.Condition()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that have a running engine, the one that was idle longest first."""
        running = [(s.used, path) for path, s in self._seats.items() if s.engine is not None]
        return tuple(path for _, path in sorted(running))

    @asynccontextmanager
    async def lease(
        self,
        path: Path,
        name: str,
        *,
        check: Check | None = None,
        failure: Callable[[EngineError], Exception] | None = None,
    ) -> AsyncGenerator[Engine]:
        """Give a running engine that stays for the block.

        Args:
            path: The GGUF file, as an absolute path.
            name: What clients and the log call the model.
            check: Looks at the file before an engine loads it, also when one is started again.
            failure: Makes the error to raise from one of the engine.

        Raises:
            GgufError: The file is no model that can be loaded.
            SetupError: The engine is not installed, or did not start.
        """
        seat = await self._sit(path, check)
        try:
            try:
                engine = await self._running(seat, path, name, check)
            except EngineError as error:
                raise (failure(error) if failure else error) from error
            yield engine
        finally:
            with anyio.CancelScope(shield=True):
                await self._rise(seat, path)

    def load_ahead(self, path: Path, name: str, check: Check | None = None) -> None:
        """Begin to load a file that may be asked soon, if it fits beside what is loaded.

        It closes no other engine, and is the first to be closed when another needs its room.
        A failure is written to the log: whoever asks the file is told then.
        """
        if self._is_closed or path in self._seats or path in self._ahead:
            return
        task = asyncio.get_running_loop().create_task(self._load(path, name, check))
        self._ahead[path] = task
        task.add_done_callback(lambda _: self._ahead.pop(path))

    async def wait_for_loads(self) -> None:
        """Wait until nothing is being loaded any more, asked for or ahead."""
        while begun := self._begun():
            await asyncio.wait(begun)

    async def aclose(self) -> None:
        """Stop all engines, also those that answer."""
        async with self._changed:
            self._is_closed = True
            seats = list(self._seats.values())
            self._seats.clear()
        if begun := self._begun():
            for task in begun:
                task.cancel()
            await asyncio.wait(begun)
        async with anyio.create_task_group() as group:
            for seat in seats:
                if seat.engine is not None:
                    group.start_soon(seat.engine.aclose)

    def _begun(self) -> list[asyncio.Task[None] | asyncio.Task[Engine]]:
        return [*self._ahead.values(), *self._loads]

    async def _load(self, path: Path, name: str, check: Check | None) -> None:
        await anyio.sleep(_AHEAD_SECONDS)
        try:
            size = await self._size(path, check)
            async with self._changed:
                taken = sum(seat.size for seat in self._seats.values())
                if path in self._seats or taken + size > self._limit:
                    return
                seat = self._seats[path] = _Seat(size, users=1)
            try:
                await self._running(seat, path, name, check)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._rise(seat, path, is_asked=False)
        except SwarmError as error:
            _log.warning("%s could not be loaded ahead: %s", name, error)

    async def _size(self, path: Path, check: Check | None) -> int:
        try:
            header = await anyio.to_thread.run_sync(check_header, path)
        except GgufError:
            # That somebody changed the file says more than what its header lacks now.
            if check is not None:
                await anyio.to_thread.run_sync(check)
            raise
        tokens = min(_CONTEXT, header.context_length or _CONTEXT) * _PARALLEL
        return header.file_size + header.cache_bytes * tokens + _WORKING_BYTES

    async def _sit(self, path: Path, check: Check | None) -> _Seat:
        # What is loaded already is not read again for every question.
        size = None if path in self._seats else await self._size(path, check)
        async with self._changed:
            while (seat := self._seats.get(path)) is None:
                if size is None:
                    size = await self._size(path, check)
                if await self._make_room(size):
                    seat = self._seats[path] = _Seat(size)
                    break
                await self._changed.wait()
            seat.users += 1
            self._touch(seat)
            return seat

    async def _rise(self, seat: _Seat, path: Path, *, is_asked: bool = True) -> None:
        async with self._changed:
            seat.users -= 1
            if is_asked:
                self._touch(seat)
            # An engine that did not start keeps no room.
            if not seat.users and seat.engine is None and self._seats.get(path) is seat:
                del self._seats[path]
            self._changed.notify_all()

    def _touch(self, seat: _Seat) -> None:
        self._clock += 1
        seat.used = self._clock

    async def _make_room(self, size: int) -> bool:
        """Close idle engines until another fits; False, and none closed, when that is too few."""
        idle = sorted(
            ((s.used, path) for path, s in self._seats.items() if not s.users), reverse=True
        )
        taken = sum(seat.size for seat in self._seats.values())
        busy = taken - sum(self._seats[path].size for _, path in idle)
        if busy and busy + size > self._limit:
            return False
        while idle and taken + size > self._limit:
            seat = self._seats.pop(idle.pop()[1])
            taken -= seat.size
            if seat.engine is not None:
                await seat.engine.aclose()
        return True

    async def _running(self, seat: _Seat, path: Path, name: str, check: Check | None) -> Engine:
        if seat.engine is not None and seat.engine.alive:
            return seat.engine
        if seat.starting is None:
            # The load sits there itself: a model that takes longer than a question may wait would
            # never be loaded if it ended with the question.
            seat.users += 1
            loading = self._start(seat, path, name, check)
            seat.starting = asyncio.get_running_loop().create_task(loading)
            self._loads.add(seat.starting)
            seat.starting.add_done_callback(self._forget)
        load = seat.starting
        try:
            return await asyncio.shield(load)
        except asyncio.CancelledError:
            if not load.cancelled():
                raise
            raise EngineError(f"{name}: its host was closed") from None

    async def _start(self, seat: _Seat, path: Path, name: str, check: Check | None) -> Engine:
        try:
            if seat.engine is not None:
                await seat.engine.aclose()
                seat.engine = None
            if check is not None:
                # It reads the whole file, and a host that is closed does not wait for that.
                await anyio.to_thread.run_sync(check, abandon_on_cancel=True)
            log = self._logs / f"engine-{name}.log"
            engine = await start_engine(
                path, model=name, log=log, context=_CONTEXT, parallel=_PARALLEL
            )
            if self._is_closed:
                await engine.aclose()
                raise EngineError(f"{name}: its host was closed")
            seat.engine = engine
            return engine
        finally:
            seat.starting = None
            with anyio.CancelScope(shield=True):
                await self._rise(seat, path, is_asked=False)

    def _forget(self, task: "asyncio.Task[Engine]") -> None:
        self._loads.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited was told; nobody may have
