"""Tools that hand the client over to another agent, with what is said on the way."""

from collections.abc import Awaitable, Callable
from functools import partial

from swarm.context import ToolContext
from swarm.declare import add_tool
from swarm.errors import CallbackError
from swarm.fields import Callback
from swarm.functions import checked_call
from swarm.runtime import (
    change_to_agent,
    commit_flush_force,
    commit_stop_tools_force,
    commit_tool_output_force,
    commit_user_message_force,
    emit_force,
    execute_force,
    find_live,
    get_last_user_message,
    has_navigation,
)

__all__ = [
    "Handler",
    "Words",
    "add_agent_navigation",
    "add_triage_navigation",
    "create_navigate_to_agent",
    "create_navigate_to_triage_agent",
]

Words = str | Callback
"""A text, or a function `(client_id, last_message, last_agent, next_agent)` that makes it."""

Handler = Callable[[ToolContext], Awaitable[None]]
"""The function of a tool, for `add_tool(call=...)`."""


def add_agent_navigation(
    *,
    tool_name: str,
    description: str,
    navigate_to: str,
    doc_note: str | None = None,
    is_available: Callback | None = None,
    before_navigate: Callback | None = None,
    last_message: Callback | None = None,
    execute_message: Words | None = None,
    emit_message: Words | None = None,
    flush_message: Words | None = None,
    tool_output: Words | None = None,
) -> str:
    """Declare a tool without parameters that hands the client over to an agent.

    Args:
        tool_name: What agents and models call it.
        description: When to call it.
        navigate_to: The agent that takes over.
        doc_note: What it is for, in the generated documentation.
        is_available: See `ToolSpec.is_available`.
        before_navigate: See `create_navigate_to_agent`, as for the rest.
        last_message: Makes the message that the next agent is given.
        execute_message: What the next agent is asked.
        emit_message: What the client is told in place of the next agent's answer.
        flush_message: What the client is told when the agent had this turn before.
        tool_output: What the model of the agent that hands over reads.

    Returns:
        The tool's name.

    Raises:
        DuplicateNameError: The name is taken.
        ValidationError: A field is of the wrong type.
    """
    call = create_navigate_to_agent(
        navigate_to,
        before_navigate=before_navigate,
        last_message=last_message,
        execute_message=execute_message,
        emit_message=emit_message,
        flush_message=flush_message,
        tool_output=tool_output,
    )
    return add_tool(
        tool_name=tool_name,
        description=description,
        parameters={"type": "object", "properties": {}},
        call=call,
        navigate_to=navigate_to,
        is_available=is_available,
        doc_note=doc_note,
    )


def add_triage_navigation(
    *,
    tool_name: str,
    description: str,
    doc_note: str | None = None,
    is_available: Callback | None = None,
    before_navigate: Callback | None = None,
    last_message: Callback | None = None,
    execute_message: Words | None = None,
    flush_message: Words | None = None,
    tool_output_accept: Words | None = None,
    tool_output_reject: Words | None = None,
) -> str:
    """Declare a tool without parameters that hands the client back to the swarm's default agent.

    The arguments are those of `create_navigate_to_triage_agent` and `add_agent_navigation`.

    Returns:
        The tool's name.

    Raises:
        DuplicateNameError: The name is taken.
        ValidationError: A field is of the wrong type.
    """
    call = create_navigate_to_triage_agent(
        before_navigate=before_navigate,
        last_message=last_message,
        execute_message=execute_message,
        flush_message=flush_message,
        tool_output_accept=tool_output_accept,
        tool_output_reject=tool_output_reject,
    )
    return add_tool(
        tool_name=tool_name,
        description=description,
        parameters={"type": "object", "properties": {}},
        call=call,
        is_available=is_available,
        doc_note=doc_note,
    )


def create_navigate_to_agent(
    navigate_to: str,
    *,
    before_navigate: Callback | None = None,
    last_message: Callback | None = None,
    execute_message: Words | None = None,
    emit_message: Words | None = None,
    flush_message: Words | None = None,
    tool_output: Words | None = None,
) -> Handler:
    """Return the function of a tool that hands the client over to an agent.

    Later tool calls of the same answer are skipped. When the agent had this turn before, the
    history is hidden and the client told so, in place of going round in circles.

    Args:
        navigate_to: The agent that takes over.
        before_navigate: A function as of `Words` that is called first; what it raises is told to
            the model and nothing changes.
        last_message: A function as of `Words` whose text the next agent is given as a message.
        execute_message: What the next agent is asked; it answers the user's message when absent.
        emit_message: What the client is told in place of an answer of the next agent.
        flush_message: What the client is told when the agent had this turn before.
        tool_output: What the model of the agent that hands over reads.
    """

    async def navigate(context: ToolContext) -> None:
        client_id, target = context.client_id, navigate_to
        asked = await get_last_user_message(client_id)
        words = _Speaker(context, asked, target)
        if before_navigate is not None:
            await words.call("before_navigate", before_navigate)
        output = (
            f"Successfully navigated from {context.agent_name} to {target}. "
            f"Please do not call the navigate tool to {target} during the next answer"
        )
        await commit_stop_tools_force(client_id)
        output = await words.say("tool_output", tool_output, output)
        await commit_tool_output_force(context.tool_id, output, client_id)
        if await has_navigation(client_id, target):
            placeholder = find_live(client_id).agent.spec.placeholder
            await commit_flush_force(client_id)
            text = await words.say("flush_message", flush_message, placeholder)
            await emit_force(text, client_id)
            return
        await change_to_agent(target, client_id)
        if last_message is not None:
            text = await words.say("last_message", last_message, "")
            await commit_user_message_force(text, "tool", client_id)
        if emit_message is not None:
            await emit_force(await words.say("emit_message", emit_message, ""), client_id)
        elif execute_message is not None:
            await execute_force(await words.say("execute_message", execute_message, ""), client_id)

    return navigate


def create_navigate_to_triage_agent(
    *,
    before_navigate: Callback | None = None,
    last_message: Callback | None = None,
    execute_message: Words | None = None,
    flush_message: Words | None = None,
    tool_output_accept: Words | None = None,
    tool_output_reject: Words | None = None,
) -> Handler:
    """Return the function of a tool that hands the client back to the swarm's default agent.

    Args:
        before_navigate: See `create_navigate_to_agent`.
        last_message: See there.
        execute_message: See there.
        flush_message: See there.
        tool_output_accept: What the model reads when the client was handed over.
        tool_output_reject: What it reads when the default agent has the client already.
    """

    async def navigate(context: ToolContext) -> None:
        target = find_live(context.client_id).plan.spec.default_agent
        if context.agent_name == target:
            words = _Speaker(context, await get_last_user_message(context.client_id), target)
            text = f"Already on {target}. Answer the user yourself"
            text = await words.say("tool_output_reject", tool_output_reject, text)
            await commit_tool_output_force(context.tool_id, text, context.client_id)
            return
        go = create_navigate_to_agent(
            target,
            before_navigate=before_navigate,
            last_message=last_message,
            execute_message=execute_message,
            flush_message=flush_message,
            tool_output=tool_output_accept,
        )
        await go(context)

    return navigate


class _Speaker:
    """Makes the texts of one hand-over."""

    def __init__(self, context: ToolContext, asked: str, target: str) -> None:
        self._place = f"tool {context.tool_name!r}"
        names = {"client_id": context.client_id, "agent_name": context.agent_name}
        self._failure = partial(CallbackError, **names)
        self._arguments = (context.client_id, asked, context.agent_name, target)

    async def call(self, role: str, function: Callback) -> object:
        return await checked_call(
            function, *self._arguments, role=role, place=self._place, failure=self._failure
        )

    async def say(self, role: str, words: Words | None, default: str) -> str:
        if words is None:
            return default
        return words if isinstance(words, str) else str(await self.call(role, words))
