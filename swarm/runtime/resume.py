"""Taking up a conversation where the journal says it ended."""

from typing import TYPE_CHECKING

from swarm.errors import SessionError, TurnInterruptedError
from swarm.events import (
    AgentChanged,
    AgentConfigured,
    Event,
    Failure,
    MessageAdded,
    SessionOpened,
    TurnEnded,
    TurnStarted,
)
from swarm.messages import Usage
from swarm.runtime.budget import read_usage
from swarm.runtime.journal import StoredEvent
from swarm.runtime.round import PendingCall

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["resume"]

_LASTING = {
    "agent_changed": 1,
    "history_flushed": 1,
    "history_summarized": 100,
    "instruction_added": 50,
    "session_opened": 1,
}
"""Events that are read beside the newest of all: what they say holds for longer. Each kind for
itself, so that hand-offs, of which the newest counts, do not crowd out what was committed."""


async def resume(session: "Session") -> None:
    """Replay the newest events of a session; end a turn that its process could not end.

    Raises:
        StoreError: The journal cannot be read.
        SessionError: The conversation belongs to another project.
    """
    stored = await session.journal.read(session.id, last=4 * session.plan.window)
    if not stored:
        session.continue_after(0)
        _begin(session)
        return
    if stored[0].seq > 1:
        # These may lie before the window.
        lasting: list[StoredEvent] = []
        for kind, last in _LASTING.items():
            lasting += await session.journal.read(session.id, last=last, kinds=(kind,))
        for row in sorted(lasting, key=lambda row: row.seq):
            if row.seq < stored[0].seq:
                _check_project(session, row.event)
                _take_in(session, row.event)
    unfinished = _replay(session, stored)
    usage = read_usage([row.event for row in stored])
    session.total = usage.total + usage.unfinished
    session.continue_after(stored[-1].seq)
    if session.agent_name not in session.plan.agents:
        session.agent_name = session.plan.spec.default_agent
    if unfinished is not None:
        _interrupt(session, unfinished, usage.unfinished)


def _begin(session: "Session") -> None:
    from importlib.metadata import version  # 15 ms that no import should cost

    session.record(
        SessionOpened(
            swarm_name=session.plan.spec.swarm_name,
            client_id=session.client_id,
            agent_name=session.agent_name,
            version=version("wikiswarm"),
            project=session.plan.project,
        )
    )


def _check_project(session: "Session", event: Event) -> None:
    if not isinstance(event, SessionOpened) or event.project == session.plan.project:
        return
    # The other project's name is not for this one to know.
    owner = "no project" if event.project is None else "another project"
    asking = session.plan.project
    asker = "a host without a project" if asking is None else f"project {asking!r}"
    raise SessionError(
        f"session {session.id!r} belongs to {owner} and cannot be opened by {asker}; give each"
        " project client ids of its own"
    )


def _replay(session: "Session", stored: list[StoredEvent]) -> str | None:
    """Take in what the journal has; returns the run id of a turn that has no end."""
    unfinished: str | None = None
    for row in stored:
        event = row.event
        _check_project(session, event)
        _take_in(session, event)
        if isinstance(event, TurnEnded):
            unfinished = None
        elif isinstance(event, TurnStarted | MessageAdded) and event.run_id is not None:
            unfinished = event.run_id
    return unfinished


def _take_in(session: "Session", event: Event) -> None:
    session.history.apply(event)
    if isinstance(event, AgentChanged):
        session.agent_name, session.stack = event.to_agent, tuple(event.stack)
    elif isinstance(event, SessionOpened | TurnStarted | TurnEnded):
        session.agent_name = event.agent_name
    elif isinstance(event, AgentConfigured):
        session.configured[event.agent_name] = event
    elif isinstance(event, MessageAdded) and event.run_id is None:
        # Requested outside of a turn; the output may come at any time.
        for call in event.message.tool_calls:
            agent_name = event.message.agent_name or session.agent_name
            session.requested[call.id] = PendingCall(call.id, call.name, agent_name)
        session.requested.pop(event.message.tool_call_id or "", None)


def _interrupt(session: "Session", run_id: str, usage: Usage) -> None:
    code, message = TurnInterruptedError.code, "the process ended in the middle of the turn"
    session.record(
        TurnEnded(
            run_id=run_id,
            agent_name=session.agent_name,
            status="interrupted",
            failure=Failure(code=code, message=message),
            usage=usage,
            total=session.total,
        )
    )
