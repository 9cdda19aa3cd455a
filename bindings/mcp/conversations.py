"""Conversations that are opened for one message, and queue up where they are the same one."""

from dataclasses import dataclass, field

import anyio

from swarm import Host, session

__all__ = ["Conversations"]

_AT_ONCE = 64
"""Messages that are answered at the same time; further ones wait."""


@dataclass(slots=True)
class _Queue:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    waiting: int = 0


class Conversations:
    """Sends single messages; between two of them a conversation lives in the journal only."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._queues: dict[tuple[str, str], _Queue] = {}
        self._limit = anyio.CapacityLimiter(_AT_ONCE)

    async def complete(self, swarm_name: str, client_id: str, message: str) -> str:
        """Send a message and return the answer.

        Raises:
            SwarmError: There is no answer; the class says why.
        """
        key = (swarm_name, client_id)
        queue = self._queues.setdefault(key, _Queue())
        queue.waiting += 1
        try:
            # Invariant: a conversation is open once. It is the next message's turn afterwards.
            async with (
                queue.lock,
                self._limit,
                session(client_id, swarm_name, host=self._host) as chat,
            ):
                return await chat.complete(message)
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._queues.pop(key, None)
