"""A clock that a test moves, and models that a test lets answer."""

import anyio

from swarm import CompletionRequest

__all__ = ["Gate", "HandClock", "echo", "settle"]


class HandClock:
    """Time passes when `advance` says so."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._sleepers: list[tuple[float, anyio.Event]] = []
        self._changed = anyio.Event()

    def now(self) -> float:
        """Return the time."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the time has come."""
        sleeper = (self._now + seconds, anyio.Event())
        self._sleepers.append(sleeper)
        self._changed.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def wait_for_sleeper(self) -> None:
        """Wait until somebody sleeps."""
        with anyio.fail_after(5):
            while not self._sleepers:
                self._changed = anyio.Event()
                await self._changed.wait()

    async def advance(self, seconds: float) -> None:
        """Let time pass, and wake those whose time has come."""
        self._now += seconds
        for until, event in self._sleepers:
            if until <= self._now:
                event.set()
        await settle()


class Gate:
    """A model that waits until the test lets it answer; one answer for each `release`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The newest message of each request, as they came."""
        self.requests: list[CompletionRequest] = []
        self._entered = anyio.Semaphore(0)
        self._released = anyio.Semaphore(0)

    async def __call__(self, request: CompletionRequest) -> str:
        """Wait, then answer with what was said."""
        self.requests.append(request)
        self.asked.append(request.messages[-1].content)
        self._entered.release()
        await self._released.acquire()
        return f"re: {request.messages[-1].content}"

    async def entered(self) -> None:
        """Wait for the next request."""
        with anyio.fail_after(5):
            await self._entered.acquire()

    def release(self, count: int = 1) -> None:
        """Let requests be answered."""
        for _ in range(count):
            self._released.release()


def echo(request: CompletionRequest) -> str:
    """Answer with what was said."""
    return f"re: {request.messages[-1].content}"


async def settle() -> None:
    """Let every task that can run do so."""
    await anyio.wait_all_tasks_blocked()
