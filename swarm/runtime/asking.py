"""Asking an agent's model: what it is shown, and how its words reach whoever streams."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from swarm.completion import CompletionRequest, CompletionResult
from swarm.errors import ProviderOutputError
from swarm.events import TextDelta
from swarm.messages import Message
from swarm.runtime.plan import AgentPlan
from swarm.runtime.prompt import system_lines

if TYPE_CHECKING:
    from swarm.runtime.session import Session
    from swarm.runtime.turn import Turn

__all__ = ["agent_view", "ask_model", "ask_stateless", "summary_text"]


async def ask_model(
    turn: "Turn", plan: AgentPlan, corrections: Sequence[Message]
) -> CompletionResult:
    """Ask an agent's model about the conversation as it stands.

    Args:
        turn: The turn; the tokens are counted for it.
        plan: The active agent with the tools it may use now.
        corrections: Messages that are shown this once and not kept.

    Raises:
        ProviderError: The model failed.
        CallbackError: A function of the prompt failed.
    """
    session = turn.session
    request = CompletionRequest(
        messages=[*await agent_view(session, plan, is_recorded=True), *corrections],
        tools=plan.definitions,
        client_id=session.client_id,
        agent_name=plan.spec.agent_name,
        wants_usage=turn.budget is not None,
    )
    if turn.budget is not None:
        turn.budget.check()
    tracer = session.plan.tracer
    if tracer is None:
        result = await _ask(turn, plan, request)
    else:
        is_streamed = turn.publish_event is not None
        with tracer.model_call(
            request, plan.completion.model, session_id=session.id, is_streamed=is_streamed
        ) as done:
            result = await _ask(turn, plan, request)
            done(result)
    turn.spend(result.usage)
    return result


async def _ask(turn: "Turn", plan: AgentPlan, request: CompletionRequest) -> CompletionResult:
    if turn.publish_event is None:
        return await plan.completion.complete(request)
    return await _stream(turn, plan, request)


async def agent_view(
    session: "Session", plan: AgentPlan, *, is_recorded: bool = False
) -> list[Message]:
    """Return what an agent's model is shown: prompt, instructions, summary, messages.

    Args:
        session: The conversation.
        plan: The agent.
        is_recorded: The agent speaks, so the journal keeps what it was; nobody just looks.

    Raises:
        CallbackError: A function of the prompt failed.
    """
    spec = plan.spec
    system = await system_lines(session, plan, is_recorded=is_recorded)
    messages = [Message(role="system", content="\n".join(system))] if system else []
    messages += session.history.instructions(spec.agent_name)
    summary = session.history.summary(spec.agent_name)
    if summary is not None:
        messages.append(Message(role="system", content=summary_text(summary)))
    messages += session.history.view(
        spec.agent_name, keep=spec.keep_messages, tokens=spec.keep_tokens
    )
    return messages


def summary_text(summary: str) -> str:
    """Return a summary as a model is shown it."""
    return f"What was said before, in short:\n{summary}"


async def ask_stateless(session: "Session", plan: AgentPlan, content: str) -> str:
    """Ask an agent's model something beside the conversation; nothing is written down.

    Returns:
        The answer; "" when the model said nothing, or asked for a tool, none of which is offered.

    Raises:
        ProviderError: The model failed.
        CallbackError: A function of the prompt failed.
        BudgetExceededError: The turn that runs has spent what it may.
    """
    message = Message(role="user", content=content, mode="tool")
    budget = session.turn.budget if session.turn is not None else None
    request = CompletionRequest(
        messages=[*await agent_view(session, plan), message],
        client_id=session.client_id,
        agent_name=plan.spec.agent_name,
        wants_usage=budget is not None,
    )
    if budget is not None:
        budget.check()
    if session.told is not None:
        await session.told.running(content)
    result = await plan.completion.complete(request)
    if session.turn is not None:
        session.turn.spend(result.usage)
    text = "" if result.message.tool_calls else result.message.content
    if session.told is not None:
        session.told.ran(content, text)
    return text


async def _stream(turn: "Turn", plan: AgentPlan, request: CompletionRequest) -> CompletionResult:
    is_durable, is_held = False, turn.session.plan.holds_words_back(plan)
    async with aclosing(plan.completion.stream(request)) as items:
        async for item in items:
            if isinstance(item, CompletionResult):
                return item
            if is_held:
                continue  # nobody may see a word that is taken back later
            if not is_durable:
                # Whoever sees the first word may rely on the question being kept.
                await turn.session.flush()
                is_durable = True
            await turn.publish(TextDelta(item))
    raise ProviderOutputError("the stream ended without an answer", provider=plan.completion.model)
