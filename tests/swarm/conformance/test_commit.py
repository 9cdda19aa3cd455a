"""The commit verbs: messages, tool requests, flushes and the ends of turns that programs put in."""

import anyio
import pytest

from swarm import (
    CompletionRequest,
    Session,
    ToolCall,
    ToolContext,
    cancel_output,
    cancel_output_force,
    change_to_agent,
    commit_assistant_message,
    commit_assistant_message_force,
    commit_developer_message_force,
    commit_flush_force,
    commit_stop_tools,
    commit_stop_tools_force,
    commit_system_message,
    commit_system_message_force,
    commit_tool_output,
    commit_tool_output_force,
    commit_tool_request,
    commit_tool_request_force,
    commit_user_message,
    commit_user_message_force,
    emit_force,
    execute_force,
    get_last_user_message,
    get_raw_history,
)
from swarm.errors import DeclarationError, ToolOutputError
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio

NAMES = ("client", "seller")


def shown(request: CompletionRequest) -> list[tuple[str, str]]:
    """Return what a model was shown, as roles and texts."""
    return [(m.role, m.content) for m in request.messages]


@pytest.mark.requirement("kit:commit:user")
async def test_a_user_message_is_the_users_or_the_programs(program: Program) -> None:
    model = program.agent(steps=["ok"])
    async with program.chat() as chat:
        await commit_user_message("I am Ann.", "user", *NAMES, payload={"page": 1})
        await commit_user_message("Ann is a doctor.", "tool", *NAMES)
        assert await get_last_user_message("client") == "I am Ann."
        await chat.complete("Hi")
    assert shown(model.requests[0]) == [
        ("user", "I am Ann."),
        ("user", "Ann is a doctor."),
        ("user", "Hi"),
    ]
    assert len(await program.runs()) == 1, "no agent answers what is only committed"


@pytest.mark.requirement("kit:commit:assistant", "kit:commit:system")
async def test_messages_of_the_agent_and_of_the_system(program: Program) -> None:
    model = program.agent("seller", ["ok"], prompt="You sell.")
    clerk = program.agent("clerk", ["ok"])
    async with program.chat() as chat:
        await commit_assistant_message("Welcome!", *NAMES)
        await commit_system_message("The client is a doctor.", *NAMES)
        await chat.complete("Hi")
        await change_to_agent("clerk", "client")
        await chat.complete("And you?")
    assert shown(model.requests[0]) == [
        ("system", "You sell."),
        ("system", "The client is a doctor."),
        ("assistant", "Welcome!"),
        ("user", "Hi"),
    ]
    assert ("system", "The client is a doctor.") not in shown(clerk.requests[0])


@pytest.mark.requirement("kit:commit:tool-request")
async def test_tool_calls_may_be_put_in_and_answered(program: Program) -> None:
    model = program.agent(steps=["ok"])
    async with program.chat() as chat:
        (one,) = await commit_tool_request({"name": "stock", "arguments": {"sku": "A"}}, *NAMES)
        openai = {"id": "own", "function": {"name": "price", "arguments": '{"sku": "A"}'}}
        rest = await commit_tool_request([openai, ToolCall(id="", name="idle")], *NAMES)
        assert rest[0] == "own"
        assert len({one, *rest}) == 3
        await commit_tool_output(one, "3 boxes", *NAMES)
        await commit_tool_output("own", "2.50", *NAMES)
        with pytest.raises(ToolOutputError, match="has its output already"):
            await commit_tool_output("own", "2.60", *NAMES)
        with pytest.raises(DeclarationError, match="needs the `name` of a tool"):
            await commit_tool_request({"arguments": {}}, *NAMES)
        await chat.complete("Hi")
    messages = model.requests[0].messages
    assert [call.name for m in messages for call in m.tool_calls] == ["stock", "price"]
    assert [m.content for m in messages if m.role == "tool"] == ["3 boxes", "2.50"]


@pytest.mark.requirement("kit:commit:stop-tools")
async def test_what_has_not_started_is_skipped(program: Program) -> None:
    ran: list[str] = []

    async def stops(context: ToolContext) -> str:
        await commit_stop_tools(context.client_id, context.agent_name)
        return "stopped"

    async def never() -> str:
        ran.append("never")
        return "ran"

    model = program.agent(steps=[call_tools("stops", "never"), "ok"], tools=[stops, never])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert ran == []
    outputs = [m.content for m in model.requests[1].messages if m.role == "tool"]
    assert outputs == ["stopped", "skipped: an earlier tool stopped the round"]


@pytest.mark.requirement("kit:commit:cancel", "kit:commit:cancel-late")
async def test_a_cancelled_turn_ends_empty_and_says_nothing_later(program: Program) -> None:
    started, release = anyio.Event(), anyio.Event()
    answers: list[str] = []

    async def model(request: CompletionRequest) -> str:
        if request.messages[-1].content == "slow":
            started.set()
            await release.wait()
            return "the late answer"
        return "the next answer"

    program.agent(model=model)
    async with program.chat() as chat:

        async def ask() -> None:
            answers.append(await chat.complete("slow"))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                await started.wait()
                await cancel_output(*NAMES)
            release.set()
            assert answers == [""]
            assert await chat.complete("next") == "the next answer"
            await cancel_output(*NAMES)  # nothing runs, so nothing happens
        assert "the late answer" not in [m.content for m in await get_raw_history("client")]
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


@pytest.mark.requirement("kit:commit:stale")
async def test_a_replaced_agent_commits_nothing(program: Program) -> None:
    program.agent("seller", [])
    program.agent("clerk", [])
    async with program.chat():
        await change_to_agent("clerk", "client")
        await commit_user_message("x", "user", *NAMES)
        await commit_assistant_message("x", *NAMES)
        await commit_system_message("x", *NAMES)
        assert await commit_tool_request({"name": "x"}, *NAMES) == []
        await commit_stop_tools(*NAMES)
        await cancel_output(*NAMES)
        assert await get_raw_history("client") == []


@pytest.mark.requirement("kit:commit:force")
async def test_a_forced_verb_does_not_ask_who_is_active(program: Program) -> None:
    async def moves(context: ToolContext) -> None:
        client_id = context.client_id
        await change_to_agent("clerk", client_id)
        await commit_tool_output_force(context.tool_id, "moved", client_id)
        await commit_stop_tools_force(client_id)
        await commit_user_message_force("by the program", "tool", client_id)
        await commit_assistant_message_force("by the agent", client_id)
        await commit_system_message_force("a rule", client_id)
        await commit_developer_message_force("another rule", client_id)
        assert len(await commit_tool_request_force({"name": "x"}, client_id)) == 1
        assert await execute_force("Greet.", client_id) == "Hello."

    program.agent("seller", [call_tools("moves", "skipped")], tools=[moves])
    clerk = program.agent("clerk", ["Hello.", "Fresh."])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Hello."
        outputs = [m.content for m in chat.history.messages if m.role == "tool"]
        assert outputs == ["moved", "skipped: an earlier tool stopped the round"]
        await commit_flush_force("client")
        await chat.complete("again")
    assert shown(clerk.requests[0]) == [
        ("system", "a rule"),
        ("developer", "another rule"),
        ("user", "go"),
        ("user", "by the program"),
        ("assistant", "by the agent"),
        ("user", "Greet."),
    ]
    assert shown(clerk.requests[1]) == [("user", "again")]


@pytest.mark.requirement("kit:commit:force", "kit:talk:emit-stale", "kit:talk:execute-stale")
async def test_forced_ends_of_a_turn(program: Program) -> None:
    async def says(context: ToolContext) -> None:
        await change_to_agent("clerk", context.client_id)
        await emit_force("The clerk calls you.", context.client_id)

    async def ends(context: ToolContext) -> None:
        await cancel_output_force(context.client_id)

    program.agent("seller", [call_tool("says")], tools=[says])
    program.agent("clerk", [call_tool("ends"), "fine"], tools=[ends])
    async with program.chat() as chat:
        assert await chat.complete("go") == "The clerk calls you."
        assert await chat.complete("end") == ""
        assert await execute_force("Say that all is well.", "client") == "fine"


@pytest.mark.requirement("kit:commit:durable")
async def test_what_is_committed_between_turns_is_there_after_a_crash(program: Program) -> None:
    program.agent(steps=[])
    async with program.chat():
        await commit_user_message("kept", "user", *NAMES)
        # Another program that reads the journal sees it while the session is still open.
        stored = await program.events()
    assert [row.event.message.content for row in stored if row.event.kind == "message_added"] == [
        "kept"
    ]


@pytest.mark.requirement("kit:commit:tool-output-once")
async def test_a_second_output_is_refused_and_the_session_goes_on(program: Program) -> None:
    errors: list[ToolOutputError] = []

    async def twice(context: ToolContext) -> None:
        names = (context.client_id, context.agent_name)
        await commit_tool_output(context.tool_id, "first", *names)
        with pytest.raises(ToolOutputError) as caught:
            await commit_tool_output(context.tool_id, "second", *names)
        errors.append(caught.value)

    program.agent(steps=[call_tool("twice"), "ok", "next"], tools=[twice])
    chat: Session
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
        assert await chat.complete("more") == "next"
        assert [m.content for m in chat.history.messages if m.role == "tool"] == ["first"]
    assert [(error.client_id, error.agent_name) for error in errors] == [("client", "seller")]
