"""The facades in real sessions: in tools, in several swarms, by agents that may not."""

from typing import Any

import anyio
import pytest

from swarm import (
    Compute,
    Schema,
    SharedCompute,
    SharedState,
    SharedStorage,
    State,
    Storage,
    ToolContext,
    add_state,
    override_state,
    read_session_memory,
    serialize,
    session,
    use_catalog,
    write_session_memory,
)
from swarm.errors import DeclarationError, InvalidIdError, SessionError, UnknownNameError
from swarm.memory import MemoryNotListedError, NotJsonError
from swarm.testing import call_tool
from tests.swarm.memory.conftest import Declare, giving
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio
SELLER: dict[str, Any] = {"client_id": "client", "agent_name": "seller"}


async def test_tools_keep_a_cart_and_find_goods(program: Program, declare: Declare) -> None:
    """kit:state:tool, kit:storage:tool, kit:compute:tool."""

    async def add_to_cart(context: ToolContext, sku: str, boxes: int) -> Any:
        names: dict[str, Any] = {"client_id": context.client_id, "agent_name": context.agent_name}
        return await State.set("cart", lambda old: {**old, sku: boxes}, **names)

    async def search(context: ToolContext, text: str) -> list[Any]:
        names: dict[str, Any] = {"client_id": context.client_id, "agent_name": context.agent_name}
        return await Storage.take("goods", text, total=1, **names)

    async def total(context: ToolContext) -> Any:
        return await Compute.get("boxes", client_id=context.client_id)

    async def count(client_id: str, compute_name: str) -> int:
        cart: Any = await State.get("cart", client_id=client_id, agent_name="seller")
        return sum(cart.values())

    declare(state_name="cart", default={})
    declare(storage_name="goods", default=[{"id": "A1", "text": "Aspirin against headaches"}])
    declare(compute_name="boxes", get=count, depends_on=["cart"])
    model = program.agent(
        steps=[
            call_tool("search", text="headache"),
            call_tool("add_to_cart", sku="A1", boxes=2),
            call_tool("add_to_cart", sku="B2", boxes=1),
            call_tool("total"),
            "You have 3 boxes.",
        ],
        tools=[add_to_cart, search, total],
        states=["cart"],
        storages=["goods"],
    )
    async with program.chat() as chat:
        assert await chat.complete("Two against a headache") == "You have 3 boxes."
        assert await State.get("cart", **SELLER) == {"A1": 2, "B2": 1}
    assert output_of(model.requests[1]) == '[{"id":"A1","text":"Aspirin against headaches"}]'
    assert output_of(model.requests[3]) == '{"A1":2,"B2":1}'
    assert output_of(model.requests[4]) == "3"
    model.assert_complete()


async def test_two_sessions_of_one_client_in_two_swarms_share_nothing(
    program: Program, declare: Declare
) -> None:
    """kit:state:isolation; in the kit, a client has one state in all swarms."""

    async def remember(context: ToolContext, text: str) -> Any:
        names: dict[str, Any] = {"client_id": context.client_id, "agent_name": context.agent_name}
        before = await State.get("note", **names)
        await State.set("note", text, **names)
        await Storage.upsert("notes", {"id": text}, **names)
        await Compute.get("copy", client_id=context.client_id)
        await SharedState.set("all", lambda old: [*old, text])
        return [before, [item["id"] for item in await Storage.list("notes", **names)]]

    async def copy(client_id: str, compute_name: str) -> Any:
        return await State.get("note", client_id=client_id, agent_name="seller")

    declare(state_name="note")
    declare(state_name="all", default=[], shared=True)
    declare(storage_name="notes")
    declare(compute_name="copy", get=copy, depends_on=["note"])
    steps = [call_tool("remember", text="one"), "a", call_tool("remember", text="two"), "b"]
    model = program.agent(steps=steps, tools=[remember], states=["note"], storages=["notes"])
    program.swarm("first")
    program.swarm("second")
    async with program.host() as host:
        async with session("client", "first", host=host) as chat:
            async with session("client", "second", host=host) as other:
                await chat.complete("x")
                await other.complete("x")
                with pytest.raises(SessionError, match="live in several swarms"):
                    await State.get("note", **SELLER)
            assert await State.get("note", **SELLER) == "one"
            assert await Compute.get("copy", client_id="client") == "one"
        async with session("client", "second", host=host):
            assert await State.get("note", **SELLER) == "two"
            assert await Compute.get("copy", client_id="client") == "two"
        assert await SharedState.get("all") == ["one", "two"]
    assert output_of(model.requests[1]) == '[null,["one"]]'
    assert output_of(model.requests[3]) == '[null,["two"]]'


async def test_many_clients_never_see_each_others_values(
    program: Program, declare: Declare
) -> None:
    declare(state_name="note", default=[])
    declare(storage_name="notes")
    program.agent(states=["note"], storages=["notes"])
    program.swarm()

    async def talk(host: Any, number: int) -> None:
        names: dict[str, Any] = {"client_id": f"client-{number}", "agent_name": "seller"}
        async with session(f"client-{number}", "shop", host=host):
            for step in range(3):
                await State.set("note", lambda old, step=step: [*old, [number, step]], **names)
                await Storage.upsert("notes", {"id": step, "text": f"word{number}"}, **names)
            assert await State.get("note", **names) == [[number, step] for step in range(3)]
            found = await Storage.take("notes", "word1 word2 word3", total=9, score=-1, **names)
            assert {item["text"] for item in found} == {f"word{number}"}

    async with program.host() as host, anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(talk, host, number)


async def test_what_an_agent_does_not_list_is_refused_with_the_nearest_name(
    program: Program, declare: Declare
) -> None:
    """kit:state:undeclared, kit:storage:undeclared."""
    declare(state_name="cart")
    declare(state_name="hidden")
    declare(state_name="everybody", shared=True)
    declare(storage_name="goods")
    declare(storage_name="all_goods", shared=True)
    declare(compute_name="mine", get=giving(1))
    program.agent(states=["cart", "everybody"], storages=["goods"])
    program.agent("other")
    async with program.chat():
        with pytest.raises(MemoryNotListedError) as caught:
            await State.set("carts", 1, **SELLER)
        text = "state 'carts' is not in the agent's states; did you mean 'cart'?"
        assert str(caught.value).startswith(text)
        with pytest.raises(MemoryNotListedError, match="it may use: cart, everybody"):
            await State.get("hidden", **SELLER)
        with pytest.raises(MemoryNotListedError, match="it may use: none"):
            await Storage.list("goods", client_id="client", agent_name="other")
        with pytest.raises(UnknownNameError, match="did you mean 'seller'"):
            await State.clear("cart", client_id="client", agent_name="sellers")
        with pytest.raises(SessionError, match="no live session"):
            await State.get("cart", client_id="nobody", agent_name="seller")
        for client_id in ("", "../up", "x" * 257):
            with pytest.raises(InvalidIdError):
                await State.get("cart", client_id=client_id, agent_name="seller")
            with pytest.raises(InvalidIdError):
                await Compute.get("mine", client_id=client_id)
        for not_shared in (
            SharedState.get("cart"),
            SharedStorage.list("goods"),
            SharedCompute.get("mine"),
        ):
            with pytest.raises(DeclarationError, match="is not shared; use"):
                await not_shared
        with pytest.raises(UnknownNameError, match="did you mean 'everybody'"):
            await SharedState.get("everybodi")
        with pytest.raises(UnknownNameError, match="did you mean 'mine'"):
            await Compute.get("mines", client_id="client")
        await State.set("everybody", 5, **SELLER)
        assert await SharedState.get("everybody") == 5
        await SharedState.clear("everybody")
        assert await State.get("everybody", **SELLER) is None


async def test_every_verb_of_the_facades(program: Program, declare: Declare) -> None:
    declare(state_name="cart", default=0)
    declare(storage_name="goods")
    declare(storage_name="all_goods", shared=True)
    declare(state_name="total", default=1, shared=True)
    numbers = iter(range(10))

    def count(client_id: str, compute_name: str) -> int:
        return next(numbers)

    declare(compute_name="mine", get=count)
    declare(compute_name="ours", get=count, shared=True)
    program.agent(states=["cart"], storages=["goods"])
    async with program.chat():
        assert await State.set("cart", 3, **SELLER) == 3
        await State.clear("cart", **SELLER)
        assert await State.get("cart", **SELLER) == 0
        assert await SharedState.set("total", lambda old: old + 1) == 2
        assert await Storage.create_numeric_index("goods", **SELLER) == 1
        assert await SharedStorage.create_numeric_index("all_goods") == 1
        await Storage.upsert("goods", {"id": 1, "text": "tea"}, **SELLER)
        await SharedStorage.upsert("all_goods", {"id": 1, "text": "coffee"})
        assert await Storage.get("goods", 1, **SELLER) == {"id": 1, "text": "tea"}
        assert await SharedStorage.get("all_goods", 1) == {"id": 1, "text": "coffee"}
        assert len(await Storage.take("goods", "tea", total=1, **SELLER)) == 1
        assert len(await SharedStorage.take("all_goods", "coffee", total=1)) == 1
        assert await Storage.remove("goods", 1, **SELLER)
        assert await SharedStorage.remove("all_goods", 1)
        await Storage.clear("goods", **SELLER)
        await SharedStorage.clear("all_goods")
        assert [await Storage.list("goods", **SELLER), await SharedStorage.list("all_goods")] == [
            [],
            [],
        ]
        assert [await Compute.get("mine", client_id="client") for _ in range(2)] == [0, 0]
        await Compute.update("mine", client_id="client")
        assert await Compute.get("mine", client_id="client") == 1
        assert [await SharedCompute.get("ours") for _ in range(2)] == [2, 2]
        await SharedCompute.update("ours")
        assert await Compute.get("ours", client_id="client") == 3


async def test_a_session_notes_down_what_it_wants_without_a_declaration(program: Program) -> None:
    """kit:schema:session-memory, per client and swarm, durable."""

    async def note_down(context: ToolContext, text: str) -> Any:
        before = await read_session_memory(context.client_id)
        await write_session_memory(context.client_id, {"text": text})
        return [before]

    model = program.agent(steps=[call_tool("note_down", text="tea"), "Noted."], tools=[note_down])
    program.swarm("shop")
    program.swarm("other")
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            assert await chat.complete("Tea") == "Noted."
        async with session("client", "other", host=host):
            assert await read_session_memory("client") is None
    assert output_of(model.requests[1]) == "[null]"
    async with program.host() as host, session("client", "shop", host=host):
        assert await Schema.read_session_memory("client") == {"text": "tea"}

        def add(old: Any) -> Any:
            return {**old, "count": old.get("count", 0) + 1}

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(Schema.write_session_memory, "client", add)
        assert await read_session_memory("client") == {"text": "tea", "count": 5}
        with pytest.raises(NotJsonError, match="session 'memory'"):
            await write_session_memory("client", {1})
        await write_session_memory("client", None)
        assert await read_session_memory("client") is None
        for client_id, error in (("nobody", SessionError), ("../up", InvalidIdError)):
            with pytest.raises(error):
                await read_session_memory(client_id)


def _double(value: int, client_id: str, state_name: str) -> int:
    return value * 2


def test_an_object_becomes_lines_for_a_prompt() -> None:
    """kit:schema:serialize."""
    order: dict[str, Any] = {
        "orderId": 7,
        "unit_price": 4.5,
        "SKU": "A1",
        "isPaid": True,
        "note": "x" * 60,
        "größe-in-cm": None,
        "lines": ["tea\n cup", {"sku": "B2", "boxes": 2}],
        "address": {"zipCode": "0123", "HTTPServer": {"name": "a"}},
        "empty": {},
    }
    assert serialize(order).splitlines() == [
        "Order id: 7",
        "Unit price: 4.5",
        "SKU: A1",
        "Is paid: yes",
        f"Note: {'x' * 47}...",
        "Größe in cm: none",
        "Lines: tea cup, Sku B2 Boxes 2",
        "Address zip code: 0123",
        "Address HTTP server name: a",
    ]
    assert Schema.serialize([{"a": 1}, {"a": 2}]) == "A: 1\n\nA: 2"
    assert serialize({}) == ""


async def test_a_scope_of_ones_own_declarations_is_seen(program: Program, declare: Declare) -> None:
    declare(state_name="cart", default=0, persist=False)
    declare(state_name="total", default=0, shared=True)
    program.agent(states=["cart"])
    program.swarm()
    async with program.host() as host:
        async with session("client", "shop", host=host):
            await State.set("cart", 5, **SELLER)
        with use_catalog(program.catalog.copy()):
            add_state(state_name="extra", default="new", shared=True)
            with override_state("cart", default=7, middlewares=[_double]):
                async with session("client", "shop", host=host):
                    assert await State.get("cart", **SELLER) == 5
                    assert await State.set("cart", 6, **SELLER) == 12
                    await State.clear("cart", **SELLER)
                    assert await State.get("cart", **SELLER) == 7
            assert await SharedState.get("extra") == "new"
        async with session("client", "shop", host=host):
            assert await State.get("cart", **SELLER) == 0
        with pytest.raises(UnknownNameError):
            await SharedState.get("extra")


async def test_shared_things_need_a_host() -> None:
    with pytest.raises(SessionError, match="no host is open"):
        await SharedState.get("total")
