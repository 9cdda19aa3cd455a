"""A turn as a stream: what happens in it, as it happens, and its answer as the last event."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
from pydantic import JsonValue

from swarm.errors import SessionError, TurnInterruptedError
from swarm.events import Answered, StreamEvent
from swarm.runtime.said import user_message

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["stream_turn"]

_BUFFER = 256
"""Events that a stream holds for a slow reader before the turn waits for it."""


async def stream_turn(
    session: "Session", content: str, payload: JsonValue
) -> AsyncGenerator[StreamEvent, None]:
    """Send a message and yield what happens; see `Session.stream`."""
    if session.tasks is None:
        raise SessionError(f"session {session.id!r} is not open; use it in `async with`")
    message = user_message(content, payload)
    send, receive = anyio.create_memory_object_stream[StreamEvent](_BUFFER)
    scope = anyio.CancelScope()
    finished = anyio.Event()
    outcome: list[Answered | Exception] = []

    async def publish(event: StreamEvent) -> None:
        try:
            send.send_nowait(event)  # a round of the event loop for each word would cost more
        except anyio.WouldBlock:
            await send.send(event)

    async def work() -> None:
        try:
            with scope:
                outcome.append(await session.run_turn(message, publish))
        except Exception as error:
            outcome.append(error)  # raised again where the stream is read
        finally:
            send.close()
            finished.set()

    session.tasks.start_soon(work)
    try:
        async with aclosing(receive):
            try:
                async for event in receive:
                    yield event
            finally:
                # Before the buffer closes, on which the turn would fail.
                scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await finished.wait()
    if not outcome:
        raise TurnInterruptedError("the session was closed", **session.names)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    # Not through the buffer: a turn that has its answer waits for no reader.
    yield outcome[0]
