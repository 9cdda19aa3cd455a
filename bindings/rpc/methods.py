"""`METHODS`: every method of the protocol, what it takes, what it gives, and who may call it."""

import functools
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, Union

from pydantic import Field, GetPydanticSchema, JsonValue, TypeAdapter

from bindings.rpc import wire
from bindings.rpc.binding import FunctionBindParams, FunctionBindResult
from bindings.rpc.shapes import Wire, declaration_model, params_model
from bindings.rpc.verbs import VERBS
from declarative.kinds import SECTIONS
from swarm import Kind, templates

__all__ = ["KINDS", "METHODS", "TEMPLATES", "DeclareParams", "Direction", "Method"]

Direction = Literal["core", "program", "both"]
"""Who is asked: the core, the program, or either."""

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in SECTIONS.values()}
"""The kinds of declarations by what they are called on the wire."""

TEMPLATES: dict[str, Callable[..., str]] = {
    "agentNavigation": templates.add_agent_navigation,
    "triageNavigation": templates.add_triage_navigation,
    "commitAction": templates.add_commit_action,
    "fetchInfo": templates.add_fetch_info,
}
"""Kinds that declare a ready-made tool."""


class Method(NamedTuple):
    """A method of the protocol."""

    params: type[Wire]
    result: Any
    """None for a notification."""
    to: Direction
    is_request: bool = True


@functools.cache
def _declaration() -> TypeAdapter[Any]:
    """Return what a declaration looks like; only the schema needs it, and it takes long to make."""
    models = [declaration_model(name, kind.spec) for name, kind in KINDS.items()]
    for name, add in TEMPLATES.items():
        title = f"{name[0].upper()}{name[1:]}Declaration"
        models.append(params_model(title, add, kind=name))
    union: Any = Annotated[Union[tuple(models)], Field(discriminator="kind")]  # noqa: UP007
    return TypeAdapter(union)


# The core reads declarations field by field, so that all problems of a batch are told at once.
_described = GetPydanticSchema(
    get_pydantic_core_schema=lambda source, handler: handler(source),
    get_pydantic_json_schema=lambda schema, handler: handler(_declaration().core_schema),
)


class DeclareParams(Wire):
    """Declarations, added together or not at all."""

    declarations: list[Annotated[dict[str, JsonValue], _described]]


_TO_CORE: dict[str, tuple[type[Wire], Any]] = {
    "initialize": (wire.InitializeParams, wire.InitializeResult),
    "shutdown": (wire.Empty, None),
    "catalog/declare": (DeclareParams, wire.DeclareResult),
    "catalog/override": (wire.OverrideParams, wire.OverrideResult),
    "catalog/restore": (wire.RestoreParams, None),
    "catalog/get": (wire.CatalogGetParams, wire.CatalogResult),
    "catalog/validate": (wire.Empty, wire.DeclareResult),
    "session/open": (wire.SessionOpenParams, wire.SessionChangedParams),
    "session/complete": (wire.SessionCompleteParams, str),
    "session/dispose": (wire.SessionName, bool),
    "events/subscribe": (wire.SubscribeParams, wire.SubscribeResult),
    "events/unsubscribe": (wire.UnsubscribeParams, bool),
    "function/call": (wire.FunctionCallParams, wire.CallbackResult),
}
_NOTIFICATIONS: dict[str, tuple[type[Wire], Direction]] = {
    "exit": (wire.Empty, "core"),
    "callback/notify": (wire.CallbackNotifyParams, "program"),
    "callback/release": (wire.CallbackReleaseParams, "program"),
    "event": (wire.BusEventParams, "program"),
    "log": (wire.LogParams, "program"),
    "session/changed": (wire.SessionChangedParams, "program"),
    "$/progress": (wire.ProgressParams, "program"),
    "$/cancelRequest": (wire.CancelParams, "both"),
    "$/ack": (wire.AckParams, "both"),
}

METHODS: dict[str, Method] = {
    **{name: Method(params, result, "core") for name, (params, result) in _TO_CORE.items()},
    **{name: Method(verb.params, verb.result, "core") for name, verb in VERBS.items()},
    "callback/invoke": Method(wire.CallbackInvokeParams, wire.CallbackResult, "program"),
    "function/bind": Method(FunctionBindParams, FunctionBindResult, "program"),
    **{name: Method(params, None, to, False) for name, (params, to) in _NOTIFICATIONS.items()},
}
"""Every method by its name."""
