"""Cases for journals: of many, one at a time writes to a session."""

import threading

import anyio
import anyio.to_thread

from swarm.errors import SessionError
from swarm.runtime.journal import StoredEvent
from swarm.testing.conformance.probe import (
    JournalCase,
    JournalFactory,
    append,
    expect_numbers,
    expect_refused,
    fresh_id,
    noted,
    write,
)
from swarm.testing.conformance.report import ConformanceError, expect

__all__ = [
    "CASES",
    "a_holder_that_stops_is_replaced_and_cannot_write",
    "a_refused_event_harms_no_other_session",
    "a_released_session_is_free",
    "a_session_is_open_in_one_journal_only",
    "a_session_may_be_acquired_again_at_once",
    "a_session_may_be_released_twice_or_without_being_held",
    "acquiring_may_wait",
    "an_idle_holder_keeps_its_sessions",
    "closing_releases_all_sessions",
    "who_stops_waiting_holds_nothing",
    "who_was_refused_may_come_back",
    "writers_that_take_turns_keep_one_order",
]

_SHORT = 0.5
"""Seconds of a lease that runs out in a case."""


async def a_session_is_open_in_one_journal_only(factory: JournalFactory) -> None:
    """A session that one journal holds is refused to another, and others are not."""
    session_id, other = fresh_id(), fresh_id()
    async with factory() as one, factory() as two:
        await one.acquire(session_id)
        await expect_refused("a second holder", two.acquire, session_id)
        await two.acquire(other)
        await write(two, other, 1)
        await write(one, session_id, 1)
        await expect_numbers(two, session_id, [1])


async def a_released_session_is_free(factory: JournalFactory) -> None:
    """After a release that was flushed another journal goes on, behind all that was queued."""
    session_id = fresh_id()
    async with factory() as one, factory() as two:
        await one.acquire(session_id)
        append(one, session_id, 1, 2)
        await one.flush(session_id, one.release(session_id))
        await two.acquire(session_id)
        await expect_numbers(two, session_id, [1, 2])
        await write(two, session_id, 3)
        await two.flush(session_id, two.release(session_id))
        await one.acquire(session_id)
        await write(one, session_id, 4)
        await expect_numbers(one, session_id, [1, 2, 3, 4])


async def a_session_may_be_released_twice_or_without_being_held(factory: JournalFactory) -> None:
    """Releasing what is not held does nothing, least of all to who holds it."""
    session_id = fresh_id()
    async with factory() as one, factory() as two:
        await two.flush(session_id, two.release(session_id))
        await one.acquire(session_id)
        await two.flush(session_id, two.release(session_id))
        await expect_refused("a second holder", two.acquire, session_id)
        await write(one, session_id, 1)
        one.release(session_id)
        await one.flush(session_id, one.release(session_id))
        await two.acquire(session_id)


async def a_session_may_be_acquired_again_at_once(factory: JournalFactory) -> None:
    """The same journal may acquire a session again without waiting for its release."""
    session_id = fresh_id()
    async with factory() as journal, factory() as other:
        for number in range(1, 4):
            await journal.acquire(session_id)
            append(journal, session_id, number)
            journal.release(session_id)
        await journal.acquire(session_id)
        await expect_numbers(journal, session_id, [1, 2, 3])
        await write(journal, session_id, 4)
        await expect_refused("a second holder", other.acquire, session_id)


async def closing_releases_all_sessions(factory: JournalFactory) -> None:
    """A journal that is closed holds nothing any more."""
    ids = [fresh_id() for _ in range(3)]
    async with factory() as journal:
        for session_id in ids:
            await journal.acquire(session_id)
            append(journal, session_id, 1)
    async with factory() as other:
        for session_id in ids:
            await other.acquire(session_id)
            await expect_numbers(other, session_id, [1])


async def acquiring_may_wait(factory: JournalFactory) -> None:
    """Who waits gets the session when its holder releases it, and not before."""
    session_id, order = fresh_id(), list[str]()
    async with factory() as one, factory() as two, anyio.create_task_group() as group:
        await one.acquire(session_id)

        async def wait() -> None:
            async with factory() as three:
                await three.acquire(session_id, wait=20)
                order.append("acquired")
                await expect_numbers(three, session_id, [1])
                await write(three, session_id, 2)

        group.start_soon(wait)

        async def wait_in_vain() -> None:
            await two.acquire(session_id, wait=0.3)

        await expect_refused("a second holder that waited", wait_in_vain)
        order.append("released")
        append(one, session_id, 1)
        one.release(session_id)
    expect(order == ["released", "acquired"], f"the order was {order}")


async def who_stops_waiting_holds_nothing(factory: JournalFactory) -> None:
    """An acquire that is cancelled leaves the session to others."""
    session_id = fresh_id()
    async with factory() as one, factory() as two, factory() as three:
        await one.acquire(session_id)
        with anyio.move_on_after(0.2):
            await two.acquire(session_id, wait=20)
        await one.flush(session_id, one.release(session_id))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await two.acquire(session_id)
        await three.acquire(session_id, wait=5)
        await write(three, session_id, 1)


async def an_idle_holder_keeps_its_sessions(factory: JournalFactory) -> None:
    """A lease is renewed while its journal lives, also when nothing is written."""
    session_id = fresh_id()
    async with factory(lease_seconds=_SHORT) as one, factory(lease_seconds=_SHORT) as two:
        await one.acquire(session_id)

        async def wait() -> None:
            await two.acquire(session_id, wait=4 * _SHORT)

        await expect_refused("a second holder that waited for four leases", wait)
        await write(one, session_id, 1)
        await expect_numbers(two, session_id, [1])


async def a_holder_that_stops_is_replaced_and_cannot_write(factory: JournalFactory) -> None:
    """A session is taken over when its holder stops; when that wakes up, it can write nothing."""
    session_id, other = fresh_id(), fresh_id()
    has_stopped, wakes_up = threading.Event(), threading.Event()
    wrong: list[str] = []
    rows: list[StoredEvent] = []

    async def stop() -> None:
        async with factory(lease_seconds=_SHORT) as journal:
            await journal.acquire(session_id)
            await journal.acquire(other)
            await write(journal, session_id, 1)
            append(journal, session_id, 2)
            # The whole event loop stands still, as in a process that was stopped.
            has_stopped.set()
            wakes_up.wait(30)
            for number in (3, 4):
                try:
                    await write(journal, session_id, number)
                except SessionError:
                    continue
                wrong.append(f"event {number} was stored under a lease that was lost")
            await write(journal, other, 1)
            await expect_refused("the lost session", journal.acquire, session_id)

    def run() -> None:
        anyio.run(stop)

    async with factory() as heir:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, run)
            try:
                await anyio.to_thread.run_sync(has_stopped.wait, 30)
                await heir.acquire(session_id, wait=20)
                rows = await heir.read(session_id, last=10)
                expect(rows[0].event == noted(1), f"the heir read {rows}")
            finally:
                wakes_up.set()
        # What was queued may have been written before the clock stood still; nothing else was,
        # although the heir has taken no place yet.
        place = len(rows) + 1
        await heir.flush(session_id, heir.append(session_id, place, noted(place)))
    expect(not wrong, "; ".join(wrong))
    async with factory() as again:
        await expect_numbers(again, session_id, list(range(1, place + 1)))
        await expect_numbers(again, other, [1])


async def who_was_refused_may_come_back(factory: JournalFactory) -> None:
    """Whoever lost a session may acquire it again and goes on behind the other's events."""
    session_id = fresh_id()
    async with factory() as one, factory() as two:
        await one.acquire(session_id)
        await write(one, session_id, 1)
        await one.flush(session_id, one.release(session_id))
        await two.acquire(session_id)
        await write(two, session_id, 2)
        await expect_refused("an event without a lease", write, one, session_id, 2)
        await expect_refused("another event without a lease", write, one, session_id, 3)
        await two.flush(session_id, two.release(session_id))
        await one.acquire(session_id)
        await expect_numbers(one, session_id, [1, 2])
        await write(one, session_id, 3)
        await expect_numbers(two, session_id, [1, 2, 3])


async def a_refused_event_harms_no_other_session(factory: JournalFactory) -> None:
    """In one group of events only those of the session that was lost are refused."""
    lost, kept, later = fresh_id(), fresh_id(), fresh_id()
    async with factory() as one, factory() as two:
        await one.acquire(kept)
        await one.acquire(later)
        await two.acquire(lost)
        await write(two, lost, 1)
        append(one, kept, 1)
        append(one, lost, 2)
        ticket = append(one, later, 1)
        await one.flush(kept, ticket)
        await one.flush(later, ticket)
        await expect_refused("an event without a lease", one.flush, lost, ticket)
        for session_id in (kept, lost, later):
            await expect_numbers(two, session_id, [1])


async def writers_that_take_turns_keep_one_order(factory: JournalFactory) -> None:
    """Three journals that write to one session in turn leave one sequence without gaps."""
    session_id, turns = fresh_id(), 8

    async def take_turns(name: int) -> None:
        async with factory() as journal:
            for turn in range(turns):
                await journal.acquire(session_id, wait=50)
                rows = await journal.read(session_id, last=1)
                place = rows[-1].seq + 1 if rows else 1
                ticket = journal.append(session_id, place, noted(100 * name + turn))
                if turn % 2:
                    await journal.flush(session_id, ticket)
                await journal.flush(session_id, journal.release(session_id))

    async with anyio.create_task_group() as group:
        for name in range(3):
            group.start_soon(take_turns, name)
    async with factory() as again:
        rows = await again.read(session_id, last=1000)
        places = [row.seq for row in rows]
        expect(places == list(range(1, 3 * turns + 1)), f"the places are {places}")
        found = {str(row.event) for row in rows}
        missing = [
            f"{name}.{turn}"
            for name in range(3)
            for turn in range(turns)
            if str(noted(100 * name + turn)) not in found
        ]
        if missing:
            raise ConformanceError(f"acknowledged and lost: {', '.join(missing)}")


CASES: tuple[JournalCase, ...] = (
    a_session_is_open_in_one_journal_only,
    a_released_session_is_free,
    a_session_may_be_released_twice_or_without_being_held,
    a_session_may_be_acquired_again_at_once,
    closing_releases_all_sessions,
    acquiring_may_wait,
    who_stops_waiting_holds_nothing,
    an_idle_holder_keeps_its_sessions,
    a_holder_that_stops_is_replaced_and_cannot_write,
    who_was_refused_may_come_back,
    a_refused_event_harms_no_other_session,
    writers_that_take_turns_keep_one_order,
)
