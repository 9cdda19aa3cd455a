"""Cross-reference checks over a whole catalog: every problem at once, each with its place."""

from collections import Counter
from collections.abc import Iterable, Iterator

from swarm.catalog import Catalog, current_catalog
from swarm.errors import DeclarationError, Problem, ValidationError, suggest, unknown_name
from swarm.extension import checks, model_provider, tool_source
from swarm.json_schema import find_schema_problems
from swarm.reference import parse_reference
from swarm.schema import read_signature
from swarm.specs import AgentSpec, CompletionSpec, SwarmSpec, ToolSpec

__all__ = ["find_problems", "handoff_edges", "offered_handoffs", "validate"]


def validate(catalog: Catalog | None = None) -> None:
    """Check every reference between declarations.

    Args:
        catalog: The catalog to check; the current one when absent.

    Raises:
        ValidationError: Something is wrong; `problems` has all of it.
    """
    problems = find_problems(catalog or current_catalog())
    if problems:
        raise ValidationError(problems)


def find_problems(catalog: Catalog) -> list[Problem]:
    """Return all problems of a catalog, in the order of the declarations."""
    found: list[Problem] = []
    for completion in catalog.completions:
        found += _completion_problems(completion)
    for tool in catalog.tools:
        found += _tool_problems(tool, catalog)
    for agent in catalog.agents:
        found += _agent_problems(agent, catalog)
    for swarm in catalog.swarms:
        found += _swarm_problems(swarm, catalog)
    for check in checks():
        found += check(catalog)
    return found


def handoff_edges(agent: AgentSpec, catalog: Catalog) -> list[str]:
    """Return all agents that an agent can hand over to: those offered, then its `depends_on`."""
    return list(dict.fromkeys([*offered_handoffs(agent, catalog), *agent.depends_on]))


def offered_handoffs(agent: AgentSpec, catalog: Catalog) -> list[str]:
    """Return the agents that the model may choose: by `handoffs`, or by a tool's `navigate_to`."""
    targets = list(agent.handoffs)
    for name in agent.tools:
        if name in catalog.tools:
            target = catalog.tools.get(name).navigate_to
            if target is not None:
                targets.append(target)
    return list(dict.fromkeys(targets))


def _references(where: str, kind: str, names: Iterable[str], catalog: Catalog) -> Iterator[Problem]:
    counts = Counter(names)
    for index, name in enumerate(names):
        if not catalog.has(kind, name):
            yield unknown_name(f"{where}[{index}]", kind, name, catalog.names(kind))
    for name, count in counts.items():
        if count > 1:
            yield Problem(f"{kind} {name!r} is listed {count} times", where)


def _completion_problems(spec: CompletionSpec) -> Iterator[Problem]:
    where = f"completions.{spec.completion_name}"
    named = [(f"{where}.model", spec.model)] if spec.model is not None else []
    named += [(f"{where}.fallback", text) for text in spec.fallbacks]
    for place, text in named:
        try:
            model_provider(parse_reference(text).provider)
        except DeclarationError as wrong:
            yield Problem(str(wrong), place)
    if spec.key_budget is not None:
        for name in sorted(spec.key_budget.model_fields_set):
            if name.startswith("turn_") and getattr(spec.key_budget, name) is not None:
                hint = "give `session_tokens` or `session_cost`"
                yield Problem("a key knows no turns", f"{where}.key_budget.{name}", hint=hint)


def _tool_problems(spec: ToolSpec, catalog: Catalog) -> Iterator[Problem]:
    where = f"tools.{spec.tool_name}"
    if spec.navigate_to is not None and spec.navigate_to not in catalog.agents:
        yield unknown_name(f"{where}.navigate_to", "agent", spec.navigate_to, catalog.agents.names)
    try:
        if spec.wiki is not None:
            tool_source("wiki")
        if spec.call is not None:
            read_signature(spec.call, has_schema=spec.parameters is not None)
    except DeclarationError as wrong:
        yield Problem(str(wrong), where)
    if spec.parameters:
        yield from _schema_problems(spec, f"{where}.parameters")


def _schema_problems(spec: ToolSpec, where: str) -> Iterator[Problem]:
    for path, message in find_schema_problems(spec.parameters or {}):
        yield Problem(message, where + path)


def _agent_problems(spec: AgentSpec, catalog: Catalog) -> Iterator[Problem]:
    where = f"agents.{spec.agent_name}"
    if spec.completion is not None and spec.completion not in catalog.completions:
        known = catalog.completions.names
        yield unknown_name(f"{where}.completion", "completion", spec.completion, known)
    elif spec.completion is not None and catalog.completions.get(spec.completion).json_mode:
        message = f"completion {spec.completion!r} is for outlines only: `json_mode: true`"
        hint = "name another completion, or leave `json_mode` out to use it for both"
        yield Problem(message, f"{where}.completion", hint=hint)
    yield from _references(f"{where}.tools", "tool", spec.tools, catalog)
    yield from _references(f"{where}.handoffs", "agent", spec.handoffs, catalog)
    yield from _references(f"{where}.depends_on", "agent", spec.depends_on, catalog)
    yield from _references(f"{where}.mcp", "mcp", spec.mcp, catalog)
    if spec.agent_name in handoff_edges(spec, catalog):
        yield Problem("an agent cannot hand over to itself", where)
    offered = [catalog.tools.get(n).function_name for n in spec.tools if n in catalog.tools]
    offered += [f"transfer_to_{name}".replace(".", "_") for name in spec.handoffs]
    for name in offered:
        if len(name) > 64:
            hint = "declare a tool with `navigate_to` and a shorter name"
            message = f"{name!r} has more than the 64 characters of a tool's name"
            yield Problem(message, f"{where}.handoffs", hint=hint)
    for name, count in Counter(offered).items():
        if count > 1 and len(set(spec.tools)) == len(spec.tools):
            yield Problem(f"{count} tools are offered to the model as {name!r}", f"{where}.tools")


def _swarm_problems(spec: SwarmSpec, catalog: Catalog) -> Iterator[Problem]:
    where = f"swarms.{spec.swarm_name}"
    if not spec.agent_list:
        yield Problem("a swarm needs at least one agent", f"{where}.agent_list")
    yield from _references(f"{where}.agent_list", "agent", spec.agent_list, catalog)
    yield from _references(f"{where}.policies", "policy", spec.policies, catalog)
    if spec.default_agent not in spec.agent_list:
        hint = suggest(spec.default_agent, list(spec.agent_list)) or "add it to agent_list"
        message = f"default agent {spec.default_agent!r} is not in agent_list"
        yield Problem(message, f"{where}.default_agent", hint=hint)
    edges: dict[str, list[str]] = {}
    members = dict.fromkeys(spec.agent_list)
    for name in members:
        if name not in catalog.agents:
            continue
        agent = catalog.agents.get(name)
        edges[name] = handoff_edges(agent, catalog)
        # What a function does is up to it: an agent of two swarms may depend on some of each.
        for target in offered_handoffs(agent, catalog):
            if target in catalog.agents and target not in members:
                message = f"agent {name!r} hands over to {target!r}, which is not in this swarm"
                yield Problem(message, f"{where}.agent_list", hint=f"add {target!r} to agent_list")
    yield from _trap_problems(spec, edges, where)


def _trap_problems(spec: SwarmSpec, edges: dict[str, list[str]], where: str) -> Iterator[Problem]:
    """Find cycles of hand-offs that a client can enter and never leave again.

    A cycle with the default agent in it is the normal way back and forth; one without it needs a
    hand-off that leads out.
    """
    into: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            into.setdefault(target, []).append(name)
    # Who can come back to the default agent is in no trap; in most swarms that is everybody.
    is_free = _reachable(spec.default_agent, into)
    reach = {name: _reachable(name, edges) for name in edges if name not in is_free}
    reported: set[str] = set()
    for name in reach:
        cycle = {other for other in reach[name] if name in reach.get(other, set())}
        if len(cycle) < 2 or cycle & reported or spec.default_agent in cycle:
            continue
        if reach[name] <= cycle:
            reported |= cycle
            loop = " and ".join(repr(member) for member in sorted(cycle))
            yield Problem(
                f"the hand-offs between {loop} form a cycle without an exit",
                f"{where}.agent_list",
                hint=f"let one of them hand over to {spec.default_agent!r}",
            )


def _reachable(start: str, edges: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(edges.get(start, []))
    while waiting:
        name = waiting.pop()
        if name not in seen and name in edges:
            seen.add(name)
            waiting += edges[name]
    return seen
