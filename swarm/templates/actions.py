"""Tools that do something, and tools that look something up, with what the model is told then."""

from collections.abc import Mapping
from typing import Any

from swarm.context import ToolContext
from swarm.declare import add_tool
from swarm.fields import Callback
from swarm.functions import call, observe
from swarm.runtime import commit_tool_output_force, execute_force
from swarm.runtime.tools import output_text
from swarm.specs import ToolFunction
from swarm.templates.navigation import Handler

__all__ = ["add_commit_action", "add_fetch_info", "create_commit_action", "create_fetch_info"]

_NO_RESULT = "Action executed but produced no result"


def add_commit_action(
    *,
    tool_name: str,
    function: ToolFunction | Mapping[str, Any],
    execute_action: Callback,
    success_message: str | Callback,
    validate_params: Callback | None = None,
    empty_content: str = _NO_RESULT,
    failure_message: str | Callback | None = None,
    fallback: Callback | None = None,
    is_available: Callback | None = None,
    doc_note: str | None = None,
) -> str:
    """Declare a tool that changes something: checked, run, its output kept, the client told.

    Args:
        tool_name: What agents call it.
        function: Name, description and parameters as the OpenAI API describes a tool.
        execute_action: See `create_commit_action`, as for what follows.
        success_message: What the agent is asked to tell the client.
        validate_params: See `ToolSpec.validate_params`.
        empty_content: The output when the action returns nothing.
        failure_message: What the agent is asked to tell the client when the action raised.
        fallback: Is told of what the action raised.
        is_available: See `ToolSpec.is_available`.
        doc_note: What it is for, in the generated documentation.

    Returns:
        The tool's name.

    Raises:
        DuplicateNameError: The name is taken.
        ValidationError: A field is of the wrong type.
    """
    call = create_commit_action(
        execute_action=execute_action,
        success_message=success_message,
        empty_content=empty_content,
        failure_message=failure_message,
        fallback=fallback,
    )
    return add_tool(
        tool_name=tool_name,
        function=ToolFunction.model_validate(function),
        call=call,
        validate_params=validate_params,
        is_available=is_available,
        doc_note=doc_note,
    )


def add_fetch_info(
    *,
    tool_name: str,
    function: ToolFunction | Mapping[str, Any],
    fetch_content: Callback,
    validate_params: Callback | None = None,
    empty_content: str | Callback | None = None,
    fallback: Callback | None = None,
    is_available: Callback | None = None,
    doc_note: str | None = None,
) -> str:
    """Declare a tool that looks something up and changes nothing.

    The arguments are those of `create_fetch_info` and `add_commit_action`.

    Returns:
        The tool's name.

    Raises:
        DuplicateNameError: The name is taken.
        ValidationError: A field is of the wrong type.
    """
    return add_tool(
        tool_name=tool_name,
        function=ToolFunction.model_validate(function),
        call=create_fetch_info(
            fetch_content=fetch_content, empty_content=empty_content, fallback=fallback
        ),
        read_only=True,
        validate_params=validate_params,
        is_available=is_available,
        doc_note=doc_note,
    )


def create_commit_action(
    *,
    execute_action: Callback,
    success_message: str | Callback,
    empty_content: str = _NO_RESULT,
    failure_message: str | Callback | None = None,
    fallback: Callback | None = None,
) -> Handler:
    """Return the function of a tool that changes something.

    Args:
        execute_action: A function `(params, context)` that does it and returns the output.
        success_message: What the agent is asked then, such as `Tell the user that it is booked`; a
            text, or a function `(params, context)`.
        empty_content: The output when the action returns nothing.
        failure_message: The same as `success_message` for an action that raised; without one, the
            model reads the error and decides itself.
        fallback: A function `(error, context)` that is told of what the action raised.
    """

    async def act(context: ToolContext) -> None:
        params = dict(context.arguments)
        try:
            value = await call(execute_action, params, context)
        except (Exception, SystemExit) as error:
            await observe(fallback, error, context, place=f"tool {context.tool_name!r}")
            if failure_message is None:
                raise
            output = f"error: {type(error).__name__}: {error}"
            message = failure_message
        else:
            output = empty_content if value in (None, "") else output_text(value)
            message = success_message
        await commit_tool_output_force(context.tool_id, output, context.client_id)
        said = message if isinstance(message, str) else await call(message, params, context)
        await execute_force(str(said), context.client_id)

    return act


def create_fetch_info(
    *,
    fetch_content: Callback,
    empty_content: str | Callback | None = None,
    fallback: Callback | None = None,
) -> Handler:
    """Return the function of a tool that looks something up.

    A look-up that raises or finds nothing tells the model not to ask again.

    Args:
        fetch_content: A function `(params, context)` that returns what was found.
        empty_content: The output when nothing was found; a text, or a function
            `(params, context)`.
        fallback: A function `(error, context)` that is told of what the look-up raised.
    """

    async def fetch(context: ToolContext) -> None:
        params = dict(context.arguments)
        output = f"The tool named {context.tool_name} is not available. Do not ever call it again"
        try:
            value = await call(fetch_content, params, context)
        except (Exception, SystemExit) as error:
            await observe(fallback, error, context, place=f"tool {context.tool_name!r}")
        else:
            if value not in (None, ""):
                output = output_text(value)
            elif empty_content is not None:
                said = empty_content
                output = said if isinstance(said, str) else str(await call(said, params, context))
        # The model is asked again by itself when all calls of its answer have their outputs.
        await commit_tool_output_force(context.tool_id, output, context.client_id)

    return fetch
