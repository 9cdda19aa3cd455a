"""The verbs of tools: what a function may do to the conversation that called it.

They find the session by its client id, so they work in a tool, in a task that a tool started,
and from outside of any turn where that makes sense. A verb that takes the name of an agent does
nothing once another agent has taken over; its twin with `_force` does not ask.
"""

from pydantic import JsonValue

from swarm.runtime.asking import ask_stateless
from swarm.runtime.directory import find_live
from swarm.runtime.navigation import change_agent, change_back, change_to_default
from swarm.runtime.session import Session
from swarm.runtime.turns import current_turn, running_turn

__all__ = [
    "cancel_output",
    "cancel_output_force",
    "change_to_agent",
    "change_to_default_agent",
    "change_to_prev_agent",
    "commit_stop_tools",
    "commit_stop_tools_force",
    "emit",
    "emit_force",
    "execute",
    "execute_force",
    "note",
    "run_stateless",
    "run_stateless_force",
]


async def execute(content: str, client_id: str, agent_name: str) -> str:
    """Let the active agent answer a message that the program writes.

    In a turn, the answer becomes the turn's. Outside of one it is a turn of its own, and where
    the client has a connection the answer is pushed to it.

    Args:
        content: The message, such as `Tell me the answer based on the last tool output`.
        client_id: Whose conversation.
        agent_name: The agent that it is for.

    Returns:
        The answer; "" when another agent has taken over since.

    Raises:
        SessionError: The client has no live session, or the turn of this code is over.
        TurnError: Calls of `execute` are nested too deep, or the turn failed.
        ProviderError: The model failed.
    """
    session = find_live(client_id)
    return "" if session.agent_name != agent_name else await _execute(session, content)


async def execute_force(content: str, client_id: str) -> str:
    """Let whichever agent is active answer a message; see `execute`."""
    return await _execute(find_live(client_id), content)


async def emit(content: str, client_id: str, agent_name: str) -> None:
    """Make a text the answer of the running turn, in place of what the model would say.

    Policies for output judge it; the agent's `transform` does not change it.

    Raises:
        SessionError: No turn is running.
        CallbackError: A function of a policy failed.
    """
    session = find_live(client_id)
    if session.agent_name == agent_name:
        await _emit(session, content)


async def emit_force(content: str, client_id: str) -> None:
    """Make a text the answer of the running turn, whichever agent is active; see `emit`."""
    await _emit(find_live(client_id), content)


async def cancel_output(client_id: str, agent_name: str) -> None:
    """End the running turn with an empty answer; what comes later is dropped.

    Nothing happens when no turn is running. A tool that calls this is cancelled with its turn.

    Raises:
        SessionError: The client has no live session.
    """
    session = find_live(client_id)
    if session.agent_name == agent_name:
        _cancel(session)


async def cancel_output_force(client_id: str) -> None:
    """End the running turn, whichever agent is active; see `cancel_output`."""
    _cancel(find_live(client_id))


async def commit_stop_tools(client_id: str, agent_name: str) -> None:
    """Skip the tool calls of this round that have not started.

    Raises:
        SessionError: No turn is running.
    """
    session = find_live(client_id)
    if session.agent_name == agent_name:
        _stop_tools(session)


async def commit_stop_tools_force(client_id: str) -> None:
    """Skip the tool calls that have not started, whichever agent is active."""
    _stop_tools(find_live(client_id))


async def change_to_agent(agent_name: str, client_id: str) -> bool:
    """Hand the conversation to another agent of the swarm.

    Inside a turn, the new agent answers it; outside of one, the next message.

    Returns:
        True; a hand-off that may not happen is an error.

    Raises:
        NavigationError: The agent is not in the swarm, is active, or the turn runs in circles.
        SessionError: The client has no live session, or the turn of this code is over.
    """
    await change_agent(find_live(client_id), agent_name)
    return True


async def change_to_default_agent(client_id: str) -> bool:
    """Hand the conversation to the swarm's default agent.

    Returns:
        Whether it changed; not when that agent is active already.

    Raises:
        NavigationError: The turn runs in circles.
        SessionError: The client has no live session, or the turn of this code is over.
    """
    return await change_to_default(find_live(client_id))


async def change_to_prev_agent(client_id: str) -> bool:
    """Hand the conversation back to the agent that had it before, or to the default one.

    Returns:
        Whether it changed.

    Raises:
        NavigationError: There were too many hand-offs in this turn.
        SessionError: The client has no live session, or the turn of this code is over.
    """
    return await change_back(find_live(client_id))


async def run_stateless(content: str, client_id: str, agent_name: str) -> str:
    """Ask the active agent's model something beside the conversation; nothing is written down.

    Returns:
        The answer; "" when the model asked for a tool, or another agent has taken over.

    Raises:
        SessionError: The client has no live session.
        ProviderError: The model failed.
    """
    session = find_live(client_id)
    return "" if session.agent_name != agent_name else await _run_stateless(session, content)


async def run_stateless_force(content: str, client_id: str) -> str:
    """Ask the model of whichever agent is active; see `run_stateless`."""
    return await _run_stateless(find_live(client_id), content)


async def note(topic: str, data: dict[str, JsonValue], client_id: str) -> None:
    """Record something beside the conversation, for reports and training data.

    Raises:
        SessionError: The client has no live session.
    """
    find_live(client_id).note(topic, data)


async def _execute(session: Session, content: str) -> str:
    own, running = current_turn.get(), session.turn
    is_own = own is not None and own.session is session
    if is_own or (running is not None and not running.is_over):
        return await running_turn(session, "execute").execute(content)
    answered = await session.run_tool_turn(content)
    if session.connector is not None and answered.text:
        await session.connector(answered.text, answered.agent_name)
    return answered.text


async def _emit(session: Session, content: str) -> None:
    await running_turn(session, "emit").emit(content)
    if session.told is not None:
        await session.told.emitted(content)


def _stop_tools(session: Session) -> None:
    running_turn(session, "commit_stop_tools").is_stopped = True
    if session.told is not None:
        session.told.stopped()


def _cancel(session: Session) -> None:
    if session.turn is not None:
        session.turn.cancel()
    if session.told is not None:
        session.told.cancelled()


async def _run_stateless(session: Session, content: str) -> str:
    return await ask_stateless(session, session.agent, content)
