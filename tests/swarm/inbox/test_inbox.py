"""The table of the inbox: posted once, decided once, from any process."""

from collections.abc import AsyncGenerator

import anyio
import anyio.to_thread
import pytest

from swarm.errors import DataError
from swarm.inbox import (
    AlreadyDecidedError,
    Inbox,
    InboxItem,
    Payload,
    UnknownItemError,
    WrongDecisionError,
)
from swarm.inbox.item import InboxKind, NewItem
from swarm.messages import ToolCall
from swarm.store import open_database
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio
KEY = "sk-1234567890"


@pytest.fixture
async def inboxes(program: Program, store: str | None) -> AsyncGenerator[list[Inbox], None]:
    """The same inbox on two connections."""
    databases = [
        await anyio.to_thread.run_sync(open_database, program.home, store) for _ in range(2)
    ]
    yield [Inbox(database, secrets={"OPENAI_API_KEY": KEY}) for database in databases]
    for database in databases:
        database.close()


async def _post(
    inbox: Inbox, key: str, kind: InboxKind = "question", text: str = "Help?", agent: str = "person"
) -> InboxItem:
    call = ToolCall(id="c1", name="pay", arguments='{"euros": 5}') if kind == "approval" else None
    return await inbox.items.post(
        NewItem(
            key=key,
            kind=kind,
            session_id="shop/anna",
            swarm_name="shop",
            client_id="anna",
            agent_name=agent,
            run_id="r1",
            payload=Payload(text=text, call=call),
        )
    )


async def test_an_item_is_posted_once_and_seen_from_elsewhere(inboxes: list[Inbox]) -> None:
    here, there = inboxes
    item = await _post(here, "a", text="\x00 \ud800?".encode(errors="replace").decode())
    assert await _post(there, "a", text="something else") == item
    assert await there.list() == [item]
    assert await there.show(item.id[:6]) == item
    assert (item.status, item.payload.text, item.reply) == ("waiting", "\x00 ??", None)


async def test_two_that_post_the_same_at_once_get_one_item(inboxes: list[Inbox]) -> None:
    found: list[InboxItem] = []

    async def post(inbox: Inbox) -> None:
        found.append(await _post(inbox, "a"))

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(post, inboxes[number % 2])
    assert len(found) == 8
    assert len({item.id for item in found}) == 1


async def test_the_list_is_filtered_and_the_newest_first(inboxes: list[Inbox]) -> None:
    inbox, _ = inboxes
    first = await _post(inbox, "a")
    second = await _post(inbox, "b", "approval")
    third = await _post(inbox, "c", agent="doctor")
    await inbox.reply(first.id, "Yes.")

    async def ids(**filters: object) -> list[str]:
        found = await inbox.list(**filters)  # pyright: ignore[reportArgumentType] - by name
        return [item.id for item in found]

    assert await ids() == [third.id, second.id, first.id]
    assert await ids(limit=1) == [third.id]
    assert await ids(kind="approval") == [second.id]
    assert await ids(status="answered") == [first.id]
    assert await ids(status=("waiting", "unknown")) == [third.id, second.id]
    assert await ids(agent_name="doctor") == [third.id]
    assert await ids(client_id="bert") == await ids(swarm_name="clinic") == []


async def test_a_decision_is_kept_with_who_and_why(inboxes: list[Inbox]) -> None:
    here, there = inboxes
    heard: list[str] = []
    here.on_decision = lambda item: heard.append(item.status)
    call = await _post(here, "a", "approval")
    await here.approve(call.id[:4], by="Ann\n", reason="it is\x00 cheap")
    seen = await there.show(call.id)
    assert (seen.status, seen.decided_by) == ("approved", "Ann")
    assert seen.reply is not None
    assert seen.reply.reason == "it is  cheap"
    assert seen.decided_at is not None
    assert seen.created_at <= seen.decided_at
    assert heard == ["approved"]


async def test_the_first_of_many_decisions_stands(inboxes: list[Inbox]) -> None:
    call = await _post(inboxes[0], "a", "approval")
    won: list[str] = []
    lost: list[AlreadyDecidedError] = []

    async def decide(number: int) -> None:
        inbox = inboxes[number % 2]
        verb = inbox.approve if number % 3 else inbox.reject
        try:
            won.append((await verb(call.id, by=f"person {number}")).status)
        except AlreadyDecidedError as error:
            lost.append(error)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(decide, number)
    assert len(won) == 1
    now = await inboxes[1].show(call.id)
    assert now.status == won[0]
    assert {(error.status, error.decided_by) for error in lost} == {(now.status, now.decided_by)}
    assert str(lost[0]) == f"{call.id} was decided already by {now.decided_by}: {now.status}"
    assert isinstance(lost[0], DataError)


async def test_a_decision_of_the_wrong_kind_changes_nothing(inboxes: list[Inbox]) -> None:
    inbox, _ = inboxes
    question = await _post(inbox, "a")
    call = await _post(inbox, "b", "approval")
    with pytest.raises(WrongDecisionError, match="is a question; reply to it"):
        await inbox.approve(question.id)
    with pytest.raises(WrongDecisionError, match="is a tool call; approve or reject it"):
        await inbox.reply(call.id, "Yes.")
    with pytest.raises(WrongDecisionError, match="not empty"):
        await inbox.reply(question.id, " \n")
    assert [item.status for item in await inbox.list()] == ["waiting", "waiting"]


@pytest.mark.parametrize("item_id", ["", "zz", "%", "_", "x" * 300, "\udcff", "../a"])
async def test_an_item_that_is_not_there_is_named(inboxes: list[Inbox], item_id: str) -> None:
    inbox, _ = inboxes
    await _post(inbox, "a")
    await _post(inbox, "b")
    with pytest.raises(UnknownItemError) as raised:
        await inbox.show(item_id)
    assert "no item begins with" in str(raised.value)
    assert raised.value.item_id == item_id


async def test_keys_are_never_written(inboxes: list[Inbox]) -> None:
    here, there = inboxes
    item = await _post(here, "a", text=f"My key is {KEY}.")
    await here.reply(item.id, f"I see {KEY}.")
    seen = await there.show(item.id)
    assert seen.payload.text == "My key is ${OPENAI_API_KEY}."
    assert seen.reply is not None
    assert seen.reply.text == "I see ${OPENAI_API_KEY}."
