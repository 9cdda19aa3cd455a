"""A program of a shop, by hand: its model, its tool and its wiki are functions of the program."""

from typing import Any

from tests.bindings.rpc.client import Client, Handler

__all__ = ["callback", "catalog", "model", "say", "shop"]


def callback(name: str) -> dict[str, str]:
    """Return how a function is written on the wire."""
    return {"$callback": name}


def catalog(**tool: Any) -> list[dict[str, Any]]:
    """Return the declarations of the shop."""
    call = {"call": callback("tool:find.call"), "description": "Find a product."}
    properties = {"what": {"type": "string"}}
    return [
        {
            "kind": "completion",
            "completionName": "model",
            "getCompletion": callback("completion:model.getCompletion"),
        },
        {"kind": "wiki", "wikiName": "shop", "getChat": callback("wiki:shop.getChat")},
        {
            "kind": "tool",
            "toolName": "find",
            "parameters": {"type": "object", "properties": properties, "required": ["what"]},
            **call,
            **tool,
        },
        {
            "kind": "agent",
            "agentName": "seller",
            "completion": "model",
            "prompt": "You sell medicine.",
            "tools": ["find"],
            "wikiList": ["shop"],
        },
        {
            "kind": "swarm",
            "swarmName": "pharma",
            "agentList": ["seller"],
            "defaultAgent": "seller",
        },
    ]


async def model(args: list[Any], call: dict[str, Any]) -> Any:
    """Ask for the tool at what the user says, and say what stands last otherwise."""
    last = args[0]["messages"][-1]
    if last["role"] == "user" and last["mode"] == "user":
        wish = {"id": "call-1", "name": "find", "arguments": '{"what": "aspirin"}'}
        return {"role": "assistant", "content": "", "toolCalls": [wish]}
    return f"The model says: {last['content']}"


async def shop(client: Client, find: Handler | None = None, **tool: Any) -> None:
    """Declare the shop and open a session of `client-1`."""

    async def ask(args: list[Any], call: dict[str, Any]) -> Any:
        context = args[0]
        names = {"clientId": context["clientId"], "agentName": context["agentName"]}
        asked = await client.ask("verb/getLastUserMessage", call["callId"], clientId="client-1")
        answer = await client.ask(
            "verb/question", call["callId"], message=asked, wikiName="shop", **names
        )
        await client.ask(
            "verb/commitToolOutput", call["callId"], toolId=context["toolId"], content=answer,
            **names,
        )  # fmt: skip
        await client.ask("verb/execute", call["callId"], content=f"Tell them: {answer}", **names)

    async def chat(args: list[Any], call: dict[str, Any]) -> Any:
        return f"The wiki knows {args[0]!r}."

    client.functions |= {
        "completion:model.getCompletion": model,
        "tool:find.call": find or ask,
        "wiki:shop.getChat": chat,
    }
    await client.declare(*catalog(**tool))
    await client.ask("session/open", clientId="client-1", swarmName="pharma")


async def say(client: Client, content: str, client_id: str = "client-1") -> str:
    """Send a message and return the answer."""
    return await client.ask(
        "session/complete", clientId=client_id, swarmName="pharma", content=content
    )
