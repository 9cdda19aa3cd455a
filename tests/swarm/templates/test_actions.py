"""Tools that act and tools that look up: outputs, messages, failures."""

from typing import Any

import pytest

from swarm import ToolContext, add_commit_action, add_fetch_info, use_catalog
from swarm.testing import call_tool
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio

FUNCTION = {
    "name": "book",
    "description": "Books a table.",
    "parameters": {
        "type": "object",
        "properties": {"seats": {"type": "integer"}},
        "required": ["seats"],
    },
}


def nothing(params: dict[str, Any], context: ToolContext) -> None:
    return None


def seats(params: dict[str, Any], context: ToolContext) -> str:
    return f"{params['seats']} seats."


@pytest.mark.requirement("kit:template:action")
async def test_an_action_is_run_kept_and_told(program: Program) -> None:
    booked: list[Any] = []

    async def book(params: dict[str, Any], context: ToolContext) -> str:
        booked.append((params, context.client_id))
        return "table 7"

    with use_catalog(program.catalog):
        add_commit_action(
            tool_name="book",
            function=FUNCTION,
            execute_action=book,
            success_message="Tell the user that it is booked.",
        )
    model = program.agent(steps=[call_tool("book", seats=4), "Table 7 is yours."], tools=["book"])
    async with program.chat() as chat:
        assert await chat.complete("For four") == "Table 7 is yours."
    assert booked == [({"seats": 4}, "client")]
    assert [(m.role, m.content) for m in model.requests[1].messages][-2:] == [
        ("tool", "table 7"),
        ("user", "Tell the user that it is booked."),
    ]
    assert not program.catalog.tools.get("book").read_only


@pytest.mark.requirement("kit:template:action-empty")
async def test_an_action_without_a_result_says_so(program: Program) -> None:
    with use_catalog(program.catalog):
        add_commit_action(
            tool_name="book",
            function=FUNCTION,
            execute_action=nothing,
            success_message=seats,
        )
    model = program.agent(steps=[call_tool("book", seats=4), "Done."], tools=["book"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Done."
    assert output_of(model.requests[1]) == "Action executed but produced no result"
    assert model.requests[1].messages[-1].content == "4 seats."


@pytest.mark.requirement("kit:template:action-failure")
async def test_an_action_that_raises_is_told_as_a_failure(program: Program) -> None:
    heard: list[Exception] = []

    def hear(error: Exception, context: ToolContext) -> None:
        heard.append(error)

    def book(params: dict[str, Any], context: ToolContext) -> str:
        raise ValueError("full")

    with use_catalog(program.catalog):
        add_commit_action(
            tool_name="book",
            function=FUNCTION,
            execute_action=book,
            success_message="good",
            failure_message="Say sorry.",
            fallback=hear,
        )
    model = program.agent(steps=[call_tool("book", seats=4), "Sorry."], tools=["book"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Sorry."
    assert output_of(model.requests[1]) == "error: ValueError: full"
    assert model.requests[1].messages[-1].content == "Say sorry."
    assert [str(error) for error in heard] == ["full"]


@pytest.mark.requirement("kit:template:action-refused", "kit:schema:tool-validate")
async def test_parameters_may_be_refused_with_a_reason(program: Program) -> None:
    def check(arguments: dict[str, Any], context: ToolContext) -> str | bool:
        return arguments["seats"] < 10 or "at most nine seats"

    with use_catalog(program.catalog):
        add_commit_action(
            tool_name="book",
            function=FUNCTION,
            execute_action=nothing,
            success_message="good",
            validate_params=check,
        )
    steps = [call_tool("book", seats=12), call_tool("book", seats=9), "Booked."]
    model = program.agent(steps=steps, tools=["book"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Booked."
    assert output_of(model.requests[1]) == ("error: the arguments were refused: at most nine seats")


@pytest.mark.requirement("kit:template:fetch", "kit:template:fetch-unavailable")
@pytest.mark.parametrize(
    ("found", "output"),
    [
        ("3 boxes", "3 boxes"),
        ("", "The tool named stock is not available. Do not ever call it again"),
        (ValueError("x"), "The tool named stock is not available. Do not ever call it again"),
    ],
)
async def test_a_look_up(program: Program, found: object, output: str) -> None:
    def fetch(params: dict[str, Any], context: ToolContext) -> object:
        if isinstance(found, Exception):
            raise found
        return found

    with use_catalog(program.catalog):
        add_fetch_info(
            tool_name="stock", function={**FUNCTION, "name": "stock"}, fetch_content=fetch
        )
    model = program.agent(steps=[call_tool("stock", seats=1), "So."], tools=["stock"])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "So."
    assert output_of(model.requests[1]) == output
    assert program.catalog.tools.get("stock").read_only


async def test_a_look_up_may_word_its_empty_result(program: Program) -> None:
    with use_catalog(program.catalog):
        add_fetch_info(
            tool_name="stock",
            function={**FUNCTION, "name": "stock"},
            fetch_content=nothing,
            empty_content=seats,
        )
    model = program.agent(steps=[call_tool("stock", seats=1), "So."], tools=["stock"])
    async with program.chat() as chat:
        await chat.complete("How many?")
    assert output_of(model.requests[1]) == "1 seats."
