"""The verbs that programs may call: one method for each Python function, made from its signature.

A function that is added to the table is on the wire, in the JSON Schema and in the TypeScript
types at once; its parameters and its result follow from its annotations.
"""

import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import swarm
import wiki
from bindings.rpc import people
from bindings.rpc.shapes import Wire, params_model, to_wire_name, wire_type

__all__ = ["VERBS", "Verb", "find_verb"]


class Verb(NamedTuple):
    """A function as a method of the protocol."""

    method: str
    """Such as `verb/commitToolOutput`."""
    function: Callable[..., Any]
    params: type[Wire]
    result: Any
    """The type of what it returns, on the wire."""
    functions: tuple[str, ...] = ()
    """Parameters that take a function of the program."""
    messages: tuple[str, ...] = ()
    """Parameters that are messages."""
    rest: str | None = None
    """The parameter that stands for `*arguments`."""


_PLAIN = (
    "execute execute_force emit emit_force notify notify_force run_stateless run_stateless_force "
    "cancel_output cancel_output_force commit_stop_tools commit_stop_tools_force "
    "commit_user_message commit_user_message_force commit_assistant_message "
    "commit_assistant_message_force commit_system_message commit_system_message_force "
    "commit_developer_message commit_developer_message_force commit_flush commit_flush_force "
    "commit_tool_request commit_tool_request_force commit_tool_output commit_tool_output_force "
    "change_to_agent change_to_default_agent change_to_prev_agent get_agent_name "
    "get_agent_history get_raw_history get_user_history get_assistant_history "
    "get_last_user_message get_last_assistant_message get_last_system_message "
    "get_last_tool_message get_session_mode get_session_context get_payload get_check_busy "
    "get_navigation_route get_tool_name_for_model has_session has_navigation complete "
    "dispose_connection start_pipeline mark_online mark_offline is_online get_online ask chat "
    "json event read_session_memory write_session_memory serialize to_json_schema "
    "validate_tool_arguments"
)
"""Functions that `swarm` exports, by name."""

_OF_CLIENT = {"client_id": str, "agent_name": str}
_FACADES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "State": ("get set clear", _OF_CLIENT),
    "SharedState": ("get set clear", {}),
    "Storage": ("take upsert remove get list clear create_numeric_index", _OF_CLIENT),
    "SharedStorage": ("take upsert remove get list clear create_numeric_index", {}),
    "Compute": ("get update", {"client_id": str}),
    "SharedCompute": ("get update", {}),
    "Policy": ("has_ban ban_client unban_client", {}),
    "MCP": ("update", {}),
}
"""The objects with verbs, and what says whose memory is meant."""

_CHANGES = {"stateSet", "sharedStateSet", "writeSessionMemory"}
"""Verbs whose `value` may be a function of the old value."""


@functools.cache
def _verbs() -> dict[str, Verb]:
    return {verb.method: verb for verb in _make_verbs()}


def _make_verbs() -> Iterator[Verb]:
    for name in _PLAIN.split():
        yield _verb(to_wire_name(name), getattr(swarm, name), None)
    yield _verb("question", wiki.question, None)
    for name in people.__all__:
        yield _verb(to_wire_name(name), getattr(people, name), None)
    for facade, (names, whose) in _FACADES.items():
        owner = getattr(swarm, facade)
        start = facade.lower() if facade.isupper() else facade[0].lower() + facade[1:]
        for name in names.split():
            function = getattr(owner, name)
            title = start + "".join(part.capitalize() for part in name.split("_"))
            is_generic = "whose" in inspect.signature(function).parameters
            yield _verb(title, function, whose if is_generic else None)


def _verb(name: str, function: Callable[..., Any], whose: Mapping[str, Any] | None) -> Verb:
    title = name[0].upper() + name[1:]
    functions = ("value",) if name in _CHANGES else ()
    params = params_model(f"{title}Params", function, extra=whose, functions=functions)
    result = wire_type(typing.get_type_hints(function, include_extras=True).get("return", Any))
    rest = next(
        (
            parameter.name
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is parameter.VAR_POSITIONAL and whose is None
        ),
        None,
    )
    messages = ("messages",) if name == "chat" else ()
    return Verb(f"verb/{name}", function, params, result, functions, messages, rest)


def find_verb(method: str) -> Verb | None:
    """Return the verb of a method, or None."""
    return _verbs().get(method)


def __getattr__(name: str) -> Any:
    if name == "VERBS":
        return _verbs()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if typing.TYPE_CHECKING:
    VERBS: Mapping[str, Verb]
