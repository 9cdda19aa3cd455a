"""Delivery: gives listeners the time of a host's event loop.

A listener is served by a task that lives while events wait for it. It is not the publisher's
task: a slow listener holds up no turn, and a turn that is cancelled takes no listener with it.
The host that owns the delivery ends it, and with it every task.
"""

import asyncio  # noqa: TID251 - tasks that outlive the turns whose events they deliver
import contextvars
from functools import partial

import anyio
import anyio.lowlevel

from swarm.bus.bus import Bus
from swarm.bus.listener import Listener

__all__ = ["Delivery"]

_CLOSING = 5.0
"""Seconds that listeners have for what waits when the host closes."""


class Delivery:
    """Serves the listeners of a bus from when it is made, in a running event loop, to `aclose`."""

    def __init__(self, bus: Bus, context: contextvars.Context) -> None:
        """Begin to serve.

        Args:
            bus: Whose listeners.
            context: What listeners see; each serving gets a copy.
        """
        self._bus = bus
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        bus.add_server(self)

    def serve(self, listener: Listener, *, here: bool) -> bool:
        """Begin to call a listener with what waits for it; see `Server.serve`."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:  # a thread without an event loop
            is_here = False
        if here and is_here:
            self._begin(listener)
        elif not here and not is_here:
            try:
                self._loop.call_soon_threadsafe(partial(self._begin, listener))
            except RuntimeError:  # the loop was closed, and nobody closed the host
                return False
        return here is is_here

    async def aclose(self) -> None:
        """End the delivery; what waits is delivered first, within a limit."""
        self._bus.remove_server(self)
        self._is_closing = True
        own = {asyncio.current_task()}
        with anyio.CancelScope(shield=True):
            if tasks := self._tasks - own:
                _, late = await asyncio.wait(tasks, timeout=_CLOSING)
                for task in late:
                    task.cancel()
                if late:
                    await asyncio.wait(late, timeout=_CLOSING)

    def _begin(self, listener: Listener) -> None:
        if self._is_closing:
            listener.hand_over()
            return
        work = self._serve(listener)
        task = self._loop.create_task(work, context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, listener: Listener) -> None:
        try:
            while (event := listener.take()) is not None:
                await listener.call(event)
                # A function that never waits must not keep the loop from everybody else.
                await anyio.lowlevel.checkpoint()
                if self._is_closing and self._bus.has_servers:
                    listener.hand_over()
                    return
        except BaseException:
            listener.hand_over()
            raise
