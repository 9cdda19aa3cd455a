"""A swarm made ready to run: its agents with their tools bound, shared by all its sessions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swarm.catalog import Catalog
from swarm.completion import Completion, ToolDefinition
from swarm.errors import DeclarationError
from swarm.events import AgentConfigured
from swarm.extension import Services
from swarm.runtime.offer import is_dynamic, offer_tools
from swarm.runtime.tools import BoundTool, bind_handoff, bind_tool
from swarm.specs import AgentSpec, CompletionSpec, SwarmSpec

if TYPE_CHECKING:
    from swarm.mcp.toolset import McpTools
    from swarm.memory import Memory
    from swarm.runtime.guard import Approvals, Guard, People
    from swarm.runtime.tracing import Tracer

__all__ = [
    "AgentPlan",
    "MoreTools",
    "OpenCompletion",
    "OpenOperator",
    "SwarmPlan",
    "plan_swarm",
]

OpenCompletion = Callable[[CompletionSpec], Awaitable[Completion]]
"""Makes, or returns the one already made, completion of a declaration."""

OpenOperator = Callable[[AgentSpec], Completion]
"""Makes the completion of an agent whose answers a person writes."""

MoreTools = Callable[["AgentPlan", str], Awaitable["AgentPlan"]]
"""Returns an agent with the tools that a client id adds to its own."""


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """One agent with its model and its tools."""

    spec: AgentSpec
    completion: Completion
    tools: dict[str, BoundTool]
    """By the name that the model sees, in the order of the declaration."""
    definitions: tuple[ToolDefinition, ...]
    system: tuple[str, ...] | None = None
    """Its prompt and system lines, where no function makes any of them."""
    more_tools: "MoreTools | None" = None
    """Gives the tools of MCP servers, which come after the agent's own."""

    checks_output: bool = False
    """Its functions may change or refuse what the model says."""
    is_dynamic: bool = False
    """Some of its tools are there at times only, or are described anew for each call."""

    async def for_client(self, client_id: str) -> "AgentPlan":
        """Return this agent with all the tools that a client's next model call may use.

        Raises:
            SetupError: An MCP server was never reached and cannot be now.
        """
        plan = self if self.more_tools is None else await self.more_tools(self, client_id)
        return await offer_tools(plan, client_id) if plan.is_dynamic else plan

    def configured(self, system: tuple[str, ...]) -> AgentConfigured:
        """Return the record of this agent for the journal."""
        return AgentConfigured(
            agent_name=self.spec.agent_name,
            model=self.completion.model,
            system=system,
            tools=[
                {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                }
                for tool in self.definitions
            ],
        )


@dataclass(frozen=True, slots=True)
class SwarmPlan:
    """A swarm with its agents."""

    spec: SwarmSpec
    agents: dict[str, AgentPlan]
    window: int
    """Messages that a session keeps in memory."""
    has_observers: bool
    """The swarm, or an agent of it, has callbacks."""
    catalog: Catalog
    open_completion: OpenCompletion
    """Opens further completions, for what upper rooms ask beside the conversation."""
    services: Services | None = None
    """What the host lends to upper rooms: home, environment, shared resources."""
    memory: "Memory | None" = None
    """States, storages and computes of the host."""
    guard: "Guard | None" = None
    """The swarm's policies; None when it has none."""
    approvals: "Approvals | None" = None
    """Asks people about tool calls."""
    tracer: "Tracer | None" = None
    """Traces turns, model calls and tool calls; None when nobody watches."""
    people: "People | None" = None
    """Brings what people decide later; None when no agent and no tool asks anybody."""
    project: str | None = None
    """The tenant whose sessions these are."""

    @property
    def asks_people(self) -> bool:
        """Whether an agent is an operator, or one of its tools may need an approval."""
        return any(
            agent.spec.operator
            or any(t.spec and t.spec.needs_approval is not False for t in agent.tools.values())
            for agent in self.agents.values()
        )

    def holds_words_back(self, agent: AgentPlan) -> bool:
        """Whether nobody may see what an agent's model says before the whole answer is judged."""
        return agent.checks_output or self.guard is not None


async def plan_swarm(
    catalog: Catalog,
    swarm_name: str,
    open_completion: OpenCompletion,
    services: Services | None = None,
    open_operator: OpenOperator | None = None,
) -> SwarmPlan:
    """Bind the agents of a swarm; without services, MCP servers are left out.

    Raises:
        DeclarationError: An agent is an operator, and there is no inbox to ask a person.
        UnknownNameError: The swarm, or something it names, is not declared.
        SetupError: A model needs a key or an extra that is missing.
    """
    spec = catalog.swarms.get(swarm_name)
    agents: dict[str, AgentPlan] = {}
    for name in spec.agent_list:
        agent = catalog.agents.get(name)
        bound = [bind_tool(catalog.tools.get(tool), catalog) for tool in agent.tools]
        bound += [bind_handoff(target) for target in agent.handoffs]
        # Who is the right one to answer is the first question.
        bound.sort(key=lambda tool: not tool.is_navigation)
        more = None
        if services is not None and agent.mcp:
            from swarm.mcp.toolset import mcp_tools

            more = mcp_tools(agent, catalog, services)
        if agent.completion is not None:
            completion = await open_completion(catalog.completions.get(agent.completion))
        elif open_operator is not None:
            completion = open_operator(agent)
        else:
            raise DeclarationError(f"agent {name!r} is an operator; open the session with a Host")
        agents[name] = AgentPlan(
            spec=agent,
            completion=completion,
            tools={tool.definition.name: tool for tool in bound},
            definitions=tuple(tool.definition for tool in bound),
            system=_fixed_system(agent),
            more_tools=None if more is None else _with_more(more, catalog),
            checks_output=any((agent.map_message, agent.validate_output, agent.transform)),
            is_dynamic=any(is_dynamic(tool.spec) for tool in bound),
        )
    longest = max(plan.spec.keep_messages for plan in agents.values())
    # Tool traffic of other agents and of failed turns is filtered from the view afterwards.
    window = max(200, 4 * longest)
    has_observers = spec.callbacks is not None or any(
        plan.spec.callbacks is not None for plan in agents.values()
    )
    return SwarmPlan(spec, agents, window, has_observers, catalog, open_completion, services)


def _fixed_system(spec: AgentSpec) -> tuple[str, ...] | None:
    if not isinstance(spec.prompt, str) or spec.system_dynamic is not None:
        return None
    return tuple(line for line in (spec.prompt, *spec.system_lines) if line)


def _with_more(more: "Callable[[str], Awaitable[McpTools]]", catalog: Catalog) -> MoreTools:
    """Bind further tools once for as long as they stay the same."""
    known: dict[int, tuple[McpTools, AgentPlan]] = {}

    async def merge(plan: AgentPlan, client_id: str) -> AgentPlan:
        found = await more(client_id)
        if id(found) not in known:
            if len(known) >= 1024:
                known.clear()
            # What the id belongs to is kept with it, so that no other gets it.
            known[id(found)] = (found, _merge(plan, found, catalog))
        return known[id(found)][1]

    return merge


def _merge(plan: AgentPlan, found: "McpTools", catalog: Catalog) -> AgentPlan:
    tools, definitions = dict(plan.tools), list(plan.definitions)
    for spec in found.offered:
        bound = bind_tool(spec, catalog)
        if tools.setdefault(bound.definition.name, bound) is bound:
            definitions.append(bound.definition)
    for spec in found.blocked:
        tools.setdefault(spec.function_name, bind_tool(spec, catalog))
    return replace(plan, tools=tools, definitions=tuple(definitions))
