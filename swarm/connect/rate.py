"""`session.rate`: what comes again too soon is dropped."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from pydantic import JsonValue

from swarm.connect.clock import CLOCK, Clock
from swarm.connect.opening import open_as, use_host
from swarm.host import Host
from swarm.runtime.session import Session

__all__ = ["RateSession", "Rates", "rate", "rates_of"]

_MOST = 4096
"""Clients that are remembered before those whose delay has passed are forgotten."""


class Rates:
    """When each client of a host was last heard."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._longest = 0.0
        self._most = _MOST

    def admit(self, client_id: str, delay: float, now: float) -> bool:
        """Whether a client may be heard now; then it counts as heard."""
        last = self._heard.get(client_id)
        if last is not None and now - last < delay:
            return False
        self._longest = max(self._longest, delay)
        if len(self._heard) >= self._most:
            since = now - self._longest
            self._heard = {name: at for name, at in self._heard.items() if at > since}
            # Twice what is left, so that many busy clients are not all looked at each time.
            self._most = max(_MOST, 2 * len(self._heard))
        self._heard[client_id] = now
        return True


async def rates_of(host: Host) -> Rates:
    """Return the rates of a host, which outlive its sessions."""

    async def start() -> tuple[Rates, Callable[[], Awaitable[None]]]:
        async def stop() -> None:
            """Nothing to stop; a host asks everything that it shares."""

        return Rates(), stop

    return await host.shared("connect/rates", start)


class RateSession:
    """A session that drops what comes again too soon."""

    def __init__(self, session: Session, rates: Rates, delay: float, clock: Clock) -> None:
        self.session = session
        self._rates = rates
        self._delay = delay
        self._clock = clock

    async def complete(self, content: str, *, payload: JsonValue = None) -> str:
        """Send a message and return the answer; "" when it came too soon and was dropped.

        Raises:
            TurnError: No answer within the deadline, or a callback failed.
            ProviderError: The model failed.
            StoreError: The journal failed.
            SessionError: The session is closed, or this was called by a tool of its own turn.
        """
        if not self._rates.admit(self.session.client_id, self._delay, self._clock.now()):
            return ""
        return await self.session.complete(content, payload=payload)


@asynccontextmanager
async def rate(
    client_id: str,
    swarm_name: str,
    delay: float = 1.0,
    *,
    host: Host | None = None,
    clock: Clock = CLOCK,
) -> AsyncGenerator[RateSession, None]:
    """Open a session like `session` does; see `RateSession.complete`.

    The host counts by client id, so that closing a session and opening it anew changes nothing.

    Args:
        client_id: Who speaks.
        swarm_name: The swarm.
        delay: Seconds after a message in which another one is dropped.
        host: The host; the one that is open when absent.
        clock: What measures the delay.
    """
    async with (
        use_host(host) as used,
        open_as("session", client_id, swarm_name, used) as opened,
    ):
        yield RateSession(opened, await rates_of(used), delay, clock)
