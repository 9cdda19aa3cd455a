"""Ends a client's session from outside: at once, or when the client has been idle for long."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from swarm.connect.clock import CLOCK, Clock
from swarm.connect.opening import find_sessions, refuse_own_turn
from swarm.connect.tasks import BlockTasks, log_failure
from swarm.errors import SwarmError
from swarm.functions import observe
from swarm.runtime.ids import check_client_id

__all__ = ["AutoDispose", "dispose_connection", "make_auto_dispose"]


async def dispose_connection(client_id: str, swarm_name: str) -> bool:
    """Close the live session of a client, whichever code of this process opened it.

    A running turn is interrupted, the history stays, and the conversation can be opened again
    right away, also by another process. Whoever uses the closed session gets a `SessionError`.

    Returns:
        Whether there was one.

    Raises:
        InvalidIdError: No client can be called that.
        SessionError: This was called by a tool of the session's own turn.
        StoreError: The journal failed.
    """
    found = find_sessions(check_client_id(client_id), swarm_name)
    for session in found:
        refuse_own_turn(session, "dispose its own session")
    for session in found:
        await session.aclose()
    return bool(found)


class AutoDispose:
    """Closes a session whose client has been idle for long; made by `make_auto_dispose`."""

    def __init__(
        self,
        client_id: str,
        swarm_name: str,
        timeout: float,
        on_destroy: Callable[[str, str], Any] | None,
        clock: Clock,
    ) -> None:
        self._names = (client_id, swarm_name)
        self._timeout = timeout
        self._on_destroy = on_destroy
        self._clock = clock
        self._is_over = False
        self._until = clock.now() + timeout

    def tick(self) -> None:
        """Say that the client is there; the time starts anew."""
        self._until = self._clock.now() + self._timeout

    async def destroy(self) -> None:
        """Stop watching and leave the session as it is; `on_destroy` is told, once."""
        if not self._is_over:
            self._is_over = True
            await observe(self._on_destroy, *self._names, place="make_auto_dispose")

    async def watch(self) -> None:
        """Close the session when no tick came for the timeout; `on_destroy` is told."""
        while (left := self._until - self._clock.now()) > 0:
            await self._clock.sleep(left)
        if self._is_over:
            return
        try:
            await dispose_connection(*self._names)
        except SwarmError as error:
            log_failure("make_auto_dispose", error)
        await self.destroy()


@asynccontextmanager
async def make_auto_dispose(
    client_id: str,
    swarm_name: str,
    timeout: float = 900.0,  # noqa: ASYNC109 - of silence, not of this call
    on_destroy: Callable[[str, str], Any] | None = None,
    *,
    clock: Clock = CLOCK,
) -> AsyncGenerator[AutoDispose, None]:
    """Close a client's session, as `dispose_connection` does, when nothing ticks for long.

    Leaving the block ends the watching and closes nothing.

    Args:
        client_id: Whose session.
        swarm_name: With which swarm.
        timeout: Seconds without a `tick`.
        on_destroy: A function `(client_id, swarm_name)` that is told when the watching ended,
            because the client was idle or `destroy` was called.
        clock: What measures the time.
    """
    watcher = AutoDispose(check_client_id(client_id), swarm_name, timeout, on_destroy, clock)
    async with BlockTasks() as tasks:
        tasks.group.start_soon(watcher.watch)
        yield watcher
