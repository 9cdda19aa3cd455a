"""Tool calls that need a person: asked inside the turn, kept where nobody answers."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio
import pytest

from swarm import (
    ToolContext,
    add_tool,
    commit_tool_output,
    override_tool,
    session,
    use_catalog,
)
from swarm.errors import CallbackError, TurnTimeoutError
from swarm.inbox import Inbox
from swarm.runtime import Session, plan_swarm
from swarm.testing import call_tool
from tests.swarm.inbox.conftest import Elsewhere, wait_for, wait_for_item
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


class Till:
    """Counts what was paid."""

    def __init__(self) -> None:
        self.paid: list[int] = []
        self.is_open = anyio.Event()
        self.is_open.set()

    async def pay(self, euros: int) -> str:
        """Pay something."""
        self.paid.append(euros)
        await self.is_open.wait()
        return f"paid {euros}"


def _shop(program: Program, call: Callable[..., Any], **fields: Any) -> None:
    """Declare a seller that pays 5 euros and says what the tool said."""
    program.tool(call, description="Pays.", **{"needs_approval": True, **fields})

    def model(request: Any) -> Any:
        last = request.messages[-1]
        return output_of(request) if last.role == "tool" else call_tool("pay", euros=5)

    program.agent(model=model, tools=["pay"])
    program.swarm(turn_timeout=30.0)


async def _decide(inbox: Inbox, verb: str, **fields: str) -> None:
    item = await wait_for_item(inbox, status="waiting")
    await getattr(inbox, verb)(item.id, **fields)


@pytest.mark.requirement("kit:tools:approval")
async def test_an_approved_call_runs_in_its_turn(
    program: Program, store: str | None, elsewhere: Elsewhere
) -> None:
    program.store = store
    till = Till()
    _shop(program, till.pay, approval_wait=20.0)
    async with program.chat() as chat, elsewhere() as inbox, anyio.create_task_group() as group:
        group.start_soon(lambda: _decide(inbox, "approve", by="Ann"))
        assert await chat.complete("Pay!") == "paid 5"
        assert till.paid == [5]
        (item,) = await inbox.list()
        assert (item.kind, item.status, item.decided_by) == ("approval", "done", "Ann")
        assert item.payload.text == "Pay!"
        assert item.call_text == 'pay({"euros":5})'
        assert item.payload.description == "Pays."
        assert item.reply is not None
        assert (item.reply.output, item.reply.is_error) == ("paid 5", False)
        assert item.settled_at is not None


async def test_a_refused_call_tells_the_model_why(program: Program) -> None:
    till = Till()
    _shop(program, till.pay, approval_wait=20.0)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: _decide(host.inbox, "reject", reason="too much"))
            refused = "error: a person refused this call: too much"
            assert await chat.complete("Pay!") == refused
        assert till.paid == []
        assert (await host.inbox.list())[0].status == "rejected"


async def test_a_call_that_nobody_decides_waits_and_says_so(
    program: Program, elsewhere: Elsewhere
) -> None:
    till = Till()
    _shop(program, till.pay)
    async with program.chat() as chat, elsewhere() as inbox:
        answer = await chat.complete("Pay!")
        (item,) = await inbox.list()
        assert answer == (
            f"This call waits for a person's approval ({item.id}). Tell the user that it was not"
            " done yet."
        )
        assert (item.status, till.paid) == ("waiting", [])


async def test_the_same_call_is_asked_once(program: Program) -> None:
    till = Till()
    _shop(program, till.pay)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        first = await chat.complete("Pay!")
        assert await chat.complete("Is it paid?") == first
        assert len(await host.inbox.list()) == 1
        async with session("other", "shop", host=host) as other:
            assert await other.complete("Pay!") != first


async def test_a_function_says_which_calls_need_a_person(program: Program) -> None:
    till = Till()
    seen: list[tuple[Mapping[str, Any], str]] = []

    async def is_much(arguments: Mapping[str, Any], context: ToolContext) -> bool:
        seen.append((arguments, context.tool_name))
        return arguments["euros"] > 5

    _shop(program, till.pay, needs_approval=is_much)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        assert await chat.complete("Pay!") == "paid 5"
        assert await host.inbox.list() == []
    assert seen == [({"euros": 5}, "pay")]


class Counter:
    """Pays, where an argument may be left out."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, Any]] = []
        self.paid: list[tuple[int, str]] = []

    def is_much(self, arguments: Mapping[str, Any], context: ToolContext) -> bool:
        self.seen.append(arguments)
        return arguments["euros"] > 5

    def pay(self, currency: str = "EUR", euros: int = 250) -> str:
        """Pay something."""
        self.paid.append((euros, currency))
        return f"paid {euros}"


async def test_arguments_that_a_call_leaves_out_are_decided_by_their_defaults(
    program: Program,
) -> None:
    counter = Counter()
    checked: list[Mapping[str, Any]] = []

    def is_right(arguments: Mapping[str, Any], context: ToolContext) -> bool:
        checked.append(arguments)
        return True

    program.tool(
        counter.pay, needs_approval=counter.is_much, validate_params=is_right, approval_wait=20.0
    )
    program.agent("seller", [call_tool("pay", currency="USD"), "Done."], tools=["pay"])
    program.swarm(turn_timeout=30.0)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: _decide(host.inbox, "approve"))
            assert await chat.complete("Pay!") == "Done."
        assert counter.seen == checked == [{"currency": "USD", "euros": 250}]
        (item,) = await host.inbox.list()
        # The person read what would be paid.
        assert item.call_text == 'pay({"currency":"USD","euros":250})'
    assert counter.paid == [(250, "USD")]


async def test_what_was_agreed_to_runs_later_whatever_the_default_is_then(
    program: Program,
) -> None:
    counter = Counter()
    program.tool(counter.pay, needs_approval=True)
    program.agent("seller", [call_tool("pay"), "It waits.", "It is paid."], tools=["pay"])
    program.swarm()
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            assert await chat.complete("Pay!") == "It waits."
        await host.inbox.approve((await host.inbox.list())[0].id)

    def pay(currency: str = "EUR", euros: int = 9000) -> str:
        return counter.pay(currency, euros)

    with use_catalog(program.catalog), override_tool("pay", call=pay):
        async with program.host() as host, session("client", "shop", host=host):

            async def is_done() -> bool:
                return (await host.inbox.list())[0].settled_at is not None

            await wait_for(is_done)
    assert counter.paid == [(250, "EUR")]


async def test_a_default_that_no_call_may_name_is_left_to_the_function(program: Program) -> None:
    notes: list[object] = []

    def pay(note: str = cast(Any, None)) -> str:
        notes.append(note)
        return "paid"

    program.tool(pay, description="Pays.", needs_approval=True, approval_wait=20.0)
    program.agent("seller", [call_tool("pay"), "Done."], tools=["pay"])
    program.swarm(turn_timeout=30.0)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: _decide(host.inbox, "approve"))
            assert await chat.complete("Pay!") == "Done."
        assert (await host.inbox.list())[0].call_text == "pay({})"
    assert notes == [None]


async def test_a_function_that_raises_is_named_to_the_caller(program: Program) -> None:
    till = Till()

    def is_much(arguments: Mapping[str, Any], context: ToolContext) -> bool:
        raise KeyError("price")

    _shop(program, till.pay, needs_approval=is_much)
    async with program.chat() as chat:
        with pytest.raises(CallbackError, match="is_much") as raised:
            await chat.complete("Pay!")
        assert raised.value.function == "needs_approval 'is_much' of tool 'pay'"
        assert till.paid == []


async def test_wrong_arguments_bother_nobody(program: Program) -> None:
    def pay(euros: int) -> str:
        raise NotImplementedError

    program.tool(pay, needs_approval=True)
    program.agent("seller", [call_tool("pay", euros="five"), "I cannot."], tools=["pay"])
    program.swarm()
    async with program.host() as host, session("client", "shop", host=host) as chat:
        assert await chat.complete("Pay!") == "I cannot."
        assert await host.inbox.list() == []


async def test_a_hand_off_may_need_a_person(program: Program) -> None:
    script = program.agent("seller", [call_tool("to_doctor"), "Not yet."], tools=["to_doctor"])
    program.agent("doctor", [])
    with use_catalog(program.catalog):
        add_tool(tool_name="to_doctor", navigate_to="doctor", needs_approval=True)
    program.swarm()
    async with program.chat() as chat:
        assert await chat.complete("A doctor!") == "Not yet."
        assert chat.agent_name == "seller"
    assert "waits for a person's approval" in output_of(script.requests[-1])


async def test_what_fails_or_commits_itself_is_kept_as_it_was(program: Program) -> None:
    async def pay(euros: int, context: ToolContext) -> None:
        await commit_tool_output(context.tool_id, "on its way", "client", "seller")
        raise OSError("the line broke")

    _shop(program, pay, approval_wait=20.0)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: _decide(host.inbox, "approve"))
            assert await chat.complete("Pay!") == "on its way"
        reply = (await host.inbox.list())[0].reply
        assert reply is not None
        assert (reply.output, reply.is_error) == ("on its way", True)


async def test_a_call_that_is_cut_off_is_of_unknown_outcome(program: Program) -> None:
    till = Till()
    till.is_open = anyio.Event()
    _shop(program, till.pay, approval_wait=20.0)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: chat.complete("Pay!"))
            await _decide(host.inbox, "approve")

            async def is_paying() -> bool:
                return bool(till.paid)

            await wait_for(is_paying)
            group.cancel_scope.cancel()
        (item,) = await host.inbox.list()
        assert (item.status, item.settled_at) == ("unknown", None)
        # A person can look and close it.
        assert (await host.inbox.reject(item.id, reason="it was paid")).status == "rejected"


async def test_a_deadline_while_a_person_is_asked_leaves_the_call_open(program: Program) -> None:
    till = Till()
    program.tool(till.pay, description="Pays.", needs_approval=True, approval_wait=60.0)
    program.agent("seller", [call_tool("pay", euros=5)], tools=["pay"])
    program.swarm(turn_timeout=0.3)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        with pytest.raises(TurnTimeoutError):
            await chat.complete("Pay!")
        assert (await host.inbox.list())[0].status == "waiting"
    assert till.paid == []


async def test_without_an_inbox_nothing_that_needs_a_person_runs(program: Program) -> None:
    till = Till()
    _shop(program, till.pay)
    async with program.host() as host:
        opened = await host.open_session("client", "shop")
        plan = await plan_swarm(program.catalog, "shop", host.completion)
        async with Session("client", plan, opened.journal) as chat:
            assert "there is no inbox to ask a person" in await chat.complete("Pay!")
    assert till.paid == []


async def test_only_programs_that_ask_people_have_a_desk(program: Program) -> None:
    program.agent("seller", ["Hello."])
    program.swarm()
    async with program.host() as host, session("client", "shop", host=host) as chat:
        assert await chat.complete("Hi") == "Hello."
        assert chat.plan.people is None
        assert chat.plan.approvals is None
        tables = await host.database.run(
            lambda connection: {
                row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master")
            }
        )
    assert "inbox" not in tables
