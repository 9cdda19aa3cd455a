"""Sessions of programs: their modes, what is told of them, what happens in their turns, events."""

from typing import Any

import anyio
import pytest

from swarm import Host
from tests.bindings.rpc.client import Client, Refused
from tests.bindings.rpc.conftest import connected
from tests.bindings.rpc.story import callback, catalog, say, shop

pytestmark = pytest.mark.anyio


async def _two_agents(client: Client) -> None:
    async def choose(args: list[Any], call: dict[str, Any]) -> Any:
        request = args[0]
        last = request["messages"][-1]
        if request["agentName"] == "seller" and last["content"] == "go":
            calls = [{"id": "c", "name": "transfer_to_doctor", "arguments": "{}"}]
            return {"content": "", "toolCalls": calls}
        return f"{request['agentName']} heard {last['content']}"

    client.functions["completion:model.getCompletion"] = choose
    completion, _, _, agent, swarm = catalog()
    seller = {**agent, "tools": [], "wikiList": [], "handoffs": ["doctor"]}
    doctor = {"kind": "agent", "agentName": "doctor", "completion": "model", "handoffs": ["seller"]}
    await client.declare(completion, seller, doctor, {**swarm, "agentList": ["seller", "doctor"]})


@pytest.mark.requirement("wire:session:mirror")
async def test_a_change_of_agent_is_told_before_the_answer(program: Client) -> None:
    await _two_agents(program)
    state = await program.ask("session/open", clientId="client-1", swarmName="pharma")
    assert state == {
        "clientId": "client-1",
        "swarmName": "pharma",
        "isOpen": True,
        "agentName": "seller",
        "route": [],
        "mode": "session",
    }
    await say(program, "go")
    told = [params for method, params in program.told if method == "session/changed"]
    assert [(one["agentName"], one["route"]) for one in told] == [
        ("seller", []),
        ("seller", ["seller"]),
        ("doctor", ["seller", "doctor"]),
        ("doctor", []),
    ]
    assert await program.ask("verb/changeToAgent", clientId="client-1", agentName="seller") is True
    assert program.told[-1][1]["agentName"] == "seller"
    assert await program.ask("session/dispose", clientId="client-1", swarmName="pharma") is True
    assert (program.told[-1][0], program.told[-1][1]["isOpen"]) == ("session/changed", False)
    assert await program.ask("session/dispose", clientId="client-1", swarmName="pharma") is False
    with pytest.raises(Refused, match="session/open") as refused:
        await say(program, "x")
    assert refused.value.kind == "session_error"


async def test_messages_of_one_client_are_answered_in_order(program: Client) -> None:
    await shop(program)

    async def echo(args: list[Any], call: dict[str, Any]) -> Any:
        return args[0]["messages"][-1]["content"]

    program.functions["completion:model.getCompletion"] = echo
    names = {"clientId": "client-1", "swarmName": "pharma"}
    ids = [await program.begin("session/complete", {**names, "content": str(n)}) for n in range(20)]
    assert [await program.answer(one) for one in ids] == [str(n) for n in range(20)]
    users = await program.ask("verb/getUserHistory", clientId="client-1")
    assert [message["content"] for message in users] == [str(n) for n in range(20)]


@pytest.mark.requirement("wire:session:progress")
async def test_what_happens_in_a_turn_is_told_while_it_happens(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        return "aspirin"

    await shop(program, find)
    names = {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
    answer = await program.ask("session/complete", progressToken="p1", **names)
    told = [params for method, params in program.told if method == "$/progress"]
    assert {one["token"] for one in told} == {"p1"}
    values = [one["value"] for one in told]
    assert [value["type"] for value in values] == ["toolStarted", "toolFinished", "textDelta"]
    assert values[1]["output"] == "aspirin"
    assert values[2]["text"] == answer


async def test_a_connection_pushes_answers_and_notifications(program: Client) -> None:
    pushed: list[Any] = []

    async def push(args: list[Any], call: dict[str, Any]) -> Any:
        pushed.append(args[0])

    await _two_agents(program)
    program.functions["connection:client-1.push"] = push
    await program.ask(
        "session/open", clientId="client-1", swarmName="pharma", mode="connection",
        connector=callback("connection:client-1.push"),
    )  # fmt: skip
    assert await say(program, "hi") == "seller heard hi"
    await program.ask("verb/notify", content="news", clientId="client-1", agentName="seller")
    assert [one["data"] for one in pushed] == ["seller heard hi", "news"]
    assert pushed[0] == {
        "data": "seller heard hi",
        "agentName": "seller",
        "clientId": "client-1",
    }
    with pytest.raises(Refused, match="connector"):
        await program.ask(
            "session/open", clientId="client-2", swarmName="pharma", mode="connection"
        )


@pytest.mark.parametrize("mode", ["scheduled", "rate", "complete", "scope"])
async def test_each_mode_answers(program: Client, mode: str) -> None:
    await _two_agents(program)
    state = await program.ask(
        "session/open", clientId="client-1", swarmName="pharma", mode=mode, delay=60
    )
    assert state["isOpen"] is (mode != "complete")
    assert await say(program, "hi") == "seller heard hi"
    if mode == "rate":
        assert await say(program, "again") == ""


async def test_an_unknown_mode_or_swarm_is_refused(program: Client) -> None:
    await _two_agents(program)
    with pytest.raises(Refused, match="mode"):
        await program.ask("session/open", clientId="c", swarmName="pharma", mode="x")
    with pytest.raises(Refused, match="did you mean 'pharma'") as refused:
        await program.ask("session/open", clientId="c", swarmName="farma")
    assert refused.value.kind == "unknown_name"
    with pytest.raises(Refused, match="did you mean 'pharma'"):
        await program.ask("session/open", clientId="c", swarmName="farma", mode="complete")
    with pytest.raises(Refused) as refused:
        await program.ask("session/open", clientId="", swarmName="pharma")
    assert refused.value.kind == "invalid_id"


async def test_a_conversation_goes_on_over_a_new_connection(host: Host) -> None:
    async with connected(host) as client:
        await client.initialize()
        await shop(client)
        await say(client, "one")
        await client.ask("shutdown")
        await client.send({"method": "exit"})
        with anyio.fail_after(5):
            await client.is_closed.wait()
    async with connected(host) as client:
        await client.initialize()
        await shop(client)
        users = await client.ask("verb/getUserHistory", clientId="client-1")
        assert [message["content"] for message in users if message["mode"] == "user"] == ["one"]


@pytest.mark.requirement("wire:events:numbered")
async def test_events_are_numbered_and_end_when_asked(program: Client) -> None:
    await _two_agents(program)
    subscription = await program.ask("events/subscribe", bus="session-bus", clientId="client-1")
    once = await program.ask("events/subscribe", bus="order-paid", once=True)
    await program.ask("session/open", clientId="client-1", swarmName="pharma")
    await say(program, "hi")
    for _ in range(2):
        paid = {"id": 7, "unit_price": 1}
        await program.ask("verb/event", clientId="client-1", topic="order-paid", payload=paid)

    def events() -> list[Any]:
        return [params for method, params in program.told if method == "event"]

    with anyio.fail_after(5):
        await program.until(lambda: any(one["bus"] == "order-paid" for one in events()))
    assert [one["seq"] for one in events()] == list(range(1, len(events()) + 1))
    own = [one for one in events() if one["bus"] == "order-paid"]
    assert own[0]["input"] == {"payload": {"id": 7, "unit_price": 1}}
    assert own[0]["subscriptionId"] == once["subscriptionId"]
    assert "execute" in {one["type"] for one in events() if one["bus"] == "session-bus"}
    assert await program.ask("events/unsubscribe", **subscription) is True
    assert await program.ask("events/unsubscribe", **subscription) is False
    with pytest.raises(Refused):
        await program.ask("events/subscribe", bus="")


async def test_verbs_give_what_the_python_functions_give(program: Client) -> None:
    await shop(program)
    seller = {"clientId": "client-1", "agentName": "seller"}
    assert await program.ask("verb/hasSession", clientId="nobody") is False
    assert await program.ask("verb/getCheckBusy", clientId="client-1") is False
    assert await program.ask("verb/getSessionMode", clientId="client-1") == "session"
    context = await program.ask("verb/getSessionContext", clientId="client-1")
    assert context["clientId"] == "client-1"
    await program.ask("verb/commitUserMessage", content="hello", mode="user", **seller)
    assert await program.ask("verb/getLastUserMessage", clientId="client-1") == "hello"
    request = {"name": "find", "arguments": {"what": "x"}}
    ids = await program.ask("verb/commitToolRequest", request=request, **seller)
    assert len(ids) == 1
    await program.ask("verb/commitToolOutputForce", toolId=ids[0], content="y", clientId="client-1")
    history = await program.ask("verb/getAgentHistory", **seller)
    assert [message["role"] for message in history] == ["system", "user", "assistant", "tool"]
    await program.ask("verb/commitFlush", **seller)
    history = await program.ask("verb/getAgentHistory", **seller)
    assert [message["role"] for message in history] == ["system", "user"]
    await program.ask("verb/writeSessionMemory", clientId="client-1", value={"unit_price": 1})
    memory = await program.ask("verb/readSessionMemory", clientId="client-1")
    assert memory == {"unit_price": 1}
    assert await program.ask("verb/getOnline", swarmName="pharma") == ["client-1"]
    messages: list[dict[str, Any]] = [{"role": "user", "content": "a", "toolCalls": []}]
    program.functions["completion:model.getCompletion"] = _last
    assert await program.ask("verb/chat", completionName="model", messages=messages) == "a"
    assert await program.ask("verb/runStateless", content="b", **seller) == "b"
    with pytest.raises(Refused) as refused:
        await program.ask("verb/emit", content="x", **seller)
    assert refused.value.kind == "session_error"
    assert await program.ask("verb/serialize", value={"unitPrice": 2}) == "Unit price: 2"
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    reason = await program.ask("verb/validateToolArguments", arguments={"n": "x"}, schema=schema)
    assert "n" in reason


async def _last(args: list[Any], call: dict[str, Any]) -> Any:
    return args[0]["messages"][-1]["content"]


async def test_an_outline_is_filled_in_by_a_model_of_the_program(program: Client) -> None:
    async def fill(args: list[Any], call: dict[str, Any]) -> Any:
        assert args[0]["responseFormat"]["name"] == "order"
        return '{"n": 3}'

    async def check(args: list[Any], call: dict[str, Any]) -> Any:
        return None if args[0] == {"n": 3} else "no"

    program.functions |= {
        "completion:model.getCompletion": fill,
        "outline:order.validations.0": check,
    }
    await program.declare(
        catalog()[0],
        {
            "kind": "outline",
            "outlineName": "order",
            "completion": "model",
            "format": {"type": "object", "properties": {"n": {"type": "integer"}}},
            "validations": [callback("outline:order.validations.0")],
        },
    )
    result = await program.ask("verb/json", outlineName="order", params=["three"])
    assert (result["isValid"], result["data"], result["params"]) == (True, {"n": 3}, ["three"])


async def test_a_session_that_a_verb_closed_can_be_opened_again(program: Client) -> None:
    await _two_agents(program)
    names = {"clientId": "client-1", "swarmName": "pharma"}
    await program.ask("session/open", **names)
    assert await program.ask("verb/disposeConnection", **names) is True
    assert program.told[-1][1]["isOpen"] is False
    with pytest.raises(Refused) as refused:
        await say(program, "x")
    assert refused.value.kind == "session_error"
    assert (await program.ask("session/open", **names))["isOpen"] is True
    assert await say(program, "hi") == "seller heard hi"
