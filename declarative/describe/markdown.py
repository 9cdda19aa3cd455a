"""The documentation of a catalog as Markdown, for people."""

import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from swarm import AgentSpec, Catalog, CompletionSpec, SwarmSpec, ToolSpec
from swarm.extension import tool_source
from swarm.schema import read_signature
from swarm.validate import handoff_edges
from wiki.spec import WIKIS, WikiSpec

__all__ = ["markdown"]


def markdown(catalog: Catalog) -> str:
    """Return one Markdown text: swarms first, then agents with all they use, then wikis."""
    blocks: list[str] = []
    for swarm in catalog.swarms:
        blocks += _swarm(swarm, catalog)
    for agent in catalog.agents:
        blocks += _agent(agent, catalog)
    wikis = [_wiki_row(wiki, catalog) for wiki in catalog.registry(WIKIS)]
    if wikis:
        blocks.append("## Wikis")
        blocks.append(_table(("Wiki", "Answers by", "Fallback", "Description"), wikis))
    return "\n\n".join(blocks) + "\n"


def _swarm(swarm: SwarmSpec, catalog: Catalog) -> Iterator[str]:
    yield f"# Swarm {_code(swarm.swarm_name)}"
    if swarm.doc_description:
        yield _text(swarm.doc_description)
    rows: list[tuple[str, ...]] = []
    for name in swarm.agent_list:
        found = name in catalog.agents
        about = catalog.agents.get(name).doc_description if found else "not declared"
        start = "starts" if name == swarm.default_agent else ""
        rows.append((_code(name), start, _text(about or "")))
    yield _table(("Agent", "", "Description"), rows)


def _agent(agent: AgentSpec, catalog: Catalog) -> Iterator[str]:
    yield f"## Agent {_code(agent.agent_name)}"
    if agent.doc_description:
        yield _text(agent.doc_description)
    facts = ["- Answered by a person"]
    if agent.completion is not None:
        facts = [f"- Completion: {_code(agent.completion)}"]
    if agent.completion is not None and agent.completion in catalog.completions:
        facts[0] += f", {_model(catalog.completions.get(agent.completion))}"
    if agent.wiki_list:
        facts.append(f"- Wikis: {_codes(agent.wiki_list)}")
    if agent.mcp:
        facts.append(f"- Tools of MCP servers: {_codes(agent.mcp)}")
    targets = handoff_edges(agent, catalog)
    if targets:
        facts.append(f"- Hands over to: {_codes(targets)}")
    if not agent.tools and not agent.mcp:
        facts.append("- Tools: none")
    yield "\n".join(facts)
    if callable(agent.prompt):
        yield "The prompt comes from a function."
    elif agent.prompt or agent.system_lines:
        yield _fence("\n".join(line for line in (agent.prompt, *agent.system_lines) if line))
    for name in agent.tools:
        if name in catalog.tools:
            yield from _tool(catalog.tools.get(name), catalog)


def _tool(tool: ToolSpec, catalog: Catalog) -> Iterator[str]:
    yield f"### Tool {_code(tool.tool_name)}"
    if tool.wiki is not None:
        yield f"Asks the wiki {_code(tool.wiki)}."
        tool = _resolved(tool, catalog)
    elif tool.navigate_to is not None:
        yield f"Hands over to {_code(tool.navigate_to)}."
    for text in (tool.description, tool.doc_note):
        if text:
            yield _text(text)
    rows = list(_parameter_rows(_parameters(tool)))
    yield (
        _table(("Parameter", "Type", "Required", "Description"), rows) if rows else "No parameters."
    )


def _resolved(tool: ToolSpec, catalog: Catalog) -> ToolSpec:
    """Return a wiki's tool with the function that the wiki gives it, when there is that wiki."""
    if tool.wiki not in catalog.registry(WIKIS):
        return tool
    return tool_source("wiki")(tool, catalog)


def _parameters(tool: ToolSpec) -> Mapping[str, JsonValue]:
    if tool.parameters is not None:
        return tool.parameters
    return read_signature(tool.call).parameters if tool.call is not None else {}


def _parameter_rows(schema: Mapping[str, JsonValue]) -> Iterator[tuple[str, ...]]:
    properties, required = schema.get("properties"), schema.get("required")
    for name, part in _mapping(properties).items():
        about = _mapping(part)
        is_required = isinstance(required, list) and name in required
        note = about.get("description")
        yield (
            _code(name),
            _text(_type(about)),
            "yes" if is_required else "no",
            _text(note if isinstance(note, str) else ""),
        )


def _type(schema: Mapping[str, JsonValue]) -> str:
    choices = schema.get("enum")
    if isinstance(choices, list):
        return "one of " + ", ".join(str(choice) for choice in choices)
    for key in ("anyOf", "oneOf"):
        branches = schema.get(key)
        if isinstance(branches, list):
            return " or ".join(_type(_mapping(branch)) for branch in branches)
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(str(part) for part in kind)
    if kind == "array" and schema.get("items"):
        return f"array of {_type(_mapping(schema.get('items')))}"
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    return kind if isinstance(kind, str) else "any"


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _wiki_row(wiki: WikiSpec, catalog: Catalog) -> tuple[str, ...]:
    if wiki.completion is not None:
        by = f"completion {_code(wiki.completion)}"
        if wiki.completion in catalog.completions:
            by += f", {_model(catalog.completions.get(wiki.completion))}"
    else:
        by = _code(wiki.model) if wiki.model is not None else "a function"
    if wiki.documents:
        is_alone = wiki.completion is None and wiki.model is None
        files = f"documents {_codes(wiki.documents)}"
        by = files if is_alone else f"{by} from {files}"
    fallback = _code(wiki.fallback) if wiki.fallback else ""
    return _code(wiki.wiki_name), by, fallback, _text(wiki.doc_description or "")


def _model(completion: CompletionSpec) -> str:
    return f"model {_code(completion.model)}" if completion.model else "a function"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(_code(name) for name in names)


def _code(text: str) -> str:
    """Return inline code; safe inside a table."""
    shown = " ".join(text.split()).replace("|", "\\|")
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if "`" in shown else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def _text(text: str) -> str:
    """Return one line of plain text; safe inside a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _fence(text: str) -> str:
    """Return a code block that the text cannot end."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks}text\n{text.rstrip()}\n{ticks}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
