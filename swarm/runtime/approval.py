"""The step before a tool runs: does a person have to agree, and does one."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
from pydantic import JsonValue

from swarm.context import ToolContext
from swarm.errors import CallbackError
from swarm.functions import checked_call
from swarm.messages import ToolCall
from swarm.runtime.guard import Approval
from swarm.runtime.tools import BoundTool

if TYPE_CHECKING:
    from swarm.runtime.session import Session

__all__ = ["ask_people", "finish_approved"]

_Finish = Callable[[str, bool], None]


async def ask_people(
    session: "Session", tool: BoundTool, call: ToolCall, context: ToolContext
) -> Approval | None:
    """Return what people say of a call; None when nobody has to agree.

    Raises:
        CallbackError: The function that says whether somebody has to raised.
        StoreError: The call could not be kept.
    """
    spec = tool.spec
    if spec is None or spec.needs_approval is False:
        return None
    arguments = tool.with_defaults(context.arguments)
    if spec.needs_approval is not True and not await checked_call(
        spec.needs_approval,
        arguments,
        context,
        role="needs_approval",
        place=f"tool {spec.tool_name!r}",
        failure=partial(CallbackError, client_id=context.client_id, agent_name=context.agent_name),
    ):
        return None
    approvals = session.plan.approvals
    if approvals is None:
        return Approval("rejected", "", "there is no inbox to ask a person; open it with a host")
    return await approvals.ask(session, spec, _whole(tool, call, arguments), arguments, context)


def _whole(tool: BoundTool, call: ToolCall, arguments: dict[str, JsonValue]) -> ToolCall:
    """Return a call with its defaults written out: they are what a person agrees to.

    What runs later is then what was agreed to, even where the program has other defaults by then.
    """
    import orjson

    if not tool.defaults:
        return call
    try:
        text = orjson.dumps(arguments).decode()
        tool.read_arguments(text)
    except Exception:
        # A default that no call may name, such as None for a text, or that a validator of the
        # program does not take; the function knows it.
        return call
    return replace(call, arguments=text)


@asynccontextmanager
async def finish_approved(session: "Session", approval: Approval) -> AsyncGenerator[_Finish, None]:
    """Keep what an approved call gave: the body says it, or was cut off and nobody knows."""
    given: list[tuple[str, bool]] = []

    def finish(output: str, is_error: bool) -> None:
        given.append((output, is_error))

    try:
        yield finish
    finally:
        if session.plan.approvals is not None:
            output, is_error = given[0] if given else (None, True)
            with anyio.CancelScope(shield=True):
                await session.plan.approvals.finish(approval.approval_id, output, is_error=is_error)
