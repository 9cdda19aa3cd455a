"""The events that a program listens to, as numbered notifications."""

import itertools
from collections.abc import Callable
from typing import Any

import swarm
from bindings.rpc.peer import Peer
from bindings.rpc.values import encode_value
from bindings.rpc.wire import SubscribeParams
from swarm import BusEvent
from swarm.bus import EVENT_TYPES

__all__ = ["Subscriptions"]


class Subscriptions:
    """What one program listens to."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._ids, self._seq = itertools.count(1), itertools.count(1)
        self._ends: dict[str, Callable[[], Any]] = {}

    def add(self, params: SubscribeParams) -> str:
        """Begin to listen; returns the id that ends it.

        Raises:
            TopicError: The topic is empty.
            InvalidIdError: No client can be called that.
        """
        subscription_id = f"s{next(self._ids)}"

        def tell(event: BusEvent) -> None:
            params = {"seq": next(self._seq), "subscriptionId": subscription_id}
            # Where too much is waiting it is dropped, which the gap in `seq` shows.
            self._peer.try_notify("event", {**params, **encode_value(event)})

        if params.bus in EVENT_TYPES:
            kind = params.bus.removesuffix("-bus")
            suffix = "_once" if params.once else ""
            listen = getattr(swarm, f"listen_{kind}_event{suffix}")
            end = listen(params.client_id, tell)
        else:
            begin = swarm.listen_event_once if params.once else swarm.listen_event
            end = begin(params.client_id, params.bus, tell)
        self._ends[subscription_id] = end
        return subscription_id

    def end(self, subscription_id: str) -> bool:
        """End one; return whether there was one."""
        end = self._ends.pop(subscription_id, None)
        if end is None:
            return False
        end()
        return True

    def end_all(self) -> None:
        """End all of them."""
        for subscription_id in list(self._ends):
            self.end(subscription_id)
