"""Tools that are there at times only, or are described anew for each model call."""

from collections.abc import Callable

import pytest

from swarm import ToolFunction, get_tool_name_for_model
from swarm.errors import UnknownNameError
from swarm.testing import call_tool
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


async def stock() -> str:
    """How many boxes are in stock."""
    return "3 boxes"


@pytest.mark.requirement("kit:tools:available")
async def test_a_tool_that_is_not_there_now_is_not_offered(program: Program) -> None:
    is_open = [False, True, True]

    def available(client_id: str, agent_name: str, tool_name: str) -> bool:
        assert (client_id, agent_name, tool_name) == ("client", "seller", "stock")
        return is_open.pop(0)

    program.tool(stock, is_available=available, description="Stock.")
    steps = [call_tool("stock"), call_tool("stock"), "3."]
    model = program.agent(steps=steps, tools=["stock"])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
    assert [[tool.name for tool in r.tools] for r in model.requests] == [[], ["stock"], ["stock"]]
    assert output_of(model.requests[1]).startswith("error: there is no tool named 'stock'")
    assert output_of(model.requests[2]) == "3 boxes"


@pytest.mark.requirement("kit:tools:dynamic", "kit:read:tool-name")
async def test_a_tool_is_described_anew(program: Program) -> None:
    def describe(client_id: str, agent_name: str) -> dict[str, object]:
        return {
            "name": "stock_today",
            "description": f"Stock for {client_id}.",
            "parameters": {"type": "object", "properties": {"sku": {"type": "string"}}},
        }

    async def look(sku: str = "") -> str:
        return f"3 of {sku}"

    program.tool(look, get_function=describe, description="x")
    steps = [call_tool("stock_today", sku=5), call_tool("stock_today", sku="A"), "3."]
    model = program.agent(steps=steps, tools=["look"])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
        assert await get_tool_name_for_model("look", "client", "seller") == "stock_today"
        with pytest.raises(UnknownNameError, match="did you mean 'look'"):
            await get_tool_name_for_model("looks", "client", "seller")
    (tool,) = model.requests[0].tools
    assert (tool.name, tool.description) == ("stock_today", "Stock for client.")
    assert "sku: 5 is not of type 'string'" in output_of(model.requests[1])
    assert output_of(model.requests[2]) == "3 of A"


async def test_a_description_whose_schema_is_none_hides_its_tool(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    def describe(client_id: str, agent_name: str) -> dict[str, object]:
        properties = {"sku": {"type": "txt"}}
        return {"parameters": {"type": "object", "properties": properties}}

    program.tool(stock, get_function=describe, description="Stock.")
    model = program.agent(steps=["No idea."], tools=["stock"])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "No idea."
    assert list(model.requests[0].tools) == []
    assert "properties.sku.type: not a JSON Schema: 'txt' is not valid" in caplog.text


@pytest.mark.requirement("kit:tools:failing-hides")
@pytest.mark.parametrize("field", ["is_available", "get_function"])
async def test_a_function_that_fails_hides_its_tool_and_is_logged(
    program: Program, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*names: str) -> object:
        raise ValueError("no database")

    fields: dict[str, Callable[..., object]] = {field: broken}
    program.tool(stock, description="Stock.", **fields)
    model = program.agent(steps=["No idea."], tools=["stock"])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "No idea."
    assert list(model.requests[0].tools) == []
    said = f"{field} 'broken' of tool 'stock' failed: ValueError: no database; the tool is hidden"
    assert said in caplog.text


async def test_of_two_tools_with_one_name_the_first_is_offered(program: Program) -> None:
    def same(client_id: str, agent_name: str) -> ToolFunction:
        return ToolFunction(name="stock", description="The second.")

    async def other() -> str:
        return "other"

    program.tool(stock, description="The first.")
    program.tool(other, get_function=same, description="x")
    model = program.agent(steps=[call_tool("stock"), "3."], tools=["stock", "other"])
    async with program.chat() as chat:
        await chat.complete("How many?")
    assert [tool.description for tool in model.requests[0].tools] == ["The first."]
    assert output_of(model.requests[1]) == "3 boxes"


@pytest.mark.requirement("kit:tools:order")
async def test_hand_offs_are_offered_first(program: Program) -> None:
    program.tool(stock)
    model = program.agent("seller", ["x"], tools=["stock"], handoffs=["clerk"])
    program.agent("clerk", [])
    async with program.chat() as chat:
        await chat.complete("hi")
    assert [tool.name for tool in model.requests[0].tools] == ["transfer_to_clerk", "stock"]
