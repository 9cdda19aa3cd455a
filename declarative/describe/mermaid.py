"""Graphs in Mermaid: a swarm, an agent with all it uses, or everything that was declared.

Names never become syntax: nodes have ids of their own, and labels are escaped. With many tools
the graph shows only how many each agent has, and with many hand-offs it leaves their labels out.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from swarm import AgentSpec, Catalog, Kind, SwarmSpec
from swarm.catalog import AGENTS, SWARMS, TOOLS
from swarm.mcp.spec import MCPS
from swarm.memory import STATES, STORAGES
from swarm.secrets import hide
from swarm.validate import handoff_edges, offered_handoffs
from wiki.spec import WIKIS

__all__ = ["agent_graph", "legend", "mermaid", "swarm_graph"]

_SHAPES = {
    "swarm": "([{}])", "agent": "[{}]", "person": "{{{{{}}}}}", "gate": "{{{}}}",
    "tool": "[/{}/]", "wiki": "[({})]", "mcp": "[[{}]]", "state": "({})", "storage": "({})",
}  # fmt: skip
_SIGNS = '"#<>&`\\'
"""What Mermaid or the browser would take for something else than text."""
_MEANINGS = {
    r"swarm\d+\(\[": "Clients come in at the name of the swarm.",
    "class agent.* starts": "A thick frame marks the agent that a conversation starts with.",
    r"gate\d+\{": "The diamond stands for the policies that messages and answers pass.",
    "==>": "A thick arrow is a hand-off that the agent decides on.",
    r"-\.->(\|hands? .*?\|)? agent": "A dashed arrow to an agent is a hand-off inside a tool.",
    r"agent\d+\{\{": "A hexagon is a person.",
    r"tool\d+\[/": "A slanted box is a tool.",
    r"wiki\d+\[\(": "A barrel is a wiki.",
    r"(state|storage)\d+\(": "A rounded box is a state or a storage.",
    r"mcp\d+\[\[": "A box with double sides is a server of tools.",
}
"""What marks each sign in the text of a graph, and what it means to readers."""
_MOST_TOOLS = 15
_MOST_LABELS = 20

_Node: TypeAlias = tuple[str, str]
"""The kind of something and its name."""


def mermaid(catalog: Catalog, secrets: Mapping[str, str] | None = None) -> str:
    """Return a flowchart of all swarms and agents; names that nothing declares are left out."""
    graph = _Graph(catalog, list(catalog.agents), secrets or {})
    swarms = list(catalog.swarms)
    for swarm in swarms:
        graph.add_swarm(swarm, has_frame=len(swarms) > 1)
    return graph.text()


def swarm_graph(catalog: Catalog, name: str, secrets: Mapping[str, str] | None = None) -> str:
    """Return a flowchart of one swarm: its policies, its agents, and who hands over to whom.

    Raises:
        UnknownNameError: Nothing declares the swarm.
    """
    swarm = catalog.swarms.get(name)
    agents = [catalog.agents.get(agent) for agent in _declared(AGENTS, swarm.agent_list, catalog)]
    graph = _Graph(catalog, agents, secrets or {})
    graph.add_swarm(swarm)
    return graph.text()


def agent_graph(catalog: Catalog, name: str, secrets: Mapping[str, str] | None = None) -> str:
    """Return a flowchart of one agent: what it uses, and who hands over to whom.

    Raises:
        UnknownNameError: Nothing declares the agent.
    """
    agent = catalog.agents.get(name)
    graph = _Graph(catalog, [agent], secrets or {})
    graph.add_neighbours(agent)
    return graph.text()


def legend(graph: str) -> str:
    """Return what the signs of a graph mean, those that are in it."""
    return " ".join(text for sign, text in _MEANINGS.items() if re.search(sign, graph))


class _Graph:
    def __init__(
        self, catalog: Catalog, agents: list[AgentSpec], secrets: Mapping[str, str]
    ) -> None:
        self._catalog = catalog
        self._agents = agents
        self._secrets = secrets
        self._nodes: dict[_Node, str] = {}
        self._lines: list[str] = []
        self._arrows: dict[str, None] = {}
        self._starts: dict[str, None] = {}
        self._handoffs: dict[tuple[str, str], bool] = {}
        """From agent to agent, and whether the model decides on it."""
        names = [name for agent in agents for name in _tools(agent, catalog)]
        self._has_tools = len(set(names)) <= _MOST_TOOLS
        edges = sum(len(handoff_edges(agent, catalog)) for agent in agents)
        self._has_labels = edges <= _MOST_LABELS

    def text(self) -> str:
        """Return the whole graph."""
        for agent in self._agents:
            self._agent(agent)
        for agent in self._agents:
            self._uses(agent)
        for agent in self._agents:
            self._hands_over(agent)
        self._draw_handoffs()
        lines = ["flowchart LR", *self._lines, *self._arrows]
        if self._starts:
            lines.append("    classDef starts stroke-width:4px")
            lines.append(f"    class {','.join(self._starts)} starts")
        return "\n".join(lines) + "\n"

    def add_swarm(self, swarm: SwarmSpec, *, has_frame: bool = False) -> None:
        """Draw where a conversation enters a swarm, and with a frame which agents are its own."""
        node = last = self._node((SWARMS.name, swarm.swarm_name), swarm.swarm_name)
        policies = list(dict.fromkeys(swarm.policies))
        if policies:
            last = self._node(("gate", swarm.swarm_name), *policies)
            self._arrow(node, last)
        members = _declared(AGENTS, swarm.agent_list, self._catalog)
        drawn = {name for name in members if (AGENTS.name, name) in self._nodes}
        own = [self._catalog.agents.get(name) for name in members if name not in drawn]
        if has_frame and own:
            self._lines.append(f"    subgraph {node}_agents[{self._label(swarm.swarm_name)}]")
        for agent in own:
            self._agent(agent)
        if has_frame and own:
            self._lines.append("    end")
        for name in members:
            member = self._nodes[AGENTS.name, name]
            if name == swarm.default_agent:
                self._arrow(last, member, "starts")
                self._starts[member] = None
            elif name in drawn:
                self._arrow(node, member, "has too", "-.-")

    def add_neighbours(self, agent: AgentSpec) -> None:
        """Draw who hands over to an agent, to whom it does, and what else it uses."""
        here = self._agent(agent)
        for kind, names in ((STATES, agent.states), (STORAGES, agent.storages)):
            for name in _declared(kind, names, self._catalog):
                self._arrow(here, self._node((kind.name, name), name), "keeps things in")
        for name in _declared(AGENTS, handoff_edges(agent, self._catalog), self._catalog):
            self._agent(self._catalog.agents.get(name))
        for other in self._catalog.agents:
            if other is not agent and agent.agent_name in handoff_edges(other, self._catalog):
                self._agent(other)
                self._hands_over(other, only=agent.agent_name)

    def _agent(self, agent: AgentSpec) -> str:
        name = agent.agent_name
        says = [name]
        if agent.operator:
            says.append("a person")
        tools = _tools(agent, self._catalog)
        if tools and not self._has_tools:
            says.append("1 tool" if len(tools) == 1 else f"{len(tools)} tools")
        return self._node((AGENTS.name, name), *says, shape="person" if agent.operator else None)

    def _uses(self, agent: AgentSpec) -> None:
        here, asked = self._nodes[AGENTS.name, agent.agent_name], set[str]()
        for name in _tools(agent, self._catalog):
            start, wiki = here, self._catalog.tools.get(name).wiki
            if self._has_tools:
                start = self._node((TOOLS.name, name), name)
                self._arrow(here, start)
            if wiki is not None and wiki in self._catalog.registry(WIKIS):
                asked.add(wiki)
                self._arrow(start, self._node((WIKIS.name, wiki), wiki), "asks")
        for name in _declared(WIKIS, agent.wiki_list, self._catalog):
            if name not in asked:
                self._arrow(here, self._node((WIKIS.name, name), name), "may ask", "-.->")
        for name in _declared(MCPS, agent.mcp, self._catalog):
            self._arrow(here, self._node((MCPS.name, name), name), "uses the tools of")

    def _hands_over(self, agent: AgentSpec, *, only: str | None = None) -> None:
        here = self._nodes[AGENTS.name, agent.agent_name]
        offered = set(offered_handoffs(agent, self._catalog))
        for name in handoff_edges(agent, self._catalog):
            there = self._nodes.get((AGENTS.name, name))
            if there is None or only not in (None, name):
                continue
            self._handoffs[here, there] = name in offered

    def _draw_handoffs(self) -> None:
        """Draw one arrow for each pair of agents, with two heads where it goes both ways."""
        drawn = set[tuple[str, str]]()
        for (here, there), is_offered in self._handoffs.items():
            if (here, there) in drawn:
                continue
            line, label = ("==>", "hands over") if is_offered else ("-.->", "hands over by a tool")
            if self._handoffs.get((there, here)) is is_offered:
                drawn.add((there, here))
                line, label = f"<{line}", label.replace("hands", "hand")
            self._arrow(here, there, label if self._has_labels else None, line)

    def _node(self, node: _Node, *says: str, shape: str | None = None) -> str:
        """Return the id of a node; draw it when it is not there yet."""
        if node not in self._nodes:
            kind = node[0]
            name = f"{kind}{sum(known == kind for known, _ in self._nodes) + 1}"
            self._nodes[node] = name
            label = self._label(*says)
            self._lines.append(f"    {name}{_SHAPES[shape or kind].format(label)}")
        return self._nodes[node]

    def _arrow(self, start: str, end: str, label: str | None = None, line: str = "-->") -> None:
        said = f"|{label}|" if label else ""
        self._arrows[f"    {start} {line}{said} {end}"] = None

    def _label(self, *lines: str) -> str:
        """Return quoted text in which nothing has a meaning to Mermaid or to the browser."""
        shown = [" ".join(hide(line, self._secrets).split()) for line in lines]
        safe = ["".join(f"#{ord(s)};" if s in _SIGNS else s for s in line) for line in shown]
        return f'"{"<br/>".join(safe)}"'


def _tools(agent: AgentSpec, catalog: Catalog) -> list[str]:
    """Return the tools that are more than a hand-off."""
    names = _declared(TOOLS, agent.tools, catalog)
    return [name for name in names if catalog.tools.get(name).navigate_to is None]


def _declared(kind: Kind[Any], names: Iterable[str], catalog: Catalog) -> list[str]:
    registry = catalog.registry(kind)
    return [name for name in dict.fromkeys(names) if name in registry]
