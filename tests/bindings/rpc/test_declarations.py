"""What programs declare: all or nothing, every problem at once, gone with the program."""

import json
from typing import Any

import anyio
import pytest

from swarm import Host
from tests.bindings.rpc.client import Client, Refused
from tests.bindings.rpc.conftest import connected
from tests.bindings.rpc.story import callback, catalog, say, shop

pytestmark = pytest.mark.anyio


async def _names(client: Client) -> list[str]:
    found = (await client.ask("catalog/get"))["declarations"]
    return [f"{one['kind']}:{one[one['kind'] + 'Name']}" for one in found]


@pytest.mark.requirement("wire:declare:atomic")
async def test_every_problem_of_a_batch_is_told_and_nothing_is_declared(program: Client) -> None:
    result = await program.ask(
        "catalog/declare",
        declarations=[
            {"kind": "wiki", "wikiName": "good", "model": "offline"},
            {"kind": "wiki", "wikiName": "both", "model": "offline", "getChat": callback("x")},
            {"kind": "tool", "toolName": "find", "timeout": -1, "call": callback("x"), "cal": 1},
            {"kind": "tol", "toolName": "find"},
            {"kind": "agent", "agentName": "a b", "completion": "m"},
            {"kind": "wiki", "wikiName": "good", "model": "offline"},
            {"kind": "commitAction", "toolName": "buy", "successMessage": "ok", "nope": 1},
            {"toolName": "none"},
        ],
    )
    assert result["declared"] == []
    paths = {(issue["kind"], issue["path"]) for issue in result["issues"]}
    assert ("tool", "tools.find.timeout") in paths
    assert ("tool", "tools.find.cal") in paths
    assert ("wiki", "wikis.good") in paths
    assert ("commitAction", "tools.buy.nope") in paths
    by_name = {issue["name"]: issue for issue in result["issues"]}
    assert by_name["both"]["message"] == "give exactly one of `completion`, `model` and `getChat`"
    unknown = next(issue for issue in result["issues"] if issue["path"] == "tools.find.cal")
    assert unknown["hint"] == "did you mean 'call'?"
    assert any("did you mean 'tool'?" in (issue["message"]) for issue in result["issues"])
    assert await _names(program) == []


@pytest.mark.requirement("wire:declare:first-come")
async def test_two_programs_share_one_core_and_names_belong_to_who_comes_first(
    host: Host,
) -> None:
    async with connected(host) as second:
        await second.initialize()
        async with connected(host) as first:
            await first.initialize()
            await shop(first)
            result = await second.ask("catalog/declare", declarations=catalog())
            assert [issue["name"] for issue in result["issues"]] == [
                "model", "shop", "find", "seller", "pharma",
            ]  # fmt: skip
            # What one declared, the other uses, and the functions run where they are.
            await second.ask("session/open", clientId="client-2", swarmName="pharma")
            assert (await say(second, "x", "client-2")).startswith("The model says")
            with pytest.raises(Refused, match="open already"):
                await second.ask("session/open", clientId="client-1", swarmName="pharma")
        with anyio.fail_after(5):
            while await _names(second):
                await anyio.lowlevel.checkpoint()
        with pytest.raises(Refused) as refused, anyio.fail_after(10):
            await say(second, "x", "client-2")
        assert refused.value.kind == "connection_lost"
        await shop(second)
        assert (await say(second, "x")).startswith("The model says")


async def test_references_are_checked_by_name(program: Client) -> None:
    *others, swarm = catalog()
    await program.declare(*others[1:], swarm)
    issues = (await program.ask("catalog/validate"))["issues"]
    assert [(issue["kind"], issue["path"]) for issue in issues] == [
        ("agent", "agents.seller.completion")
    ]
    with pytest.raises(Refused) as refused:
        await program.ask("session/open", clientId="client-1", swarmName="pharma")
    assert refused.value.kind == "validation_error"
    assert refused.value.data["details"]["problems"][0]["path"] == "agents.seller.completion"


async def test_an_override_holds_until_it_is_restored(program: Client) -> None:
    await shop(program)
    override = await program.ask(
        "catalog/override", kind="agent", name="seller", fields={"tools": [], "keepMessages": 3}
    )

    async def agent() -> dict[str, Any]:
        found = await program.ask("catalog/get", kind="agent", name="seller")
        return found["declarations"][0]

    assert ((await agent())["tools"], (await agent())["keepMessages"]) == ([], 3)
    await program.ask("catalog/restore", **override)
    assert (await agent())["tools"] == ["find"]
    with pytest.raises(Refused, match="no override"):
        await program.ask("catalog/restore", **override)
    with pytest.raises(Refused) as refused:
        await program.ask(
            "catalog/override", kind="agent", name="seller", fields={"keepMessages": 0}
        )
    assert refused.value.data["details"]["problems"][0]["path"] == "agents.seller.keepMessages"
    with pytest.raises(Refused, match="did you mean"):
        await program.ask("catalog/override", kind="agnt", name="seller", fields={})


async def test_declarations_come_back_as_they_went(program: Client) -> None:
    given = catalog(callbacks={"onAfterCall": callback("tool:find.callbacks.onAfterCall")})
    await program.declare(*given)
    found = (await program.ask("catalog/get"))["declarations"]
    assert {json.dumps(one, sort_keys=True) for one in found} == {
        json.dumps(one, sort_keys=True) for one in given
    }
    with pytest.raises(Refused, match="no kind named 'x'"):
        await program.ask("catalog/get", kind="x")


async def test_templates_declare_ready_made_tools(program: Client) -> None:
    done: list[Any] = []

    async def buy(args: list[Any], call: dict[str, Any]) -> Any:
        done.append(args)
        return "bought"

    async def model(args: list[Any], call: dict[str, Any]) -> Any:
        last = args[0]["messages"][-1]
        if last["role"] == "user" and last["mode"] == "user":
            calls = [{"id": "c", "name": "buy", "arguments": '{"what": "aspirin"}'}]
            return {"content": "", "toolCalls": calls}
        return f"Answer to: {last['content']}"

    program.functions |= {
        "tool:buy.executeAction": buy,
        "completion:model.getCompletion": model,
    }
    completion, wiki, _, agent, swarm = catalog()
    parameters = {"type": "object", "properties": {"what": {"type": "string"}}}
    await program.declare(
        completion,
        wiki,
        {
            "kind": "commitAction",
            "toolName": "buy",
            "function": {"name": "buy", "description": "Buy it.", "parameters": parameters},
            "executeAction": callback("tool:buy.executeAction"),
            "successMessage": "Say that it worked.",
        },
        {
            "kind": "agentNavigation",
            "toolName": "go",
            "description": "Go.",
            "navigateTo": "seller",
        },
        {**agent, "tools": ["buy"]},
        swarm,
    )
    await program.ask("session/open", clientId="client-1", swarmName="pharma")
    assert await say(program, "buy") == "Answer to: Say that it worked."
    assert len(done) == 1


async def test_what_runs_inside_the_core_cannot_be_a_function_of_the_program(
    program: Client,
) -> None:
    declaration = {
        "kind": "embedding",
        "embeddingName": "e",
        "model": "hash",
        "getSimilarity": callback("embedding:e.getSimilarity"),
    }
    result = await program.ask("catalog/declare", declarations=[declaration])
    assert [issue["path"] for issue in result["issues"]] == ["embeddings.e.getSimilarity"]


async def test_a_search_uses_vectors_of_the_program(program: Client) -> None:
    async def create(args: list[Any], call: dict[str, Any]) -> Any:
        return [[float("aspirin" in text), 1.0] for text in args[0]]

    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        names = {"clientId": "client-1", "agentName": "seller", "storageName": "shelf"}
        items = [{"id": 1, "name": "tea"}, {"id": 2, "name": "aspirin"}]
        await program.ask("verb/storageUpsert", call["callId"], items=items, **names)
        found = await program.ask(
            "verb/storageTake", call["callId"], search="aspirin", total=1, **names
        )
        return found[0]["name"]

    completion, wiki, tool, agent, swarm = catalog()
    program.functions["embedding:e.create"] = create
    await program.declare(
        {"kind": "embedding", "embeddingName": "e", "create": callback("embedding:e.create")},
        {"kind": "storage", "storageName": "shelf", "embedding": "e"},
    )
    from tests.bindings.rpc.story import model

    program.functions |= {"completion:model.getCompletion": model, "tool:find.call": find}
    await program.declare(completion, wiki, tool, {**agent, "storages": ["shelf"]}, swarm)
    await program.ask("session/open", clientId="client-1", swarmName="pharma")
    assert await say(program, "hi") == "The model says: aspirin"
