"""The graph of a catalog in Mermaid: swarms, their agents, and what those use."""

from swarm import Catalog, Kind, Spec
from swarm.catalog import AGENTS, SWARMS, TOOLS
from swarm.validate import handoff_edges
from wiki.spec import WIKIS

__all__ = ["mermaid"]

_SHAPES = {"swarm": "([{}])", "agent": "[{}]", "tool": "[/{}/]", "wiki": "[({})]"}


def mermaid(catalog: Catalog) -> str:
    """Return a Mermaid flowchart; names that nothing declares are left out."""
    return _Graph(catalog).text()


class _Graph:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._nodes: dict[tuple[str, str], str] = {}
        self._lines: list[str] = []

    def text(self) -> str:
        kinds: tuple[Kind[Spec], ...] = (SWARMS, AGENTS, TOOLS, WIKIS)  # pyright: ignore[reportAssignmentType] - only names are read
        for kind in kinds:
            for name in self._catalog.registry(kind).names:
                node = f"{kind.name}{len(self._nodes) + 1}"
                self._nodes[kind.name, name] = node
                self._lines.append(f"    {node}{_SHAPES[kind.name].format(_label(name))}")
        for swarm in self._catalog.swarms:
            for name in dict.fromkeys(swarm.agent_list):
                label = "starts" if name == swarm.default_agent else None
                self._arrow(("swarm", swarm.swarm_name), ("agent", name), label)
        for agent in self._catalog.agents:
            here = ("agent", agent.agent_name)
            for name in dict.fromkeys(agent.tools):
                self._arrow(here, ("tool", name))
            for name in dict.fromkeys(agent.wiki_list):
                self._arrow(here, ("wiki", name), "may ask", line="-.->")
            for name in handoff_edges(agent, self._catalog):
                self._arrow(here, ("agent", name), "hands over", line="==>")
        for tool in self._catalog.tools:
            if tool.wiki is not None:
                self._arrow(("tool", tool.tool_name), ("wiki", tool.wiki), "asks")
        return "\n".join(["flowchart LR", *self._lines]) + "\n"

    def _arrow(
        self,
        start: tuple[str, str],
        end: tuple[str, str],
        label: str | None = None,
        line: str = "-->",
    ) -> None:
        if start in self._nodes and end in self._nodes:
            said = f"|{label}|" if label else ""
            self._lines.append(f"    {self._nodes[start]} {line}{said} {self._nodes[end]}")


def _label(text: str) -> str:
    """Return quoted text in which nothing has a meaning to Mermaid or to the browser."""
    shown = "".join(f"#{ord(char)};" if char in '"#<>&`\\' else char for char in text)
    return '"' + " ".join(shown.split()) + '"'
