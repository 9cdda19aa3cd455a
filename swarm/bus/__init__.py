"""The event bus: what happens in sessions, told to whoever listens.

The runtime publishes into a `Bus`; listeners and streams take out of it. It knows nothing of
sessions or journals, and nothing waits for it: what is published is told, not stored. The
functions that programs call are in `swarm.listening`.
"""

from swarm.bus.bus import EVERY_CLIENT, Bus
from swarm.bus.delivery import Delivery
from swarm.bus.errors import TopicError
from swarm.bus.event import EVENT_TYPES, BusEvent, BusName
from swarm.bus.listener import Listener, Subscription
from swarm.bus.stream import EventStream
from swarm.bus.waiting import Waiting

__all__ = [
    "EVENT_TYPES",
    "EVERY_CLIENT",
    "Bus",
    "BusEvent",
    "BusName",
    "Delivery",
    "EventStream",
    "Listener",
    "Subscription",
    "TopicError",
    "Waiting",
]
