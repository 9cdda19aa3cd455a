"""A full-duplex JSON-RPC peer: both sides ask, answer, cancel and notify on one channel.

It knows messages, not what they mean: `program` does. Reading only parses and dispatches; every
request runs in a task of its own, so a side that waits for the other never stops listening to it.
"""

import contextvars
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, cast

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue

from bindings.rpc.errors import (
    CallbackTimeoutError,
    CancelledError,
    ConnectionLostError,
    MessageTooLargeError,
    TooManyRequestsError,
)
from bindings.rpc.failures import (
    InvalidRequestError,
    ParseError,
    error_to_wire,
    remote_error,
)
from bindings.rpc.frames import decode_frame, encode_frame

__all__ = ["Channel", "Params", "Peer", "PeerLimits", "RequestId"]

Params = dict[str, Any]
RequestId = str | int

_NESTED = 16
"""How many times as many requests may be under way where a function of the other side asks them."""
_MOST_ABANDONED = 4096
"""Requests that nobody waits for any more whose late answers are still known for what they are."""
_MOST_REFUSALS = 256
"""Refusals that may wait to be written; who causes more and reads none is cut off."""
_log = logging.getLogger("wikiswarm.rpc")


class Channel(Protocol):
    """Brings whole messages there and back."""

    async def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            anyio.EndOfStream: The other side has closed.
            MessageTooLargeError: The message is longer than the limit; nothing follows it.
        """
        ...

    async def send(self, message: bytes) -> None:
        """Write a message; returns when there is room for the next one.

        Raises:
            ConnectionLostError: The other side is gone.
        """
        ...

    async def aclose(self) -> None:
        """Close both directions."""
        ...


class PeerLimits(NamedTuple):
    """What a peer holds itself and the other side to."""

    message_bytes: int = 16 * 1024 * 1024
    in_flight: int = 1024
    """Requests of the other side that may be under way."""
    outgoing: int = 256
    """Messages that may wait to be written; then who sends waits."""


class _Pending:
    """A request that was sent and not answered yet."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.value: JsonValue = None
        self.error: Exception | None = None


class Peer:
    """One end of a connection."""

    def __init__(
        self,
        channel: Channel,
        on_request: Callable[[str, Params], Awaitable[JsonValue]],
        on_notification: Callable[[str, Params], None],
        *,
        context_of: Callable[[str, Params], contextvars.Context | None] = lambda method, params: (
            None
        ),
        error_data: Callable[[BaseException], Params] = error_to_wire,
        limits: PeerLimits = PeerLimits(),  # noqa: B008 - a tuple
    ) -> None:
        """Describe a peer; `run` runs it.

        Args:
            channel: What carries the messages.
            on_request: Answers a request, in a task of its own; what it raises becomes the error.
            on_notification: Is told of a notification; it may not block.
            context_of: The context that a request runs in; that of `run` where it gives None.
            error_data: What an error is on the wire.
            limits: The limits.
        """
        self._channel = channel
        self._on_request, self._on_notification = on_request, on_notification
        self._context_of, self._error_data = context_of, error_data
        self._limits = limits
        self._ids = itertools.count(1)
        self._pending: dict[RequestId, _Pending] = {}
        self._abandoned: deque[RequestId] = deque(maxlen=_MOST_ABANDONED)
        self._serving: dict[RequestId, anyio.CancelScope] = {}
        self._refusals = 0
        self._tasks: TaskGroup | None = None
        self._send, self._receive = anyio.create_memory_object_stream[bytes](limits.outgoing)
        self._lost: ConnectionLostError | None = None
        self._last: bytes | None = None
        """What is said before the connection is closed."""
        self._is_last_sent = anyio.Event()

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost is not None

    async def run(self) -> None:
        """Serve the connection until the other side closes it; then all that waits fails."""
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._write)
                await self._read()
                self._fail("the other side has closed the connection")
                tasks.cancel_scope.cancel()
        finally:
            self._fail("the connection was closed")
            with anyio.move_on_after(1, shield=True):
                await self._channel.aclose()

    def close(self) -> None:
        """End the connection; `run` returns."""
        self._fail("the connection was closed")
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()

    async def request(
        self, method: str, params: Params, *, seconds: float | None = None, name: str | None = None
    ) -> JsonValue:
        """Ask the other side and return its answer.

        When the caller is cancelled, or there is no answer in time, the other side is told.

        Args:
            method: The method.
            params: Its params.
            seconds: How long to wait.
            name: What errors call that which was asked.

        Raises:
            RemoteError: The other side answered with an error.
            CallbackTimeoutError: No answer in time.
            ConnectionLostError: The other side is gone.
            MessageTooLargeError: The request is longer than the limit.
        """
        if self._lost is not None:
            raise ConnectionLostError(str(self._lost))
        request_id, pending = next(self._ids), _Pending()
        message = self._encoded({"id": request_id, "method": method, "params": params})
        self._pending[request_id] = pending
        try:
            with anyio.move_on_after(seconds):
                await self._put(message)
                await pending.done.wait()
        finally:
            self._pending.pop(request_id, None)
            if not pending.done.is_set():
                self._abandoned.append(request_id)
                self._refuse({"method": "$/cancelRequest", "params": {"id": request_id}})
        if not pending.done.is_set():
            raise CallbackTimeoutError(name or method, seconds or 0.0)
        if pending.error is not None:
            raise pending.error
        return pending.value

    async def notify(self, method: str, params: Params) -> None:
        """Tell the other side something; waits while too much is waiting to be written.

        Raises:
            ConnectionLostError: The other side is gone.
            MessageTooLargeError: The message is longer than the limit.
        """
        await self._put(self._encoded({"method": method, "params": params}))

    def try_notify(self, method: str, params: Params) -> bool:
        """Tell the other side something, unless too much is waiting to be written already."""
        if self._lost is not None:
            return False
        try:
            self._send.send_nowait(self._encoded({"method": method, "params": params}))
        except (anyio.WouldBlock, anyio.BrokenResourceError, MessageTooLargeError):
            return False
        return True

    async def _read(self) -> None:
        while True:
            try:
                message = decode_frame(await self._channel.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return
            except MessageTooLargeError as error:
                # What follows cannot be told from the rest of it.
                self._last = self._encoded({"id": None, "error": self._error_data(error)})
                with anyio.move_on_after(1):
                    await self._put(self._last)
                    await self._is_last_sent.wait()
                return
            except (ParseError, InvalidRequestError) as error:
                known = error.request_id if isinstance(error, InvalidRequestError) else None
                self._refuse({"id": known, "error": self._error_data(error)})
                continue
            if self._lost is not None:
                return
            self._dispatch(message)

    def _dispatch(self, message: Params) -> None:
        method: str | None = message.get("method")
        request_id: Any = message.get("id")
        if method is None:
            self._answered(message)
            return
        params = cast("Params", message.get("params") or {})
        if "id" not in message:
            if method == "$/cancelRequest":
                wanted = params.get("id")
                if isinstance(wanted, str | int) and wanted in self._serving:
                    self._serving[wanted].cancel()
            else:
                self._on_notification(method, params)
        elif request_id in self._serving:
            error = InvalidRequestError(f"request {request_id!r} is under way; use each id once")
            # Not with the id: the answer would be taken for that of the first.
            self._refuse({"id": None, "error": self._error_data(error)})
        elif self._tasks is not None:
            context = self._context_of(method, params)
            # A function that runs has to get its answers, or what waits for it never ends.
            limit = self._limits.in_flight * (1 if context is None else _NESTED)
            if len(self._serving) >= limit:
                refusal = self._error_data(TooManyRequestsError(limit))
                self._refuse({"id": request_id, "error": refusal})
                return
            self._serving[request_id] = scope = anyio.CancelScope()
            context = context or contextvars.copy_context()
            context.run(self._tasks.start_soon, self._serve, request_id, method, params, scope)

    async def _serve(
        self, request_id: RequestId, method: str, params: Params, scope: anyio.CancelScope
    ) -> None:
        reply: Params | None = None
        try:
            with scope:
                reply = {"result": await self._on_request(method, params)}
        except Exception as error:
            reply = {"error": self._error_data(error)}
        if reply is None:
            text = f"{method} was cancelled"
            reply = {"error": self._error_data(CancelledError(text))}
        try:
            message = self._encoded({"id": request_id, **reply})
        except MessageTooLargeError as error:
            message = self._encoded({"id": request_id, "error": self._error_data(error)})
        self._serving.pop(request_id, None)
        if self._lost is None:
            await self._put(message)

    def _answered(self, message: Params) -> None:
        request_id = message.get("id")
        pending = None if request_id is None else self._pending.pop(request_id, None)
        if pending is None:
            if request_id not in self._abandoned:
                shown = message.get("error", request_id)
                _log.warning("an answer to nothing was dropped: %.200r", shown)
            return
        error = message.get("error")
        if error is None:
            pending.value = message.get("result")
        else:
            pending.error = remote_error(error)
        pending.done.set()

    def _encoded(self, message: Params) -> bytes:
        frame = encode_frame({"jsonrpc": "2.0", **message})
        if len(frame) > self._limits.message_bytes:
            raise MessageTooLargeError(self._limits.message_bytes)
        return frame

    async def _put(self, message: bytes) -> None:
        if self._lost is not None:
            raise ConnectionLostError(str(self._lost))
        try:
            await self._send.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise ConnectionLostError("the connection was closed") from None

    def _refuse(self, message: Params) -> None:
        """Send something that nobody may wait for: the reader, or a task that is cancelled."""
        if self._tasks is None or self._lost is not None:
            return
        self._refusals += 1
        if self._refusals > _MOST_REFUSALS:
            _log.warning("the other side sends nonsense and reads nothing; it is cut off")
            self.close()
            return
        self._tasks.start_soon(self._put_refusal, self._encoded(message))

    async def _put_refusal(self, message: bytes) -> None:
        try:
            await self._put(message)
        except ConnectionLostError:
            pass
        finally:
            self._refusals -= 1

    async def _write(self) -> None:
        try:
            async for message in self._receive:
                await self._channel.send(message)
                if message is self._last:
                    self._is_last_sent.set()
        except anyio.ClosedResourceError:
            return
        except ConnectionLostError as error:
            self._fail(str(error))
            if self._tasks is not None:
                self._tasks.cancel_scope.cancel()

    def _fail(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = ConnectionLostError(reason)
        self._receive.close()
        self._send.close()
        for pending in self._pending.values():
            pending.error = ConnectionLostError(reason)
            pending.done.set()
        self._pending.clear()
