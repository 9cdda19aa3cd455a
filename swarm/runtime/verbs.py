"""The verbs of tools: what a function may do to the conversation that called it.

They find the session by its client id, so they work in a tool, in a task that a tool started,
and from outside of any turn where that makes sense.
"""

from pydantic import JsonValue

from swarm.errors import SessionError
from swarm.runtime.directory import find_live
from swarm.runtime.session import Session
from swarm.runtime.turn import Turn, current_turn

__all__ = [
    "change_to_agent",
    "commit_tool_output",
    "emit",
    "execute",
    "get_agent_name",
    "get_last_user_message",
    "note",
]


async def execute(content: str, client_id: str, agent_name: str) -> str:
    """Let the active agent answer a message that the tool writes.

    Args:
        content: The message, such as `Tell me the answer based on the last tool output`.
        client_id: Whose conversation.
        agent_name: The agent the tool serves.

    Returns:
        The answer, which also becomes the answer of the turn; "" when another agent has taken
        over since.

    Raises:
        SessionError: No turn is running.
        TurnError: Calls of `execute` are nested too deep.
        ProviderError: The model failed.
    """
    session = find_live(client_id)
    if session.agent_name != agent_name:
        return ""
    return await _running_turn(session, "execute").execute(content)


async def emit(content: str, client_id: str, agent_name: str) -> None:
    """Make a text the answer of the running turn, in place of what the model would say.

    Does nothing when another agent has taken over since.

    Raises:
        SessionError: No turn is running.
    """
    session = find_live(client_id)
    if session.agent_name == agent_name:
        _running_turn(session, "emit").emit(content)


async def commit_tool_output(tool_id: str, content: str, client_id: str, agent_name: str) -> None:
    """Give a tool call its output, in place of the function's return value.

    Works from a task that the tool left running, too, as long as the turn lasts. Does nothing
    when another agent has taken over since.

    Raises:
        ToolOutputError: No such call in this turn, or it has its output.
        SessionError: No turn is running.
    """
    session = find_live(client_id)
    if session.agent_name == agent_name:
        _running_turn(session, "commit_tool_output").commit_output(tool_id, content)


async def change_to_agent(agent_name: str, client_id: str) -> None:
    """Hand the conversation to another agent of the swarm.

    Inside a turn, the new agent answers it.

    Raises:
        NavigationError: The agent is not in the swarm, is active, or there were too many
            hand-offs in this turn.
        SessionError: No turn is running.
    """
    session = find_live(client_id)
    await _running_turn(session, "change_to_agent").change_agent(agent_name)


async def get_last_user_message(client_id: str) -> str:
    """Return the newest message that the user wrote; "" before the first one.

    Raises:
        SessionError: The client has no live session.
    """
    message = find_live(client_id).history.last_user_message()
    return message.content if message else ""


async def get_agent_name(client_id: str) -> str:
    """Return the name of the active agent.

    Raises:
        SessionError: The client has no live session.
    """
    return find_live(client_id).agent_name


async def note(topic: str, data: dict[str, JsonValue], client_id: str) -> None:
    """Record something beside the conversation, for reports and training data.

    Raises:
        SessionError: The client has no live session.
    """
    find_live(client_id).note(topic, data)


def _running_turn(session: Session, verb: str) -> Turn:
    turn = current_turn.get()
    if turn is None or turn.session is not session:
        turn = session.turn
    if turn is None or turn.is_over:
        raise SessionError(f"{verb}: no turn of client {session.client_id!r} is running")
    return turn
