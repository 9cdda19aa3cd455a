"""An agent for readers: what it is for, who answers, what it uses, and what it may do."""

from collections.abc import Iterator

from declarative.describe.mermaid import agent_graph, legend
from declarative.describe.tools import tool_blocks
from declarative.describe.words import answers, bullets, by_function, count, limits
from declarative.describe.writer import Writer, fenced
from swarm import AgentSpec
from swarm.catalog import AGENTS, SWARMS, TOOLS
from swarm.mcp.spec import MCPS
from swarm.memory import STATES, STORAGES
from swarm.validate import handoff_edges, offered_handoffs
from wiki.spec import WIKIS

__all__ = ["agent_blocks"]


def agent_blocks(
    writer: Writer, spec: AgentSpec, seen: set[str], *, has_graph: bool = False
) -> Iterator[str]:
    """Yield the blocks about an agent and its tools; tools that were seen are named only."""
    yield writer.title("Agent", spec.agent_name)
    if spec.doc_description:
        yield writer.text(spec.doc_description)
    facts = [
        *_voice(writer, spec),
        *_hands_over(writer, spec),
        *_uses(writer, spec),
        *_limits(spec),
        *_answers(writer, spec),
    ]
    yield bullets(facts)
    if has_graph:
        graph = agent_graph(writer.catalog, spec.agent_name, writer.secrets)
        yield fenced(graph, "mermaid")
        yield legend(graph)
    yield from _prompt(writer, spec)
    for name in spec.tools:
        if name in writer.catalog.tools and name not in seen:
            seen.add(name)
            yield from tool_blocks(writer.below(), writer.catalog.tools.get(name))


def _voice(writer: Writer, spec: AgentSpec) -> Iterator[tuple[str, str]]:
    if spec.completion is not None:
        yield "Answers by", answers(writer, spec.completion)
    elif spec.connect_operator is not None:
        yield "Answers by", f"a person, reached by {by_function(writer, spec.connect_operator)}"
    else:
        yield "Answers by", "a person, through the inbox"
    swarms = [s.swarm_name for s in writer.catalog.swarms if spec.agent_name in s.agent_list]
    if len(writer.catalog.swarms) > 1 or not swarms:
        yield "Part of", writer.links(SWARMS, swarms) or "no swarm"


def _hands_over(writer: Writer, spec: AgentSpec) -> Iterator[tuple[str, str]]:
    offered = offered_handoffs(spec, writer.catalog)
    inside = [name for name in spec.depends_on if name not in offered]
    if offered:
        yield "Hands over to", writer.links(AGENTS, offered)
    if inside:
        yield "Its tools hand over to", writer.links(AGENTS, inside)
    others = [
        other.agent_name
        for other in writer.catalog.agents
        if other is not spec and spec.agent_name in handoff_edges(other, writer.catalog)
    ]
    if others:
        yield "Takes over from", writer.links(AGENTS, others)


def _uses(writer: Writer, spec: AgentSpec) -> Iterator[tuple[str, str]]:
    if spec.tools:
        yield "Tools", ", ".join(_tool(writer, name) for name in dict.fromkeys(spec.tools))
    elif not spec.mcp and not spec.operator:
        yield "Tools", "none"
    if spec.mcp:
        yield "Tools of MCP servers", writer.links(MCPS, spec.mcp)
    if spec.wiki_list:
        yield "Wikis that it may ask", writer.links(WIKIS, spec.wiki_list)
    if spec.states:
        yield "Remembers in states", writer.links(STATES, spec.states)
    if spec.storages:
        yield "Keeps and finds things in storages", writer.links(STORAGES, spec.storages)


def _tool(writer: Writer, name: str) -> str:
    said = writer.link(TOOLS, name)
    if name in writer.catalog.tools and writer.catalog.tools.get(name).needs_approval is not False:
        return f"{said} (a person has to agree)"
    return said


def _limits(spec: AgentSpec) -> Iterator[tuple[str, str]]:
    if spec.completion is None:
        return
    window = f"the last {count(spec.keep_messages, 'message')}"
    if spec.keep_tokens is not None:
        window += f", of these about {count(spec.keep_tokens, 'token')}"
    if spec.summarize:
        window += "; of what came before, a summary"
    yield "Sees of the conversation", window
    if spec.tools or spec.mcp:
        order = "at the same time" if spec.parallel_tool_calls else "one after another"
        yield "Tool calls for one answer", f"at most {spec.max_tool_calls:,}, {order}"
    if spec.budget is not None and limits(spec.budget):
        yield "May use", "; ".join(limits(spec.budget))


def _answers(writer: Writer, spec: AgentSpec) -> Iterator[tuple[str, str]]:
    for about, function in (
        ("What the model says is read by", spec.map_message),
        ("Tool calls are chosen or changed by", spec.map_tool_calls),
        ("Answers are checked by", spec.validate_output),
        ("Answers are changed by", spec.transform),
    ):
        if function is not None:
            yield about, by_function(writer, function)
    if spec.completion is None:
        return
    last = writer.quote(spec.placeholder)
    if spec.get_rescue is not None:
        rescue = f"answered by {by_function(writer, spec.get_rescue)}"
    elif spec.rescue == "flush":
        rescue = f"the conversation starts anew, with {last}"
    elif spec.max_repairs == 0:
        rescue = f"answered with {last}"
    else:
        times = count(spec.max_repairs, "time")
        rescue = f"the model is told why and asked again, at most {times}; then {last}"
    yield "After an answer of the model that cannot be used", rescue


def _prompt(writer: Writer, spec: AgentSpec) -> Iterator[str]:
    lines = [spec.prompt] if isinstance(spec.prompt, str) and spec.prompt else []
    lines += spec.system_lines
    if callable(spec.prompt):
        yield f"Its instructions are written by {by_function(writer, spec.prompt)}"
    if lines:
        yield "Its instructions:" if not callable(spec.prompt) else "After these come:"
        yield writer.fence("\n".join(lines))
    if spec.system_dynamic is not None:
        end = by_function(writer, spec.system_dynamic)
        yield f"Before each answer, more instructions come from {end}"
