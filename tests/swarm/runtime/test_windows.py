"""What lasts longer than a window, what a window in tokens holds, and what is summed up."""

import pytest

from swarm import (
    CompletionRequest,
    change_to_agent,
    commit_developer_message,
    commit_flush,
    commit_system_message,
    commit_system_message_force,
    get_last_system_message,
    get_raw_history,
)
from swarm.errors import ProviderDownError
from swarm.events import HistorySummarized
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


def echo(request: CompletionRequest) -> str:
    """Answer with what was said last."""
    return f"re: {request.messages[-1].content}"


@pytest.mark.requirement("kit:history:window-tokens")
async def test_a_window_of_tokens_keeps_the_newest(program: Program) -> None:
    model = program.agent(steps=["x" * 400] * 5, keep_tokens=250)
    async with program.chat() as chat:
        for number in range(5):
            await chat.complete(f"question {number}")
    shown = [m.content for m in model.requests[-1].messages]
    # 400 characters are about 100 tokens, so two earlier answers fit.
    assert shown == ["question 2", "x" * 400, "question 3", "x" * 400, "question 4"]


async def test_a_question_larger_than_the_window_is_shown_all_the_same(program: Program) -> None:
    model = program.agent(steps=["short", "short"], keep_tokens=10)
    async with program.chat() as chat:
        await chat.complete("first")
        await chat.complete("y" * 4000)
    assert [m.content for m in model.requests[-1].messages] == ["y" * 4000]


@pytest.mark.requirement("kit:history:instructions", "kit:commit:developer")
async def test_instructions_outlive_the_window_and_a_restart(program: Program) -> None:
    model = program.agent(model=None, steps=["ok"] * 902, keep_messages=4)
    async with program.chat() as chat:
        await commit_system_message("The client is a doctor.", "client", "seller")
        await commit_developer_message("Answer in French.", "client", "seller")
        for number in range(450):
            await chat.complete(str(number))
    async with program.chat() as chat:
        assert await get_last_system_message("client") == "The client is a doctor."
        await chat.complete("after the restart")
        assert len(chat.history.messages) < 450
    shown = [(m.role, m.content) for m in model.requests[-1].messages]
    assert shown[:2] == [
        ("system", "The client is a doctor."),
        ("developer", "Answer in French."),
    ]
    assert shown[-1] == ("user", "after the restart")


async def test_the_active_agent_and_the_way_back_outlive_the_window(program: Program) -> None:
    program.agent("seller", ["x"])
    program.agent("clerk", ["ok"] * 460, keep_messages=4)
    async with program.chat() as chat:
        await change_to_agent("clerk", "client")
        for number in range(450):
            await chat.complete(str(number))
    async with program.chat() as chat:
        assert chat.agent_name == "clerk"
        assert chat.stack == ("seller",)


@pytest.mark.requirement("kit:commit:flush", "kit:history:append-only")
async def test_what_was_flushed_stays_hidden_after_a_restart(program: Program) -> None:
    model = program.agent(steps=["one", "two", "three"])
    async with program.chat() as chat:
        await chat.complete("a")
        await commit_flush("client", "seller")
        await chat.complete("b")
    async with program.chat() as chat:
        await chat.complete("c")
        assert [m.content for m in await get_raw_history("client")] == [
            "a", "one", "b", "two", "c", "three",
        ]  # fmt: skip
    assert [m.content for m in model.requests[1].messages] == ["b"]
    assert [m.content for m in model.requests[2].messages] == ["b", "two", "c"]


async def test_what_falls_out_of_the_window_is_summed_up(program: Program) -> None:
    asked: list[CompletionRequest] = []
    summaries = iter(["The client is called Ann.", "Ann has a headache.", "more", "more", "more"])

    def model(request: CompletionRequest) -> str:
        asked.append(request)
        first = request.messages[0].content
        return next(summaries) if first.startswith("Sum up") else "ok"

    program.agent(model=model, keep_messages=4, summarize=True)
    async with program.chat() as chat:
        for text in ("I am Ann.", "two", "three"):
            await chat.complete(text)
    assert asked[-1].messages[0].role == "system"
    assert asked[-1].messages[0].content.endswith("The client is called Ann.")
    assert "I am Ann." not in [m.content for m in asked[-1].messages]
    first_ask = next(r for r in asked if r.messages[0].content.startswith("Sum up"))
    assert "user: I am Ann." in first_ask.messages[1].content
    async with program.chat() as chat:
        for text in ("four", "five"):
            await chat.complete(text)
    again = [r for r in asked if r.messages[0].content.startswith("Sum up")][1]
    assert "Before that, in short: The client is called Ann." in again.messages[1].content
    assert "I am Ann." not in again.messages[1].content
    assert asked[-1].messages[0].content.startswith("What was said before, in short:\n")
    events = [row.event for row in await program.events()]
    assert sum(isinstance(event, HistorySummarized) for event in events) >= 2


async def test_half_a_window_of_tokens_is_summed_up_too(program: Program) -> None:
    asked: list[CompletionRequest] = []

    def model(request: CompletionRequest) -> str:
        asked.append(request)
        return "Ann was here." if request.messages[0].content.startswith("Sum up") else "ok"

    program.agent(model=model, keep_tokens=60, summarize=True)
    async with program.chat() as chat:
        for text in ("I am Ann. " + "z" * 100, "two", "three " + "z" * 100, "four"):
            await chat.complete(text)
    assert asked[-1].messages[0].content.endswith("Ann was here.")
    assert sum(r.messages[0].content.startswith("Sum up") for r in asked) == 1


async def test_a_model_that_cannot_sum_up_answers_all_the_same(program: Program) -> None:
    def model(request: CompletionRequest) -> str:
        if request.messages[0].content.startswith("Sum up"):
            raise ProviderDownError("no connection", provider="any")
        return "ok"

    program.agent(model=model, keep_messages=2, summarize=True)
    async with program.chat() as chat:
        for number in range(6):
            assert await chat.complete(str(number)) == "ok"


async def test_an_instruction_outlives_any_number_of_hand_offs_and_a_restart(
    program: Program,
) -> None:
    seen: list[list[str]] = []

    def model(request: CompletionRequest) -> str:
        seen.append([message.content for message in request.messages])
        return "ok"

    for name in ("seller", "pharmacist"):
        program.agent(name, model=model, keep_messages=2)
    async with program.chat() as chat:
        await commit_system_message_force("call me Ann", "client")
        for _ in range(60):
            await change_to_agent("pharmacist", "client")
            await change_to_agent("seller", "client")
        for _ in range(270):  # four events each, of which a session reads 800 when it opens
            await chat.complete("hello")
        assert seen[-1][0] == "call me Ann"
    async with program.chat() as chat:
        assert chat.agent_name == "seller"
        await chat.complete("hello")
    assert seen[-1][0] == "call me Ann"
