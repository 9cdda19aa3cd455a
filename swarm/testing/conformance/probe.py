"""What the cases for journals share: events that can be told apart, and how they are read."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from swarm.errors import SessionError
from swarm.events import Noted
from swarm.runtime.journal import Journal
from swarm.testing.conformance.report import ConformanceError, expect

__all__ = [
    "JournalCase",
    "JournalFactory",
    "append",
    "expect_numbers",
    "expect_refused",
    "fresh_id",
    "noted",
    "write",
]


class JournalFactory(Protocol):
    """Opens one more journal on a store."""

    def __call__(self, *, lease_seconds: float = 15.0) -> AbstractAsyncContextManager[Journal]:
        """Return a context that opens a journal and closes it.

        Args:
            lease_seconds: After this time without a sign of life of a journal, others may take
                its leases.
        """
        ...


class JournalCase(Protocol):
    """A case; its docstring is the promise."""

    __name__: str

    def __call__(self, factory: JournalFactory, /) -> Awaitable[None]:
        """Raise unless the promise is kept."""
        ...


def fresh_id() -> str:
    """Return the id of a session that nobody had."""
    return f"conformance/{secrets.token_hex(8)}"


def noted(number: int) -> Noted:
    """Return an event with a number."""
    return Noted(topic="conformance", data={"number": number})


def append(journal: Journal, session_id: str, *numbers: int) -> int:
    """Append events whose numbers are their places; returns the last ticket."""
    return [journal.append(session_id, number, noted(number)) for number in numbers][-1]


async def write(journal: Journal, session_id: str, *numbers: int) -> None:
    """Append events and wait until they are durable."""
    await journal.flush(session_id, append(journal, session_id, *numbers))


async def expect_numbers(
    journal: Journal, session_id: str, numbers: list[int], *, last: int = 100_000
) -> None:
    """Raise unless a session holds exactly these events at these places."""
    rows = await journal.read(session_id, last=last)
    found = [row.event.data["number"] for row in rows if isinstance(row.event, Noted)]
    expect(found == numbers, f"the session holds {_short(found)}, not {_short(numbers)}")
    places = [row.seq for row in rows]
    expect(
        places == list(range(places[0], places[0] + len(places))) if places else not numbers,
        f"the places are {_short(places)}",
    )
    expect({row.session_id for row in rows} <= {session_id}, "an event of another session")


async def expect_refused(what: str, function: Callable[..., Awaitable[Any]], *given: Any) -> None:
    """Raise unless a call raises `SessionError`."""
    try:
        await function(*given)
    except SessionError:
        return
    raise ConformanceError(f"{what} was not refused with SessionError")


def _short(values: list[Any]) -> str:
    text = str(values)
    return text if len(text) < 100 else f"{text[:90]}... ({len(values)})"
