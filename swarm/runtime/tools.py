"""Tools ready to run: arguments checked against the schema, functions called, outputs as text."""

import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from pydantic import BaseModel, JsonValue

from swarm.catalog import Catalog
from swarm.completion import ToolDefinition
from swarm.context import ToolContext
from swarm.extension import tool_source
from swarm.functions import call_in_thread
from swarm.json_schema import schema_checker
from swarm.schema import ArgumentsError, Signature, read_signature
from swarm.specs import ToolSpec

__all__ = ["ArgumentsError", "BoundTool", "bind_handoff", "bind_tool", "cut_text", "output_text"]

_MAX_OUTPUT = 256 * 1024
"""Longest tool output in characters; a longer one is cut, and says so."""


@dataclasses.dataclass(frozen=True, slots=True)
class BoundTool:
    """A declared tool with everything that a turn needs to offer and run it."""

    definition: ToolDefinition
    timeout: float
    """Seconds."""
    read_arguments: Callable[[str], dict[str, JsonValue]]
    """Parses and checks the JSON text of a call; raises ArgumentsError."""
    invoke: Callable[[ToolContext], Awaitable[object]]
    navigate_to: str | None = None
    """The agent that a call hands over to, without any function."""
    may_commit: bool = False
    """The function takes the context, so it may commit its output itself, even later."""
    read_only: bool = False
    """Nothing is lost when the journal does not know of a call."""
    spec: ToolSpec | None = None
    """The declaration; None for a hand-off that an agent's `handoffs` makes."""
    defaults: Mapping[str, JsonValue] = dataclasses.field(default_factory=dict[str, JsonValue])
    """What the function takes where a call leaves an argument out, as far as it is JSON."""

    @property
    def is_navigation(self) -> bool:
        """Whether a call hands the conversation over."""
        spec = self.spec
        return self.navigate_to is not None or (spec is not None and spec.navigate_to is not None)

    def with_defaults(self, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return arguments with the defaults of those that the call leaves out."""
        return {**self.defaults, **arguments}


def bind_tool(spec: ToolSpec, catalog: Catalog) -> BoundTool:
    """Make a tool of a declaration.

    Raises:
        DeclarationError: Its function cannot be described to a model.
    """
    declared = spec
    if spec.wiki is not None:
        spec = tool_source("wiki")(spec, catalog)
    if spec.navigate_to is not None and spec.call is None:
        return bind_handoff(spec.navigate_to, spec)
    function = spec.call
    if function is None:
        raise ValueError(f"tool {spec.tool_name!r} was resolved without a function")
    signature = read_signature(function, has_schema=spec.parameters is not None)
    if spec.parameters is None:
        schema = signature.parameters
        check = functools.partial(_check_signature, signature=signature)
    else:
        schema = {"type": "object", "properties": {}, **spec.parameters}
        check = _schema_checker(schema)
    definition = ToolDefinition(spec.function_name, spec.description, schema, spec.examples)
    return BoundTool(
        definition=definition,
        timeout=spec.timeout,
        read_arguments=functools.partial(_parse_arguments, check=check),
        invoke=_caller(function, signature, converts=spec.parameters is None),
        may_commit=signature.context_name is not None,
        read_only=spec.read_only,
        spec=declared,
        defaults=signature.defaults(),
    )


def bind_handoff(agent_name: str, spec: ToolSpec | None = None) -> BoundTool:
    """Make the tool that hands the conversation to another agent."""

    async def announce(context: ToolContext) -> str:
        return f"Handed over to {agent_name}."

    description = f"Hand the conversation over to {agent_name}."
    name = f"transfer_to_{agent_name}".replace(".", "_")
    definition = ToolDefinition(
        name=spec.function_name if spec else name,
        description=(spec.description if spec else "") or description,
        parameters={"type": "object", "properties": {}},
        examples=spec.examples if spec else (),
    )
    return BoundTool(
        definition=definition,
        timeout=spec.timeout if spec else 60.0,
        read_arguments=functools.partial(_parse_arguments, check=lambda arguments: None),
        invoke=announce,
        read_only=True,
        navigate_to=agent_name,
        spec=spec,
    )


def output_text(value: object) -> str:
    """Return a tool's return value as the text that the model reads.

    Halves of surrogate pairs, as in the names of odd files, become `?`: no store and no provider
    takes them.
    """
    if value is None:
        text = "done"
    elif isinstance(value, str):
        text = value
    elif isinstance(value, BaseModel):
        text = value.model_dump_json()
    else:
        import orjson

        try:
            text = orjson.dumps(value, default=str).decode()
        except TypeError:
            text = str(value)
    return text if text.isascii() else text.encode(errors="replace").decode()


def cut_text(text: str) -> str:
    """Return an output that is not longer than a history should hold."""
    if len(text) <= _MAX_OUTPUT:
        return text
    return f"{text[:_MAX_OUTPUT]}\n[cut: the output had {len(text)} characters]"


def _parse_arguments(
    text: str, *, check: Callable[[Mapping[str, JsonValue]], None]
) -> dict[str, JsonValue]:
    import orjson

    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as wrong:
        raise ArgumentsError(f"the arguments are not valid JSON: {wrong}") from None
    if isinstance(value, str):
        # Some models encode the object twice.
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ArgumentsError("the arguments are a string, not a JSON object") from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise ArgumentsError("the arguments must be a JSON object")
    arguments = cast("dict[str, JsonValue]", value)  # JSON objects have string keys
    check(arguments)
    return arguments


def _check_signature(arguments: Mapping[str, JsonValue], *, signature: Signature) -> None:
    signature.convert(arguments)


def _schema_checker(
    schema: Mapping[str, JsonValue],
) -> Callable[[Mapping[str, JsonValue]], None]:
    find_reasons = schema_checker(schema)

    fits = _quick_check(schema)

    def check(arguments: Mapping[str, JsonValue]) -> None:
        if fits is not None and fits(arguments):
            return
        if reasons := find_reasons(dict(arguments)):
            raise ArgumentsError("; ".join(reasons))

    return check


_JSON_TYPES: dict[JsonValue, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
}
_PLAIN = {"type", "properties", "required", "title", "description", "additionalProperties"}
_NOTES = {"type", "title", "description", "default", "examples"}


def _quick_check(
    schema: Mapping[str, JsonValue],
) -> Callable[[Mapping[str, JsonValue]], bool] | None:
    """Return a function that sees at once that arguments fit a schema, if it is a plain one.

    Most schemas of tools are an object with a few texts and numbers, and most calls fit them;
    the library, which says what is wrong, takes ten times as long to find nothing.
    """
    properties = schema.get("properties")
    required = schema.get("required", [])
    if not schema.keys() <= _PLAIN or schema.get("type") != "object":
        return None
    if not isinstance(properties, dict) or not isinstance(required, list):
        return None
    types: dict[str, frozenset[type]] = {}
    for name, part in properties.items():
        if not isinstance(part, dict) or not part.keys() <= _NOTES:
            return None
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in _JSON_TYPES:
            return None
        types[name] = _JSON_TYPES[kind]
    needed = [str(name) for name in required]

    def fits(arguments: Mapping[str, JsonValue]) -> bool:
        for name, value in arguments.items():
            known = types.get(name)
            # What is not listed is left to the library.
            if known is None or type(value) not in known:
                return False
        return all(name in arguments for name in needed)

    return fits


def _caller(
    function: Callable[..., Any], signature: Signature, *, converts: bool
) -> Callable[[ToolContext], Awaitable[object]]:
    async def invoke(context: ToolContext) -> object:
        keywords: dict[str, Any]
        if converts:
            keywords = signature.convert(context.arguments)
        elif signature.takes_any:
            keywords = dict(context.arguments)
        else:
            names = signature.argument_names
            keywords = {k: v for k, v in context.arguments.items() if k in names}
        if signature.context_name is not None:
            keywords[signature.context_name] = context
        return await call_in_thread(functools.partial(function, **keywords))

    return invoke
