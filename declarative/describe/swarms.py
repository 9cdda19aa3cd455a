"""A swarm for readers: what it is for, its graph, its agents, its rules and its limits."""

from collections.abc import Iterator

from declarative.describe.mermaid import legend, swarm_graph
from declarative.describe.policies import policy_sentences
from declarative.describe.words import answers, bullets, count, limits, seconds
from declarative.describe.writer import Writer, fenced, heading, table
from swarm import SwarmSpec
from swarm.catalog import AGENTS
from swarm.policy import POLICIES
from swarm.validate import handoff_edges

__all__ = ["swarm_blocks"]


def swarm_blocks(writer: Writer, spec: SwarmSpec, contents: str | None = None) -> Iterator[str]:
    """Yield the blocks about a swarm, with a table of contents below what it is for."""
    yield writer.title("Swarm", spec.swarm_name)
    if spec.doc_description:
        yield writer.text(spec.doc_description)
    if contents:
        yield contents
    inner = writer.level + 1
    yield heading(inner, "How a conversation goes")
    graph = swarm_graph(writer.catalog, spec.swarm_name, writer.secrets)
    yield fenced(graph, "mermaid")
    yield legend(graph)
    yield heading(inner, "Agents")
    yield _agents(writer, spec)
    if spec.policies:
        yield heading(inner, "Policies")
        yield "Each message and each answer passes these in this order, until one refuses it."
        yield "\n".join(
            f"{place}. {_policy(writer, name)}" for place, name in enumerate(spec.policies, 1)
        )
    yield heading(inner, "Limits")
    yield bullets([*_limits(writer, spec)])


def _agents(writer: Writer, spec: SwarmSpec) -> str:
    rows: list[tuple[str, ...]] = []
    for name in spec.agent_list:
        start = "starts" if name == spec.default_agent else ""
        if name not in writer.catalog.agents:
            rows.append((writer.link(AGENTS, name), start, "", "", ""))
            continue
        agent = writer.catalog.agents.get(name)
        by = "a person" if agent.completion is None else answers(writer, agent.completion, 0)
        targets = writer.links(AGENTS, handoff_edges(agent, writer.catalog))
        about = writer.text(agent.doc_description or "")
        rows.append((writer.link(AGENTS, name), start, about, by, targets))
    return table(("Agent", "Start", "Description", "Answers by", "Hands over to"), rows)


def _policy(writer: Writer, name: str) -> str:
    said = writer.link(POLICIES, name)
    if name not in writer.catalog.registry(POLICIES):
        return said
    spec = writer.catalog.registry(POLICIES).get(name)
    about = [writer.text(spec.doc_description)] if spec.doc_description else []
    return f"{said}: {' '.join([*about, *policy_sentences(writer, spec)])}"


def _limits(writer: Writer, spec: SwarmSpec) -> Iterator[tuple[str, str]]:
    yield "Time for one answer", f"at most {seconds(spec.turn_timeout)}"
    if len(spec.agent_list) > 1:
        again = f"at most {count(spec.max_revisits, 'time')}" if spec.max_revisits else "never"
        most = f"at most {spec.max_handoffs:,}; back to the same agent {again}"
        yield "Hand-offs for one answer", most
    if spec.budget is not None and limits(spec.budget):
        yield "May use", "; ".join(limits(spec.budget))
    if spec.get_active_agent is not None or spec.get_navigation_stack is not None:
        functions = [f for f in (spec.get_active_agent, spec.get_navigation_stack) if f is not None]
        names = " and ".join(writer.function(function) for function in functions)
        yield "Which agent is active", f"kept by the program itself, read by {names}"
