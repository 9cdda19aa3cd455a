"""Who has the conversation: hand-offs, the way back, and the guards against running in circles."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import anyio

from swarm.errors import CallbackError, NavigationError, suggest
from swarm.events import AgentChanged, HandedOff
from swarm.functions import checked_call
from swarm.runtime.turns import turn_of

if TYPE_CHECKING:
    from swarm.runtime.session import Session
    from swarm.runtime.turn import Turn

__all__ = ["change_agent", "change_back", "change_to_default", "restore_agent"]

_LONGEST_STACK = 100
"""Agents to go back to; the oldest are forgotten."""


class _Change(NamedTuple):
    """A hand-off that was made."""

    previous: str
    agent_name: str
    turn: "Turn | None"


async def change_agent(
    session: "Session", agent_name: str, *, is_back: bool = False, is_guarded: bool = True
) -> None:
    """Hand the conversation to another agent of the swarm, inside a turn or outside of one.

    Args:
        session: The conversation.
        agent_name: Who takes over.
        is_back: Go back to where the conversation came from.
        is_guarded: Count it among the turn's hand-offs and visits.

    Raises:
        NavigationError: It is not in the swarm, is active already, or the turn runs in circles;
            or another hand-off of the conversation does not end.
        CallbackError: `set_active_agent` or `set_navigation_stack` failed.
        SessionError: The turn of the calling code is over.
    """
    async with _one_at_a_time(session):
        change = await _change(session, agent_name, is_back=is_back, is_guarded=is_guarded)
    await _announce(session, change)


async def change_back(session: "Session") -> bool:
    """Hand the conversation back to the agent that had it before, or to the default one.

    Returns:
        Whether it changed; not when there is no way back.

    Raises:
        NavigationError: As `change_agent`.
        CallbackError: `set_active_agent` or `set_navigation_stack` failed.
    """
    async with _one_at_a_time(session):
        known = [name for name in session.stack if name in session.plan.agents]
        target = known[-1] if known else session.plan.spec.default_agent
        if target == session.agent_name:
            return False
        change = await _change(session, target, is_back=True)
    await _announce(session, change)
    return True


async def change_to_default(session: "Session") -> bool:
    """Hand the conversation to the agent that it started with.

    Returns:
        Whether it changed; not when that agent is active already.

    Raises:
        NavigationError: As `change_agent`.
        CallbackError: `set_active_agent` or `set_navigation_stack` failed.
    """
    target = session.plan.spec.default_agent
    async with _one_at_a_time(session):
        if target == session.agent_name:
            return False
        change = await _change(session, target)
    await _announce(session, change)
    return True


async def restore_agent(session: "Session") -> None:
    """Take over the agent and the stack that a program keeps itself, when a session opens.

    Raises:
        CallbackError: `get_active_agent` or `get_navigation_stack` failed.
    """
    spec = session.plan.spec
    names = {"client_id": session.client_id, "agent_name": session.agent_name}
    place, failure = f"swarm {spec.swarm_name!r}", partial(CallbackError, **names)
    for role, function in (
        ("get_active_agent", spec.get_active_agent),
        ("get_navigation_stack", spec.get_navigation_stack),
    ):
        if function is None:
            continue
        arguments = (session.client_id, spec.swarm_name)
        found = await checked_call(function, *arguments, role=role, place=place, failure=failure)
        if role == "get_active_agent" and found in session.plan.agents:
            session.agent_name = found
        elif role == "get_navigation_stack" and found is not None:
            session.stack = tuple(str(name) for name in found)[-_LONGEST_STACK:]


@asynccontextmanager
async def _one_at_a_time(session: "Session") -> AsyncGenerator[None]:
    """Let no hand-off begin between the look at who is active and the change of it."""
    spec = session.plan.spec
    if spec.set_active_agent is None and spec.set_navigation_stack is None:
        yield  # nothing is waited for, so nothing comes between
        return
    # Invariant: functions that keep the agent and the way back are told of one hand-off after the
    # other. Made when it is needed: an idle session should cost little.
    lock = session.handing_over = session.handing_over or anyio.Lock()
    names = {"client_id": session.client_id, "agent_name": session.agent_name}
    if lock.statistics().owner == anyio.get_current_task():
        raise NavigationError("a function that is told of a hand-off cannot make one", **names)
    with anyio.move_on_after(spec.turn_timeout):
        await lock.acquire()
    if lock.statistics().owner != anyio.get_current_task():
        text = f"another hand-off has not ended within {spec.turn_timeout:g} s"
        raise NavigationError(text, **names)
    try:
        yield
    finally:
        lock.release()


async def _change(
    session: "Session", agent_name: str, *, is_back: bool = False, is_guarded: bool = True
) -> _Change:
    """Check a hand-off, tell the functions that keep it, and make it."""
    spec, turn = session.plan.spec, turn_of(session)
    names = {"client_id": session.client_id, "agent_name": session.agent_name}
    if agent_name not in session.plan.agents:
        hint = suggest(agent_name, list(session.plan.agents))
        text = f"agent {agent_name!r} is not in swarm {spec.swarm_name!r}"
        raise NavigationError(text + (f"; {hint}" if hint else ""), **names)
    if agent_name == session.agent_name:
        raise NavigationError(f"agent {agent_name!r} is active already", **names)
    if turn is not None and is_guarded:
        if len(turn.route) > spec.max_handoffs:
            raise NavigationError(f"more than {spec.max_handoffs} hand-offs in one turn", **names)
        visits = turn.route.count(agent_name)
        if visits > spec.max_revisits and not is_back:
            text = f"agent {agent_name!r} had this turn {visits} times already; answer now"
            raise NavigationError(text, **names)
    stack = session.stack[:-1] if is_back else (*session.stack, session.agent_name)
    stack = stack[-_LONGEST_STACK:]
    place, failure = f"swarm {spec.swarm_name!r}", partial(CallbackError, **names)
    for role, function, value in (
        ("set_active_agent", spec.set_active_agent, agent_name),
        ("set_navigation_stack", spec.set_navigation_stack, list(stack)),
    ):
        if function is not None:
            arguments = (session.client_id, value, spec.swarm_name)
            await checked_call(function, *arguments, role=role, place=place, failure=failure)
    previous = session.agent_name
    change = AgentChanged(
        run_id=turn.run_id if turn else None,
        from_agent=previous,
        to_agent=agent_name,
        stack=stack,
    )
    if turn is None:
        session.record(change)
    else:
        turn.add(change)
    session.agent_name, session.stack = agent_name, stack
    if turn is not None:
        turn.enter_agent(session.agent, is_counted=is_guarded)
    return _Change(previous, agent_name, turn)


async def _announce(session: "Session", change: _Change) -> None:
    """Tell of a hand-off, which those who are told may follow with another."""
    previous, agent_name, turn = change
    if turn is None:
        await session.flush()
    else:
        await turn.publish(HandedOff(previous, agent_name))
    if session.plan.tracer is not None:
        session.plan.tracer.hand_off(previous, agent_name)
    if session.told is not None:
        await session.told.agent_changed(previous, agent_name)
