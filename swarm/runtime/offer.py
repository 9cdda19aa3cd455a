"""Which of its tools an agent is offered now, and how they are described."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from swarm.completion import ToolDefinition
from swarm.functions import call, describe, log_failure
from swarm.json_schema import find_schema_problems
from swarm.runtime.tools import BoundTool, bind_tool
from swarm.specs import ToolFunction, ToolSpec

if TYPE_CHECKING:
    from swarm.runtime.plan import AgentPlan

__all__ = ["is_dynamic", "offer_tools"]


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
    role, function = "is_available", spec.is_available
    names = (client_id, agent_name)
    try:
        if function is not None and not await call(function, *names, spec.tool_name):
            return None
        role, function = "get_function", spec.get_function
        if function is None:
            return tool
        return _described(tool, spec, await call(function, *names))
    except (Exception, SystemExit) as error:
        what = describe(function, role, f"tool {spec.tool_name!r}")
        log_failure(what, error, effect="the tool is hidden")
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
