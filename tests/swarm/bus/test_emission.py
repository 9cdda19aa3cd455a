"""Which action makes which event: one row for each type of each bus."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

import swarm
from swarm import BusEvent, Host, Session, ToolCall, session, use_catalog
from swarm.bus import EVENT_TYPES
from swarm.errors import ProviderDownError
from tests.swarm.program import Program, call_tools

pytestmark = pytest.mark.anyio

Action = Callable[["Stage"], Awaitable[Any]]


class Told:
    """Takes every event at once, in the order they are published."""

    def __init__(self) -> None:
        self.events: list[BusEvent] = []

    def offer(self, event: BusEvent) -> None:
        """Keep an event; see `swarm.bus.bus.Receiver`."""
        self.events.append(event)

    def of(self, bus: str, kind: str) -> list[BusEvent]:
        """Return those of a bus and a type."""
        return [event for event in self.events if (event.bus, event.type) == (bus, kind)]


@dataclass
class Stage:
    """A shop with two agents, a tool for everything, memory and, where asked for, a policy."""

    program: Program
    chat: Session
    host: Host
    told: Told
    inside: list[Callable[[], Awaitable[Any]]] = field(
        default_factory=list[Callable[[], Awaitable[Any]]]
    )
    """What the tool `act` does when it is called."""

    async def in_a_tool(self, action: Callable[[], Awaitable[Any]]) -> str:
        """Let the seller's tool do something in the middle of a turn."""
        self.inside.append(action)
        return await self.chat.complete("act")


class Row(NamedTuple):
    """A type of event, what makes one, and what it says at least."""

    bus: str
    type: str
    action: Action
    input: Mapping[str, Any] = {}
    output: Mapping[str, Any] = {}
    context: Mapping[str, str] = {}


def verb(name: str) -> Any:
    """Return a function of the package by its name."""
    return getattr(swarm, name)


def does(name: str, *arguments: Any, **keywords: Any) -> Action:
    """Return the action that calls a verb outside of a turn."""
    return lambda stage: verb(name)(*arguments, **keywords)


def tool_does(name: str, *arguments: Any) -> Action:
    """Return the action that calls a verb in a tool."""
    return lambda stage: stage.in_a_tool(lambda: verb(name)(*arguments))


def memory(facade: str, method: str, *arguments: Any, **more: Any) -> Action:
    """Return the action that calls a method of `State` or `Storage` for the seller."""
    names = {"client_id": "client", "agent_name": "seller", **more}
    return lambda stage: getattr(verb(facade), method)(*arguments, **names)


def policy(method: str) -> Action:
    """Return the action that calls a method of `Policy`."""
    names = {"client_id": "client", "swarm_name": "shop", "policy_name": "calm"}
    return lambda stage: getattr(verb("Policy"), method)(**names)


async def says_hello(stage: Stage) -> None:
    """Have one message answered."""
    assert await stage.chat.complete("hello") == "done"


async def reads_total(stage: Stage) -> None:
    """Have the total computed."""
    assert await verb("Compute").get("total", client_id="client") == 7


async def connects(stage: Stage) -> None:
    """Open a connection of another client."""

    async def push(message: Any) -> None:
        return None

    async with verb("make_connection")(push, "other", "shop", host=stage.host):
        pass


async def fails_after_a_tool(stage: Stage) -> None:
    """Have a turn fail when its tool has run."""
    with pytest.raises(ProviderDownError):
        await stage.chat.complete("fail")


SELLER = {"agent_name": "seller", "swarm_name": "shop"}
CALLS = [ToolCall(id="c1", name="stock")]
MESSAGES: dict[str, tuple[Action, Mapping[str, Any]]] = {
    "commit-user-message": (
        does("commit_user_message", "hi", "user", "client", "seller"),
        {"content": "hi", "mode": "user"},
    ),
    "commit-system-message": (
        does("commit_system_message", "hi", "client", "seller"),
        {"content": "hi"},
    ),
    "commit-developer-message": (
        does("commit_developer_message", "hi", "client", "seller"),
        {"content": "hi"},
    ),
    "commit-assistant-message": (
        does("commit_assistant_message", "hi", "client", "seller"),
        {"content": "hi"},
    ),
    "commit-tool-output": (
        lambda stage: stage.chat.complete("count"),
        {"tool_id": "call-0", "content": "3 left"},
    ),
    "commit-tool-request": (
        does("commit_tool_request", CALLS, "client", "seller"),
        {"request": [{"id": "c1", "name": "stock", "arguments": "{}"}]},
    ),
    "commit-flush": (does("commit_flush", "client", "seller"), {}),
    "commit-stop-tools": (tool_does("commit_stop_tools", "client", "seller"), {}),
}
CANCELS = does("cancel_output", "client", "seller")
HANDS_OFF = tool_does("change_to_agent", "boss", "client")
ITEM = {"id": "A1", "text": "aspirin"}
SHOP = {"swarm_name": "shop"}
CALM = {"policy_name": "calm", "swarm_name": "shop"}

ROWS = [
    *(Row("agent-bus", kind, act, said, {}, SELLER) for kind, (act, said) in MESSAGES.items()),
    *(Row("session-bus", kind, act, said, {}, SHOP) for kind, (act, said) in MESSAGES.items()),
    Row(
        "agent-bus",
        "run",
        does("run_stateless", "hello", "client", "seller"),
        {"content": "hello"},
        {"result": "done"},
        SELLER,
    ),
    Row("agent-bus", "emit-output", says_hello, {"mode": "user"}, {"result": "done"}, SELLER),
    Row(
        "agent-bus",
        "commit-cancel-output",
        CANCELS,
        {},
        {},
        SELLER,
    ),
    Row("agent-bus", "commit-agent-change", HANDS_OFF, {"agent_name": "boss"}, {}, SELLER),
    Row("history-bus", "push", says_hello, {"role": "user", "content": "hello"}, {}, SELLER),
    Row("history-bus", "pop", fails_after_a_tool, {}, {"role": "tool", "content": "3 left"}, SHOP),
    Row("session-bus", "connect", connects, {}, {}, SHOP),
    Row(
        "session-bus",
        "execute",
        says_hello,
        {"content": "hello", "mode": "user"},
        {"result": "done"},
        SHOP,
    ),
    Row(
        "session-bus",
        "run",
        does("run_stateless", "hello", "client", "seller"),
        {"content": "hello"},
        {"result": "done"},
        SHOP,
    ),
    Row(
        "session-bus",
        "emit",
        tool_does("emit", "here", "client", "seller"),
        {"content": "here"},
        {},
        SHOP,
    ),
    Row(
        "swarm-bus",
        "get-agent-name",
        does("get_agent_name", "client"),
        {},
        {"agent_name": "seller"},
        SHOP,
    ),
    Row("swarm-bus", "set-agent-name", HANDS_OFF, {"agent_name": "boss"}, {}, SHOP),
    Row("swarm-bus", "get-agent", says_hello, {}, {"agent_name": "seller"}, SHOP),
    Row("swarm-bus", "set-agent-ref", HANDS_OFF, {"agent_name": "boss"}, {}, SHOP),
    Row(
        "swarm-bus",
        "wait-for-output",
        says_hello,
        {},
        {"agent_name": "seller", "result": "done"},
        SHOP,
    ),
    Row("swarm-bus", "cancel-output", CANCELS, {}, {}, SHOP),
    Row(
        "state-bus",
        "get-state",
        memory("State", "get", "cart"),
        {},
        {"state": {}},
        {"state_name": "cart", **SHOP},
    ),
    Row(
        "state-bus",
        "set-state",
        memory("State", "set", "cart", {"A1": 2}),
        {"state": {"A1": 2}},
        {},
        {"state_name": "cart", **SHOP},
    ),
    Row(
        "state-bus", "clear-state", memory("State", "clear", "cart"), {}, {}, {"state_name": "cart"}
    ),
    Row(
        "storage-bus",
        "take",
        memory("Storage", "take", "goods", "aspirin", total=1),
        {"search": "aspirin", "total": 1},
        {"items": [ITEM]},
        {"storage_name": "goods", **SHOP},
    ),
    Row(
        "storage-bus",
        "upsert",
        memory("Storage", "upsert", "goods", {"id": "B2", "text": "syrup"}),
        {"items": [{"id": "B2", "text": "syrup"}]},
        {},
        {"storage_name": "goods"},
    ),
    Row(
        "storage-bus",
        "remove",
        memory("Storage", "remove", "goods", "A1"),
        {"item_id": "A1"},
        {},
        {"storage_name": "goods"},
    ),
    Row(
        "storage-bus",
        "get",
        memory("Storage", "get", "goods", "A1"),
        {"item_id": "A1"},
        {"item": ITEM},
        {"storage_name": "goods"},
    ),
    Row(
        "storage-bus",
        "list",
        memory("Storage", "list", "goods"),
        {},
        {"items": [ITEM]},
        {"storage_name": "goods"},
    ),
    Row(
        "storage-bus",
        "clear",
        memory("Storage", "clear", "goods"),
        {},
        {},
        {"storage_name": "goods"},
    ),
    Row(
        "compute-bus",
        "emit-output",
        reads_total,
        {},
        {"value": 7},
        {"compute_name": "total", **SHOP},
    ),
    Row(
        "policy-bus",
        "validate-input",
        says_hello,
        {"text": "hello"},
        {"is_valid": True, "text": "hello"},
        SHOP,
    ),
    Row(
        "policy-bus",
        "validate-output",
        says_hello,
        {"text": "done"},
        {"is_valid": True, "text": "done"},
        SHOP,
    ),
    Row("policy-bus", "ban-client", policy("ban_client"), {}, {}, CALM),
    Row("policy-bus", "unban-client", policy("unban_client"), {}, {}, CALM),
    Row(
        "execution-bus",
        "commit-execution-begin",
        tool_does("execute", "shorter", "client", "seller"),
        {"content": "shorter"},
        {},
        SELLER,
    ),
    Row(
        "execution-bus",
        "commit-execution-end",
        tool_does("execute", "shorter", "client", "seller"),
        {"content": "shorter"},
        {},
        SELLER,
    ),
]


@asynccontextmanager
async def staged(program: Program, *, with_policy: bool = False) -> AsyncGenerator[Stage, None]:
    """Declare the shop, open it, and tell everything that happens after that."""
    inside: list[Callable[[], Awaitable[Any]]] = []

    async def stock() -> str:
        """Count the boxes."""
        return "3 left"

    async def act() -> str:
        """Do what the test wants."""
        await inside.pop()()
        return "acted"

    def model(request: swarm.CompletionRequest) -> Any:
        last = request.messages[-1]
        if last.role == "user" and last.content in ("count", "fail"):
            return call_tools("stock")
        if last.role == "user" and last.content == "act":
            return call_tools("act")
        if any(message.content == "fail" for message in request.messages):
            raise ProviderDownError("no answer", provider="test")
        return "done"

    def total(client_id: str, compute_name: str) -> int:
        return 7

    def is_calm(*arguments: object) -> bool:
        return True

    with use_catalog(program.catalog):
        verb("add_state")(state_name="cart", default={})
        verb("add_state")(state_name="visits", default=0, shared=True)
        verb("add_storage")(storage_name="goods", default=[ITEM])
        verb("add_compute")(compute_name="total", get=total)
        if with_policy:
            verb("add_policy")(policy_name="calm", validate_input=is_calm)
    program.agent("seller", model=model, tools=[stock, act], states=["cart"], storages=["goods"])
    program.agent("boss", model=model)
    program.swarm(policies=["calm"] if with_policy else [])
    async with program.host() as host, session("client", "shop", host=host) as chat:
        told = Told()
        program.catalog.bus.add_receiver("*", None, told)
        yield Stage(program, chat, host, told, inside)


def missing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one mapping has and the other has not, or has otherwise."""
    return {key: value for key, value in wanted.items() if found.get(key) != value}


def test_every_type_of_every_bus_has_a_row() -> None:
    rows = {(row.bus, row.type) for row in ROWS}
    assert len(rows) == len(ROWS)
    assert rows == {(bus, kind) for bus, kinds in EVENT_TYPES.items() for kind in kinds}


@pytest.mark.requirement("kit:event:agent-bus", "kit:event:history-bus", "kit:event:session-bus")
@pytest.mark.requirement("kit:event:swarm-bus", "kit:event:execution-bus")
@pytest.mark.requirement("kit:event:memory-buses", "kit:event:policy-bus")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.bus}:{row.type}")
async def test_an_action_makes_its_event(row: Row, program: Program) -> None:
    async with staged(program, with_policy=row.bus == "policy-bus") as stage:
        await row.action(stage)
        events = stage.told.of(row.bus, row.type)
    assert events, sorted({(event.bus, event.type) for event in stage.told.events})
    gaps = [
        (
            missing(row.input, event.input),
            missing(row.output, event.output),
            missing(row.context, event.context),
        )
        for event in events
    ]
    assert ({}, {}, {}) in gaps
    assert {event.client_id for event in events} <= {"client", "other"}


async def test_a_turn_that_failed_is_told_with_the_code_of_its_error(program: Program) -> None:
    async with staged(program) as stage:
        await fails_after_a_tool(stage)
        (event,) = stage.told.of("session-bus", "execute")
    assert event.input["content"] == "fail"
    assert event.output == {"error": "provider_down"}
    assert not stage.told.of("agent-bus", "emit-output")


async def test_what_is_shared_has_no_client(program: Program) -> None:
    async with staged(program) as stage:
        await verb("SharedState").set("visits", 1)
        (event,) = stage.told.of("state-bus", "set-state")
    assert event.client_id == ""
    assert event.input["state"] == 1
    assert event.context == {"state_name": "visits"}


async def test_a_listener_that_raises_changes_no_turn(program: Program) -> None:
    heard: list[str] = []

    async def breaks(event: BusEvent) -> None:
        heard.append(event.type)
        raise RuntimeError("no")

    with use_catalog(program.catalog):
        verb("listen_session_event")("*", breaks)
    async with staged(program) as stage:
        await says_hello(stage)
    assert "execute" in heard


async def test_clients_hear_of_themselves_only(program: Program) -> None:
    clients: list[str] = []

    def hear(event: BusEvent) -> None:
        clients.append(event.client_id)

    async with staged(program) as stage, session("other", "shop", host=stage.host) as other:
        with use_catalog(program.catalog):
            verb("listen_agent_event")("other", hear)
        await stage.chat.complete("hello")
        await other.complete("hello")
    assert set(clients) == {"other"}
