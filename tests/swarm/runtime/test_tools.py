"""Tools: where they run, what their outputs become, when they are given up."""

import asyncio  # noqa: TID251 - what a library of the program would use
import threading
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn

import anyio
import anyio.from_thread
import pytest
from pydantic import BaseModel

from swarm import Message, ToolCall, ToolContext, commit_tool_output, get_last_user_message
from swarm.errors import CallbackError, StopTools, ToolFailed
from swarm.events import MessageAdded, Noted
from swarm.runtime.tools import cut_text, output_text
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio

_NAMES = {"client_id": "+49 30 1234", "agent_name": "seller"}


class Box(BaseModel):
    """A box on a shelf."""

    sku: str
    count: int = 1


@dataclass
class Shelf:
    """A shelf."""

    boxes: list[str]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "done"),
        ("plain", "plain"),
        (7, "7"),
        (2.5, "2.5"),
        (True, "true"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (Box(sku="A"), '{"sku":"A","count":1}'),
        ([Shelf(["A"])], '[{"boxes":["A"]}]'),
        (date(2026, 1, 31), '"2026-01-31"'),
        ({1, 2}, '"{1, 2}"'),
        (2**70, str(2**70)),
        ("\udcff", "?"),
        ("Grüße 🦊", "Grüße 🦊"),
    ],
)
def test_any_value_becomes_text(value: Any, text: str) -> None:
    assert output_text(value) == text


def test_a_long_output_is_cut_and_says_so() -> None:
    text = cut_text("x" * 300_000)
    assert text.startswith("x" * 262_144 + "\n[cut: ")
    assert text.endswith("the output had 300000 characters]")
    assert cut_text("short") == "short"


@pytest.mark.parametrize("way", ["returned", "raised", "committed"])
async def test_no_output_is_stored_longer_than_the_limit(program: Program, way: str) -> None:
    async def flood(context: ToolContext) -> str:
        text = "y" * 1_000_000
        if way == "raised":
            raise RuntimeError(text)
        if way == "committed":
            await commit_tool_output(context.tool_id, text, context.client_id, context.agent_name)
        return text

    model = program.agent(steps=[call_tool("flood"), "wet"], tools=[flood])
    async with program.chat() as chat:
        assert await chat.complete("go") == "wet"
    assert len(output_of(model.requests[1])) < 263_000


async def test_a_plain_function_runs_in_a_thread_and_may_use_the_verbs(program: Program) -> None:
    threads: list[int] = []

    def slow(context: ToolContext) -> str:
        threads.append(threading.get_ident())
        return anyio.from_thread.run(get_last_user_message, context.client_id)

    model = program.agent(steps=[call_tool("slow"), "ok"], tools=[slow])
    async with program.chat() as chat:
        assert await chat.complete("the question") == "ok"
    assert threads[0] != threading.get_ident()
    assert output_of(model.requests[1]) == "the question"


async def test_a_blocking_tool_does_not_hold_up_the_loop(program: Program) -> None:
    is_free = threading.Event()

    def block() -> str:
        return "free" if is_free.wait(5) else "stuck"

    model = program.agent(steps=[call_tool("block"), "ok"], tools=[block])
    async with program.chat() as chat, anyio.create_task_group() as group:
        group.start_soon(chat.complete, "go")
        while not model.requests:
            await anyio.lowlevel.checkpoint()
        is_free.set()
    assert output_of(model.requests[1]) == "free"


@pytest.mark.requirement("kit:schema:tool-abort")
@pytest.mark.parametrize("is_plain", [False, True])
async def test_a_tool_over_its_time_is_given_up(program: Program, is_plain: bool) -> None:
    release = threading.Event()

    async def waits() -> None:
        await anyio.sleep_forever()

    def blocks() -> None:
        release.wait(5)

    tool = blocks if is_plain else waits
    program.tool(tool, timeout=0.05)
    model = program.agent(steps=[call_tool(tool.__name__), "too slow"], tools=[tool.__name__])
    with anyio.fail_after(4):
        async with program.chat() as chat:
            assert await chat.complete("go") == "too slow"
    release.set()
    assert output_of(model.requests[1]) == "error: no output within 0.05 s"


async def test_a_tool_that_fails_on_purpose_says_why_in_its_own_words(program: Program) -> None:
    async def refuse() -> NoReturn:
        raise ToolFailed("the shop is closed")

    model = program.agent(steps=[call_tool("refuse"), "closed"], tools=[refuse])
    async with program.chat() as chat:
        assert await chat.complete("go") == "closed"
    assert output_of(model.requests[1]) == "error: the shop is closed"


class Unspeakable(Exception):
    """An error whose text fails."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (KeyError("sku"), "error: KeyError: 'sku'"),
        (
            CallbackError("look", "no shelf", **_NAMES),
            "error: CallbackError: look failed: no shelf",
        ),
        (Unspeakable(), "error: Unspeakable"),
    ],
    ids=["any", "ours", "unspeakable"],
)
async def test_a_model_reads_the_error_of_a_tool_without_the_clients_id(
    program: Program, error: Exception, output: str
) -> None:
    def stock() -> NoReturn:
        """How many boxes are in stock."""
        raise error

    model = program.agent(steps=[call_tool("stock"), "No idea."], tools=[stock])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "No idea."
    assert output_of(model.requests[1]) == output


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_tool_whose_own_task_was_cancelled_does_not_cancel_the_turn(
    program: Program, is_parallel: bool
) -> None:
    async def wait_for_a_dead_task() -> None:
        task = asyncio.ensure_future(anyio.sleep_forever())
        task.cancel()
        await task

    wish = call_tools("wait_for_a_dead_task", "wait_for_a_dead_task")
    tools = [wait_for_a_dead_task]
    model = program.agent(steps=[wish, "ok"], tools=tools, parallel_tool_calls=is_parallel)
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert output_of(model.requests[1]).startswith("error: CancelledError")


async def test_a_tool_may_stop_the_rest_of_the_round(program: Program) -> None:
    async def last_one() -> NoReturn:
        raise StopTools("sold out")

    async def buy() -> NoReturn:
        raise NotImplementedError

    wish = call_tools("last_one", "buy", "buy")
    model = program.agent(steps=[wish, "too late"], tools=[last_one, buy])
    async with program.chat() as chat:
        assert await chat.complete("go") == "too late"
    outputs = [m.content for m in model.requests[1].messages if m.role == "tool"]
    assert outputs == ["sold out", *["skipped: an earlier tool stopped the round"] * 2]


async def test_arguments_arrive_as_the_annotated_types(program: Program) -> None:
    got: list[object] = []

    async def order(box: Box, day: date, note: str | None = None) -> str:
        got.extend([box, day, note])
        return "ordered"

    program.agent(
        steps=[call_tool("order", box={"sku": "A"}, day="2026-01-31"), "ok"], tools=[order]
    )
    async with program.chat() as chat:
        await chat.complete("go")
    assert got == [Box(sku="A"), date(2026, 1, 31), None]


@pytest.mark.requirement("S4-14")
async def test_a_schema_of_the_programs_own_is_checked_and_offered(program: Program) -> None:
    got: list[dict[str, Any]] = []

    async def find(context: ToolContext, **arguments: Any) -> str:
        got.append({**arguments, "from": dict(context.arguments)})
        return "found"

    shape = {
        "type": "object",
        "properties": {"size": {"type": "string", "enum": ["S", "L"]}},
        "required": ["size"],
        "additionalProperties": False,
    }
    function = {"name": "find_box", "description": "Finds a box.", "parameters": shape}
    program.tool(find, type="function", function=function)
    steps = [call_tool("find_box", size="M"), call_tool("find_box", size="L"), "here"]
    model = program.agent(steps=steps, tools=["find"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "here"
    offered = model.requests[0].tools[0]
    assert (offered.name, offered.description) == ("find_box", "Finds a box.")
    assert offered.parameters == shape
    assert output_of(model.requests[1]) == "error: size: 'M' is not one of ['S', 'L']"
    assert got == [{"size": "L", "from": {"size": "L"}}]


@pytest.mark.requirement("kit:schema:tool-context")
async def test_the_context_tells_the_call_and_whether_more_come(program: Program) -> None:
    seen: list[tuple[str, str, bool]] = []

    async def look(context: ToolContext) -> str:
        seen.append((context.tool_id, context.agent_name, context.is_last))
        return "ok"

    program.agent(steps=[call_tools("look", "look"), "ok"], tools=[look])
    async with program.chat() as chat:
        await chat.complete("go")
    assert seen == [("call-0", "seller", False), ("call-1", "seller", True)]


@pytest.mark.requirement("S4-18")
async def test_a_committed_output_stands_in_place_of_the_return_value(program: Program) -> None:
    async def commits(context: ToolContext) -> str:
        await commit_tool_output(context.tool_id, "mine", context.client_id, context.agent_name)
        return "ignored"

    model = program.agent(steps=[call_tool("commits", "id-1"), "ok"], tools=[commits])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    (output,) = [m for m in model.requests[1].messages if m.role == "tool"]
    assert (output.content, output.tool_call_id) == ("mine", "id-1")


async def test_anything_that_is_committed_becomes_text(program: Program) -> None:
    async def commits(context: ToolContext) -> None:
        value: Any = {"boxes": 3}
        await commit_tool_output(context.tool_id, value, context.client_id, context.agent_name)

    model = program.agent(steps=[call_tool("commits"), "ok"], tools=[commits])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert output_of(model.requests[1]) == '{"boxes":3}'


@pytest.mark.requirement("kit:commit:tool-output-once")
async def test_a_second_output_is_an_error_of_the_tool_and_the_first_one_stays(
    program: Program,
) -> None:
    async def twice(context: ToolContext) -> None:
        for text in ("first", "second"):
            await commit_tool_output(context.tool_id, text, context.client_id, context.agent_name)

    model = program.agent(steps=[call_tool("twice", "id-1"), "ok", "next"], tools=[twice])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
        assert await chat.complete("more") == "next"
    assert [m.content for m in model.requests[-1].messages if m.role == "tool"] == ["first"]
    (late,) = [row.event for row in await program.events() if isinstance(row.event, Noted)]
    assert late.topic == "tool.late_error"
    assert "has its output already" in str(late.data["error"])


async def test_an_output_for_a_call_that_nobody_made_is_refused(program: Program) -> None:
    async def wrong(context: ToolContext) -> None:
        await commit_tool_output("id-2", "x", context.client_id, context.agent_name)

    model = program.agent(steps=[call_tool("wrong", "id-1"), "ok"], tools=[wrong])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    said = output_of(model.requests[1])
    assert said.startswith("error: ToolOutputError: no tool call 'id-2' in this turn; did you mean")


async def test_a_tool_that_never_commits_is_given_up_after_its_time(program: Program) -> None:
    async def forgets(context: ToolContext) -> None:
        return None

    program.tool(forgets, timeout=0.05)
    model = program.agent(steps=[call_tool("forgets"), "sorry"], tools=["forgets"])
    with anyio.fail_after(5):
        async with program.chat() as chat:
            assert await chat.complete("go") == "sorry"
    assert output_of(model.requests[1]) == "error: no output within 0.05 s"


async def test_a_tool_may_leave_the_commit_to_a_task_of_the_program(program: Program) -> None:
    async def later(context: ToolContext) -> None:
        await commit_tool_output(context.tool_id, "late", context.client_id, context.agent_name)

    async with anyio.create_task_group() as group:

        async def leaves(context: ToolContext) -> None:
            group.start_soon(later, context)

        model = program.agent(steps=[call_tool("leaves"), "ok"], tools=[leaves])
        async with program.chat() as chat:
            assert await chat.complete("go") == "ok"
        assert output_of(model.requests[1]) == "late"


async def test_the_time_of_each_tool_is_kept(program: Program) -> None:
    async def quick() -> str:
        return "ok"

    wish = Message(role="assistant", tool_calls=(ToolCall(id="q", name="quick"),))
    program.agent(steps=[wish, "ok"], tools=[quick])
    async with program.chat() as chat:
        await chat.complete("go")
    times = [
        row.event.seconds
        for row in await program.events()
        if isinstance(row.event, MessageAdded) and row.event.message.role == "tool"
    ]
    assert len(times) == 1
    assert times[0] is not None
    assert 0 <= times[0] < 5
