"""From a question to an answer: the model is asked, its tool calls run, until it says text."""

from dataclasses import replace
from typing import TYPE_CHECKING

from swarm.completion import CompletionResult
from swarm.events import MessageAdded
from swarm.messages import Message
from swarm.runtime.asking import ask_model
from swarm.runtime.output import accept_text, read_message
from swarm.runtime.rescue import rescue
from swarm.runtime.round import run_calls
from swarm.runtime.summary import summarize

if TYPE_CHECKING:
    from swarm.runtime.turn import Turn

__all__ = ["generate"]


async def generate(turn: "Turn", *, is_nested: bool = False) -> str:
    """Ask the active agent until it answers in text, and return that text.

    Args:
        turn: The turn; hand-offs in it change who is asked next.
        is_nested: Inside a tool, which cannot wait for answers that other tools still get.

    Raises:
        TurnError: A callback failed, or a budget is spent.
        ProviderError: The model failed.
        StoreError: The journal failed.
    """
    session = turn.session
    repairs, corrections = 0, list[Message]()
    while True:
        plan = await session.agent.for_client(session.client_id)
        if plan.spec.summarize:
            await summarize(turn, plan)
        result = await ask_model(turn, plan, corrections)
        corrections = []
        message = await read_message(turn, plan, result.message)
        if message.tool_calls:
            _record(turn, message, result)
            is_useful = await run_calls(turn, plan, message)
            if not is_nested:
                await turn.settle()
            if turn.failure is not None:
                raise turn.failure
            if turn.answer is not None:
                return turn.answer
            if is_useful:
                repairs = 0
                continue
            reason = "no tool call of the answer could run"
        else:
            accepted = await accept_text(turn, plan, message)
            if accepted.objection is None:
                if accepted.text != message.content:
                    message = replace(message, content=accepted.text)
                _record(turn, message, result)
                return accepted.text
            reason, corrections = accepted.objection, accepted.corrections
        repairs += 1
        rescued = await rescue(turn, plan, repairs, reason)
        if rescued is not None:
            return rescued


def _record(turn: "Turn", message: Message, result: CompletionResult) -> None:
    """Record what a model said."""
    turn.add(
        MessageAdded(run_id=turn.run_id, message=message, model=result.model, usage=result.usage)
    )
