"""One bus: who listens to what, and what is published to them.

Publishing costs one look at `is_watched` when nobody listens. It never waits, and nothing that a
listener does comes back to the publisher.
"""

import threading
from typing import Any, Protocol

from swarm.bus.event import BusEvent

__all__ = ["EVERY_CLIENT", "Bus", "Receiver", "Server"]

EVERY_CLIENT = "*"
"""Listens to all clients."""


class Receiver(Protocol):
    """Something that takes events."""

    def offer(self, event: BusEvent) -> None:
        """Take an event; never waits and never raises."""
        ...


class Server(Protocol):
    """Something that gives listeners the time of an event loop; see `Delivery`."""

    def serve(self, listener: Any, *, here: bool) -> bool:
        """Begin to call a listener with what waits for it.

        Args:
            listener: The listener; it is not being served.
            here: Only when this server belongs to the event loop that is running.

        Returns:
            Whether it will be served.
        """
        ...


class Bus:
    """The events of one catalog and its copies."""

    def __init__(self) -> None:
        self.is_watched = False
        """Whether anybody listens; look here before an event is made."""
        self._receivers: dict[tuple[str, str | None], tuple[Receiver, ...]] = {}
        """By client and bus; None for all buses. The tuples are replaced, never changed."""
        self._clients: dict[str, int] = {}
        """Clients with live sessions, and how many they have."""
        self._servers: tuple[Server, ...] = ()
        # Invariant: a registration is not lost when two threads register at once.
        self._lock = threading.Lock()

    def publish(self, event: BusEvent) -> None:
        """Tell an event to those that listen; dropped when its client has no live session."""
        client_id = event.client_id
        if not self.is_watched or (client_id and client_id not in self._clients):
            return
        receivers = self._receivers
        keys = (client_id, event.bus), (client_id, None), (EVERY_CLIENT, event.bus)
        for key in dict.fromkeys((*keys, (EVERY_CLIENT, None))):
            for receiver in receivers.get(key, ()):
                receiver.offer(event)

    def add_client(self, client_id: str) -> None:
        """Note that a session of a client is live."""
        with self._lock:
            self._clients[client_id] = self._clients.get(client_id, 0) + 1

    def remove_client(self, client_id: str) -> None:
        """Note that a session of a client is over; does nothing for one that was not live."""
        with self._lock:
            left = self._clients.get(client_id, 0) - 1
            if left > 0:
                self._clients[client_id] = left
            else:
                self._clients.pop(client_id, None)

    def add_receiver(self, client_id: str, bus: str | None, receiver: Receiver) -> None:
        """Let a receiver have the events of a client, or of all, on one bus, or on all."""
        with self._lock:
            key = (client_id, bus)
            self._receivers = {
                **self._receivers,
                key: (*self._receivers.get(key, ()), receiver),
            }
            self.is_watched = True

    def remove_receiver(self, client_id: str, bus: str | None, receiver: Receiver) -> None:
        """Give a receiver nothing more; does nothing for one that is not there."""
        with self._lock:
            key = (client_id, bus)
            left = tuple(r for r in self._receivers.get(key, ()) if r is not receiver)
            others = {k: kept for k, kept in self._receivers.items() if k != key}
            self._receivers = {**others, key: left} if left else others
            self.is_watched = bool(self._receivers)

    def add_server(self, server: Server) -> None:
        """Let a server call listeners."""
        with self._lock:
            self._servers = (*self._servers, server)

    def remove_server(self, server: Server) -> None:
        """Let a server call no listener any more."""
        with self._lock:
            self._servers = tuple(s for s in self._servers if s is not server)

    @property
    def has_servers(self) -> bool:
        """Whether anything can call listeners; a host that is open does."""
        return bool(self._servers)

    def serve(self, listener: Any) -> bool:
        """Find a server for a listener: one of the running event loop, or any other.

        Returns:
            Whether there is one.
        """
        servers = self._servers
        return any(server.serve(listener, here=True) for server in servers) or any(
            server.serve(listener, here=False) for server in servers
        )
