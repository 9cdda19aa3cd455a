"""The completion without a model: it compares words, and says so."""

from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from swarm import (
    Catalog,
    CompletionRequest,
    Host,
    Message,
    ToolCall,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.completion import ToolDefinition
from swarm.completions.offline import OfflineCompletion
from tests.swarm.completions.asking import MODES, OpenModel, ask, request

pytestmark = pytest.mark.anyio


def _tool(
    name: str, description: str = "", examples: tuple[str, ...] = (), **properties: Any
) -> ToolDefinition:
    """Return a tool that must have all its arguments."""
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": properties,
        "required": list[JsonValue](properties),
    }
    return ToolDefinition(name, description, schema, examples)


_STOCK = _tool("stock_level", "How many boxes of a product are in stock.")
_HOURS = _tool("opening_hours", "When the pharmacy is open.", ("Are you there on Sunday?",))
_PRICE = _tool("find_price", "What a product costs.")
_TOOLS = (_STOCK, _HOURS, _PRICE)


async def _call(question: str, *tools: ToolDefinition) -> tuple[str, dict[str, object]] | None:
    """Return the call that a question leads to."""
    message = (await OfflineCompletion().complete(request(question, tools=tools))).message
    if not message.tool_calls:
        assert message.content
        return None
    (call,) = message.tool_calls
    assert message.content == ""
    return call.name, orjson.loads(call.arguments)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How many boxes are left in stock?", "stock_level"),
        ("Is the pharmacy open now?", "opening_hours"),
        ("are you there on SUNDAYS", "opening_hours"),
        ("What does the product cost?", "find_price"),
    ],
)
async def test_the_tool_that_fits_best_is_called(question: str, name: str) -> None:
    assert await _call(question, *_TOOLS) == (name, {})
    assert await _call(question, *reversed(_TOOLS)) == (name, {})


async def test_of_equals_the_first_is_called() -> None:
    twins = [_tool(f"price_{letter}", "The price.") for letter in "xy"]
    assert await _call("The price?", *twins) == ("price_x", {})
    assert await _call("The price?", *reversed(twins)) == ("price_y", {})


@pytest.mark.parametrize("question", ["Xyzzy!", "", "???", "the of and"])
@pytest.mark.parametrize("mode", MODES)
async def test_where_nothing_fits_it_says_so(
    open_model: OpenModel, mode: str, question: str
) -> None:
    answer = await ask(await open_model("offline"), mode, request(question, tools=_TOOLS))
    assert answer.result.model == "offline"
    assert answer.result.message.tool_calls == ()
    assert "without a model" in answer.text
    assert "stock_level, opening_hours, find_price" in answer.text


async def test_without_tools_it_says_so() -> None:
    result = await OfflineCompletion().complete(request("How are you?"))
    assert "I have no tools" in result.message.content
    assert (await OfflineCompletion().complete(CompletionRequest([]))).message.content


_COLOR: JsonValue = {"type": "string", "enum": ["red", "light blue", 7]}
_TEXT: JsonValue = {"type": "string"}


@pytest.mark.parametrize(
    ("question", "schema", "value"),
    [
        ("I ordered paint in Light Blue", _COLOR, "light blue"),
        ("Paint it RED, please", _COLOR, "red"),
        ("Paint number 7", _COLOR, 7),
        ("I ordered paint", _COLOR, None),
        ("Paint 12 walls", {"type": "integer"}, 12),
        ("Paint -3 walls", {"type": "integer"}, -3),
        ("Paint 1.5 walls, 2 times", {"type": "integer"}, 2),
        ("Paint 1.5 walls", {"type": "number"}, 1.5),
        ("Paint walls", {"type": "number"}, None),
        ('Paint the "old barn" now', _TEXT, "old barn"),
        ("Paint the “old barn” now", _TEXT, "old barn"),
        ("Paint the house of Velorin", _TEXT, "Velorin"),
        ("Paint wall b12", _TEXT, "b12"),
        ("Paint walls", _TEXT, None),
        ("Paint walls", {"type": "array"}, None),
        ("Paint walls", {}, None),
    ],
)
async def test_arguments_are_taken_from_the_message(
    question: str, schema: JsonValue, value: object
) -> None:
    expected = None if value is None else ("paint", {"what": value})
    assert await _call(question, _tool("paint", what=schema)) == expected


@pytest.mark.parametrize("name", ["question", "query", "text", "message", "prompt"])
async def test_a_question_is_passed_on_as_it_is(name: str) -> None:
    properties: dict[str, Any] = {name: _TEXT}
    tool = _tool("ask_wiki", "Knows the products.", (), **properties)
    question = "Which products do you have?"
    assert await _call(question, tool) == ("ask_wiki", {name: question})


async def test_a_tool_that_cannot_be_filled_in_gives_way_to_the_next() -> None:
    exact = _tool("paint_walls", "Paint walls.", count={"type": "integer"})
    assert await _call("Paint walls", exact, _tool("paint")) == ("paint", {})


async def test_optional_arguments_are_left_out() -> None:
    schema: dict[str, JsonValue] = {"type": "object", "properties": {"what": _TEXT}}
    assert await _call("Paint Velorin", ToolDefinition("paint", "", schema)) == ("paint", {})
    assert await _call("Paint Velorin", ToolDefinition("paint", "", {})) == ("paint", {})


def _traffic(*outputs: str) -> list[Message]:
    calls = tuple(ToolCall(id=f"{n}", name="stock_level") for n in range(len(outputs)))
    return [
        Message(role="assistant", tool_calls=calls),
        *(Message(role="tool", content=o, tool_call_id=f"{n}") for n, o in enumerate(outputs)),
    ]


_QUESTION = Message(role="user", content="How many boxes are in stock?")
_FROM_TOOL = Message(role="user", content="Answer by the tool's output.", mode="tool")


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([_QUESTION, *_traffic("3")], "3"),
        ([_QUESTION, *_traffic("3", "4")], "3\n4"),
        ([_QUESTION, *_traffic("3"), *_traffic("4")], "4"),
        ([_QUESTION, *_traffic("3"), _FROM_TOOL], "3"),
    ],
)
async def test_outputs_are_relayed(messages: list[Message], text: str) -> None:
    result = await OfflineCompletion().complete(request(*messages, tools=_TOOLS))
    assert (result.message.content, result.message.tool_calls) == (text, ())


@pytest.mark.parametrize("output", ["", " \n"])
async def test_an_empty_output_is_no_reason_to_ask_again(output: str) -> None:
    question = request(_QUESTION, *_traffic(output), tools=_TOOLS)
    message = (await OfflineCompletion().complete(question)).message
    assert message.tool_calls == ()
    assert "gave no output" in message.content


async def test_an_old_output_does_not_answer_a_new_question() -> None:
    messages = [_QUESTION, *_traffic("3"), Message(role="assistant", content="3"), _QUESTION]
    message = (await OfflineCompletion().complete(request(*messages, tools=_TOOLS))).message
    assert [call.name for call in message.tool_calls] == ["stock_level"]


async def test_what_became_of_a_call_that_a_person_agreed_to_is_relayed(host: Host) -> None:
    with use_catalog(host.catalog):
        add_completion(completion_name="m", model="offline")
        add_tool(
            tool_name="refund",
            description="Give money back.",
            call=lambda: "5 euros are on their way",
            needs_approval=True,
        )
        add_agent(agent_name="seller", completion="m", tools=["refund"])
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    async with host:
        async with session("client", "shop", host=host) as chat:
            assert "waits for a person" in await chat.complete("I want my money back")
            (item,) = await host.inbox.list(status="waiting")
        await host.inbox.approve(item.id)
        async with session("client", "shop", host=host) as chat:
            await chat.complete("Hello?")
            told = [m.content for m in chat.history.messages if m.role == "assistant"]
    assert any(
        text.endswith("was approved and ran. Its output: 5 euros are on their way") for text in told
    )


async def test_a_whole_session_runs_without_a_model(open_model: OpenModel, host: Host) -> None:
    asked: list[str] = []

    def stock_level(sku: str) -> str:
        """How many boxes of a product are in stock."""
        asked.append(sku)
        return "" if sku == "EMPTY1" else f"{sku}: 3 boxes"

    with use_catalog(Catalog()) as catalog:
        add_tool(stock_level)
        add_completion(completion_name="model", model="offline")
        add_agent(agent_name="seller", completion="model", tools=["stock_level"], handoffs=["help"])
        add_agent(agent_name="help", completion="model", handoffs=["seller"])
        add_swarm(swarm_name="shop", agent_list=["seller", "help"], default_agent="seller")
    async with (
        Host(catalog=catalog, home=host.home, environment={}),
        session("client", "shop") as chat,
    ):
        assert await chat.complete("How many boxes of A1 are in stock?") == "A1: 3 boxes"
        assert "gave no output" in await chat.complete("And how many boxes of EMPTY1?")
        assert asked == ["A1", "EMPTY1"]
        assert "without a model" in await chat.complete("Xyzzy!")
        # Each agent's hand-off to the other fits these words: it must end all the same.
        events = [e async for e in chat.stream("Hand the conversation over to help seller")]
        assert "error" not in getattr(events[-1], "text", "error")
        assert len(events) < 20
