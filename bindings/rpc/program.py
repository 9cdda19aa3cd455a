"""What the core has of one program that is connected: its declarations, sessions, events, calls."""

import contextvars
import inspect
import logging
from collections.abc import Awaitable, Callable, Set
from typing import Any, cast

import anyio
from pydantic import ValidationError as PydanticError

from bindings.rpc import wire
from bindings.rpc.binding import BoundFunction, FunctionBindParams, FunctionBindResult
from bindings.rpc.callbacks import Callbacks, Invocation
from bindings.rpc.declarations import Declarations, names_of
from bindings.rpc.errors import RpcError
from bindings.rpc.failures import (
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
    error_to_wire,
)
from bindings.rpc.listening import Subscriptions
from bindings.rpc.logs import told_of_warnings
from bindings.rpc.methods import METHODS, DeclareParams
from bindings.rpc.peer import Channel, Params, Peer, PeerLimits
from bindings.rpc.reading import find_callback, read_function
from bindings.rpc.sessions import Sessions
from bindings.rpc.shapes import Wire
from bindings.rpc.values import encode_value, read_messages
from bindings.rpc.verbs import Verb, find_verb
from swarm import Host, use_catalog

__all__ = ["Program"]

_LOADING = 60.0
"""Seconds that a file of functions may take to load."""
_LEAVING = 15.0
"""Seconds that the sessions of a program which is gone get to close."""
_log = logging.getLogger("wikiswarm.rpc")


class Program:
    """Serves one connection, after its handshake."""

    def __init__(
        self,
        host: Host,
        channel: Channel,
        hello: wire.InitializeParams,
        *,
        connection_id: str,
        limits: PeerLimits = PeerLimits(),  # noqa: B008 - a tuple
    ) -> None:
        """Describe it; `run` serves it.

        Args:
            host: The open host.
            channel: What carries the messages.
            hello: How it introduced itself.
            connection_id: What the connection is called.
            limits: What it is held to.
        """
        self.connection_id = connection_id
        self.on_shutdown: Callable[[], None] | None = None
        """Hears that the program is about to leave."""
        self.before_declaring: Callable[[Set[tuple[str, str]]], Awaitable[None]] | None = None
        """Hears of the names, each with its kind, that the program is about to declare."""
        self._hello = hello
        self._host = host
        self._peer = Peer(
            channel,
            self._on_request,
            self._on_notification,
            context_of=self._context_of,
            error_data=self._error_data,
            limits=limits,
        )
        self._callbacks = Callbacks(self._peer, self._tell_sessions)
        self._declarations = Declarations(host.catalog, self._callbacks)
        self._subscriptions = Subscriptions(self._peer)
        self._sessions: Sessions | None = None
        self._handlers: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "shutdown": self._shutdown,
            "catalog/declare": self._declare,
            "catalog/override": self._override,
            "catalog/restore": self._restore,
            "catalog/get": self._get,
            "catalog/validate": self._validate,
            "session/open": self._open_session,
            "session/complete": self._complete,
            "session/dispose": self._dispose,
            "events/subscribe": self._subscribe,
            "events/unsubscribe": self._unsubscribe,
            "function/call": self._call_function,
        }

    async def run(self) -> None:
        """Serve the connection until it ends; then nothing of the program is left."""
        name = self._hello.program.name
        _log.info("program %r is connected (%s)", name, self.connection_id)
        try:
            wants_log = self._hello.capabilities.log
            with (
                use_catalog(self._host.catalog),
                told_of_warnings(self._peer, is_asked=wants_log),
            ):
                async with anyio.create_task_group() as tasks:
                    self._sessions = Sessions(self._host, self._peer, self._callbacks, tasks)
                    try:
                        await self._peer.run()
                    finally:
                        with anyio.move_on_after(_LEAVING, shield=True):
                            await self._sessions.dispose_all()
                        tasks.cancel_scope.cancel()
        finally:
            self._subscriptions.end_all()
            self._declarations.leave()
            _log.info("program %r has left (%s)", name, self.connection_id)

    async def bind(self, functions: list[BoundFunction]) -> FunctionBindResult:
        """Let a program that is one file say which of its exports stand for which functions.

        Raises:
            RemoteError: The file cannot be loaded, or the program is none of that sort.
            CallbackTimeoutError: It did not load in time.
            ConnectionLostError: The program is gone.
        """
        params = FunctionBindParams(functions=functions).model_dump(mode="json", by_alias=True)
        answer = await self._peer.request("function/bind", params, seconds=_LOADING)
        return FunctionBindResult.model_validate(answer)

    def function(
        self, kind: str, field: str, callback: str, timeout: float | None
    ) -> Callable[..., Any]:
        """Return a function of the program for a field of a declaration; see `read_function`."""
        return read_function(kind, field, callback, self._callbacks, timeout)

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._peer.is_lost

    def declares(self, names: Set[tuple[str, str]]) -> bool:
        """Return whether one of these names, each with its kind, is the program's."""
        return not names.isdisjoint(self._declarations.names())

    def close(self) -> None:
        """End the connection; `run` returns."""
        self._peer.close()

    async def _on_request(self, method: str, params: Params) -> Any:
        known = METHODS.get(method)
        if method == "initialize":
            raise InvalidRequestError("the connection is initialized already")
        if known is None or known.to == "program" or not known.is_request:
            raise MethodNotFoundError(f"there is no method {method[:100]!r}")
        given = dict(params)
        call_id = _call_id(given)
        given.pop("_meta", None)
        try:
            checked = known.params.model_validate(given)
        except PydanticError as wrong:
            raise InvalidParamsError(method, wrong) from None
        async with self._callbacks.within(call_id):
            verb = find_verb(method)
            if verb is None:
                result = await self._handlers[method](checked)
            else:
                result = await self._call_verb(verb, checked)
        client_id = getattr(checked, "client_id", None)
        if isinstance(client_id, str):
            await self._tell_sessions(client_id)
        return encode_value(result)

    def _on_notification(self, method: str, params: Params) -> None:
        if method == "exit":
            self._peer.close()

    def _context_of(self, method: str, params: Params) -> contextvars.Context | None:
        return self._callbacks.context_of(_call_id(params))

    def _error_data(self, error: BaseException) -> Params:
        made = error_to_wire(error)
        if not isinstance(error, RpcError):
            made["data"]["errorId"] = self._callbacks.remember(error)
        return made

    async def _tell_sessions(self, client_id: str) -> None:
        if self._sessions is not None:
            await self._sessions.tell(client_id)

    async def _call_verb(self, verb: Verb, params: Wire) -> Any:
        arguments = {name.rstrip("_"): getattr(params, name) for name in type(params).model_fields}
        rest: list[Any] = []
        if verb.rest is not None:
            rest = arguments.pop(verb.rest)
        for name in verb.functions:
            value = arguments[name]
            callback = (
                value.callback if isinstance(value, wire.CallbackRef) else find_callback(value)
            )
            if callback is not None:
                arguments[name] = self._callbacks.function(callback, Invocation(120.0))
        arguments = {name: _as_given(value) for name, value in arguments.items()}
        for name in verb.messages:
            arguments[name] = read_messages(arguments[name])
        # What stands before `*arguments` can only be given by its place.
        named = {} if rest else arguments
        value = verb.function(*(arguments.values() if rest else ()), *rest, **named)
        return await value if inspect.isawaitable(value) else value

    async def _shutdown(self, params: wire.Empty) -> None:
        if self.on_shutdown is not None:
            self.on_shutdown()
        await self._open_sessions.dispose_all()
        # Who is told that it has left may begin anew with the same names.
        self._declarations.leave()

    async def _declare(self, params: DeclareParams) -> wire.DeclareResult:
        if self.before_declaring is not None:
            await self.before_declaring(names_of(params.declarations))
        return self._declarations.declare(params.declarations)

    async def _override(self, params: wire.OverrideParams) -> wire.OverrideResult:
        made = self._declarations.override(params.kind, params.name, params.fields)
        return wire.OverrideResult(override_id=made)

    async def _restore(self, params: wire.RestoreParams) -> None:
        self._declarations.restore(params.override_id)

    async def _get(self, params: wire.CatalogGetParams) -> wire.CatalogResult:
        return wire.CatalogResult(declarations=self._declarations.get(params.kind, params.name))

    async def _validate(self, params: wire.Empty) -> wire.DeclareResult:
        return self._declarations.check()

    async def _open_session(self, params: wire.SessionOpenParams) -> wire.SessionChangedParams:
        return await self._open_sessions.open(params)

    async def _complete(self, params: wire.SessionCompleteParams) -> str:
        return await self._open_sessions.complete(params)

    async def _dispose(self, params: wire.SessionName) -> bool:
        return await self._open_sessions.dispose(params.client_id, params.swarm_name)

    async def _subscribe(self, params: wire.SubscribeParams) -> wire.SubscribeResult:
        return wire.SubscribeResult(subscription_id=self._subscriptions.add(params))

    async def _unsubscribe(self, params: wire.UnsubscribeParams) -> bool:
        return self._subscriptions.end(params.subscription_id)

    async def _call_function(self, params: wire.FunctionCallParams) -> wire.CallbackResult:
        value = await self._callbacks.call_kept(params.function, list(params.args))
        return wire.CallbackResult(value=encode_value(value))

    @property
    def _open_sessions(self) -> Sessions:
        if self._sessions is None:
            raise InvalidRequestError("the connection does not run")
        return self._sessions


def _as_given(value: Any) -> Any:
    """Return an argument as functions take it: mappings, not wire models."""
    if isinstance(value, Wire):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, list):
        return [_as_given(part) for part in cast("list[Any]", value)]
    return value


def _call_id(params: Params) -> object:
    """Return the call that a request was made in, as far as it says so."""
    meta: Any = params.get("_meta")
    return cast("Params", meta).get("callId") if isinstance(meta, dict) else None
