"""What a session asks of the journal. `swarm.store` has the implementation."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from swarm.events import Event

__all__ = ["Journal", "StoredEvent"]


class StoredEvent(NamedTuple):
    """An event with its place in a session."""

    session_id: str
    seq: int
    """1-based, without gaps."""
    at: float
    """Seconds since the epoch."""
    event: Event


class Journal(Protocol):
    """Append-only events, one sequence per session.

    Appending is immediate and cheap; `flush` makes it durable. Between the two, nothing may be
    acknowledged to anybody.

    Before a session is read to be continued its lease is acquired. Of all journals on one store,
    also those of other processes, one at a time holds it, and only its events are stored.
    """

    async def acquire(self, session_id: str, *, wait: float | None = None) -> None:
        """Become the one who may write to a session, until `release`.

        A lease whose holder died, or did not renew it in time, is taken over.

        Args:
            session_id: The session.
            wait: Seconds to wait for another holder; the journal's own default when absent.

        Raises:
            SessionError: Another process has the session open.
            StoreError: The journal failed.
        """
        ...

    def release(self, session_id: str) -> int:
        """Give up a session once what is queued is durable; nothing happens when it is not held.

        Returns:
            The ticket with which `flush` waits for it.
        """
        ...

    def append(self, session_id: str, seq: int, event: Event) -> int:
        """Queue an event and return the ticket that `flush` takes."""
        ...

    async def flush(self, session_id: str, ticket: int) -> None:
        """Return once everything up to the ticket is durable.

        Raises:
            StoreError: It could not be written; it stays queued, and a later flush tries again.
            SessionError: Another process wrote to the same session, or took it over.
        """
        ...

    def withdraw(self, session_id: str, seq: int) -> bool:
        """Take back the newest event of a session, if it is neither stored nor being stored.

        Returns:
            Whether it was taken back; its number is free again.
        """
        ...

    async def read(
        self, session_id: str, *, last: int, kinds: Sequence[str] | None = None
    ) -> list[StoredEvent]:
        """Return the newest events of a session, oldest first.

        Args:
            session_id: The session.
            last: At most so many.
            kinds: Only events of these kinds; all when absent.

        Raises:
            StoreError: The journal cannot be read, or holds something else than events.
        """
        ...
