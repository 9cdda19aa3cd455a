"""The tool calls of one answer: run, counted, and explained where they are bad."""

from typing import Any, NoReturn

import anyio
import pytest

from swarm import Message, ToolCall
from swarm.errors import MissingExtraError
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio


async def stock_level(sku: str, shelf: int = 1) -> int:
    """How many boxes are in stock."""
    return len(sku) * 10 + shelf


async def price(sku: str) -> str:
    """The price of a box."""
    return f"{sku}: 2.50"


@pytest.mark.requirement("kit:turn:calls-parallel")
async def test_parallel_calls_run_at_the_same_time(program: Program) -> None:
    both = anyio.Event()
    waiting: list[str] = []

    async def meet(name: str) -> None:
        waiting.append(name)
        if len(waiting) == 2:
            both.set()
        await both.wait()

    async def left() -> str:
        await meet("left")
        return "l"

    async def right() -> str:
        await meet("right")
        return "r"

    wish = call_tools("left", "right")
    program.agent(steps=[wish, "met"], tools=[left, right], parallel_tool_calls=True)
    with anyio.fail_after(5):
        async with program.chat() as chat:
            assert await chat.complete("go") == "met"


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_missing_extra_in_a_tool_fails_the_turn_by_its_own_class(
    program: Program, is_parallel: bool
) -> None:
    async def needs() -> NoReturn:
        raise MissingExtraError("chromadb", "chroma")

    wish = call_tools("needs", "price")
    program.agent(steps=[wish, "fine"], tools=[needs, price], parallel_tool_calls=is_parallel)
    async with program.chat() as chat:
        with pytest.raises(MissingExtraError, match=r"wikiswarm\[chroma\]"):
            await chat.complete("go")
        assert await chat.complete("again") == "fine"


@pytest.mark.requirement("kit:rescue:tool-raises")
async def test_the_model_reads_what_a_tool_raised(program: Program) -> None:
    async def breaks() -> NoReturn:
        raise KeyError("sku")

    model = program.agent(steps=[call_tool("breaks"), "It broke."], tools=[breaks])
    async with program.chat() as chat:
        assert await chat.complete("go") == "It broke."
    assert output_of(model.requests[1]) == "error: KeyError: 'sku'"
    outputs = [row.event for row in await program.events() if getattr(row.event, "is_error", False)]
    assert len(outputs) == 1


@pytest.mark.requirement("kit:turn:call-budget")
async def test_the_budget_of_calls_is_for_the_turn(program: Program) -> None:
    ran: list[int] = []

    async def count() -> str:
        ran.append(1)
        return "ok"

    steps = [call_tools(*["count"] * 3), call_tools("count", "count"), "enough", "next"]
    model = program.agent(steps=steps, tools=[count], max_tool_calls=4)
    async with program.chat() as chat:
        assert await chat.complete("go") == "enough"
        assert len(ran) == 4
        limit = "error: the limit of 4 tool calls in one turn is reached; answer now"
        assert output_of(model.requests[2]) == limit
        assert await chat.complete("more") == "next"


async def test_an_answer_with_more_calls_than_the_window_keeps_the_question(
    program: Program,
) -> None:
    model = program.agent(steps=[call_tools(*["price"] * 500), "enough", "next"], tools=[price])
    async with program.chat() as chat:
        assert await chat.complete("the question") == "enough"
        messages = model.requests[1].messages
        assert messages[0].content == "the question"
        assert len(messages[1].tool_calls) == 500
        assert sum(m.role == "tool" for m in messages) == 500
        assert await chat.complete("and now?") == "next"


REPAIRS: list[tuple[str, Message | str, str]] = [
    (
        "unknown tool",
        call_tool("stock_levl", sku="A"),
        "there is no tool named 'stock_levl'; did you mean 'stock_level'?",
    ),
    (
        "nothing like it",
        call_tool("zzz"),
        "there is no tool named 'zzz'; tools: stock_level, price",
    ),
    (
        "broken JSON",
        call_tools(ToolCall(id="x", name="price", arguments='{"sku": ')),
        "not valid JSON",
    ),
    (
        "wrong type",
        call_tool("stock_level", sku="A", shelf="top"),
        "shelf: Input should be a valid integer",
    ),
    ("missing", call_tool("price"), "sku: Field required"),
    (
        "further",
        call_tool("price", sku="A", colour="red"),
        "colour: Extra inputs are not permitted",
    ),
    (
        "a list",
        call_tools(ToolCall(id="x", name="price", arguments="[1]")),
        "must be a JSON object",
    ),
    (
        "a number",
        call_tools(ToolCall(id="x", name="price", arguments="7")),
        "must be a JSON object",
    ),
    (
        "a word",
        call_tools(ToolCall(id="x", name="price", arguments='"A1"')),
        "the arguments are a string, not a JSON object",
    ),
    (
        "too deep",
        call_tools(ToolCall(id="x", name="price", arguments="[" * 5000)),
        "not valid JSON",
    ),
]


@pytest.mark.requirement("kit:rescue:repair", "kit:rescue:unknown-tool", "kit:tools:schema-checked")
@pytest.mark.parametrize(
    ("wish", "reason"), [row[1:] for row in REPAIRS], ids=[r[0] for r in REPAIRS]
)
async def test_a_bad_call_is_explained_and_the_model_gets_another_try(
    program: Program, wish: Message, reason: str
) -> None:
    steps = [wish, call_tool("price", sku="A"), "2.50", "later"]
    model = program.agent(steps=steps, tools=[stock_level, price])
    async with program.chat() as chat:
        assert await chat.complete("How much?") == "2.50"
        assert output_of(model.requests[1]).startswith("error: ")
        assert reason in output_of(model.requests[1])
        assert output_of(model.requests[2]) == "A: 2.50"
        assert await chat.complete("And?") == "later"
    last = model.requests[-1].messages
    assert [m.content for m in last if m.role == "user"] == ["How much?", "And?"]


@pytest.mark.parametrize(
    "arguments", ['"{\\"sku\\": \\"A\\"}"', '{"sku": "A"}', ' {"sku": "A", "shelf": "1"} ']
)
async def test_arguments_that_are_nearly_right_are_understood(
    program: Program, arguments: str
) -> None:
    wish = call_tools(ToolCall(id="x", name="stock_level", arguments=arguments))
    model = program.agent(steps=[wish, "ok"], tools=[stock_level])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert output_of(model.requests[1]) == "11"


@pytest.mark.parametrize("arguments", ["", "null", "{}"])
async def test_no_arguments_in_every_spelling(program: Program, arguments: str) -> None:
    async def now() -> str:
        return "noon"

    wish = call_tools(ToolCall(id="x", name="now", arguments=arguments))
    model = program.agent(steps=[wish, "ok"], tools=[now])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert output_of(model.requests[1]) == "noon"


@pytest.mark.parametrize("target", ["#/$defs/nowhere", "http://example.com/schema.json"])
async def test_arguments_that_no_check_can_read_are_the_models_to_repair(
    program: Program, target: str
) -> None:
    """A schema refers to nothing, or to an address, which is never fetched."""

    async def look(**arguments: Any) -> str:
        raise NotImplementedError

    shape = {"type": "object", "properties": {"x": {"$ref": target}}}
    program.tool(look, parameters=shape)
    model = program.agent(steps=[call_tool("look", x=1), "sorry"], tools=["look"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "sorry"
    said = output_of(model.requests[1])
    assert said.startswith("error: the arguments cannot be checked: ")
    assert ("nowhere" in said) != ("Unresolvable: http://example.com" in said)


@pytest.mark.requirement("kit:rescue:empty")
async def test_an_empty_answer_is_asked_again_without_a_trace(program: Program) -> None:
    model = program.agent(steps=["", "  \n", "here", "next"])
    async with program.chat() as chat:
        assert await chat.complete("hello") == "here"
        assert model.requests[1].messages[-1].content.startswith("Your last answer was empty.")
        assert await chat.complete("more") == "next"
    assert [m.content for m in model.requests[-1].messages] == ["hello", "here", "more"]


@pytest.mark.requirement("kit:rescue:bounded")
async def test_the_placeholder_comes_when_the_repairs_are_used_up(program: Program) -> None:
    steps = [call_tool("nothing_like_it")] * 3 + ["fine"]
    model = program.agent(steps=steps, tools=[price], max_repairs=2, placeholder="Ask again.")
    async with program.chat() as chat:
        assert await chat.complete("one") == "Ask again."
        assert await chat.complete("two") == "fine"
    assert [m.content for m in model.requests[-1].messages if m.role == "user"] == ["one", "two"]
    good, bad = await program.runs()
    assert (good.is_placeholder, bad.is_placeholder) == (False, True)
    assert bad.status == "answered"
    model.assert_complete()


@pytest.mark.requirement("kit:turn:call-ids")
@pytest.mark.parametrize("ids", [("", ""), ("same", "same"), ("", "x")])
async def test_missing_and_repeated_call_ids_are_made_unique(
    program: Program, ids: tuple[str, str]
) -> None:
    def wish() -> Message:
        calls = [
            ToolCall(id=tool_id, name="price", arguments=f'{{"sku": "{sku}"}}')
            for tool_id, sku in zip(ids, "AB", strict=True)
        ]
        return call_tools(*calls)

    model = program.agent(steps=[wish(), wish(), "ok", wish(), "ok"], tools=[price])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
        assert await chat.complete("again") == "ok"
    messages = model.requests[2].messages
    called = [call.id for m in messages for call in m.tool_calls]
    assert len(set(called)) == 4
    assert all(called)
    paired = [(m.tool_call_id, m.content) for m in messages if m.role == "tool"]
    assert paired == list(zip(called, ["A: 2.50", "B: 2.50"] * 2, strict=True))
