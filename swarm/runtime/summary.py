"""Summing up what an agent's window no longer holds, so that it is not lost to the model."""

import logging
from typing import TYPE_CHECKING

from swarm.completion import CompletionRequest
from swarm.errors import ProviderError
from swarm.events import HistorySummarized
from swarm.messages import Message
from swarm.runtime.plan import AgentPlan
from swarm.runtime.tokens import estimate_message
from swarm.specs import AgentSpec

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["summarize"]

_log = logging.getLogger("wikiswarm")

_ASK = (
    "Sum up this conversation for a colleague who takes it over: facts, names, numbers, wishes and"
    " promises, in at most 200 words. Write the summary only."
)


def _is_worth_a_call(left: list[Message], spec: AgentSpec) -> bool:
    """Whether half a window has fallen out, by the messages or by the tokens."""
    if len(left) < 2:
        return False
    if len(left) >= spec.keep_messages // 2:
        return True
    limit = spec.keep_tokens
    return limit is not None and sum(map(estimate_message, left)) >= limit // 2


async def summarize(turn: "Turn", plan: AgentPlan) -> None:
    """Let the model sum up the turns that fell out of the agent's window, if enough did.

    A model that fails leaves the window as it is; the next turn tries again.

    Raises:
        BudgetExceededError: The turn has spent what it may.
    """
    history, spec = turn.session.history, plan.spec
    left = history.overflow(spec.agent_name, keep=spec.keep_messages, tokens=spec.keep_tokens)
    if left is None or not _is_worth_a_call(left.messages, spec):
        return
    earlier = history.summary(spec.agent_name)
    lines = [f"{message.role}: {message.content}" for message in left.messages]
    if earlier is not None:
        lines.insert(0, f"Before that, in short: {earlier}")
    request = CompletionRequest(
        messages=[
            Message(role="system", content=_ASK),
            Message(role="user", content="\n".join(lines)),
        ],
        client_id=turn.session.client_id,
        agent_name=spec.agent_name,
        wants_usage=turn.budget is not None,
    )
    if turn.budget is not None:
        turn.budget.check()
    try:
        result = await plan.completion.complete(request)
    except ProviderError as error:
        _log.warning("agent %r: no summary: %s", spec.agent_name, error.code)
        return
    turn.spend(result.usage)
    text = result.message.content.strip()
    if text:
        turn.add(
            HistorySummarized(
                agent_name=spec.agent_name,
                text=text,
                last_run_id=left.last_run_id,
                usage=result.usage,
            )
        )
