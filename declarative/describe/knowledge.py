"""What agents ask, for readers: wikis, advisors, MCP servers; and the program's own procedures."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from urllib.parse import urlsplit

from declarative.describe.words import about_function, answers, bullets, by_function, count, seconds
from declarative.describe.words import model as said_model
from declarative.describe.writer import Writer, heading, table
from swarm import McpSpec
from swarm.advisor import ADVISORS, AdvisorSpec
from swarm.catalog import AGENTS
from swarm.connect import PIPELINES
from swarm.fields import as_lines
from swarm.mcp.spec import MCPS
from swarm.memory import EMBEDDINGS
from wiki.spec import WIKIS, WikiSpec

__all__ = ["advisor_section", "pipeline_section", "server_section", "wiki_section"]

_ALARMS = {
    "report": "it is told",
    "rollback": "the version before answers again",
    "loop": "the next version is trained",
}


def wiki_section(writer: Writer) -> Iterator[str]:
    """Yield the blocks about all wikis and their documents."""
    wikis = list(writer.catalog.registry(WIKIS))
    if not wikis:
        return
    yield heading(writer.level, "Wikis")
    inner = writer.below()
    for spec in wikis:
        yield inner.title("Wiki", spec.wiki_name)
        if spec.doc_description:
            yield inner.text(spec.doc_description)
        yield bullets([*_wiki(inner, spec)])
        if spec.system:
            yield "Its model is told:"
            yield inner.fence(spec.system)


def advisor_section(writer: Writer) -> Iterator[str]:
    """Yield the blocks about all advisors."""
    advisors = list(writer.catalog.registry(ADVISORS))
    if not advisors:
        return
    yield heading(writer.level, "Advisors")
    inner = writer.below()
    for spec in advisors:
        yield inner.title("Advisor", spec.advisor_name)
        if spec.doc_description:
            yield inner.text(spec.doc_description)
        yield bullets([("Answers by", _advice(inner, spec)), _time(spec.timeout)])
        if spec.system:
            yield "Its model is told:"
            yield inner.fence("\n".join(as_lines(spec.system)))


def pipeline_section(writer: Writer) -> Iterator[str]:
    """Yield the blocks about all pipelines."""
    rows = [
        (
            writer.code(spec.pipeline_name),
            writer.text(spec.doc_description or ""),
            about_function(writer, spec.execute),
        )
        for spec in writer.catalog.registry(PIPELINES)
    ]
    if rows:
        yield heading(writer.level, "Pipelines")
        yield "Procedures of the program that run while a certain agent is the active one."
        yield table(("Pipeline", "Description", "Runs"), rows)


def server_section(writer: Writer) -> Iterator[str]:
    """Yield the blocks about all MCP servers, without their keys."""
    rows: list[tuple[str, ...]] = []
    for spec in writer.catalog.registry(MCPS):
        users = [a.agent_name for a in writer.catalog.agents if spec.mcp_name in a.mcp]
        tools = "all" if spec.tools is None else writer.codes(spec.tools) or "none"
        rows.append(
            (
                writer.code(spec.mcp_name),
                writer.text(spec.doc_description or ""),
                _reached(writer, spec),
                f"{tools}, each named {writer.code(spec.prefix + '…')}" if spec.prefix else tools,
                writer.codes(_variables(spec)),
                seconds(spec.timeout),
                writer.links(AGENTS, users),
            )
        )
    if rows:
        yield heading(writer.level, "MCP servers")
        head = (
            "Server",
            "Description",
            "Reached",
            "Tools",
            "Keys and settings in",
            "Time for one call",
        )
        yield table((*head, "Used by"), rows)


def _wiki(writer: Writer, spec: WikiSpec) -> Iterator[tuple[str, str]]:
    if spec.completion is not None:
        by = answers(writer, spec.completion)
    elif spec.model is not None:
        by = said_model(writer, spec.model)
    elif spec.get_chat is not None:
        by = f"the function {about_function(writer, spec.get_chat)}"
    else:
        by = f"the best {count(spec.passages, 'passage')} of its documents"
    yield "Answers by", by
    if spec.documents:
        yield "Documents", writer.codes(as_lines(spec.documents))
        if spec.completion is not None or spec.model is not None:
            yield "Reads for one answer", f"the best {count(spec.passages, 'passage')}"
        if spec.embedding in writer.catalog.registry(EMBEDDINGS):
            yield "Passages are found by", writer.link(EMBEDDINGS, str(spec.embedding))
        elif spec.embedding is not None:
            yield "Passages are found by", writer.code(spec.embedding)
    if spec.fallback is not None:
        when = "when that fails"
        if spec.min_confidence is not None:
            when += f" or is less than {spec.min_confidence:.0%} sure"
        yield "Otherwise", f"{said_model(writer, spec.fallback)}, {when}"
    if spec.route is not None:
        yield "Hard questions", f"go there at once, above {spec.route.max_complexity:g} of 1"
    if spec.candidate is not None:
        told = f"`@candidate`, when there is one, for {spec.candidate.share:.0%} of the clients"
        yield "On trial", told
    if spec.groups:
        yield "Its model runs", f"only in the groups {writer.codes(spec.groups)}"
    if spec.auto_learn:
        shown = count(spec.max_examples, "good answer")
        yield "Learns", f"is shown up to {shown} to similar questions"
    if spec.watch is not None:
        yield "When its answers get worse", _ALARMS[spec.watch.on_alarm]
    if spec.max_tokens is not None:
        yield "Longest answer", count(spec.max_tokens, "token")
    yield _time(spec.timeout)
    users = [a.agent_name for a in writer.catalog.agents if spec.wiki_name in a.wiki_list]
    yield "Asked by", writer.links(AGENTS, users) or "no agent"
    if spec.examples:
        yield "Right for questions such as", _list(map(writer.quote, spec.examples))


def _advice(writer: Writer, spec: AdvisorSpec) -> str:
    if spec.completion is not None:
        return answers(writer, spec.completion)
    if spec.get_chat is not None:
        return by_function(writer, spec.get_chat)
    return said_model(writer, spec.model or "")


def _time(value: float) -> tuple[str, str]:
    return "Time for one answer", f"at most {seconds(value)}"


def _reached(writer: Writer, spec: McpSpec) -> str:
    """Return how a server is reached, without what may hold keys: arguments, paths, queries."""
    if spec.command is not None:
        return f"started here as {writer.code(PurePath(spec.command[0]).name)}"
    if spec.url is not None:
        return f"over the network at {writer.code(urlsplit(spec.url).hostname or '')}"
    names = [f for f in (spec.list_tools, spec.call_tool) if f is not None]
    return f"by the functions {' and '.join(writer.function(f) for f in names)}"


def _variables(spec: McpSpec) -> Iterable[str]:
    own = [spec.api_key_env] if spec.api_key_env is not None else []
    return dict.fromkeys([*own, *spec.headers.values(), *spec.env])


def _list(items: Iterable[str]) -> str:
    return "".join(f"\n  - {item}" for item in items)
