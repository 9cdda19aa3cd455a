"""Waits for decisions: those of this process come at once, those of others are looked for.

One task for a whole host looks twice a second, with one query, and only while something is open.
It also runs what decisions set off, so that none of it outlives the host.
"""

import asyncio  # noqa: TID251 - a task that belongs to the host, not to the turn that comes first
import contextvars
import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from swarm.errors import SwarmError
from swarm.inbox.item import InboxItem
from swarm.inbox.items import Items

__all__ = ["POLL", "Waiter", "Watch"]

POLL = 0.5
"""Seconds between two looks for what other processes decided."""

_CLOSING = 15.0
"""Seconds that work set off by decisions has to end when the host closes."""

_log = logging.getLogger("wikiswarm")


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody inside a turn who waits for a decision."""

    item: InboxItem | None = None
    _event: anyio.Event = field(default_factory=anyio.Event)

    def wake(self, item: InboxItem) -> None:
        """Hand over the decided item."""
        self.item = item
        self._event.set()

    async def decided(self) -> InboxItem:
        """Return the item once a person has decided; the caller's deadline may end that."""
        while self.item is None:
            await self._event.wait()
        return self.item


class Watch:
    """What a host waits for."""

    def __init__(self, items: Items, on_decided: Callable[[InboxItem], Awaitable[None]]) -> None:
        """Watch over items.

        Args:
            items: The rows.
            on_decided: Called, in the task of the watch, for an item that no turn waits for.
        """
        self._items = items
        self._on_decided = on_decided
        self._sessions: dict[str, str] = {}
        """The sessions of the items that are watched."""
        self._contexts: dict[str, contextvars.Context] = {}
        """Where each live session was opened; what is done for it later is done there."""
        self._waiters: dict[str, list[Waiter]] = {}
        self._wake = anyio.Event()
        self._told: list[InboxItem] = []
        self._jobs: list[Callable[[], Awaitable[None]]] = []
        self._scope = anyio.CancelScope()
        self._task: asyncio.Task[None] | None = None

    def open_session(self, session_id: str) -> None:
        """Call `on_decided` for the items of a session from now on."""
        self._contexts[session_id] = contextvars.copy_context()

    def close_session(self, session_id: str) -> bool:
        """Forget a session and its items; returns whether there were any."""
        self._contexts.pop(session_id, None)
        left = {item: other for item, other in self._sessions.items() if other != session_id}
        had_items = len(left) < len(self._sessions)
        self._sessions = left
        return had_items

    def add(self, item: InboxItem) -> None:
        """Watch over an item until it is removed."""
        self._sessions[item.id] = item.session_id
        self._start()

    def remove(self, item_id: str) -> None:
        """Forget an item."""
        self._sessions.pop(item_id, None)

    def tell(self, item: InboxItem) -> None:
        """Take in a decision that was made in this process."""
        if item.id in self._sessions:
            self._told.append(item)
            self._start()

    def start_soon(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run something in the task of the watch."""
        self._jobs.append(job)
        self._start()

    def is_awaited(self, item_id: str) -> bool:
        """Whether a turn waits for an item, so that nobody else may act on it."""
        return item_id in self._waiters

    @contextmanager
    def waiting(self, item: InboxItem) -> Generator[Waiter, None, None]:
        """Wait for an item inside the block; until its end the decision is the block's."""
        waiter = Waiter()
        waiters = self._waiters.setdefault(item.id, [])
        waiters.append(waiter)
        self.add(item)
        try:
            yield waiter
        finally:
            waiters.remove(waiter)
            if not waiters:
                self._waiters.pop(item.id, None)
                if item.session_id not in self._contexts:
                    self.remove(item.id)  # nobody could be told of a later decision

    async def aclose(self) -> None:
        """Stop; what still runs is cancelled and gets a moment to write that down."""
        if self._task is None:
            return
        self._scope.cancel()
        with anyio.move_on_after(_CLOSING, shield=True):
            await asyncio.wait([self._task])

    def _start(self) -> None:
        self._wake.set()
        if self._task is None:
            # An empty context: the turn that happens to come first must not live on in this task.
            self._task = asyncio.get_running_loop().create_task(
                self._run(), context=contextvars.Context()
            )

    async def _run(self) -> None:
        with self._scope:
            async with anyio.create_task_group() as group:
                while True:
                    with anyio.move_on_after(POLL if self._sessions else None):
                        await self._wake.wait()
                    self._wake = anyio.Event()
                    jobs, self._jobs = self._jobs, []
                    for job in jobs:
                        group.start_soon(self._guard, job)
                    told, self._told = self._told, []
                    for item in told or await self._look():
                        self._hand_over(item, group)

    async def _look(self) -> list[InboxItem]:
        if not self._sessions:
            return []
        try:
            return await self._items.decided(self._sessions)
        except SwarmError as error:
            # A database that is away now may be back at the next look.
            _log.warning("the inbox cannot be read: %s", error)
            return []

    def _hand_over(self, item: InboxItem, group: TaskGroup) -> None:
        waiters = self._waiters.get(item.id)
        if waiters:
            for waiter in waiters:
                waiter.wake(item)
        elif item.session_id in self._contexts:
            context = self._contexts[item.session_id]
            context.run(group.start_soon, self._guard, lambda: self._on_decided(item))

    async def _guard(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run a job; its failure must not end the watch."""
        try:
            await job()
        except Exception:
            _log.exception("what a person decided could not be brought to its conversation")
