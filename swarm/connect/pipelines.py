"""`start_pipeline`: a procedure of the program, run as an agent of a client's session."""

from typing import Any

import anyio
from pydantic import JsonValue

from swarm.connect.calling import call, function_name, tell
from swarm.connect.errors import PipelineError
from swarm.connect.opening import require_live
from swarm.connect.places import held_places, take_place
from swarm.connect.spec import PIPELINES, PipelineCallbacks, PipelineSpec
from swarm.errors import SessionError, SwarmError, UnknownNameError
from swarm.runtime.directory import find_live, live_sessions
from swarm.runtime.navigation import change_agent
from swarm.runtime.session import Session
from swarm.runtime.turn import current_turn

__all__ = ["start_pipeline"]

_LONGEST_SWITCH = 10.0
"""Seconds for making the agent before a pipeline active again."""


async def start_pipeline(
    client_id: str, pipeline_name: str, agent_name: str, payload: JsonValue = None
) -> Any:
    """Make an agent the active one, run a pipeline, and make the agent before it active again.

    When the pipeline itself hands over to a third agent, that one stays. Pipelines of one session
    run one after the other; a pipeline may start another one. When the session is closed, or its
    process dies, before a pipeline ends, the pipeline's agent stays the active one.

    Call it from a tool, or while no turn of the session runs.

    Args:
        client_id: Whose session.
        pipeline_name: The pipeline.
        agent_name: The agent that is active meanwhile.
        payload: What the pipeline gets.

    Returns:
        What the pipeline's function returns.

    Raises:
        PipelineError: The function raised; errors of wikiswarm pass as they are.
        UnknownNameError: No such pipeline, or no such agent in the swarm.
        SessionError: The client has no live session, or a turn of it runs that did not call this.
        StoreError: The journal failed.
    """
    session = find_live(client_id)
    spec = session.plan.catalog.registry(PIPELINES).get(pipeline_name)
    if agent_name not in session.plan.agents:
        raise UnknownNameError("agent", agent_name, list(session.plan.agents))
    _refuse_busy(session)
    if held_places(session):
        return await _start(session, spec, agent_name, payload)
    async with take_place(session, session.plan.spec.swarm_name):
        require_live(session)
        _refuse_busy(session)
        return await _start(session, spec, agent_name, payload)


async def _start(session: Session, spec: PipelineSpec, agent_name: str, payload: JsonValue) -> Any:
    before = session.agent_name
    await _switch(session, agent_name)
    try:
        return await _execute(session.client_id, spec, agent_name, payload)
    finally:
        is_live = session in live_sessions(session.client_id)
        if is_live and session.agent_name == agent_name:
            # Also when whoever started it is cancelled: `set_active_agent` may have to wait.
            with anyio.move_on_after(_LONGEST_SWITCH, shield=True):
                await _switch(session, before, is_back=True)


async def _execute(client_id: str, spec: PipelineSpec, agent_name: str, payload: JsonValue) -> Any:
    callbacks = spec.callbacks or PipelineCallbacks()
    arguments = (client_id, spec.pipeline_name, agent_name, payload)
    place = f"pipeline {spec.pipeline_name!r}: "
    await tell(callbacks.on_start, *arguments, place=place + "on_start")
    is_error = True
    try:
        result = await call(spec.execute, client_id, agent_name, payload)
        is_error = False
    except Exception as error:
        await tell(callbacks.on_error, *arguments, error, place=place + "on_error")
        if isinstance(error, SwarmError):
            error.add_note(f"raised in pipeline {spec.pipeline_name!r}")
            raise
        raise PipelineError(
            spec.pipeline_name,
            function_name(spec.execute),
            f"{type(error).__name__}: {error}",
            client_id=client_id,
            agent_name=agent_name,
        ) from error
    finally:
        await tell(callbacks.on_end, *arguments, is_error, place=place + "on_end")
    return result


async def _switch(session: Session, agent_name: str, *, is_back: bool = False) -> None:
    """Make an agent the active one; a pipeline is no hand-off that could run in circles."""
    if session.agent_name != agent_name:
        await change_agent(session, agent_name, is_back=is_back, is_guarded=False)
        await session.flush()


def _refuse_busy(session: Session) -> None:
    turn = session.turn
    if turn is not None and not turn.is_over and current_turn.get() is not turn:
        raise SessionError(
            f"a turn of client {session.client_id!r} is running; start a pipeline from its tools,"
            " or when it has ended"
        )
