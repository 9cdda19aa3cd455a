"""A swarm made ready to run: its agents with their tools bound, shared by all its sessions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from swarm.catalog import Catalog
from swarm.completion import Completion, ToolDefinition
from swarm.events import AgentConfigured
from swarm.runtime.tools import BoundTool, bind_handoff, bind_tool
from swarm.specs import AgentSpec, CompletionSpec, SwarmSpec

__all__ = ["AgentPlan", "OpenCompletion", "SwarmPlan", "plan_swarm"]

OpenCompletion = Callable[[CompletionSpec], Awaitable[Completion]]
"""Makes, or returns the one already made, completion of a declaration."""


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """One agent with its model and its tools."""

    spec: AgentSpec
    completion: Completion
    tools: dict[str, BoundTool]
    """By the name that the model sees, in the order of the declaration."""
    definitions: tuple[ToolDefinition, ...]

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
    catalog: Catalog
    open_completion: OpenCompletion
    """Opens further completions, for what upper rooms ask beside the conversation."""


async def plan_swarm(
    catalog: Catalog, swarm_name: str, open_completion: OpenCompletion
) -> SwarmPlan:
    """Bind the agents of a swarm.

    Raises:
        UnknownNameError: The swarm, or something it names, is not declared.
        SetupError: A model needs a key or an extra that is missing.
    """
    spec = catalog.swarms.get(swarm_name)
    agents: dict[str, AgentPlan] = {}
    for name in spec.agent_list:
        agent = catalog.agents.get(name)
        bound = [bind_tool(catalog.tools.get(tool), catalog) for tool in agent.tools]
        bound += [bind_handoff(target) for target in agent.handoffs]
        agents[name] = AgentPlan(
            spec=agent,
            completion=await open_completion(catalog.completions.get(agent.completion)),
            tools={tool.definition.name: tool for tool in bound},
            definitions=tuple(tool.definition for tool in bound),
        )
    longest = max(plan.spec.keep_messages for plan in agents.values())
    # Tool traffic of other agents and of failed turns is filtered from the view afterwards.
    window = max(200, 4 * longest)
    return SwarmPlan(spec, agents, window, catalog, open_completion)
