"""A call that runs after its turn, because a person agreed to it only then."""

from typing import NamedTuple

from swarm.context import ToolContext
from swarm.errors import SetupError
from swarm.events import Event
from swarm.messages import Message, ToolCall
from swarm.runtime.round import PendingCall
from swarm.runtime.session import Session
from swarm.runtime.tool_call import run_tool
from swarm.runtime.tools import ArgumentsError, BoundTool, cut_text, output_text
from swarm.runtime.turn import Turn
from swarm.runtime.turns import current_turn

__all__ = ["Parked", "ParkedTurn", "find_parked", "run_parked"]


class Parked(NamedTuple):
    """A call that can run."""

    tool: BoundTool
    context: ToolContext
    call: ToolCall


class ParkedTurn(Turn):
    """What the verbs of a tool find while its call runs outside of any turn.

    The tool's output, and what it would have the agent say, join the message that the agent
    answers afterwards. A turn of the user that runs meanwhile is not touched.
    """

    lines: list[str]
    """What the tool said through `execute` and `emit`."""

    def __init__(self, session: Session, call: ToolCall, agent_name: str) -> None:
        message = Message(role="user", mode="tool", content=call.name, agent_name=agent_name)
        super().__init__(session, message, None)
        self.lines = []
        self.calls[call.id] = PendingCall(call.id, call.name, agent_name)

    def commit_output(
        self, tool_id: str, content: str, *, is_error: bool = False, seconds: float | None = None
    ) -> None:
        """Keep the output for the message that tells the agent."""
        pending = self.calls.get(tool_id)
        if pending is None or pending.output is not None:
            super().commit_output(tool_id, content, is_error=is_error, seconds=seconds)
            return
        pending.output, pending.is_error = cut_text(output_text(content)), is_error
        if pending.committed is not None:
            pending.committed.set()

    def add(self, event: Event) -> None:
        """Record an event beside the turns: this one has no beginning in the journal."""
        self.session.record(event.model_copy(update={"run_id": None}))

    async def execute(self, content: str) -> str:
        """Add an instruction to that message; the answer comes after the tool has ended."""
        self.lines.append(output_text(content))
        return ""

    async def emit(self, content: str) -> None:
        """Add a text to that message, for the agent to pass on."""
        self.lines.append(output_text(content))


async def find_parked(session: Session, agent_name: str, call: ToolCall) -> Parked | str:
    """Return a call ready to run, or the reason why it cannot run any more."""
    plan = session.plan.agents.get(agent_name)
    if plan is None:
        return f"there is no agent named {agent_name!r} any more"
    try:
        tool = (await plan.for_client(session.client_id)).tools.get(call.name)
    except SetupError as error:
        return str(error)
    if tool is None:
        return f"agent {agent_name!r} has no tool named {call.name!r} any more"
    try:
        arguments = tool.read_arguments(call.arguments)
    except ArgumentsError as wrong:
        return f"its arguments no longer fit: {wrong}"
    context = ToolContext(
        tool_id=call.id,
        tool_name=call.name,
        client_id=session.client_id,
        agent_name=agent_name,
        arguments=arguments,
        is_last=True,
    )
    return Parked(tool, context, call)


async def run_parked(session: Session, parked: Parked) -> tuple[str, bool]:
    """Run a call; returns its output, and whether that is an error."""
    turn = ParkedTurn(session, parked.call, parked.context.agent_name)
    token = current_turn.set(turn)
    try:
        result = await run_tool(turn, parked.tool, parked.context)
        output, is_error = result.output, result.is_error
    except SetupError as error:
        output, is_error = f"error: {error}", True
    finally:
        turn.is_over = True
        current_turn.reset(token)
    committed = turn.calls[parked.call.id]
    if committed.output is not None:
        output, is_error = committed.output, committed.is_error
    return cut_text("\n".join([output, *turn.lines])), is_error
