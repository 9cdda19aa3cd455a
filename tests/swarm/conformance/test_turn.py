"""One turn: free text, calls beside bad ones, nesting, rescue, and questions beside the turn."""

import anyio
import pytest

from swarm import (
    CompletionRequest,
    Message,
    ToolContext,
    cancel_output,
    commit_tool_output,
    execute,
    get_raw_history,
    run_stateless,
    run_stateless_force,
)
from swarm.errors import DeclarationError, ProviderDownError, TurnError
from swarm.events import Noted
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio


async def stock() -> str:
    """How many boxes are in stock."""
    return "3 boxes"


@pytest.mark.requirement("kit:turn:free-text", "kit:turn:shown-is-stored")
@pytest.mark.parametrize(
    "text", ['{"a": 1}', "a <b>bold</b> word", "<tool_call>x</tool_call>", "x } {"]
)
async def test_an_answer_may_hold_anything(program: Program, text: str) -> None:
    program.agent(steps=[text])
    async with program.chat() as chat:
        assert await chat.complete("hi") == text
        assert [m.content for m in chat.history.messages] == ["hi", text]


@pytest.mark.requirement("kit:turn:bad-call-alone", "kit:turn:all-calls-run")
async def test_a_bad_call_does_not_take_the_others_along(program: Program) -> None:
    model = program.agent(steps=[call_tools("stock", "stok", "stock"), "ok"], tools=[stock])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    outputs = [m.content for m in model.requests[1].messages if m.role == "tool"]
    assert outputs == [
        "3 boxes",
        "error: there is no tool named 'stok'; did you mean 'stock'?",
        "3 boxes",
    ]


@pytest.mark.requirement("kit:turn:nested-limit")
async def test_execute_nests_twenty_deep_and_then_it_is_an_error(program: Program) -> None:
    depths: list[int] = []
    refused: list[str] = []

    async def dig(context: ToolContext) -> str:
        depths.append(len(depths))
        try:
            return await execute("Deeper.", context.client_id, context.agent_name)
        except TurnError as error:
            refused.append(str(error))
            return "rock"

    def model(request: CompletionRequest) -> Message | str:
        return "The bottom." if refused else call_tool("dig")

    program.agent(model=model, tools=[dig], max_tool_calls=1000)
    async with program.chat() as chat:
        with anyio.fail_after(20):
            assert await chat.complete("go") == "The bottom."
        assert len(depths) == 21
        assert await chat.complete("And now?") == "The bottom."
    assert refused == ["execute is nested more than 20 deep (client 'client', agent 'seller')"]


@pytest.mark.requirement("kit:rescue:late-error")
async def test_a_tool_that_fails_after_its_output_keeps_it(program: Program) -> None:
    async def late(context: ToolContext) -> None:
        names = (context.client_id, context.agent_name)
        await commit_tool_output(context.tool_id, "3 boxes", *names)
        raise RuntimeError("the printer is out of paper")

    model = program.agent(steps=[call_tool("late", "id-1"), "3."], tools=[late])
    async with program.chat() as chat:
        assert await chat.complete("go") == "3."
    assert [m.content for m in model.requests[1].messages if m.role == "tool"] == ["3 boxes"]
    (noted,) = [row.event for row in await program.events() if isinstance(row.event, Noted)]
    assert noted.topic == "tool.late_error"
    assert "the printer is out of paper" in str(noted.data)


@pytest.mark.requirement("kit:rescue:repair", "kit:turn:after-failure")
async def test_a_rescue_of_one_agent_leaves_the_history_of_all(program: Program) -> None:
    seller = program.agent("seller", ["one", "", "", "", "two"], handoffs=["clerk"])
    program.agent("clerk", [])
    async with program.chat() as chat:
        await chat.complete("a")
        await chat.complete("b")
        await chat.complete("c")
    assert [m.content for m in seller.requests[-1].messages if m.role == "user"] == ["a", "b", "c"]


@pytest.mark.requirement("kit:talk:stateless")
async def test_a_stateless_question_leaves_nothing_behind(program: Program) -> None:
    model = program.agent(steps=["one", "an aside", "forced", "two"], prompt="You sell.")
    async with program.chat() as chat:
        await chat.complete("a")
        before = await get_raw_history("client")
        assert await run_stateless("Sum up.", "client", "seller") == "an aside"
        assert await run_stateless("Sum up.", "client", "clerk") == ""
        assert await run_stateless_force("Sum up.", "client") == "forced"
        assert await get_raw_history("client") == before
        await chat.complete("b")
    assert [m.content for m in model.requests[1].messages] == ["You sell.", "a", "one", "Sum up."]
    assert [m.content for m in model.requests[3].messages] == ["You sell.", "a", "one", "b"]


@pytest.mark.requirement("kit:talk:stateless-tools")
async def test_a_stateless_question_offers_no_tools(program: Program) -> None:
    model = program.agent(steps=[call_tool("stock"), "ok"], tools=[stock])
    async with program.chat() as chat:
        assert await run_stateless("How many?", "client", "seller") == ""
        assert await chat.complete("hi") == "ok"
    assert list(model.requests[0].tools) == []
    assert [tool.name for tool in model.requests[1].tools] == ["stock"]


@pytest.mark.requirement("kit:talk:stateless")
async def test_a_stateless_question_may_be_asked_in_the_middle_of_a_turn(program: Program) -> None:
    async def thinks(context: ToolContext) -> str:
        return await run_stateless("Think.", context.client_id, context.agent_name)

    down = ProviderDownError("no connection", provider="any")
    steps = [call_tool("thinks"), "a thought", "ok", call_tool("thinks"), down, "fine"]
    model = program.agent(steps=steps, tools=[thinks])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
        assert [m.content for m in model.requests[2].messages if m.role == "tool"] == ["a thought"]
        assert await chat.complete("more") == "fine"
    assert "no connection" in model.requests[5].messages[-1].content


@pytest.mark.requirement("kit:turn:no-calls")
async def test_an_agent_without_calls_is_told_to_answer(program: Program) -> None:
    ran: list[int] = []

    async def count() -> str:
        ran.append(1)
        return "ran"

    model = program.agent(steps=[call_tool("count"), "fine"], tools=[count], max_tool_calls=0)
    async with program.chat() as chat:
        assert await chat.complete("go") == "fine"
    assert ran == []
    assert model.requests[1].messages[-1].content == (
        "error: the limit of 0 tool calls in one turn is reached; answer now"
    )


@pytest.mark.requirement("kit:provider:cancelled")
async def test_a_turn_takes_its_model_call_with_it(program: Program) -> None:
    started, is_cancelled = anyio.Event(), anyio.Event()

    async def model(request: CompletionRequest) -> str:
        started.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            is_cancelled.set()
            raise
        return "never"

    program.agent(model=model)
    with anyio.fail_after(5):
        async with program.chat() as chat, anyio.create_task_group() as group:
            group.start_soon(chat.complete, "go")
            await started.wait()
            group.cancel_scope.cancel()
    assert is_cancelled.is_set()


@pytest.mark.requirement("kit:talk:session")
async def test_a_message_without_text_is_refused_or_shown(program: Program) -> None:
    model = program.agent(steps=["one"])
    async with program.chat() as chat:
        try:
            await chat.complete("")
        except DeclarationError:
            return
    assert [m.role for m in model.requests[0].messages] == ["user"]


@pytest.mark.requirement("kit:commit:cancel", "kit:commit:cancel-late")
async def test_a_cancelled_turn_gives_no_answer_however_quick_the_model(program: Program) -> None:
    async def stops(context: ToolContext) -> str:
        await cancel_output(context.client_id, context.agent_name)
        return "stopped"

    program.agent(steps=[call_tool("stops"), "too late", "fine"], tools=[stops])
    async with program.chat() as chat:
        assert await chat.complete("go") == ""
        assert await chat.complete("go") in ("too late", "fine")


@pytest.mark.requirement("kit:talk:execute-outside")
async def test_execute_while_a_turn_is_ending_is_the_next_turn(program: Program) -> None:
    ending, go = anyio.Event(), anyio.Event()
    answers: list[str] = []

    async def hold(*told: object) -> None:
        ending.set()
        await go.wait()

    async def remind() -> None:
        answers.append(await execute("Say that the parcel came.", "client", "seller"))

    program.agent(steps=["Hello.", "Your parcel is here."], callbacks={"on_output": hold})
    with anyio.fail_after(5):
        async with program.chat() as chat, anyio.create_task_group() as group:
            group.start_soon(chat.complete, "hi")
            await ending.wait()
            group.start_soon(remind)
            await anyio.wait_all_tasks_blocked()
            go.set()
    assert answers == ["Your parcel is here."]
