"""Cases for journals: what is appended is kept, in order, and nothing else is."""

import anyio

from swarm.errors import StoreError
from swarm.events import MessageAdded, Noted
from swarm.messages import Message
from swarm.testing.conformance.probe import (
    JournalCase,
    JournalFactory,
    append,
    expect_numbers,
    fresh_id,
    noted,
    write,
)
from swarm.testing.conformance.report import ConformanceError, expect

__all__ = [
    "CASES",
    "a_cancelled_flush_loses_nothing",
    "a_large_event_is_kept",
    "a_session_that_nobody_had_is_empty",
    "a_ticket_covers_all_sessions",
    "an_event_that_cannot_be_encoded_takes_no_place",
    "an_event_that_is_not_stored_can_be_withdrawn",
    "any_text_is_kept",
    "closing_writes_what_is_queued",
    "events_are_read_in_the_order_they_were_appended",
    "many_sessions_are_written_at_once",
    "only_events_of_the_kinds_asked_for_are_read",
    "only_the_newest_events_are_read",
    "the_queue_is_bounded",
    "what_is_flushed_is_there_for_others",
]

_TEXTS = (
    "Grüße, 世界, 👩‍⚕️ and \U0001f9ea",
    "אבג ‮abc‬ \u200b\ufeff",
    "nul \x00, bell \x07, delete \x7f, newline \n, return \r, tab \t",
    """quotes ' " ` and \\ back \\\\ slashes; %s %(name)s :name ? {0} ${x} -- /* */""",
    "e\u0301 is not \xe9",
    "",
    " ",
)


async def events_are_read_in_the_order_they_were_appended(factory: JournalFactory) -> None:
    """Events are read in the order they were appended, with their places and times."""
    session_id = fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        await write(journal, session_id, 1, 2, 3)
        await write(journal, session_id, 4)
        append(journal, session_id, 5)
        await expect_numbers(journal, session_id, [1, 2, 3, 4, 5])
        times = [row.at for row in await journal.read(session_id, last=10)]
        expect(times == sorted(times) and times[0] > 1_600_000_000, f"the times are {times}")


async def only_the_newest_events_are_read(factory: JournalFactory) -> None:
    """`last` bounds what is read to the newest events, oldest first."""
    session_id = fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        await write(journal, session_id, *range(1, 21))
        await expect_numbers(journal, session_id, [18, 19, 20], last=3)
        await expect_numbers(journal, session_id, list(range(1, 21)), last=20)


async def only_events_of_the_kinds_asked_for_are_read(factory: JournalFactory) -> None:
    """`kinds` leaves out events of other kinds, and `last` counts the rest."""
    session_id = fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        ticket = 0
        for seq in range(1, 11):
            message = Message(role="user", content=str(seq))
            event = MessageAdded(message=message) if seq % 5 == 0 else noted(seq)
            ticket = journal.append(session_id, seq, event)
        await journal.flush(session_id, ticket)
        rows = await journal.read(session_id, last=10, kinds=["message_added"])
        expect([row.seq for row in rows] == [5, 10], f"read {[row.seq for row in rows]}")
        rows = await journal.read(session_id, last=1, kinds=["message_added", "agent_changed"])
        expect([row.seq for row in rows] == [10], f"read {[row.seq for row in rows]}")
        expect(await journal.read(session_id, last=9, kinds=[]) == [], "no kinds gave events")


async def a_session_that_nobody_had_is_empty(factory: JournalFactory) -> None:
    """Reading a session that nobody had returns no events."""
    async with factory() as journal:
        await expect_numbers(journal, fresh_id(), [])


async def what_is_flushed_is_there_for_others(factory: JournalFactory) -> None:
    """What is flushed can be read by another journal, at once and after both were closed."""
    session_id = fresh_id()
    async with factory() as journal, factory() as other:
        await journal.acquire(session_id)
        await write(journal, session_id, 1, 2)
        await expect_numbers(other, session_id, [1, 2])
    async with factory() as again:
        await expect_numbers(again, session_id, [1, 2])


async def closing_writes_what_is_queued(factory: JournalFactory) -> None:
    """Closing a journal writes what nobody flushed."""
    session_id = fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        append(journal, session_id, 1, 2)
    async with factory() as again:
        await expect_numbers(again, session_id, [1, 2])


async def a_ticket_covers_all_sessions(factory: JournalFactory) -> None:
    """Flushing a ticket makes durable what was appended before it, for every session."""
    one, two = fresh_id(), fresh_id()
    async with factory() as journal, factory() as other:
        await journal.acquire(one)
        await journal.acquire(two)
        append(journal, one, 1)
        await write(journal, two, 1)
        await expect_numbers(other, one, [1])


async def many_sessions_are_written_at_once(factory: JournalFactory) -> None:
    """Forty sessions that write at the same time each keep their own order, without gaps."""
    ids = [fresh_id() for _ in range(40)]
    async with factory() as journal:

        async def converse(session_id: str) -> None:
            await journal.acquire(session_id)
            for number in range(1, 13, 3):
                append(journal, session_id, number, number + 1)
                await write(journal, session_id, number + 2)

        async with anyio.create_task_group() as group:
            for session_id in ids:
                group.start_soon(converse, session_id)
    async with factory() as again:
        for session_id in ids:
            await expect_numbers(again, session_id, list(range(1, 13)))


async def an_event_that_is_not_stored_can_be_withdrawn(factory: JournalFactory) -> None:
    """The newest event of a session can be taken back while it is queued, and only then."""
    session_id, other = fresh_id(), fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        await journal.acquire(other)
        await write(journal, session_id, 1)
        expect(not journal.withdraw(session_id, 1), "a stored event was withdrawn")
        append(journal, session_id, 2, 3)
        append(journal, other, 1)
        expect(not journal.withdraw(session_id, 2), "an event before the newest was withdrawn")
        expect(journal.withdraw(session_id, 3), "a queued event was not withdrawn")
        ticket = journal.append(session_id, 3, noted(33))
        await journal.flush(session_id, ticket)
        await expect_numbers(journal, session_id, [1, 2, 33])
        await expect_numbers(journal, other, [1])


async def a_cancelled_flush_loses_nothing(factory: JournalFactory) -> None:
    """Who stops waiting for a flush has its events stored all the same."""
    session_id = fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await write(journal, session_id, 1, 2)
        await write(journal, session_id, 3)
        await expect_numbers(journal, session_id, [1, 2, 3])


async def any_text_is_kept(factory: JournalFactory) -> None:
    """Text of every script, control characters, quotes and format signs come back unchanged."""
    session_id = f"{fresh_id()} ü世👩‍⚕️'\"\\%s"
    async with factory() as journal:
        await journal.acquire(session_id)
        for place, text in enumerate(_TEXTS, start=1):
            event = MessageAdded(message=Message(role="assistant", content=text))
            await journal.flush(session_id, journal.append(session_id, place, event))
        noted_all = Noted(topic="text", data={text: text for text in _TEXTS})
        ticket = journal.append(session_id, len(_TEXTS) + 1, noted_all)
        await journal.flush(session_id, ticket)
        rows = await journal.read(session_id, last=100)
        found = [row.event.message.content for row in rows if isinstance(row.event, MessageAdded)]
        expect(found == list(_TEXTS), f"read {found!r}")
        expect(rows[-1].event == noted_all, f"read {rows[-1].event!r}")


async def a_large_event_is_kept(factory: JournalFactory) -> None:
    """An event of four megabytes comes back unchanged, and others beside it."""
    session_id = fresh_id()
    large = Noted(topic="large", data={"text": "0123456789abcdefü" * 250_000})
    async with factory() as journal:
        await journal.acquire(session_id)
        append(journal, session_id, 1)
        await journal.flush(session_id, journal.append(session_id, 2, large))
        await write(journal, session_id, 3)
        rows = await journal.read(session_id, last=10)
        expect(rows[1].event == large, "the large event changed")
        await expect_numbers(journal, session_id, [3], last=1)


async def an_event_that_cannot_be_encoded_takes_no_place(factory: JournalFactory) -> None:
    """Appending what is no JSON raises ValueError, and the next event takes the place."""
    session_id = fresh_id()
    async with factory() as journal:
        await journal.acquire(session_id)
        try:
            journal.append(session_id, 1, Noted(topic="\ud800", data={}))
        except ValueError:
            await write(journal, session_id, 1)
            await expect_numbers(journal, session_id, [1])
        else:
            raise ConformanceError("half a character was accepted")


async def the_queue_is_bounded(factory: JournalFactory) -> None:
    """Who appends without end and never waits gets a StoreError before memory is full."""
    session_id, count = fresh_id(), 0
    async with factory() as journal:
        await journal.acquire(session_id)
        try:
            for number in range(1, 200_001):
                append(journal, session_id, number)
                count = number
        except StoreError:
            pass
        else:
            raise ConformanceError("200,000 events were queued")
        expect(count > 100, f"only {count} events could be queued")
        await expect_numbers(journal, session_id, [count], last=1)
        await write(journal, session_id, count + 1)
        await expect_numbers(journal, session_id, [count, count + 1], last=2)


CASES: tuple[JournalCase, ...] = (
    events_are_read_in_the_order_they_were_appended,
    only_the_newest_events_are_read,
    only_events_of_the_kinds_asked_for_are_read,
    a_session_that_nobody_had_is_empty,
    what_is_flushed_is_there_for_others,
    closing_writes_what_is_queued,
    a_ticket_covers_all_sessions,
    many_sessions_are_written_at_once,
    an_event_that_is_not_stored_can_be_withdrawn,
    a_cancelled_flush_loses_nothing,
    any_text_is_kept,
    a_large_event_is_kept,
    an_event_that_cannot_be_encoded_takes_no_place,
    the_queue_is_bounded,
)
