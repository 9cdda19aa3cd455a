"""Navigation tools: who takes over, what is said on the way, and what ends a circle."""

import pytest

from swarm import add_agent_navigation, add_triage_navigation, use_catalog
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio


def handed_on(client_id: str, text: str, last: str, following: str) -> str:
    return f"{last} was asked: {text}"


def calls_back(client_id: str, text: str, last: str, following: str) -> str:
    return f"{following} calls you back."


@pytest.mark.requirement("kit:template:navigation", "kit:template:navigation-output")
async def test_the_next_agent_answers_the_user(program: Program) -> None:
    with use_catalog(program.catalog):
        add_agent_navigation(tool_name="to_clerk", description="Refunds.", navigate_to="clerk")
    seller = program.agent("seller", [call_tool("to_clerk"), "Still me?"], tools=["to_clerk"])
    clerk = program.agent("clerk", ["I refund."])
    async with program.chat() as chat:
        assert await chat.complete("A refund") == "I refund."
        assert chat.agent_name == "clerk"
        (output,) = [m.content for m in chat.history.messages if m.role == "tool"]
    assert output == (
        "Successfully navigated from seller to clerk. "
        "Please do not call the navigate tool to clerk during the next answer"
    )
    assert [m.content for m in clerk.requests[0].messages] == ["A refund"]
    assert seller.requests[0].tools[0].parameters == {"type": "object", "properties": {}}


@pytest.mark.requirement("kit:template:navigation-words")
async def test_all_that_can_be_said_on_the_way(program: Program) -> None:
    heard: list[tuple[object, ...]] = []

    def before(*names: str) -> None:
        heard.append(names)

    with use_catalog(program.catalog):
        add_agent_navigation(
            tool_name="to_clerk",
            description="Refunds.",
            navigate_to="clerk",
            before_navigate=before,
            last_message=handed_on,
            execute_message="Greet the client.",
            tool_output="gone",
        )
    program.agent("seller", [call_tool("to_clerk")], tools=["to_clerk"])
    clerk = program.agent("clerk", ["Hello!"])
    async with program.chat() as chat:
        assert await chat.complete("A refund") == "Hello!"
    assert heard == [("client", "A refund", "seller", "clerk")]
    assert [(m.mode, m.content) for m in clerk.requests[0].messages] == [
        ("user", "A refund"),
        ("tool", "seller was asked: A refund"),
        ("tool", "Greet the client."),
    ]


@pytest.mark.requirement("kit:template:navigation-emit")
async def test_a_text_of_the_program_may_be_the_answer(program: Program) -> None:
    with use_catalog(program.catalog):
        add_agent_navigation(
            tool_name="to_clerk",
            description="Refunds.",
            navigate_to="clerk",
            emit_message=calls_back,
        )
    program.agent("seller", [call_tool("to_clerk")], tools=["to_clerk"])
    program.agent("clerk", [])
    async with program.chat() as chat:
        assert await chat.complete("A refund") == "clerk calls you back."
        assert chat.agent_name == "clerk"


@pytest.mark.requirement("kit:template:navigation-stops")
async def test_later_calls_of_the_same_answer_are_skipped(program: Program) -> None:
    ran: list[str] = []

    async def book() -> str:
        ran.append("book")
        return "booked"

    with use_catalog(program.catalog):
        add_agent_navigation(tool_name="to_clerk", description="Refunds.", navigate_to="clerk")
    program.agent("seller", [call_tools("to_clerk", "book")], tools=["to_clerk", book])
    program.agent("clerk", ["Here."])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Here."
    assert ran == []


@pytest.mark.requirement("kit:template:navigation-circle")
async def test_a_circle_ends_with_a_word_and_a_fresh_start(program: Program) -> None:
    with use_catalog(program.catalog):
        add_agent_navigation(tool_name="to_clerk", description="Refunds.", navigate_to="clerk")
        add_agent_navigation(
            tool_name="to_seller",
            description="Sales.",
            navigate_to="seller",
            flush_message="Please say it in other words.",
        )
    seller = program.agent("seller", [call_tool("to_clerk")], tools=["to_clerk"])
    clerk = program.agent("clerk", [call_tool("to_seller"), "Fresh."], tools=["to_seller"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Please say it in other words."
        assert await chat.complete("again") == "Fresh."
    assert [m.content for m in clerk.requests[-1].messages] == ["again"]
    seller.assert_complete()


@pytest.mark.requirement("kit:template:triage", "kit:template:triage-reject")
async def test_back_to_the_agent_that_starts(program: Program) -> None:
    with use_catalog(program.catalog):
        add_agent_navigation(tool_name="to_clerk", description="Refunds.", navigate_to="clerk")
        add_triage_navigation(tool_name="to_triage", description="Anything else.")
    steps = [call_tool("to_clerk"), call_tool("to_triage"), "Me already."]
    seller = program.agent("seller", steps, tools=["to_clerk", "to_triage"])
    program.agent("clerk", ["Refunded.", call_tool("to_triage")], tools=["to_triage"])
    async with program.chat() as chat:
        await chat.complete("A refund")
        assert chat.agent_name == "clerk"
        assert await chat.complete("Something else") == "Me already."
        assert chat.agent_name == "seller"
    assert output_of(seller.requests[2]) == "Already on seller. Answer the user yourself"


@pytest.mark.requirement("kit:template:navigation-before")
async def test_what_before_navigate_raises_is_told_to_the_model(program: Program) -> None:
    def closed(*names: str) -> None:
        raise ValueError("the clerk is at lunch")

    with use_catalog(program.catalog):
        add_agent_navigation(
            tool_name="to_clerk", description="x", navigate_to="clerk", before_navigate=closed
        )
    seller = program.agent("seller", [call_tool("to_clerk"), "Later."], tools=["to_clerk"])
    program.agent("clerk", [])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Later."
        assert chat.agent_name == "seller"
    output = output_of(seller.requests[1])
    assert "before_navigate" in output
    assert "the clerk is at lunch" in output
