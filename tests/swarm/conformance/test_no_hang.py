"""Nothing hangs: each of these ends with an answer or a typed error, and the session goes on."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import anyio
import pytest
from anyio.abc import TaskGroup

from swarm import (
    CompletionRequest,
    Message,
    Session,
    ToolContext,
    ToolStarted,
    add_agent,
    add_completion,
    change_to_agent,
    commit_tool_output,
    execute,
    session,
    use_catalog,
)
from swarm.errors import SessionError, SwarmError, ToolOutputError, TurnTimeoutError
from swarm.testing import StubReply, StubServer, call_tool
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio

DEADLINE = 10.0
"""Seconds for a whole scenario; each of them takes a fraction of one."""


@asynccontextmanager
async def asked(program: Program) -> AsyncGenerator[tuple[Session, TaskGroup]]:
    """Open a session and a group for what tools leave running; at the end it must still answer."""
    with anyio.fail_after(DEADLINE):
        async with program.chat() as chat, anyio.create_task_group() as group:
            yield chat, group
            assert await chat.complete("Are you there?") == "Still here."
            group.cancel_scope.cancel()


def model_of(*steps: Message | str) -> Callable[[CompletionRequest], Message | str]:
    """Return a model that plays steps, and always answers whether it is there."""
    left = list(steps)

    def model(request: CompletionRequest) -> Message | str:
        if any(m.content == "Are you there?" for m in request.messages):
            return "Still here."
        return left.pop(0)

    return model


@pytest.mark.requirement("kit:turn:deadline")
async def test_a_tool_that_never_commits(program: Program) -> None:
    """It takes the context, so it might still commit: its own time is the limit."""

    async def forgets(context: ToolContext) -> None:
        return None

    program.tool(forgets, timeout=0.1)
    program.agent(model=model_of(call_tool("forgets"), "I got nothing."), tools=["forgets"])
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == "I got nothing."
        (output,) = [m.content for m in chat.history.messages if m.role == "tool"]
        assert output == "error: no output within 0.1 s"


@pytest.mark.requirement("kit:turn:deadline")
async def test_a_tool_that_never_returns_in_a_turn_with_a_deadline(program: Program) -> None:
    async def hangs() -> None:
        await anyio.sleep_forever()

    program.agent(model=model_of(call_tool("hangs")), tools=[hangs])
    program.swarm(turn_timeout=0.2)
    async with asked(program) as (chat, _):
        with pytest.raises(TurnTimeoutError, match=r"no answer within 0\.2 s"):
            await chat.complete("go")


@pytest.mark.requirement("kit:commit:tool-output-once")
async def test_a_tool_that_commits_twice(program: Program) -> None:
    async def twice(context: ToolContext) -> None:
        names = (context.client_id, context.agent_name)
        await commit_tool_output(context.tool_id, "one", *names)
        await commit_tool_output(context.tool_id, "two", *names)

    program.agent(model=model_of(call_tool("twice"), "One."), tools=[twice])
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == "One."
        assert [m.content for m in chat.history.messages if m.role == "tool"] == ["one"]


@pytest.mark.requirement("kit:output:late-dropped")
@pytest.mark.parametrize("has_output", [True, False])
async def test_a_tool_that_commits_from_a_task_after_its_turn(
    program: Program, has_output: bool
) -> None:
    go, over = anyio.Event(), anyio.Event()
    errors: list[SwarmError] = []

    async def late(context: ToolContext) -> None:
        await go.wait()
        try:
            await commit_tool_output(
                context.tool_id, "too late", context.client_id, context.agent_name
            )
        except SwarmError as error:
            errors.append(error)
        over.set()

    groups: list[TaskGroup] = []

    async def leaves(context: ToolContext) -> str | None:
        groups[0].start_soon(late, context)
        return "started" if has_output else None

    program.tool(leaves, timeout=0.1)
    program.agent(model=model_of(call_tool("leaves"), "Started."), tools=["leaves"])
    async with asked(program) as (chat, group):
        groups.append(group)
        assert await chat.complete("go") == "Started."
        before = chat.history.messages
        go.set()
        await over.wait()
        assert chat.history.messages == before
    (error,) = errors
    assert isinstance(error, SessionError | ToolOutputError)


@pytest.mark.requirement("kit:turn:nested-limit")
async def test_execute_inside_a_tool_inside_execute_twenty_deep(program: Program) -> None:
    depth: list[int] = []

    async def dig(context: ToolContext) -> str:
        depth.append(1)
        return await execute("Deeper.", context.client_id, context.agent_name)

    steps = [*[call_tool("dig") for _ in range(20)], "The bottom."]
    program.agent(model=model_of(*steps), tools=[dig], max_tool_calls=100)
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == "The bottom."
    assert len(depth) == 20


@pytest.mark.requirement("kit:turn:nested-limit", "kit:turn:call-budget")
async def test_execute_without_end(program: Program) -> None:
    """A model that calls the same tool for ever, deeper each time."""

    async def dig(context: ToolContext) -> str:
        return await execute("Deeper.", context.client_id, context.agent_name)

    def model(request: CompletionRequest) -> Message | str:
        if any(m.content == "Are you there?" for m in request.messages):
            return "Still here."
        return call_tool("dig")

    program.agent(model=model, tools=[dig], placeholder="Enough.")
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == "Enough."


@pytest.mark.requirement("kit:navigate:last-of-several")
@pytest.mark.parametrize("is_parallel", [False, True])
async def test_two_hand_offs_at_once(program: Program, is_parallel: bool) -> None:
    program.agent(
        "seller",
        model=model_of(call_tools("transfer_to_clerk", "transfer_to_boss")),
        handoffs=["clerk", "boss"],
        parallel_tool_calls=is_parallel,
    )
    for name in ("clerk", "boss"):
        program.agent(name, model=model_of(f"I am the {name}."))
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == f"I am the {chat.agent_name}."
        assert chat.agent_name in ("clerk", "boss")
        outputs = [m.content for m in chat.history.messages if m.role == "tool"]
        assert len(outputs) == 2


@pytest.mark.requirement("kit:navigate:cycle-guard", "kit:navigate:most-handoffs")
async def test_two_agents_that_hand_over_to_each_other_for_ever(program: Program) -> None:
    def always(target: str) -> Callable[[CompletionRequest], Message | str]:
        def model(request: CompletionRequest) -> Message | str:
            if any(m.content == "Are you there?" for m in request.messages):
                return "Still here."
            return call_tool(f"transfer_to_{target}")

        return model

    program.agent("seller", model=always("clerk"), handoffs=["clerk"], placeholder="Enough.")
    program.agent("clerk", model=always("seller"), handoffs=["seller"], placeholder="Enough.")
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == "Enough."
    assert (await program.runs())[-1].is_placeholder


@pytest.mark.requirement("kit:navigate:calls-beside")
@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_hand_off_together_with_other_calls(program: Program, is_parallel: bool) -> None:
    async def stock() -> str:
        return "3 boxes"

    async def moves(context: ToolContext) -> None:
        """Hand over by hand, and leave the output to the runtime."""
        await change_to_agent("clerk", context.client_id)

    wish = call_tools("stock", "moves", "stock", "transfer_to_clerk")
    program.agent(
        "seller",
        model=model_of(wish),
        tools=[stock, moves],
        handoffs=["clerk"],
        parallel_tool_calls=is_parallel,
    )
    program.agent("clerk", model=model_of("I am the clerk."))
    async with asked(program) as (chat, _):
        assert await chat.complete("go") == "I am the clerk."
        outputs = [m for m in chat.history.messages if m.role == "tool"]
        assert len(outputs) == 4, "every call has its output"


@pytest.mark.requirement("kit:talk:leave-stream")
@pytest.mark.parametrize("leave", ["break", "cancel"])
async def test_a_cancelled_stream(program: Program, leave: str) -> None:
    ended = anyio.Event()

    async def slow() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return "never"

    program.agent(model=model_of(call_tool("slow")), tools=[slow])
    async with asked(program) as (chat, _):
        with anyio.CancelScope() as scope:
            async with aclosing(chat.stream("go")) as events:
                async for event in events:
                    assert isinstance(event, ToolStarted)
                    if leave == "break":
                        break
                    scope.cancel()
        assert ended.is_set()
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


@pytest.mark.requirement("kit:output:closed")
async def test_a_client_that_disconnects_in_the_middle_of_its_turn(program: Program) -> None:
    """Its session closes while a tool runs; the one that comes back finds the question."""
    started, ended = anyio.Event(), anyio.Event()

    async def slow() -> str:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return "never"

    outcomes: list[SwarmError] = []
    shown: list[str] = []

    async def ask(chat: Session) -> None:
        try:
            await chat.complete("the question")
        except SwarmError as error:
            outcomes.append(error)

    program.agent(model=model_of(call_tool("slow"), "Welcome back."), tools=[slow])
    program.swarm()
    with anyio.fail_after(DEADLINE):
        async with program.host() as host, anyio.create_task_group() as group:
            async with session("client", "shop", host=host) as chat:
                group.start_soon(ask, chat)
                await started.wait()
            assert ended.is_set()
            async with session("client", "shop", host=host) as again:
                assert await again.complete("hello again") == "Welcome back."
                shown += [m.content for m in again.history.messages]
        assert shown[0] == "the question"
    assert [error.code for error in outcomes] == ["turn_interrupted"]


@pytest.mark.requirement("kit:turn:after-failure")
async def test_a_tool_that_waits_for_itself(program: Program) -> None:
    """Whatever way a tool asks its own session, it gets an error and no deadlock."""
    asks: list[Callable[[], Awaitable[object]]] = []

    async def recurse(context: ToolContext) -> str:
        for ask in asks:
            with pytest.raises(SessionError):
                await ask()
        return "refused"

    program.agent(model=model_of(call_tool("recurse"), "Refused."), tools=[recurse])
    async with asked(program) as (chat, _):
        asks += [lambda: chat.complete("again"), lambda: chat.run_tool_turn("again")]
        assert await chat.complete("go") == "Refused."


async def never(*told: object) -> None:
    """Stand for an observer that waits for something that does not come."""
    await anyio.sleep_forever()


@pytest.mark.requirement("kit:turn:deadline", "kit:schema:observers-guarded")
@pytest.mark.parametrize("name", ["on_execute", "on_user_message"])
async def test_an_observer_that_never_ends_before_the_answer(program: Program, name: str) -> None:
    program.agent(steps=["hidden", "two"], callbacks={name: never})
    program.swarm(turn_timeout=0.2)
    with anyio.fail_after(DEADLINE):
        async with program.chat() as chat:
            with pytest.raises(TurnTimeoutError):
                await chat.complete("go")


@pytest.mark.requirement("kit:turn:deadline", "kit:schema:observers-guarded")
@pytest.mark.parametrize("name", ["on_output", "on_assistant_message"])
async def test_an_observer_that_never_ends_after_the_answer(program: Program, name: str) -> None:
    program.agent(steps=["one"], callbacks={name: never})
    program.swarm(turn_timeout=0.2)
    async with program.chat() as chat:
        with anyio.fail_after(1):
            assert await chat.complete("go") == "one"


@pytest.mark.requirement("kit:turn:deadline", "kit:talk:stream")
@pytest.mark.parametrize(
    "words",
    [
        # One word was read, and 256 wait for the reader: there is no place for the answer.
        pytest.param(257, id="exactly as many as fit"),
        pytest.param(300, id="more than fit"),
    ],
)
async def test_a_reader_of_a_stream_that_reads_no_more(program: Program, words: int) -> None:
    """It neither reads nor leaves; others of the same session must be answered."""
    replies = [StubReply(text=" ".join(["word"] * words)), StubReply(text="Still here.")]
    async with StubServer(lambda request: replies.pop(0)) as server:
        with use_catalog(program.catalog):
            add_completion(
                completion_name="m", model="openai/any", base_url=server.base_url, max_retries=0
            )
            add_agent(agent_name="seller", completion="m")
        program.swarm(turn_timeout=0.5)
        async with program.chat() as chat, aclosing(chat.stream("go")) as events:
            await anext(events)
            with anyio.fail_after(3):
                assert await chat.complete("Are you there?") == "Still here."
