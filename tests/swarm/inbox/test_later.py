"""Calls that run after their turn: once, told to the agent, or of unknown outcome.

They need sessions that can begin a turn with a tool's message, `Session.run_tool_turn`.
"""

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import (
    Host,
    Session,
    ToolContext,
    add_agent,
    add_swarm,
    add_tool,
    commit_tool_output,
    current_host,
    dispose_connection,
    execute,
    session,
    use_catalog,
)
from swarm.inbox import Inbox, InboxItem
from swarm.runtime.verbs import emit
from swarm.testing import call_tool
from tests.swarm.inbox.children import office, open_and_report, paid
from tests.swarm.inbox.conftest import Elsewhere, wait_for, wait_for_item
from tests.swarm.program import Program
from tests.swarm.store.children import start

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not hasattr(Session, "run_tool_turn"), reason="needs Session.run_tool_turn"),
]


async def _settled(inbox: Inbox) -> InboxItem:
    """Return the newest item once nothing is left to do for it."""

    async def is_settled() -> bool:
        return (await inbox.list())[0].settled_at is not None

    await wait_for(is_settled)
    return (await inbox.list())[0]


def _said(chat: Session) -> list[str]:
    return [message.content for message in chat.history.messages if message.content]


@pytest.mark.requirement("kit:tools:approval")
async def test_a_parked_call_runs_in_the_live_session(
    program: Program, store: str | None, elsewhere: Elsewhere
) -> None:
    program.store = store
    shop = office(program.home, store)
    pushed: list[tuple[str, str]] = []

    async def connector(text: str, agent_name: str) -> None:
        pushed.append((text, agent_name))

    async with shop.chat() as chat, elsewhere() as inbox:
        chat.connector = connector
        await chat.complete("Pay!")
        item = await wait_for_item(inbox)
        await inbox.approve(item.id, by="Ann")
        done = await _settled(inbox)
        told = (
            f'The call pay({{"euros":5}}) that waited for approval ({item.id}) was approved and'
            " ran. Its output: paid 5"
        )
        assert paid(program.home) == ["5"]
        assert done.status == "done"
        assert done.reply is not None
        assert done.reply.output == "paid 5"
        assert _said(chat)[-2:] == [told, f"heard: {told}"]
        assert chat.history.messages[-2].mode == "tool"
        assert pushed == [(f"heard: {told}", "seller")]
    assert (await shop.runs())[0].answer == f"heard: {told}"


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_a_decision_waits_for_the_next_opening(
    program: Program, elsewhere: Elsewhere, verb: str
) -> None:
    shop = office(program.home)
    async with shop.chat() as chat:
        await chat.complete("Pay!")
    async with elsewhere() as inbox:
        item = await wait_for_item(inbox)
        await getattr(inbox, verb)(item.id, reason="checked")
    counts: list[int] = []
    for _ in range(2):
        async with shop.chat() as chat:
            last = _said(chat)[-1]
            counts.append(len(chat.history.messages))
            if verb == "approve":
                assert last.endswith("Its output: paid 5")
            else:
                assert last.endswith("was refused by a person and did not run: checked")
    assert counts[0] == counts[1]
    assert paid(program.home) == (["5"] if verb == "approve" else [])


async def test_it_runs_before_the_next_message_is_answered(
    program: Program, elsewhere: Elsewhere
) -> None:
    shop = office(program.home)
    async with shop.chat() as chat:
        await chat.complete("Pay!")
    async with elsewhere() as inbox:
        await inbox.approve((await wait_for_item(inbox)).id)
    async with shop.chat() as chat:
        await chat.complete("Is it paid?")
        said = _said(chat)
    outputs = [text for text in said if text.endswith("Its output: paid 5")]
    assert said.index(outputs[0]) < said.index("Is it paid?")


async def test_a_running_turn_ends_first(program: Program) -> None:
    entered, leave = anyio.Event(), anyio.Event()
    seen: list[str] = []

    async def slow() -> str:
        entered.set()
        await leave.wait()
        seen.append("slow")
        return "slow"

    def pay(euros: int) -> str:
        seen.append("pay")
        return "paid"

    def model(request: Any) -> Any:
        last = request.messages[-1]
        if last.role == "user" and last.mode == "user":
            return call_tool("pay", euros=5) if last.content == "Pay!" else call_tool("slow")
        return "ok"

    program.tool(pay, description="Pays.", needs_approval=True)
    program.agent(model=model, tools=["pay", slow])
    program.swarm()
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("Pay!")
        async with anyio.create_task_group() as group:
            group.start_soon(chat.complete, "Slowly!")
            await entered.wait()
            await host.inbox.approve((await host.inbox.list())[0].id)
            await anyio.wait_all_tasks_blocked()
            assert seen == []
            leave.set()
        await _settled(host.inbox)
        assert seen == ["slow", "pay"]


@pytest.mark.parametrize("place", ["before", "after", "answer"])
async def test_a_call_never_runs_twice_after_a_kill(
    program: Program, store: str | None, elsewhere: Elsewhere, place: str
) -> None:
    program.store = store
    home = program.home
    shop = office(home, store)
    async with shop.chat() as chat:
        await chat.complete("Pay!")
    async with elsewhere() as inbox:
        item = await wait_for_item(inbox)
        await inbox.approve(item.id)
    process, pipe = start(open_and_report, str(home), store, place)
    try:
        assert pipe.poll(20)
        assert pipe.recv() == place
    finally:
        process.kill()
        process.join()
    ran = [] if place == "before" else ["5"]
    said = ""
    for _ in range(2):
        async with shop.chat() as chat:
            said = "\n".join(_said(chat))
        assert paid(home) == ran
    async with elsewhere() as inbox:
        now = await inbox.show(item.id)
        if place == "answer":
            # The output was kept before the agent was told, and it was told once.
            assert now.status == "done"
            assert now.settled_at is not None
            assert said.count("Its output: paid 5") == 1
            assert said.endswith("[This message got no answer: turn interrupted]")
            return
        assert (now.status, now.settled_at) == ("unknown", None)
        assert "Its output" not in said
        await inbox.reject(item.id, reason="it is paid")
    async with shop.chat() as chat:
        assert "may have had an effect. A person says: it is paid" in _said(chat)[-1]
    assert paid(home) == ran


async def test_a_call_of_unknown_outcome_runs_again_when_a_person_says_so(
    program: Program, elsewhere: Elsewhere
) -> None:
    home = program.home
    shop = office(home)
    async with shop.chat() as chat:
        await chat.complete("Pay!")
    async with elsewhere() as inbox:
        item = await wait_for_item(inbox)
        await inbox.approve(item.id)
        process, pipe = start(open_and_report, str(home), None, "before")
        assert pipe.poll(20)
        assert pipe.recv() == "before"
        process.kill()
        process.join()
        async with shop.chat():
            assert (await inbox.show(item.id)).status == "unknown"
        await inbox.approve(item.id)
        async with shop.chat() as chat:
            assert _said(chat)[-1].endswith("Its output: paid 5")
    assert paid(home) == ["5"]


async def test_many_processes_that_open_the_session_run_it_once(
    program: Program, store: str | None, elsewhere: Elsewhere
) -> None:
    program.store = store
    home = program.home
    async with office(home, store).chat() as chat:
        await chat.complete("Pay!")
    async with elsewhere() as inbox:
        await inbox.approve((await wait_for_item(inbox)).id)
    children = [start(open_and_report, str(home), store, "") for _ in range(3)]
    histories = [_received(pipe) for _, pipe in children]
    for process, _ in children:
        process.join()
    # Some may find the session open elsewhere; at least one opens it.
    assert any(histories)
    assert paid(home) == ["5"]


def _received(pipe: Connection) -> list[str] | None:
    try:
        return pipe.recv() if pipe.poll(20) else None
    except EOFError:
        return None


def _kit_shop(program: Program, call: Callable[..., Any], **fields: Any) -> None:
    """Declare a seller whose tool uses the verbs instead of returning something."""

    def model(request: Any) -> Any:
        last = request.messages[-1]
        if last.role == "user" and last.mode == "user":
            return call_tool("pay")
        return f"heard: {last.content}"

    program.tool(call, description="Pays.", needs_approval=True, **fields)
    program.agent(model=model, tools=["pay"])
    program.swarm()


async def test_the_verbs_of_a_tool_work_after_its_turn(program: Program) -> None:
    async def pay(context: ToolContext) -> None:
        names = (context.client_id, context.agent_name)
        await commit_tool_output(context.tool_id, "paid", *names)
        assert await execute("Tell the user about the receipt.", *names) == ""
        await emit("Thank you.", *names)

    _kit_shop(program, pay)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("Pay!")
        await host.inbox.approve((await host.inbox.list())[0].id)
        done = await _settled(host.inbox)
        assert done.reply is not None
        assert done.reply.output == "paid\nTell the user about the receipt.\nThank you."
        assert _said(chat)[-1].endswith(f"Its output: {done.reply.output}")


async def test_a_tool_that_fails_later_tells_the_agent(program: Program) -> None:
    def pay() -> str:
        raise OSError("the line broke")

    _kit_shop(program, pay)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("Pay!")
        await host.inbox.approve((await host.inbox.list())[0].id)
        done = await _settled(host.inbox)
        assert done.status == "done"
        assert done.reply is not None
        assert done.reply.is_error
        assert _said(chat)[-1].endswith("Its output: error: OSError: the line broke")


async def test_a_call_that_fits_no_more_expires(program: Program, elsewhere: Elsewhere) -> None:
    shop = office(program.home)
    async with shop.chat() as chat:
        await chat.complete("Pay!")
    async with elsewhere() as inbox:
        await inbox.approve((await wait_for_item(inbox)).id)

    def pay(dollars: int) -> str:
        raise NotImplementedError

    changed = Program(program.home)
    _kit_shop(changed, pay)
    async with changed.chat() as chat:
        assert "cannot run any more: its arguments no longer fit" in _said(chat)[-1]
    async with elsewhere() as inbox:
        assert (await inbox.list())[0].status == "expired"
    assert paid(program.home) == []


async def test_a_model_that_fails_afterwards_loses_no_output(program: Program) -> None:
    def pay() -> str:
        return "paid"

    def model(request: Any) -> Any:
        last = request.messages[-1]
        if last.role == "user" and last.mode == "user":
            return call_tool("pay")
        if last.role == "user":
            raise RuntimeError("the model is down")
        return "ok"

    program.tool(pay, description="Pays.", needs_approval=True)
    program.agent(model=model, tools=["pay"])
    program.swarm()
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("Pay!")
        await host.inbox.approve((await host.inbox.list())[0].id)
        assert (await _settled(host.inbox)).status == "done"
        assert any(text.endswith("Its output: paid") for text in _said(chat))


async def test_a_hand_off_that_was_parked_happens_later(program: Program) -> None:
    program.agent("seller", [call_tool("to_doctor"), "Please wait."], tools=["to_doctor"])
    with use_catalog(program.catalog):
        add_tool(tool_name="to_doctor", navigate_to="doctor", needs_approval=True)
        add_agent(agent_name="doctor", operator=True)
        add_swarm(swarm_name="shop", agent_list=["seller", "doctor"], default_agent="seller")
    async with program.host() as host, session("client", "shop", host=host) as chat:
        assert await chat.complete("A doctor!") == "Please wait."
        await host.inbox.approve((await host.inbox.list())[0].id)
        asked = await wait_for_item(host.inbox, kind="question")
        assert chat.agent_name == "doctor"
        assert asked.payload.text.endswith("Its output: Handed over to doctor.")
        await host.inbox.reply(asked.id, "I am the doctor.")
        await _settled(host.inbox)
        assert _said(chat)[-1] == "I am the doctor."


async def test_a_closing_session_lets_the_call_end(program: Program, tmp_path: Path) -> None:
    entered = anyio.Event()

    async def pay() -> str:
        entered.set()
        await anyio.sleep(0.3)
        (tmp_path / "paid").write_text("5", encoding="utf-8")
        return "paid"

    _kit_shop(program, pay)
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            await chat.complete("Pay!")
            item = await host.inbox.approve((await host.inbox.list())[0].id)
            await entered.wait()
        assert (tmp_path / "paid").exists()
        assert (await host.inbox.show(item.id)).status == "done"


async def test_a_closing_session_waits_for_no_person(program: Program) -> None:
    program.agent("seller", [call_tool("to_doctor"), "Please wait."], tools=["to_doctor"])
    with use_catalog(program.catalog):
        add_tool(tool_name="to_doctor", navigate_to="doctor", needs_approval=True)
        add_agent(agent_name="doctor", operator=True)
        add_swarm(swarm_name="shop", agent_list=["seller", "doctor"], default_agent="seller")
    async with program.host() as host:
        with anyio.fail_after(5):
            async with session("client", "shop", host=host) as chat:
                await chat.complete("A doctor!")
                await host.inbox.approve((await host.inbox.list())[0].id)
                asked = await wait_for_item(host.inbox, kind="question")
        await host.inbox.reply(asked.id, "I am the doctor.")
        async with session("client", "shop", host=host) as chat:
            assert _said(chat)[-1] == "I am the doctor."


async def test_a_call_that_runs_later_finds_what_its_session_had(program: Program) -> None:
    found: list[Host | None] = []

    def pay() -> str:
        found.append(current_host())
        return "paid"

    _kit_shop(program, pay)
    async with program.host() as host, session("client", "shop", host=host) as chat:
        await chat.complete("Pay!")
        await host.inbox.approve((await host.inbox.list())[0].id)
        await _settled(host.inbox)
        assert found == [host]


async def test_a_session_that_was_closed_from_outside_does_not_stop_the_next_one_from_listening(
    program: Program,
) -> None:
    shop = office(program.home)
    is_open, may_leave, has_left = anyio.Event(), anyio.Event(), anyio.Event()

    async def hold() -> None:
        async with session("client", "shop", host=host):
            is_open.set()
            await may_leave.wait()
        has_left.set()

    async with shop.host() as host, anyio.create_task_group() as group:
        group.start_soon(hold)
        await is_open.wait()
        await dispose_connection("client", "shop")
        async with session("client", "shop", host=host) as chat:
            may_leave.set()
            await has_left.wait()
            await chat.complete("Pay!")
            item = await wait_for_item(host.inbox)
            await host.inbox.approve(item.id)
            assert (await _settled(host.inbox)).status == "done"
            assert paid(program.home) == ["5"]
