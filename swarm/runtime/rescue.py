"""What happens after a model output that is no answer: repair, flush, or a function."""

import logging
from typing import TYPE_CHECKING

from swarm.events import MessageAdded
from swarm.functions import call, describe, log_failure
from swarm.messages import Message
from swarm.runtime.plan import AgentPlan

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["rescue"]

_log = logging.getLogger("wikiswarm")


async def rescue(turn: "Turn", plan: AgentPlan, repairs: int, reason: str) -> str | None:
    """Return the answer to give in place of a model's, or None to ask the model again.

    Args:
        turn: The turn.
        plan: The agent whose model failed to answer.
        repairs: How many bad outputs came in a row, this one included.
        reason: What was wrong.
    """
    spec = plan.spec
    if turn.session.told is not None:
        await turn.session.told.resurrecting(turn.message.mode, reason)
    if spec.rescue == "repair" and repairs <= spec.max_repairs:
        return None
    text = await _custom(turn, plan) if spec.rescue == "custom" else None
    turn.is_placeholder = text is None
    if spec.rescue == "flush":
        turn.hide_history()
    text = spec.placeholder if text is None else text
    message = Message(role="assistant", content=text, agent_name=spec.agent_name)
    turn.add(MessageAdded(run_id=turn.run_id, message=message, is_error=turn.is_placeholder))
    return text


async def _custom(turn: "Turn", plan: AgentPlan) -> str | None:
    function = plan.spec.get_rescue
    if function is None:
        return None
    what = describe(function, "get_rescue", f"agent {plan.spec.agent_name!r}")
    try:
        value = await call(function, turn.session.client_id, plan.spec.agent_name)
    except (Exception, SystemExit) as error:
        log_failure(what, error, effect="the placeholder is given")
        return None
    text = value.content if isinstance(value, Message) else value
    if isinstance(text, str) and text.strip():
        return text
    _log.error("%s returned neither text nor a Message; the placeholder is given", what)
    return None
