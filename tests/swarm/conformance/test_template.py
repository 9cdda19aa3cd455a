"""The templates of tools, beyond what each of them does alone."""

from collections.abc import Callable
from typing import Any

import pytest

from swarm import (
    ToolContext,
    add_agent_navigation,
    add_commit_action,
    add_fetch_info,
    add_tool,
    add_triage_navigation,
    create_commit_action,
    create_fetch_info,
    create_navigate_to_agent,
    create_navigate_to_triage_agent,
    use_catalog,
)
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio

SHAPE: dict[str, Any] = {"name": "x", "description": "Does x."}


def book(params: dict[str, Any], context: ToolContext) -> str:
    """Stand for an action or a look-up."""
    return "table 7"


def never(client_id: str, agent_name: str, tool_name: str) -> bool:
    """Hide the tool."""
    return False


@pytest.mark.requirement("kit:template:actions-all-run")
async def test_two_actions_of_one_answer_both_run(program: Program) -> None:
    done: list[str] = []

    def act(name: str) -> Callable[..., str]:
        def action(params: dict[str, Any], context: ToolContext) -> str:
            done.append(name)
            return f"{name} done"

        return action

    with use_catalog(program.catalog):
        for name in ("pay", "ship"):
            add_commit_action(
                tool_name=name,
                function={"name": name, "description": name},
                execute_action=act(name),
                success_message=f"Say that {name} is done.",
            )
    steps = [call_tools("pay", "ship"), "Paid.", "Shipped."]
    model = program.agent(steps=steps, tools=["pay", "ship"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Shipped."
        outputs = [m.content for m in chat.history.messages if m.role == "tool"]
    assert done == ["pay", "ship"]
    assert outputs == ["pay done", "ship done"]
    assert [tool.name for tool in model.requests[0].tools] == ["pay", "ship"]


DECLARE: dict[str, Callable[[], str]] = {
    "navigation": lambda: add_agent_navigation(
        tool_name="x", description="x", navigate_to="clerk", is_available=never
    ),
    "triage": lambda: add_triage_navigation(tool_name="x", description="x", is_available=never),
    "action": lambda: add_commit_action(
        tool_name="x",
        function=SHAPE,
        execute_action=book,
        success_message="ok",
        is_available=never,
    ),
    "fetch": lambda: add_fetch_info(
        tool_name="x", function=SHAPE, fetch_content=book, is_available=never
    ),
}


@pytest.mark.requirement("kit:template:available")
@pytest.mark.parametrize("template", DECLARE)
async def test_each_template_may_hide_its_tool(program: Program, template: str) -> None:
    with use_catalog(program.catalog):
        assert DECLARE[template]() == "x"
    model = program.agent("seller", ["ok"], tools=["x"])
    program.agent("clerk", [])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert list(model.requests[0].tools) == []


@pytest.mark.requirement("kit:template:handlers")
async def test_the_functions_of_the_templates_are_there_without_them(program: Program) -> None:
    handlers: dict[str, Callable[..., Any]] = {
        "book": create_commit_action(execute_action=book, success_message="Say it."),
        "look": create_fetch_info(fetch_content=book),
        "to_clerk": create_navigate_to_agent("clerk"),
        "to_start": create_navigate_to_triage_agent(),
    }
    with use_catalog(program.catalog):
        for name, call in handlers.items():
            add_tool(tool_name=name, description=name, parameters={"type": "object"}, call=call)
    steps = [call_tool("book"), "Booked.", call_tool("look"), "Seen.", call_tool("to_clerk")]
    seller = program.agent("seller", steps, tools=["book", "look", "to_clerk"])
    program.agent("clerk", ["I am the clerk.", call_tool("to_start")], tools=["to_start"])
    seller_again = seller
    async with program.chat() as chat:
        assert await chat.complete("a") == "Booked."
        assert await chat.complete("b") == "Seen."
        assert await chat.complete("c") == "I am the clerk."
        assert chat.agent_name == "clerk"
    assert output_of(seller_again.requests[1]) == "table 7"
    assert output_of(seller_again.requests[3]) == "table 7"
