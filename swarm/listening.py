"""Listening to what happens: the functions of programs over a catalog's bus.

`listen_*` may be called before any host is open. The functions are called on the event loop of
the host whose session caused the event, one after the other.
"""

from collections.abc import Callable
from typing import Any

from swarm.bus import (
    EVERY_CLIENT,
    Bus,
    BusEvent,
    BusName,
    EventStream,
    Listener,
    Subscription,
)
from swarm.bus.event import check_topic
from swarm.catalog import current_catalog
from swarm.runtime.directory import live_buses
from swarm.runtime.ids import check_client_id
from swarm.runtime.turns import current_turn

__all__ = [
    "event",
    "listen_agent_event",
    "listen_agent_event_once",
    "listen_compute_event",
    "listen_compute_event_once",
    "listen_event",
    "listen_event_once",
    "listen_execution_event",
    "listen_execution_event_once",
    "listen_history_event",
    "listen_history_event_once",
    "listen_policy_event",
    "listen_policy_event_once",
    "listen_session_event",
    "listen_session_event_once",
    "listen_state_event",
    "listen_state_event_once",
    "listen_storage_event",
    "listen_storage_event_once",
    "listen_swarm_event",
    "listen_swarm_event_once",
    "watch_events",
]

_Function = Callable[[BusEvent], Any]

_MOST_WAITING = 1024
"""Events that a stream holds for a slow reader."""


async def event(client_id: str, topic: str, payload: Any = None) -> None:
    """Tell something to those that listen to a topic of the program's own.

    Nothing happens when the client has no live session.

    Args:
        client_id: Whose session it happened in.
        topic: What happened, such as `order-paid`.
        payload: Anything; the listeners find it in `BusEvent.payload`.

    Raises:
        TopicError: The topic is empty, or a bus of the runtime.
        InvalidIdError: No client can be called that.
    """
    check_client_id(client_id)
    check_topic(topic)
    for bus in live_buses(client_id):
        if bus.is_watched:
            bus.publish(BusEvent(topic, "custom", client_id, {"payload": payload}))


def listen_event(
    client_id: str, topic: str, fn: _Function, filter: _Function | None = None
) -> Subscription:
    """Call a function with each event on a topic of the program's own.

    Args:
        client_id: Whose events; `*` for those of all clients.
        topic: The topic that `event` is called with.
        fn: Takes the event; plain or async.
        filter: Takes the event and says whether `fn` gets it; plain or async.

    Returns:
        A function that ends the listening.

    Raises:
        TopicError: The topic is empty, or a bus of the runtime.
        InvalidIdError: No client can be called that.
    """
    return _listen(client_id, check_topic(topic), fn, filter, is_once=False)


def listen_event_once(
    client_id: str, topic: str, fn: _Function, filter: _Function | None = None
) -> Subscription:
    """Call a function with the next event on a topic; see `listen_event`.

    Raises:
        TopicError: The topic is empty, or a bus of the runtime.
        InvalidIdError: No client can be called that.
    """
    return _listen(client_id, check_topic(topic), fn, filter, is_once=True)


def watch_events(
    client_id: str = EVERY_CLIENT, bus: str | None = None, *, limit: int = _MOST_WAITING
) -> EventStream:
    """Return a stream of events, to be opened and read.

    ```python
    async with watch_events("client-1") as stream:
        async for event in stream:
            print(event.bus, event.type)
    ```

    A reader that is too slow misses the oldest events; `stream.dropped` says how many.

    Args:
        client_id: Whose events; `*` for those of all clients.
        bus: One bus or topic; all of them when absent.
        limit: Events that may wait for the reader.

    Raises:
        InvalidIdError: No client can be called that.
    """
    return EventStream(_bus(), _client(client_id), bus, limit=limit)


class _Listen:
    """`listen_*_event` of one bus."""

    def __init__(self, bus: BusName, *, is_once: bool = False) -> None:
        self._bus_name: BusName = bus
        self._is_once = is_once
        kind = bus.removesuffix("-bus")
        self.__name__ = f"listen_{kind}_event" + ("_once" if is_once else "")
        which = "the next event" if is_once else "each event"
        self.__doc__ = f"Call a function with {which} of the {bus}."

    def __call__(
        self, client_id: str, fn: _Function, filter: _Function | None = None
    ) -> Subscription:
        """Listen to the bus.

        Args:
            client_id: Whose events; `*` for those of all clients and of what they share.
            fn: Takes the event; plain or async.
            filter: Takes the event and says whether `fn` gets it; plain or async.

        Returns:
            A function that ends the listening.

        Raises:
            InvalidIdError: No client can be called that.
        """
        return _listen(client_id, self._bus_name, fn, filter, is_once=self._is_once)


listen_agent_event = _Listen("agent-bus")
listen_agent_event_once = _Listen("agent-bus", is_once=True)
listen_compute_event = _Listen("compute-bus")
listen_compute_event_once = _Listen("compute-bus", is_once=True)
listen_execution_event = _Listen("execution-bus")
listen_execution_event_once = _Listen("execution-bus", is_once=True)
listen_history_event = _Listen("history-bus")
listen_history_event_once = _Listen("history-bus", is_once=True)
listen_policy_event = _Listen("policy-bus")
listen_policy_event_once = _Listen("policy-bus", is_once=True)
listen_session_event = _Listen("session-bus")
listen_session_event_once = _Listen("session-bus", is_once=True)
listen_state_event = _Listen("state-bus")
listen_state_event_once = _Listen("state-bus", is_once=True)
listen_storage_event = _Listen("storage-bus")
listen_storage_event_once = _Listen("storage-bus", is_once=True)
listen_swarm_event = _Listen("swarm-bus")
listen_swarm_event_once = _Listen("swarm-bus", is_once=True)


def _listen(
    client_id: str, topic: str, fn: _Function, filter: _Function | None, *, is_once: bool
) -> Subscription:
    listener = Listener(_bus(), _client(client_id), topic, fn, filter=filter, is_once=is_once)
    listener.start()
    return Subscription(listener)


def _bus() -> Bus:
    """Return the bus of the running turn, or that of the current catalog."""
    turn = current_turn.get()
    return (turn.session.plan.catalog if turn is not None else current_catalog()).bus


def _client(client_id: str) -> str:
    return client_id if client_id == EVERY_CLIENT else check_client_id(client_id)
