"""A function that listens: called with one event after the other, in their order."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import anyio

from swarm.bus.bus import Bus
from swarm.bus.event import BusEvent
from swarm.bus.waiting import Waiting
from swarm.functions import call, describe, is_cancelled, log_failure

__all__ = ["Listener", "Subscription"]

_log = logging.getLogger("wikiswarm")

_MOST_WAITING = 1024
"""Events that wait for one slow function; above, the oldest are dropped."""


class Listener:
    """A function with the events that wait for it.

    It is served by one task at a time, so it never runs beside itself. What it raises is logged.
    """

    def __init__(
        self,
        bus: Bus,
        client_id: str,
        topic: str,
        function: Callable[[BusEvent], Any],
        *,
        filter: Callable[[BusEvent], Any] | None = None,
        is_once: bool = False,
        limit: int = _MOST_WAITING,
    ) -> None:
        """Describe a listener; `start` makes it one.

        Args:
            bus: Where it listens.
            client_id: Whose events; `*` for those of all clients.
            topic: A bus of the runtime, or a topic of a program.
            function: Called with each event; plain or async.
            filter: Says whether the function is called; plain or async.
            is_once: Stop before the first call.
            limit: Events that may wait.
        """
        self._bus = bus
        self._key = (client_id, topic)
        self._function = function
        self._filter = filter
        self._is_once = is_once
        self._waiting = Waiting(limit)
        self._is_stopped = False
        self._is_served = False
        # Invariant: an event either finds its listener being served, or has it served.
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """How many events were dropped because the function is too slow."""
        return self._waiting.dropped

    def start(self) -> None:
        """Take events from now on."""
        self._bus.add_receiver(*self._key, self)

    def stop(self) -> None:
        """Take no more events and forget those that wait; a call that runs goes on."""
        self._bus.remove_receiver(*self._key, self)
        with self._lock:
            self._is_stopped = True
            self._waiting.clear()

    def offer(self, event: BusEvent) -> None:
        """Let an event wait for its call; see `Receiver.offer`."""
        with self._lock:
            if self._is_stopped:
                return
            is_new_trouble = self._waiting.put(event)
            is_served, self._is_served = self._is_served, True
        if is_new_trouble:
            what = describe(self._function, "listener", f"bus {self._key[1]!r}")
            _log.warning("%s is too slow for the events; the oldest are dropped", what)
        if not is_served:
            self.hand_over()

    def hand_over(self) -> None:
        """Have what waits served by whoever can."""
        if self._bus.serve(self):
            return
        # No host is open, so there is no event loop that it could be called in.
        with self._lock:
            self._is_served = False
            self._waiting.clear()

    def take(self) -> BusEvent | None:
        """Return the event to call the function with next; None ends the serving."""
        with self._lock:
            event = self._waiting.take()
            self._is_served = event is not None
            return event

    async def call(self, event: BusEvent) -> None:
        """Call the function, unless the filter says no."""
        try:
            if self._filter is not None and not await call(self._filter, event):
                return
            if self._is_stopped:  # while the filter thought about it
                return
            if self._is_once:
                self.stop()
            await call(self._function, event)
        except anyio.get_cancelled_exc_class() as error:
            if is_cancelled():
                raise
            self._complain(event, error)
        except (Exception, SystemExit) as error:
            self._complain(event, error)

    def _complain(self, event: BusEvent, error: BaseException) -> None:
        what = describe(self._function, "listener", f"bus {event.bus!r}")
        log_failure(what, error, effect=f"the event was {event.type!r}")


class Subscription:
    """What `listen_*` return: call it to stop listening."""

    __slots__ = ("_listener",)

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __call__(self) -> None:
        """Stop listening; a second call does nothing."""
        self._listener.stop()

    @property
    def dropped(self) -> int:
        """How many events were dropped because the function is too slow."""
        return self._listener.dropped
