"""Reads: histories, last messages, and where a conversation stands."""

import anyio
import pytest

from swarm import (
    CompletionRequest,
    SessionContext,
    ToolContext,
    change_to_agent,
    commit_flush,
    commit_system_message,
    commit_user_message,
    execute,
    get_agent_history,
    get_agent_name,
    get_assistant_history,
    get_check_busy,
    get_last_assistant_message,
    get_last_system_message,
    get_last_tool_message,
    get_last_user_message,
    get_navigation_route,
    get_payload,
    get_raw_history,
    get_session_context,
    get_session_mode,
    get_user_history,
    has_navigation,
    has_session,
)
from swarm.errors import SessionError, UnknownNameError
from swarm.testing import call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


async def stock() -> str:
    """How many boxes are in stock."""
    return "3 boxes"


@pytest.mark.requirement("kit:read:agent-history", "kit:read:raw-history")
@pytest.mark.requirement("kit:read:user-history", "kit:read:assistant-history")
async def test_four_histories_of_one_conversation(program: Program) -> None:
    steps = [call_tool("stock"), "Three.", "Bye."]
    program.agent("seller", steps, tools=[stock], prompt="You sell.")
    program.agent("clerk", [], prompt="You refund.")
    names = ("client", "seller")
    async with program.chat() as chat:
        await commit_user_message("hidden later", "user", *names)
        await commit_flush(*names)
        await chat.complete("How many?")
        await commit_user_message("The shop closes.", "tool", *names)
        await chat.complete("Thanks")
        agent = await get_agent_history(*names)
        clerk = await get_agent_history("client", "clerk")
        raw = await get_raw_history("client")
        user = await get_user_history("client")
        assistant = await get_assistant_history("client")
        with pytest.raises(UnknownNameError, match="did you mean 'clerk'"):
            await get_agent_history("client", "clark")
    assert [(m.role, m.content) for m in agent] == [
        ("system", "You sell."),
        ("user", "How many?"),
        ("assistant", ""),
        ("tool", "3 boxes"),
        ("assistant", "Three."),
        ("user", "The shop closes."),
        ("user", "Thanks"),
        ("assistant", "Bye."),
    ]
    assert [m.content for m in clerk] == [
        "You refund.", "How many?", "Three.", "The shop closes.", "Thanks", "Bye.",
    ]  # fmt: skip
    assert [m.content for m in raw] == ["hidden later", *[m.content for m in agent[1:]]]
    assert [m.content for m in user] == ["hidden later", "How many?", "Thanks"]
    assert [m.content for m in assistant] == ["Three.", "Bye."]


@pytest.mark.requirement("kit:read:last-messages", "kit:read:last-user")
async def test_the_newest_message_of_each_role(program: Program) -> None:
    program.agent(steps=[call_tool("stock"), "Three."], tools=[stock])
    reads = (
        get_last_user_message,
        get_last_assistant_message,
        get_last_tool_message,
        get_last_system_message,
    )
    async with program.chat() as chat:
        assert [await read("client") for read in reads] == [""] * 4
        await chat.complete("How many?")
        await commit_system_message("Be brief.", "client", "seller")
        found = [await read("client") for read in reads]
    assert found == ["How many?", "Three.", "3 boxes", "Be brief."]


@pytest.mark.requirement("kit:read:agent-name", "kit:read:has-session", "kit:read:session-mode")
@pytest.mark.requirement("kit:read:session-context", "kit:read:busy")
async def test_where_a_conversation_stands(program: Program) -> None:
    started, go = anyio.Event(), anyio.Event()

    async def model(request: CompletionRequest) -> str:
        started.set()
        await go.wait()
        return "ok"

    program.agent("seller", model=model)
    program.agent("clerk", [])
    assert not has_session("client")
    async with program.chat() as chat:
        assert has_session("client")
        assert await get_session_mode("client") == "session"
        assert not await get_check_busy("client")
        idle = await get_session_context("client")
        assert idle == SessionContext("client", "shop", "seller", "session", None)
        async with anyio.create_task_group() as group:
            group.start_soon(chat.complete, "hi")
            await started.wait()
            assert await get_check_busy("client")
            assert (await get_session_context("client")).run_id is not None
            go.set()
        assert not await get_check_busy("client")
        await change_to_agent("clerk", "client")
        assert await get_agent_name("client") == "clerk"
    assert not has_session("client")


@pytest.mark.requirement("kit:read:payload", "kit:schema:payload", "kit:misc:context")
async def test_a_payload_is_for_the_code_of_its_turn_and_for_no_model(program: Program) -> None:
    read: list[object] = []

    async def looks(context: ToolContext) -> str:
        read.append(get_payload())

        async def child() -> None:
            read.append(get_payload())

        async with anyio.create_task_group() as group:
            group.start_soon(child)
        return "ok"

    model = program.agent(steps=[call_tool("looks"), "ok", call_tool("looks"), "ok"], tools=[looks])
    async with program.chat() as chat:
        await chat.complete("hi", payload={"secret": 4711})
        await chat.complete("hi")
        (message, _) = await get_user_history("client")
        assert message.payload == {"secret": 4711}
        with pytest.raises(SessionError, match="this code belongs to no turn"):
            get_payload()
    assert read == [{"secret": 4711}] * 2 + [None] * 2
    assert not any("4711" in m.content for r in model.requests for m in r.messages)


@pytest.mark.requirement("kit:read:route")
async def test_who_had_the_running_turn(program: Program) -> None:
    read: list[object] = []

    async def moves(context: ToolContext) -> None:
        read.append(await get_navigation_route(context.client_id))
        await change_to_agent("clerk", context.client_id)
        read.append(await get_navigation_route(context.client_id))
        read.append([await has_navigation(context.client_id, n) for n in ("seller", "boss")])

    program.agent("seller", [call_tool("moves")], tools=[moves])
    program.agent("clerk", ["Here."])
    async with program.chat() as chat:
        await chat.complete("go")
        assert await get_navigation_route("client") == []
    assert read == [["seller"], ["seller", "clerk"], [True, False]]


@pytest.mark.requirement("kit:read:last-user")
async def test_a_message_of_the_program_is_not_the_users(program: Program) -> None:
    program.agent(steps=["one", "two"])
    async with program.chat() as chat:
        await chat.complete("by the user")
        await execute("by the program", "client", "seller")
        assert await get_last_user_message("client") == "by the user"


@pytest.mark.requirement("kit:read:no-session")
async def test_every_read_of_a_stranger_is_a_typed_error(program: Program) -> None:
    program.agent()
    async with program.chat():
        for read in (
            get_agent_name,
            get_raw_history,
            get_user_history,
            get_assistant_history,
            get_last_user_message,
            get_last_assistant_message,
            get_last_system_message,
            get_last_tool_message,
            get_session_mode,
            get_session_context,
            get_check_busy,
            get_navigation_route,
        ):
            with pytest.raises(SessionError, match="client 'nobody' has no live session"):
                await read("nobody")
