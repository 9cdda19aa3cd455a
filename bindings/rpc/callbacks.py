"""The functions of a program, as functions of Python.

A function whose result counts becomes a request to the program and may ask the core for more
before it answers; those requests run where the function was called. An observer becomes a
notification. No lock is held meanwhile.
"""

import contextvars
import itertools
import weakref
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

import anyio

from bindings.rpc.errors import (
    CallbackOutputError,
    CancelledError,
    ConnectionLostError,
    RpcError,
    UnknownCallbackError,
)
from bindings.rpc.failures import RemoteError
from bindings.rpc.peer import Peer
from bindings.rpc.values import encode_value
from swarm.context import ToolContext
from swarm.errors import StopTools, ToolFailed
from swarm.runtime.turns import current_turn

__all__ = ["Callbacks", "Invocation", "RemoteFunction"]

RemoteFunction = Callable[..., Any]

_MOST_CALLS = 4096
"""Calls that are remembered, so that what they left running still finds its turn."""
_MOST_FUNCTIONS = 10_000
"""Functions of the core that a program may call."""
_MOST_ERRORS = 1024
_PATIENCE = 10.0
"""Seconds that an observer's notification waits for a program that reads slowly."""


class Invocation(NamedTuple):
    """How a function is called."""

    seconds: float | None = None
    """The deadline."""
    read: Callable[[Any], Any] = lambda value: value
    """Makes what Python expects of what the program returned."""


class _Call:
    """A function of the program that is running, or has run."""

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.context = contextvars.copy_context()
        self.scopes: set[anyio.CancelScope] = set()
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True
        for scope in self.scopes:
            scope.cancel()


class Callbacks:
    """The functions of one connection, in both directions."""

    def __init__(self, peer: Peer, before_call: Callable[[str], Awaitable[None]]) -> None:
        self._peer = peer
        self._before_call = before_call
        """Is told whose session a call is about, before the program hears of it."""
        self._ids = itertools.count(1)
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._kept: OrderedDict[str, Callable[..., Any]] = OrderedDict()
        self._errors: OrderedDict[str, BaseException] = OrderedDict()
        self._released: deque[str] = deque()

    def function(self, callback: str, how: Invocation) -> RemoteFunction:
        """Return the function of an id."""

        async def remote(*arguments: object) -> Any:
            return await self._invoke(callback, arguments, how)

        return self._named(remote, callback)

    def tool(self, callback: str, seconds: float | None) -> RemoteFunction:
        """Return the function of a tool; what goes wrong with it is for the model to read."""
        how = Invocation(seconds)

        async def remote(context: ToolContext, **arguments: Any) -> Any:
            try:
                return await self._invoke(callback, (context,), how)
            except RemoteError as error:
                if error.data.kind == "stop_tools":
                    raise StopTools(error.text) from None
                raise ToolFailed(str(error)) from error
            except RpcError as error:
                raise ToolFailed(str(error)) from error

        return self._named(remote, callback)

    def observer(self, callback: str) -> RemoteFunction:
        """Return the observer of an id."""

        async def remote(*arguments: object) -> None:
            params = {"callback": callback, "args": [encode_value(part) for part in arguments]}
            with anyio.move_on_after(_PATIENCE):
                await self._peer.notify("callback/notify", params)
                return
            raise ConnectionLostError("the program reads too slowly; it was not told")

        return self._named(remote, callback)

    def told(self, callback: str) -> RemoteFunction:
        """Return a plain function that only tells the program that it was called."""

        def remote(*arguments: object) -> None:
            params = {"callback": callback, "args": [encode_value(part) for part in arguments]}
            self._peer.try_notify("callback/notify", params)

        return self._named(remote, callback)

    def context_of(self, call_id: object) -> contextvars.Context | None:
        """Return where a function of the program was called, for what it asks."""
        call = self._calls.get(call_id) if isinstance(call_id, str) else None
        return None if call is None else call.context

    @asynccontextmanager
    async def within(self, call_id: object) -> AsyncGenerator[None, None]:
        """Tie a request to the call that it was made in: it is cancelled with it.

        Raises:
            CancelledError: The call was cancelled.
        """
        call = self._calls.get(call_id) if isinstance(call_id, str) else None
        if call is None:
            yield
            return
        if call.is_cancelled:
            raise CancelledError("the call that this was asked in was cancelled")
        with anyio.CancelScope() as scope:
            call.scopes.add(scope)
            try:
                yield
            finally:
                call.scopes.discard(scope)
        if scope.cancelled_caught:
            raise CancelledError("the call that this was asked in was cancelled")

    async def call_kept(self, function: str, arguments: list[Any]) -> Any:
        """Call a function of the core that the program was given.

        Raises:
            UnknownCallbackError: There is none of that id any more.
        """
        known = self._kept.get(function)
        if known is None:
            raise UnknownCallbackError(f"there is no function {function!r}")
        value = known(*arguments)
        return await value if hasattr(value, "__await__") else value

    def remember(self, error: BaseException) -> str:
        """Return the id of an error that the program is told of, in case it throws it on."""
        error_id = f"e{next(self._ids)}"
        self._errors[error_id] = error
        while len(self._errors) > _MOST_ERRORS:
            self._errors.popitem(last=False)
        return error_id

    async def _invoke(self, callback: str, arguments: tuple[object, ...], how: Invocation) -> Any:
        call = _Call(f"k{next(self._ids)}")
        self._calls[call.id] = call
        while len(self._calls) > _MOST_CALLS:
            self._calls.popitem(last=False)
        turn = current_turn.get()
        where: dict[str, Any] = {"callId": call.id}
        if turn is not None:
            where["clientId"] = turn.session.client_id
            where["agentName"] = turn.session.agent_name
            where["runId"] = turn.run_id
        if how.seconds is not None:
            where["deadlineMs"] = int(how.seconds * 1000)
        params = {
            "callback": callback,
            "args": [encode_value(part, self._keep) for part in arguments],
            "call": where,
        }
        try:
            if turn is not None:
                await self._before_call(turn.session.client_id)
            await self._release()
            answer = await self._peer.request(
                "callback/invoke", params, seconds=how.seconds, name=callback
            )
        except RemoteError as error:
            self._raise_known(error)
            raise
        except BaseException:
            # Cancelled, or out of time: what it asked meanwhile is not needed either.
            call.cancel()
            raise
        value = cast("dict[str, Any]", answer).get("value") if isinstance(answer, dict) else None
        try:
            return how.read(value)
        except (ValueError, TypeError, LookupError) as wrong:  # pydantic's errors are ValueErrors
            reason = " ".join(str(wrong).split("\n")[:3])
            raise CallbackOutputError(callback, reason or type(wrong).__name__) from None

    def _raise_known(self, error: RemoteError) -> None:
        """Raise what the core raised before, where the program only threw it on."""
        known = self._errors.get(error.data.error_id or "")
        if known is not None:
            raise known
        if error.number == UnknownCallbackError.rpc_code:
            raise UnknownCallbackError(error.text) from None

    def _keep(self, function: Callable[..., Any]) -> str:
        key = f"f{next(self._ids)}"
        self._kept[key] = function
        while len(self._kept) > _MOST_FUNCTIONS:
            self._kept.popitem(last=False)
        return key

    def _named(self, function: RemoteFunction, callback: str) -> RemoteFunction:
        function.__name__ = function.__qualname__ = callback
        if callback.startswith("$"):
            weakref.finalize(function, self._released.append, callback)
        return function

    async def _release(self) -> None:
        """Name the functions that nothing refers to any more."""
        gone = [self._released.popleft() for _ in range(len(self._released))]
        if gone:
            await self._peer.notify("callback/release", {"callbacks": gone})
