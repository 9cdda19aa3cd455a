"""Which of its tools an agent is offered now, and how they are described."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from swarm.completion import ToolDefinition
from swarm.errors import SwarmError
from swarm.json_schema import find_schema_problems
from swarm.runtime.calling import call, function_name
from swarm.runtime.tools import BoundTool, bind_tool
from swarm.specs import ToolFunction, ToolSpec

if TYPE_CHECKING:
    from swarm.runtime.plan import AgentPlan

__all__ = ["is_dynamic", "offer_tools"]

_log = logging.getLogger("wikiswarm")


def is_dynamic(spec: ToolSpec | None) -> bool:
    """Whether a tool must be asked for anew before each model call."""
    return spec is not None and (spec.is_available is not None or spec.get_function is not None)


async def offer_tools(plan: "AgentPlan", client_id: str) -> "AgentPlan":
    """Return an agent with the tools that are there now; a function that fails hides its tool.

    Declared order stays, and of two tools with one name the first is offered.
    """
    tools: dict[str, BoundTool] = {}
    definitions: list[ToolDefinition] = []
    offered = {id(definition) for definition in plan.definitions}
    for tool in plan.tools.values():
        spec = tool.spec
        found: BoundTool | None = tool
        if spec is not None and is_dynamic(spec):
            found = await _offer(tool, spec, client_id, plan.spec.agent_name)
        if found is not None and found.definition.name not in tools:
            tools[found.definition.name] = found
            if id(tool.definition) in offered:
                definitions.append(found.definition)
    return replace(plan, tools=tools, definitions=tuple(definitions))


async def _offer(
    tool: BoundTool, spec: ToolSpec, client_id: str, agent_name: str
) -> BoundTool | None:
    function: Any = spec.is_available
    try:
        if function is not None and not await call(function, client_id, agent_name, spec.tool_name):
            return None
        function = spec.get_function
        if function is None:
            return tool
        return _described(tool, spec, await call(function, client_id, agent_name))
    except (Exception, SystemExit) as error:
        reason = error if isinstance(error, SwarmError | ValidationError) else repr(error)
        text = "tool %r is hidden: %s failed: %s"
        _log.error(text, spec.tool_name, function_name(function), reason)
        return None


def _described(tool: BoundTool, spec: ToolSpec, made: object) -> BoundTool:
    """Return a tool under the name, description and schema that a function gave."""
    if isinstance(made, Mapping):
        fields = cast("Mapping[str, Any]", made)
        inner = fields.get("function", fields)
        made = ToolFunction.model_validate({"name": spec.function_name, **inner})
    if not isinstance(made, ToolFunction):
        raise TypeError(f"it returned {type(made).__name__}, not a ToolFunction or a mapping")
    for path, wrong in find_schema_problems(made.parameters):
        raise ValueError(f"parameters{path}: {wrong}")
    if spec.call is None:
        definition = replace(tool.definition, name=made.name, description=made.description)
        return replace(tool, definition=definition)
    changed = spec.model_copy(
        update={
            "function": made,
            "description": made.description or spec.description,
            "parameters": made.parameters or spec.parameters,
        }
    )
    return _bind(changed)


def _bind(spec: ToolSpec) -> BoundTool:
    """Bind a declaration that has its function already."""
    from swarm.catalog import Catalog

    return bind_tool(spec, Catalog())
