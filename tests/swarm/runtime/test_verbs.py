"""The verbs of tools, in the shapes that programs use them."""

from enum import StrEnum

import anyio
import pytest

from swarm import (
    Session,
    ToolContext,
    change_to_agent,
    commit_tool_output,
    emit,
    execute,
    get_agent_history,
    get_agent_name,
    get_last_user_message,
    session,
)
from swarm.errors import ProviderDownError, SessionError
from swarm.events import AgentConfigured
from swarm.runtime import note
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio


class AgentName(StrEnum):
    """Names as a program may type them."""

    TEST_AGENT = "test_agent"


@pytest.mark.requirement("kit:talk:execute")
@pytest.mark.requirement("S4-14", "S4-17", "S4-18", "S4-19", "S4-20")
async def test_a_tool_that_commits_and_then_lets_the_agent_answer(program: Program) -> None:
    """The shape of the pharmacy program: look up, commit, execute."""

    async def find_pharma_product(context: ToolContext, hint: str = "") -> None:
        question = await get_last_user_message(context.client_id)
        await commit_tool_output(
            context.tool_id,
            f"Received the next information: {question} -> aspirin",
            context.client_id,
            context.agent_name,
        )
        await execute(
            "Tell me the answer based on the last tool output",
            context.client_id,
            context.agent_name,
        )

    steps = [call_tool("find_pharma_product", "id-1", hint="head"), "Take aspirin.", "Bye."]
    model = program.agent(AgentName.TEST_AGENT, steps, tools=[find_pharma_product])
    async with program.chat() as chat:
        assert await chat.complete("Headache?") == "Take aspirin."
        assert await chat.complete("Thanks") == "Bye."
    assert [(m.role, m.mode, m.content) for m in model.requests[1].messages] == [
        ("user", "user", "Headache?"),
        ("assistant", "user", ""),
        ("tool", "user", "Received the next information: Headache? -> aspirin"),
        ("user", "tool", "Tell me the answer based on the last tool output"),
    ]
    assert [m.role for m in model.requests[2].messages].count("tool") == 1
    model.assert_complete()


@pytest.mark.requirement("kit:output:nested")
async def test_execute_before_the_output_and_the_answer_as_the_return_value(
    program: Program,
) -> None:
    async def think(context: ToolContext) -> str:
        return await execute("Think.", context.client_id, context.agent_name)

    model = program.agent(steps=[call_tool("think", "id-1"), "Thought.", "next"], tools=[think])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Thought."
        await chat.complete("more")
    assert not any(m.tool_calls for m in model.requests[1].messages), "a call without an output"
    shown = model.requests[2].messages
    place = next(i for i, m in enumerate(shown) if m.tool_calls)
    assert (shown[place + 1].role, shown[place + 1].content) == ("tool", "Thought.")


@pytest.mark.requirement("kit:commit:tool-output", "kit:turn:background-commit")
async def test_execute_from_a_task_that_the_tool_left_is_waited_for(program: Program) -> None:
    go = anyio.Event()
    got: list[str] = []

    async def later(context: ToolContext) -> None:
        await go.wait()
        names = (context.client_id, context.agent_name)
        await commit_tool_output(context.tool_id, "3 boxes", *names)
        got.append(await execute("Tell me.", *names))

    async with anyio.create_task_group() as group:

        async def leaves(context: ToolContext) -> None:
            group.start_soon(later, context)
            go.set()

        steps = [call_tool("leaves"), "There are 3.", "Bye."]
        model = program.agent(steps=steps, tools=[leaves])
        with anyio.fail_after(5):
            async with program.chat() as chat:
                assert await chat.complete("How many?") == "There are 3."
                assert await chat.complete("Thanks") == "Bye."
        model.assert_complete()
    assert got == ["There are 3."]
    kinds = [row.event.kind for row in await program.events()]
    assert kinds.count("turn_ended") == 2


@pytest.mark.requirement("kit:output:late-dropped")
async def test_a_task_that_outlives_its_turn_changes_nothing(program: Program) -> None:
    go, refused = anyio.Event(), list[str]()

    async def later(context: ToolContext) -> None:
        await go.wait()
        for verb in (emit, execute):
            with pytest.raises(SessionError) as caught:
                await verb("late", context.client_id, context.agent_name)
            refused.append(str(caught.value))
        with pytest.raises(SessionError):
            await commit_tool_output(context.tool_id, "late", context.client_id, context.agent_name)

    async with anyio.create_task_group() as group:

        async def leaves(context: ToolContext) -> str:
            group.start_soon(later, context)
            return "gone"

        program.agent(steps=[call_tool("leaves"), "first", "second"], tools=[leaves])
        async with program.chat() as chat:
            assert await chat.complete("one") == "first"
            before = chat.history.messages
            go.set()
            await anyio.wait_all_tasks_blocked()
            assert chat.history.messages == before
            assert await chat.complete("two") == "second"
    assert refused == [
        f"{verb}: no turn of client 'client' is running" for verb in ("emit", "execute")
    ]


async def test_an_execute_that_is_under_way_when_the_turn_ends_is_refused(program: Program) -> None:
    """The answer of the model came too late, so it must not follow the end of its turn."""
    started, release = anyio.Event(), anyio.Event()
    refused: list[str] = []

    async def slow(request: object) -> str:
        started.set()
        await release.wait()
        return "too late"

    steps = [call_tool("leaves"), slow, "unused"]
    plays = iter(steps)

    async def model(request: object) -> object:
        step = next(plays)
        return await step(request) if callable(step) else step

    async def later(context: ToolContext) -> None:
        with pytest.raises(SessionError) as caught:
            await execute("Think.", context.client_id, context.agent_name)
        refused.append(str(caught.value))

    async with anyio.create_task_group() as group:

        async def leaves(context: ToolContext) -> str:
            group.start_soon(later, context)
            await started.wait()
            return "ok"

        program.agent(model=model, tools=[leaves])
        program.swarm(turn_timeout=0.1)
        async with program.chat() as chat:
            with pytest.raises(Exception, match="no answer within"):
                await chat.complete("go")
            release.set()
            await anyio.wait_all_tasks_blocked()
    assert len(refused) == 1
    assert "is over" in refused[0]
    assert (await program.events())[-1].event.kind == "turn_ended"


async def test_execute_may_call_tools_and_nest_but_not_for_ever(program: Program) -> None:
    depths: list[int] = []

    async def dig(context: ToolContext) -> str:
        depths.append(len(depths) + 1)
        return await execute("Deeper.", context.client_id, context.agent_name)

    steps = [call_tool("dig") for _ in range(21)] + ["The bottom."]
    model = program.agent(steps=steps, tools=[dig], max_tool_calls=100)
    with anyio.fail_after(10):
        async with program.chat() as chat:
            assert await chat.complete("go") == "The bottom."
    assert len(depths) == 21
    model.assert_complete()


async def test_a_model_that_fails_inside_execute_fails_the_turn_even_when_swallowed(
    program: Program,
) -> None:
    async def swallow(context: ToolContext) -> str:
        try:
            return await execute("Think.", context.client_id, context.agent_name)
        except ProviderDownError:
            return "never mind"

    down = ProviderDownError("no connection", provider="any")
    program.agent(steps=[call_tool("swallow"), down, "fine"], tools=[swallow])
    async with program.chat() as chat:
        with pytest.raises(ProviderDownError):
            await chat.complete("go")
        assert await chat.complete("again") == "fine"


@pytest.mark.requirement("kit:talk:emit", "kit:talk:emit-kept")
async def test_emit_is_the_answer_and_the_model_is_not_asked_again(program: Program) -> None:
    async def say(context: ToolContext) -> None:
        await emit("Closed today.", context.client_id, context.agent_name)

    model = program.agent(steps=[call_tool("say"), "Bye."], tools=[say])
    async with program.chat() as chat:
        assert await chat.complete("Open?") == "Closed today."
        assert await chat.complete("ok") == "Bye."
    contents = [m.content for m in model.requests[-1].messages if m.role == "assistant"]
    assert "Closed today." in contents
    assert (await program.runs())[1].answer == "Closed today."


@pytest.mark.requirement("kit:output:newest")
async def test_the_newest_of_several_answers_counts(program: Program) -> None:
    async def first(context: ToolContext) -> None:
        await emit("one", context.client_id, context.agent_name)

    async def second(context: ToolContext) -> None:
        await emit("two", context.client_id, context.agent_name)

    program.agent(steps=[call_tools("first", "second")], tools=[first, second])
    async with program.chat() as chat:
        assert await chat.complete("go") == "two"


@pytest.mark.requirement("kit:read:last-user")
@pytest.mark.requirement("S4-17")
async def test_the_last_user_message_is_never_one_that_a_tool_wrote(program: Program) -> None:
    heard: list[str] = []

    async def listen(context: ToolContext) -> str:
        heard.append(await get_last_user_message(context.client_id))
        return "ok"

    async def think(context: ToolContext) -> str:
        return await execute("Listen.", context.client_id, context.agent_name)

    steps = [call_tool("think"), call_tool("listen"), "done"]
    program.agent(steps=steps, tools=[listen, think])
    async with program.chat() as chat:
        assert await get_last_user_message("client") == ""
        await chat.complete("What I said")
        assert await get_last_user_message("client") == "What I said"
    assert heard == ["What I said"]


@pytest.mark.requirement("kit:read:no-session")
async def test_verbs_of_a_turn_need_one(program: Program) -> None:
    program.agent()
    async with program.chat():
        with pytest.raises(SessionError, match="no turn of client 'client' is running"):
            await emit("text", "client", "seller")
        with pytest.raises(SessionError, match="no turn of client 'client' is running"):
            await commit_tool_output("id", "text", "client", "seller")
        for verb in (emit, execute):
            with pytest.raises(SessionError, match="client 'nobody' has no live session"):
                await verb("text", "nobody", "seller")
        assert await get_agent_name("client") == "seller"
    with pytest.raises(SessionError):
        await get_agent_name("client")


@pytest.mark.requirement("kit:talk:execute-outside", "kit:talk:execute-stale")
async def test_execute_outside_of_a_turn_is_a_turn_of_its_own(program: Program) -> None:
    model = program.agent(steps=["Your parcel is here."])
    async with program.chat() as chat:
        assert await execute("Say that the parcel came.", "client", "seller") == (
            "Your parcel is here."
        )
        assert await execute("Say it again.", "client", "clerk") == ""
        assert [(m.role, m.mode) for m in chat.history.messages] == [
            ("user", "tool"),
            ("assistant", "user"),
        ]
        assert await get_last_user_message("client") == ""
    assert [(m.role, m.content) for m in model.requests[0].messages] == [
        ("user", "Say that the parcel came.")
    ]
    (run,) = await program.runs()
    assert run.answer == "Your parcel is here."


@pytest.mark.requirement("kit:read:two-swarms")
async def test_a_client_of_two_swarms_is_found_by_the_turn_that_runs(program: Program) -> None:
    async def where(context: ToolContext) -> str:
        return await get_last_user_message(context.client_id)

    program.agent("a", [call_tool("where"), "one"], tools=[where])
    program.swarm("first")
    program.agent("b", [call_tool("where"), "two"], tools=["where"])
    program.swarm("second")
    async with (
        program.host() as host,
        session("client", "first", host=host) as first,
        session("client", "second", host=host) as second,
    ):
        with pytest.raises(SessionError, match="live in several swarms: first, second"):
            await get_last_user_message("client")
        assert await first.complete("to the first") == "one"
        assert second.history.messages == []


async def test_a_note_lies_beside_the_conversation(program: Program) -> None:
    program.agent(steps=["ok"])
    async with program.chat() as chat:
        await note("wiki.answer", {"model": "m"}, "client")
        await chat.complete("go")
        assert [m.content for m in chat.history.messages] == ["go", "ok"]
    notes = [row.event for row in await program.events() if row.event.kind == "noted"]
    assert len(notes) == 1


@pytest.mark.requirement("kit:talk:emit-stale", "kit:commit:stale")
async def test_a_stale_agent_can_change_nothing_any_more(program: Program) -> None:
    async def moves(context: ToolContext) -> str:
        names = (context.client_id, context.agent_name)
        await change_to_agent("clerk", context.client_id)
        await emit("stale", *names)
        await commit_tool_output(context.tool_id, "stale", *names)
        assert await execute("stale", *names) == ""
        return "moved"

    program.agent("seller", [call_tool("moves")], tools=[moves])
    clerk = program.agent("clerk", ["I am the clerk."])
    async with program.chat() as chat:
        assert await chat.complete("go") == "I am the clerk."
        assert chat.agent_name == "clerk"
    assert [m.content for m in clerk.requests[0].messages] == ["go"]


@pytest.mark.requirement("kit:turn:tools-may-call-verbs")
async def test_a_tool_cannot_wait_for_its_own_turn(program: Program) -> None:
    chats: list[Session] = []

    async def recurse() -> str:
        return await chats[0].complete("again")

    async def recurse_streamed() -> str:
        async for _ in chats[0].stream("again"):
            raise NotImplementedError
        return ""

    model = program.agent(
        steps=[call_tools("recurse", "recurse_streamed"), "ok"], tools=[recurse, recurse_streamed]
    )
    with anyio.fail_after(5):
        async with program.chat() as chat:
            chats.append(chat)
            assert await chat.complete("go") == "ok"
    outputs = [m.content for m in model.requests[1].messages if m.role == "tool"]
    said = "error: SessionError: a tool cannot wait for its own turn; use `execute` instead"
    assert outputs == [said, said]


async def test_looking_at_an_agent_does_not_pass_for_its_speaking(program: Program) -> None:
    def describe(client_id: str, agent_name: str) -> dict[str, str]:
        return {"name": "look_up", "description": "Described anew."}

    async def stock_level() -> str:
        return "three"

    program.tool(stock_level, description="Fixed.", get_function=describe)
    program.agent("seller", ["three boxes"], tools=["stock_level"], prompt="You sell.")
    program.agent("pharmacist", prompt="You know.")
    async with program.chat() as chat:
        await get_agent_history("client", "seller")
        await get_agent_history("client", "pharmacist")
        await chat.complete("How many?")
    found = [row.event for row in await program.events()]
    configured = [event for event in found if isinstance(event, AgentConfigured)]
    assert [event.agent_name for event in configured] == ["seller"]
    assert [tool["name"] for tool in configured[0].tools] == ["look_up"]
