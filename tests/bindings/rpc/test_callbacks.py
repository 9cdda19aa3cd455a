"""Functions of the program: called, cancelled, late, throwing, gone."""

from typing import Any

import anyio
import pytest

from swarm import Host
from tests.bindings.rpc.client import Client, Refused
from tests.bindings.rpc.conftest import Connect, connected
from tests.bindings.rpc.story import callback, catalog, model, say, shop

pytestmark = pytest.mark.anyio


async def _roles(client: Client) -> list[tuple[str, str]]:
    history = await client.ask("verb/getRawHistory", clientId="client-1")
    return [(message["role"], message["content"]) for message in history]


async def shop_with(client: Client, find: Any, *declarations: dict[str, Any]) -> None:
    client.functions |= {"completion:model.getCompletion": model, "tool:find.call": find}
    await client.declare(*declarations)
    await client.ask("session/open", clientId="client-1", swarmName="pharma")


@pytest.mark.requirement("wire:callback:nested", "S4-14", "S4-16", "S4-17", "S4-18", "S4-19")
async def test_a_tool_asks_a_wiki_commits_and_executes(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        await shop(client)
        told = "Tell them: The wiki knows 'My head aches.'."
        assert await say(client, "My head aches.") == f"The model says: {told}"
        assert await _roles(client) == [
            ("user", "My head aches."),
            ("assistant", ""),
            ("tool", "The wiki knows 'My head aches.'."),
            ("user", told),
            ("assistant", f"The model says: {told}"),
        ]
        with pytest.raises(Refused) as refused:
            await client.ask(
                "verb/question", message="x", clientId="client-1", agentName="seller",
                wikiName="other",
            )  # fmt: skip
        assert refused.value.kind in ("unknown_name", "wiki_not_listed")


async def test_what_a_tool_returns_is_its_output(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        assert args[0]["arguments"] == {"what": "aspirin"}
        assert (call["clientId"], call["agentName"]) == ("client-1", "seller")
        return {"price": 5, "unit_price": 0.5, "name": "Ü 🩹 \u2028"}

    await shop(program, find)
    answer = await say(program, "hi")
    assert '"unit_price":0.5' in answer
    assert "Ü 🩹" in answer


async def test_a_tool_that_throws_is_read_by_the_model(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        raise LookupError("the shelf is empty")

    await shop(program, find)
    assert "error: LookupError: the shelf is empty" in await say(program, "hi")


async def test_a_tool_that_commits_twice_is_told_so(program: Client) -> None:
    refusals: list[Refused] = []

    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        names = {"clientId": "client-1", "agentName": "seller", "toolId": args[0]["toolId"]}
        await program.ask("verb/commitToolOutput", call["callId"], content="one", **names)
        try:
            await program.ask("verb/commitToolOutput", call["callId"], content="two", **names)
        except Refused as refused:
            refusals.append(refused)

    await shop(program, find)
    assert await say(program, "hi") == "The model says: one"
    assert [refused.kind for refused in refusals] == ["tool_output"]
    assert refusals[0].data["details"]["clientId"] == "client-1"


async def test_a_tool_that_never_commits_ends_with_its_time(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        return None

    await shop(program, find, timeout=0.2)
    assert "no output within 0.2 s" in await say(program, "hi")


@pytest.mark.requirement("wire:callback:deadline")
async def test_a_tool_that_is_too_slow_is_cancelled(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        assert call["deadlineMs"] == 200
        await anyio.sleep_forever()

    await shop(program, find, timeout=0.2)
    assert "error" in await say(program, "hi")
    assert len(program.cancelled) == 1
    assert program.strays == []


@pytest.mark.requirement("wire:cancel:answered")
async def test_cancelling_a_message_cancels_the_tool_and_is_answered(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        started = anyio.Event()

        async def find(args: list[Any], call: dict[str, Any]) -> Any:
            started.set()
            await anyio.sleep_forever()

        await shop(client, find)
        params = {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
        request_id = await client.begin("session/complete", params)
        await started.wait()
        await client.send({"method": "$/cancelRequest", "params": {"id": request_id}})
        with anyio.fail_after(5), pytest.raises(Refused) as refused:
            await client.answer(request_id)
        assert (refused.value.code, refused.value.kind) == (-32800, "cancelled")
        await client.until(lambda: client.cancelled)
        await client.send({"method": "$/cancelRequest", "params": {"id": request_id}})
        await client.send({"method": "$/cancelRequest", "params": {"id": "unknown"}})
        assert await client.ask("verb/hasSession", clientId="client-1") is True


@pytest.mark.requirement("wire:callback:nested-cancelled")
async def test_what_a_cancelled_tool_has_asked_is_cancelled_too(program: Client) -> None:
    waiting = anyio.Event()
    refusals: list[Refused] = []

    async def chat(args: list[Any], call: dict[str, Any]) -> Any:
        waiting.set()
        await anyio.sleep_forever()

    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        with anyio.CancelScope(shield=True):
            names = {"clientId": "client-1", "agentName": "seller", "wikiName": "shop"}
            try:
                await program.ask("verb/question", call["callId"], message="?", **names)
            except Refused as refused:
                refusals.append(refused)
        return "late"

    await shop(program, find)
    program.functions["wiki:shop.getChat"] = chat
    params = {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
    request_id = await program.begin("session/complete", params)
    await waiting.wait()
    await program.send({"method": "$/cancelRequest", "params": {"id": request_id}})
    with pytest.raises(Refused):
        await program.answer(request_id)
    await program.until(lambda: refusals)
    assert refusals[0].code == -32800


@pytest.mark.requirement("wire:request:duplicate-id")
async def test_an_id_that_is_in_use_is_refused(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        started, go_on = anyio.Event(), anyio.Event()

        async def find(args: list[Any], call: dict[str, Any]) -> Any:
            started.set()
            await go_on.wait()
            return "found"

        await shop(client, find)
        params = {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
        request_id = await client.begin("session/complete", params)
        await started.wait()
        await client.send({"id": request_id, "method": "catalog/get", "params": {}})
        await client.until(lambda: client.strays)
        assert client.strays[0]["error"]["code"] == -32600
        go_on.set()
        assert await client.answer(request_id) == "The model says: found"


@pytest.mark.requirement("wire:callback:unknown")
async def test_a_function_that_the_program_lacks_is_named(connection: Connect) -> None:
    async with connection() as client:
        await client.initialize()
        await shop(client)
        del client.functions["tool:find.call"]
        assert "no such function" in await say(client, "hi")
        del client.functions["completion:model.getCompletion"]
        with pytest.raises(Refused, match="no such function"):
            await say(client, "again")
        with pytest.raises(Refused) as refused:
            await client.ask("function/call", function="f99", args=[])
        assert refused.value.kind == "unknown_callback"


async def test_an_error_that_a_program_throws_on_stays_what_it_was(program: Client) -> None:
    async def execute(args: list[Any], call: dict[str, Any]) -> Any:
        assert args == ["client-1", "seller", {"n": 1}]
        return await program.ask("verb/getAgentName", call["callId"], clientId="nobody")

    await shop(program)
    program.functions["pipeline:report.execute"] = execute
    run = callback("pipeline:report.execute")
    await program.declare({"kind": "pipeline", "pipelineName": "report", "execute": run})
    await program.ask("session/dispose", clientId="client-1", swarmName="pharma")
    await program.ask("session/open", clientId="client-1", swarmName="pharma")
    names = {"clientId": "client-1", "agentName": "seller", "pipelineName": "report"}
    with pytest.raises(Refused, match="'nobody' has no live session") as refused:
        await program.ask("verb/startPipeline", payload={"n": 1}, **names)
    assert (refused.value.code, refused.value.kind) == (-32060, "session_error")


async def test_observers_are_told_and_their_values_are_json(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        raise ValueError("no")

    names = ("onBeforeCall", "onCallError")
    callbacks = {name: callback(f"tool:find.callbacks.{name}") for name in names}
    await shop(program, find, callbacks=callbacks)
    await say(program, "hi")
    told = [params for method, params in program.told if method == "callback/notify"]
    assert [params["callback"].rpartition(".")[2] for params in told] == list(names)
    assert told[0]["args"][0]["toolId"] == "call-1"
    assert told[1]["args"][1]["$error"]["message"] == "ValueError: no"


@pytest.mark.requirement("wire:connection:lost")
async def test_a_tool_of_a_program_that_is_gone_fails_and_the_turn_ends(host: Host) -> None:
    async with connected(host) as owner, connected(host) as asker:
        await owner.initialize()
        await asker.initialize()
        started = anyio.Event()

        async def find(args: list[Any], call: dict[str, Any]) -> Any:
            started.set()
            await anyio.sleep_forever()

        completion, wiki, tool, agent, swarm = catalog()
        owner.functions["tool:find.call"] = find
        await owner.declare(wiki, tool)

        async def model(args: list[Any], call: dict[str, Any]) -> Any:
            last = args[0]["messages"][-1]
            if last["role"] == "user":
                calls = [{"id": "c", "name": "find", "arguments": '{"what": "x"}'}]
                return {"content": "", "toolCalls": calls}
            return last["content"]

        asker.functions["completion:model.getCompletion"] = model
        await asker.declare(completion, agent, swarm)
        await asker.ask("session/open", clientId="client-1", swarmName="pharma")
        params = {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
        request_id = await asker.begin("session/complete", params)
        await started.wait()
        await owner.line.aclose()
        with anyio.fail_after(10):
            assert "closed the connection" in await asker.answer(request_id)


async def test_a_state_changes_by_a_function_that_reads_it(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        names = {"clientId": "client-1", "agentName": "seller", "stateName": "cart"}

        async def change(args: list[Any], inner: dict[str, Any]) -> Any:
            seen = await program.ask("verb/stateGet", inner["callId"], **names)
            return [*args[0], f"{len(seen)} before"]

        program.functions["$change-1"] = change
        value = callback("$change-1")
        return await program.ask("verb/stateSet", call["callId"], value=value, **names)

    completion, wiki, tool, agent, swarm = catalog()
    state = {"kind": "state", "stateName": "cart", "default": ["aspirin"]}
    await shop_with(
        program, find, completion, wiki, tool, {**agent, "states": ["cart"]}, swarm, state
    )
    assert await say(program, "hi") == 'The model says: ["aspirin","1 before"]'


async def test_a_long_answer_and_odd_text_arrive_whole(program: Client) -> None:
    text = "🩹" * 250_000 + "\ud800 end"

    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        return "x"

    async def model(args: list[Any], call: dict[str, Any]) -> Any:
        return text

    await shop(program, find)
    program.functions["completion:model.getCompletion"] = model
    answer = await say(program, "hi")
    assert len(answer) == len(text)
    assert answer.startswith("🩹🩹")
    assert answer.endswith("? end")


async def test_200_clients_talk_at_once(program: Client) -> None:
    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        context = args[0]
        names = {"clientId": context["clientId"], "agentName": context["agentName"]}
        await program.ask(
            "verb/commitToolOutput", call["callId"], toolId=context["toolId"],
            content=f"for {context['clientId']}", **names,
        )  # fmt: skip
        await program.ask("verb/execute", call["callId"], content=context["clientId"], **names)

    await shop(program, find)
    answers: dict[str, str] = {}

    async def talk(client_id: str) -> None:
        await program.ask("session/open", clientId=client_id, swarmName="pharma")
        answers[client_id] = await say(program, "hi", client_id)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(talk, f"many-{number}")
    assert answers == {f"many-{n}": f"The model says: many-{n}" for n in range(200)}


async def test_an_operator_replies_through_a_function_of_the_core(program: Client) -> None:
    async def connect(args: list[Any], call: dict[str, Any]) -> Any:
        assert args == ["client-1", "person"]
        return callback("$operator-1")

    async def pass_on(args: list[Any], call: dict[str, Any]) -> Any:
        text, reply = args
        await program.ask("function/call", function=reply["$function"], args=[f"You said {text}"])
        return callback("$hang-up-1")

    program.functions |= {"agent:person.connectOperator": connect, "$operator-1": pass_on}
    await program.declare(
        {
            "kind": "agent",
            "agentName": "person",
            "operator": True,
            "connectOperator": callback("agent:person.connectOperator"),
        },
        {"kind": "swarm", "swarmName": "pharma", "agentList": ["person"], "defaultAgent": "person"},
    )
    await program.ask("session/open", clientId="client-1", swarmName="pharma")
    with anyio.fail_after(10):
        assert await say(program, "help") == "You said help"
    hung_up = [params for method, params in program.told if method == "callback/notify"]
    assert hung_up == [{"callback": "$hang-up-1", "args": []}]


async def test_a_model_of_the_program_that_answers_nonsense_is_named(program: Client) -> None:
    await shop(program)
    answers: list[Any] = [
        {"content": 5},
        {"content": "", "toolCalls": [{"name": "find"}]},
        {"content": "", "toolCalls": 5},
        {"message": {"content": "x"}, "usage": {"inputTokens": -1}},
        {"unknown": 1},
    ]

    async def model(args: list[Any], call: dict[str, Any]) -> Any:
        return answers[0]

    program.functions["completion:model.getCompletion"] = model
    while answers:
        with pytest.raises(Refused, match=r"completion:model\.getCompletion") as refused:
            await say(program, "hi")
        assert refused.value.kind == "callback_output", answers[0]
        del answers[0]


async def test_a_model_of_the_program_may_say_what_it_took(program: Client) -> None:
    await shop(program)

    async def model(args: list[Any], call: dict[str, Any]) -> Any:
        usage = {"inputTokens": 3, "outputTokens": 4}
        return {"message": {"content": "x"}, "model": "openai/gpt-5", "usage": usage}

    program.functions["completion:model.getCompletion"] = model
    assert await say(program, "hi") == "x"


async def test_what_a_function_threw_can_be_known_again(program: Client) -> None:
    async def model(args: list[Any], call: dict[str, Any]) -> Any:
        details = {"name": "QuotaError"}
        data = {"kind": "callback_error", "errorId": "p-77", "details": details, "stack": "at x"}
        raise Refused({"message": "no quota", "code": -32056, "data": data})

    await shop(program)
    program.functions["completion:model.getCompletion"] = model
    with pytest.raises(Refused, match="QuotaError: no quota") as refused:
        await say(program, "hi")
    assert refused.value.kind == "remote_error"
    assert refused.value.data["details"] == {"name": "QuotaError", "origin": "p-77"}


@pytest.mark.parametrize("wants_log", [True, False])
async def test_warnings_are_told_to_who_asked(host: Host, wants_log: bool) -> None:
    async with connected(host) as client:
        await client.initialize(capabilities={"log": wants_log})
        await client.send({"id": "nobody", "result": None})
        await client.ask("catalog/get")
        told = [params for method, params in client.told if method == "log"]
        assert [line["logger"] for line in told] == ["wikiswarm.rpc"] * wants_log
