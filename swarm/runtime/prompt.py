"""The system lines of an agent: what it is told before the conversation."""

from typing import TYPE_CHECKING, cast

from swarm.errors import CallbackError
from swarm.fields import Callback
from swarm.runtime.calling import checked_call, function_name
from swarm.runtime.plan import AgentPlan

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["system_lines"]


async def system_lines(
    session: "Session", plan: AgentPlan, *, is_recorded: bool
) -> tuple[str, ...]:
    """Return an agent's prompt and system lines.

    Args:
        session: The conversation.
        plan: The agent, with the tools that it is offered.
        is_recorded: The agent speaks, so the journal keeps what it was told when that changed.

    Raises:
        CallbackError: A function of the prompt failed, or returned no text.
    """
    spec = plan.spec
    if plan.system is not None and spec.agent_name in session.compared:
        return plan.system
    prompt = spec.prompt
    if not isinstance(prompt, str):
        prompt = "\n".join(await _ask(session, "prompt", prompt, spec.agent_name))
    static = tuple(line for line in (prompt, *spec.system_lines) if line)
    known = session.configured.get(spec.agent_name)
    is_new = spec.agent_name not in session.compared
    if is_recorded and (known is None or is_new or tuple(known.system) != static):
        session.compared.add(spec.agent_name)
        configured = plan.configured(static)
        session.configured[spec.agent_name] = configured
        # As JSON: the journal gives lists for tuples.
        if known is None or configured.model_dump_json() != known.model_dump_json():
            session.record(configured)
    if spec.system_dynamic is None:
        return static
    dynamic = await _ask(session, "system_dynamic", spec.system_dynamic, spec.agent_name)
    return (*static, *dynamic)


async def _ask(
    session: "Session", role: str, function: Callback, agent_name: str
) -> tuple[str, ...]:
    """Return the lines that a function says, one or several; none for None."""
    names = {"client_id": session.client_id, "agent_name": agent_name}
    value: object = await checked_call(role, function, session.client_id, agent_name, **names)
    if value is None:
        return ()
    lines: tuple[object, ...] = (value,)
    if isinstance(value, list | tuple):
        lines = tuple(cast("list[object]", value))
    found = tuple(line for line in lines if isinstance(line, str))
    if len(found) < len(lines):
        kind = type(cast("object", value)).__name__
        reason = f"it returned {kind}, not text"
        raise CallbackError(f"{role} ({function_name(function)})", reason, **names)
    return found
