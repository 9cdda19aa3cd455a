"""Navigation: hand-offs in and between turns, ways back, guards, and a program's own store."""

import re

import pytest

from declarative.describe import describe
from swarm import (
    ToolContext,
    change_to_agent,
    change_to_default_agent,
    change_to_prev_agent,
    validate,
)
from swarm.errors import CallbackError, NavigationError, ValidationError
from swarm.testing import call_tool
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


async def to_clerk(context: ToolContext) -> str:
    """Hand over to the clerk."""
    assert await change_to_agent("clerk", context.client_id)
    return "gone"


async def to_seller(context: ToolContext) -> str:
    """Hand over to the seller."""
    assert await change_to_agent("seller", context.client_id)
    return "gone"


@pytest.mark.requirement("kit:navigate:change")
async def test_the_agent_of_a_turn_and_of_the_next_message(program: Program) -> None:
    program.agent("seller", [call_tool("to_clerk"), "I sell."], tools=[to_clerk])
    program.agent("clerk", ["I refund."])
    async with program.chat() as chat:
        assert await chat.complete("A refund") == "I refund."
        assert await change_to_agent("seller", "client")
        assert await chat.complete("A box") == "I sell."
        with pytest.raises(NavigationError, match="active already"):
            await change_to_agent("seller", "client")


@pytest.mark.requirement("kit:navigate:outside-swarm")
async def test_an_agent_of_another_swarm_is_outside(program: Program) -> None:
    program.agent("seller", ["ok"])
    program.swarm("shop")
    program.agent("sellers", [])
    async with program.chat() as chat:
        with pytest.raises(NavigationError) as caught:
            await change_to_agent("sellers", "client")
        assert "'sellers' is not in swarm 'shop'; did you mean 'seller'?" in str(caught.value)
        assert await chat.complete("hi") == "ok"


@pytest.mark.requirement("kit:navigate:default", "kit:navigate:previous")
async def test_back_one_by_one_and_back_to_the_start(program: Program) -> None:
    for name in ("seller", "clerk", "boss"):
        program.agent(name, [])
    async with program.chat() as chat:
        assert not await change_to_default_agent("client")
        assert not await change_to_prev_agent("client")
        await change_to_agent("clerk", "client")
        await change_to_agent("boss", "client")
        assert await change_to_prev_agent("client")
        assert chat.agent_name == "clerk"
        assert await change_to_prev_agent("client")
        assert chat.agent_name == "seller"
        await change_to_agent("boss", "client")
        assert await change_to_default_agent("client")
        assert chat.agent_name == "seller"


@pytest.mark.requirement("kit:navigate:cycle-guard")
async def test_a_circle_is_cut_after_some_visits_and_the_model_told(program: Program) -> None:
    program.agent("seller", [call_tool("to_clerk")] * 3, tools=[to_clerk])
    steps = [*[call_tool("to_seller")] * 3, "I stay."]
    clerk = program.agent("clerk", steps, tools=[to_seller])
    program.swarm(max_revisits=2)
    async with program.chat() as chat:
        assert await chat.complete("go") == "I stay."
    assert output_of(clerk.requests[-1]).startswith(
        "error: agent 'seller' had this turn 3 times already; answer now"
    )


@pytest.mark.requirement("kit:navigate:previous")
async def test_the_way_back_is_open_where_the_guard_says_no(program: Program) -> None:
    async def back(context: ToolContext) -> str:
        assert await change_to_prev_agent(context.client_id)
        return "back"

    program.agent("seller", [call_tool("to_clerk"), "Here again."], tools=[to_clerk])
    steps = [call_tool("to_seller"), call_tool("back")]
    clerk = program.agent("clerk", steps, tools=[to_seller, back])
    program.swarm(max_revisits=0)
    async with program.chat() as chat:
        assert await chat.complete("go") == "Here again."
    assert "had this turn 1 times already" in output_of(clerk.requests[1])


@pytest.mark.requirement("kit:navigate:stack-bounded")
async def test_the_way_back_has_an_end_and_survives_a_restart(program: Program) -> None:
    program.agent("seller", [])
    program.agent("clerk", [])
    async with program.chat() as chat:
        for number in range(130):
            await change_to_agent("seller" if number % 2 else "clerk", "client")
        assert len(chat.stack) == 100
    async with program.chat() as chat:
        assert len(chat.stack) == 100
        assert chat.stack[-2:] == ("seller", "clerk")


@pytest.mark.requirement("kit:navigate:own-store")
async def test_a_program_may_keep_who_is_active(program: Program) -> None:
    kept: dict[str, object] = {"agent": None, "stack": []}

    def read_agent(client_id: str, swarm_name: str) -> object:
        return kept["agent"]

    def write_agent(client_id: str, agent_name: str, swarm_name: str) -> None:
        kept["agent"] = agent_name

    async def read_stack(client_id: str, swarm_name: str) -> object:
        return kept["stack"]

    async def write_stack(client_id: str, agent_names: list[str], swarm_name: str) -> None:
        kept["stack"] = agent_names

    program.agent("seller", [])
    program.agent("clerk", [])
    program.swarm(
        get_active_agent=read_agent,
        set_active_agent=write_agent,
        get_navigation_stack=read_stack,
        set_navigation_stack=write_stack,
    )
    async with program.chat():
        await change_to_agent("clerk", "client")
    assert kept == {"agent": "clerk", "stack": ["seller"]}
    kept["agent"] = "seller"
    async with program.chat() as chat:
        assert (chat.agent_name, chat.stack) == ("seller", ("seller",))
    kept["agent"] = "nobody"
    async with program.chat() as chat:
        assert chat.agent_name in ("seller", "clerk"), "an agent that is gone is not active"


@pytest.mark.requirement("kit:navigate:own-store")
async def test_a_store_that_fails_is_named_and_the_agent_stays(program: Program) -> None:
    def broken(*names: object) -> None:
        raise OSError("no disk")

    program.agent("seller", ["ok"])
    program.agent("clerk", [])
    program.swarm(set_active_agent=broken)
    async with program.chat() as chat:
        with pytest.raises(CallbackError, match=r"set_active_agent \(.*broken\) failed"):
            await change_to_agent("clerk", "client")
        assert chat.agent_name == "seller"
        assert await chat.complete("hi") == "ok"


@pytest.mark.requirement("kit:navigate:depends-on")
async def test_depends_on_forbids_no_hand_off(program: Program) -> None:
    program.agent("seller", [call_tool("to_clerk")], tools=[to_clerk], depends_on=["boss"])
    program.agent("clerk", ["Here."])
    program.agent("boss", [])
    async with program.chat() as chat:
        assert await chat.complete("go") == "Here."


@pytest.mark.requirement("kit:navigate:depends-on")
def test_depends_on_is_in_the_documentation(program: Program) -> None:
    program.agent("seller", [], depends_on=["clerk"])
    program.agent("clerk", [])
    graph = describe(program.catalog, "mermaid")
    assert re.search(r"-\.->\|hands over by a tool\|", graph), "a dashed line"
    assert "Its tools hand over to**: [`clerk`](#agent-clerk)" in describe(program.catalog)


@pytest.mark.requirement("kit:navigate:depends-on")
def test_depends_on_names_agents_that_exist(program: Program) -> None:
    program.agent("seller", [], depends_on=["clark"])
    program.agent("clerk", [])
    with pytest.raises(ValidationError, match="did you mean 'clerk'"):
        validate(program.catalog)
