"""Hand-offs: who answers, who sees what, and which hand-offs may not happen."""

import pytest

from swarm import Answered, HandedOff, ToolContext, add_tool, change_to_agent, use_catalog
from swarm.testing import call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio


async def secret_stock() -> str:
    """What only the seller may look up."""
    return "42 boxes"


@pytest.mark.requirement("kit:navigate:survives-restart")
async def test_the_new_agent_answers_and_stays_active_after_a_restart(program: Program) -> None:
    seller = program.agent("seller", [call_tool("transfer_to_clerk")], handoffs=["clerk"])
    clerk = program.agent("clerk", ["I am the clerk.", "Still me."], prompt="You refund.")
    async with program.chat() as chat:
        events = [event async for event in chat.stream("A refund, please")]
    assert HandedOff("seller", "clerk") in events
    answered = events[-1]
    assert isinstance(answered, Answered)
    assert (answered.text, answered.agent_name) == ("I am the clerk.", "clerk")
    assert [m.content for m in clerk.requests[0].messages] == ["You refund.", "A refund, please"]
    offered = seller.requests[0].tools[0]
    assert offered.name == "transfer_to_clerk"
    assert offered.description == "Hand the conversation over to clerk."
    async with program.chat() as chat:
        assert chat.agent_name == "clerk"
        assert await chat.complete("And?") == "Still me."
    assert (await program.runs())[1].agent_name == "clerk"


async def test_a_declared_tool_may_be_the_hand_off(program: Program) -> None:
    with use_catalog(program.catalog):
        add_tool(tool_name="to_clerk", description="For refunds.", navigate_to="clerk")
    seller = program.agent("seller", [call_tool("to_clerk")], tools=["to_clerk"])
    program.agent("clerk", ["Here."])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Here."
    assert seller.requests[0].tools[0].description == "For refunds."


@pytest.mark.requirement("kit:navigate:old-traffic-hidden", "kit:history:own-tools-only")
async def test_other_agents_tool_traffic_is_hidden_but_their_words_are_not(
    program: Program,
) -> None:
    steps = [call_tool("secret_stock"), "Anything else?", call_tool("transfer_to_clerk")]
    program.agent("seller", steps, tools=[secret_stock], handoffs=["clerk"])
    clerk = program.agent("clerk", ["Refunded."])
    async with program.chat() as chat:
        await chat.complete("How many?")
        assert await chat.complete("A refund") == "Refunded."
    assert [(m.role, m.content) for m in clerk.requests[0].messages] == [
        ("user", "How many?"),
        ("assistant", "Anything else?"),
        ("user", "A refund"),
    ]


async def test_a_tool_of_another_agent_is_denied_by_name(program: Program) -> None:
    program.agent(
        "seller", [call_tool("transfer_to_clerk")], tools=[secret_stock], handoffs=["clerk"]
    )
    clerk = program.agent("clerk", [call_tool("secret_stock"), "I cannot."])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "I cannot."
    assert (
        output_of(clerk.requests[1]) == "error: there is no tool named 'secret_stock'; tools: none"
    )


@pytest.mark.requirement("kit:navigate:last-of-several")
async def test_of_two_hand_offs_in_one_answer_the_last_one_counts(program: Program) -> None:
    wish = call_tools("transfer_to_clerk", "transfer_to_boss")
    seller = program.agent("seller", [wish], handoffs=["clerk", "boss"])
    program.agent("clerk", [])
    boss = program.agent("boss", ["The boss."])
    async with program.chat() as chat:
        assert await chat.complete("go") == "The boss."
        outputs = [m.content for m in chat.history.messages if m.role == "tool"]
    assert outputs == ["Handed over to clerk.", "Handed over to boss."]
    seller.assert_complete()
    boss.assert_complete()


@pytest.mark.requirement("kit:navigate:calls-beside")
async def test_calls_beside_a_hand_off_still_run_and_keep_their_outputs(program: Program) -> None:
    wish = call_tools("secret_stock", "transfer_to_clerk", "secret_stock")
    program.agent("seller", [wish, "Back."], tools=[secret_stock], handoffs=["clerk"])
    program.agent("clerk", [call_tool("transfer_to_seller")], handoffs=["seller"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Back."
        outputs = [(m.agent_name, m.content) for m in chat.history.messages if m.role == "tool"]
    assert outputs == [
        ("seller", "42 boxes"),
        ("seller", "Handed over to clerk."),
        ("seller", "42 boxes"),
        ("clerk", "Handed over to seller."),
    ]


@pytest.mark.requirement("kit:navigate:most-handoffs")
async def test_ping_pong_ends_at_the_limit_with_an_answer(program: Program) -> None:
    seller = program.agent("seller", [call_tool("transfer_to_clerk")] * 9, handoffs=["clerk"])
    clerk = program.agent("clerk", [call_tool("transfer_to_seller")] * 9, handoffs=["seller"])
    program.swarm(max_handoffs=4)
    async with program.chat() as chat:
        text = await chat.complete("go")
        assert text == "Sorry, I could not find an answer. Please ask me again."
    assert output_of(seller.requests[-1]) == "error: more than 4 hand-offs in one turn"
    assert len(seller.requests) + len(clerk.requests) == 4 + 3
    (run,) = await program.runs()
    assert run.is_placeholder


@pytest.mark.requirement("kit:navigate:outside-swarm")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("seller", "agent 'seller' is active already"),
        ("clark", "agent 'clark' is not in swarm 'shop'; did you mean 'clerk'?"),
    ],
)
async def test_a_hand_off_to_itself_or_to_nobody_is_refused(
    program: Program, target: str, reason: str
) -> None:
    async def move(context: ToolContext) -> None:
        await change_to_agent(target, context.client_id)

    seller = program.agent("seller", [call_tool("move"), "I stay."], tools=[move])
    program.agent("clerk", [])
    async with program.chat() as chat:
        assert await chat.complete("go") == "I stay."
        assert chat.agent_name == "seller"
    assert reason in output_of(seller.requests[1])


async def test_an_unknown_transfer_is_a_call_to_repair(program: Program) -> None:
    seller = program.agent("seller", [call_tool("transfer_to_boss"), "I stay."], handoffs=["clerk"])
    program.agent("clerk", [])
    async with program.chat() as chat:
        assert await chat.complete("go") == "I stay."
    assert "did you mean 'transfer_to_clerk'?" in output_of(seller.requests[1])


async def test_the_old_agent_finds_its_own_traffic_again(program: Program) -> None:
    seller = program.agent(
        "seller",
        [call_tool("secret_stock"), "42.", call_tool("transfer_to_clerk"), "Back."],
        tools=[secret_stock],
        handoffs=["clerk"],
    )
    program.agent("clerk", ["Refunded.", call_tool("transfer_to_seller")], handoffs=["seller"])
    async with program.chat() as chat:
        for text in ("How many?", "A refund", "Boxes again"):
            await chat.complete(text)
    shown = seller.requests[-1].messages
    outputs = [m.content for m in shown if m.role == "tool"]
    assert outputs == ["42 boxes", "Handed over to clerk."]
    assert [m.content for m in shown if m.role == "user"] == [
        "How many?",
        "A refund",
        "Boxes again",
    ]
