"""What is compared: ways to hold the same conversations with the same model.

A contender opens its conversations first, so that a measurement holds turns only. One turn is two
model calls and one tool call, with everything said before sent along.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import orjson
from anyio.abc import TaskStatus

from swarm import (
    Answered,
    Catalog,
    Host,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Contender", "Converse", "bare_loop", "question", "wikiswarm"]

Converse = Callable[[str], Awaitable[str]]
"""One conversation: takes what the user says and returns the answer."""

Contender = Callable[[Sequence[str]], AbstractAsyncContextManager[list[Converse]]]
"""Opens one conversation for each client id."""

_MODEL = "stub-model"
_PROMPT = "You sell medicine. Look up what is in stock before you answer. Be short and friendly."
_TOOL: dict[str, object] = {
    "type": "function",
    "function": {
        "name": "stock_level",
        "description": "How many boxes are in stock.",
        "parameters": {
            "type": "object",
            "properties": {"sku": {"type": "string"}},
            "required": ["sku"],
        },
    },
}


async def stock_level(sku: str) -> int:
    """How many boxes are in stock."""
    return len(sku)


def question(number: int) -> str:
    """Return what the user says in a turn."""
    return f"Question {number}: do you still have the larger box of tablets in stock?"


@asynccontextmanager
async def wikiswarm(
    base_url: str,
    home: Path,
    *,
    turns: int,
    is_streamed: bool = False,
    has_effect: bool = False,
) -> AsyncGenerator[Contender, None]:
    """Run wikiswarm on one host, with its journal in `home` on."""
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", model=f"openai/{_MODEL}", base_url=base_url)
        add_tool(
            tool_name="stock_level",
            description="How many boxes are in stock.",
            parameters={
                "type": "object",
                "properties": {"sku": {"type": "string"}},
                "required": ["sku"],
            },
            call=stock_level,
            read_only=not has_effect,
        )
        add_agent(
            agent_name="seller",
            completion="model",
            prompt=_PROMPT,
            tools=["stock_level"],
            keep_messages=4 * turns + 1,
        )
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")

    async with Host(catalog=catalog, home=home, environment={}) as host:

        async def keep(client: str, *, task_status: TaskStatus[Converse]) -> None:
            async with session(client, "shop", host=host) as chat:

                async def stream(content: str) -> str:
                    async for event in chat.stream(content):
                        if isinstance(event, Answered):
                            return event.text
                    raise AssertionError("a stream ends with its answer")

                task_status.started(stream if is_streamed else chat.complete)
                await anyio.sleep_forever()

        @asynccontextmanager
        async def opened(clients: Sequence[str]) -> AsyncGenerator[list[Converse], None]:
            # Each in a task of its own, as in a server: cancel scopes that are nested a hundred
            # deep make every await look through all of them.
            async with anyio.create_task_group() as group:
                chats: dict[str, Converse] = {}

                async def start(client: str) -> None:
                    chats[client] = await group.start(keep, client)

                async with anyio.create_task_group() as starting:
                    for client in clients:
                        starting.start_soon(start, client)
                yield [chats[client] for client in clients]
                group.cancel_scope.cancel()

        yield opened


@asynccontextmanager
async def bare_loop(base_url: str) -> AsyncGenerator[Contender, None]:
    """Run the least that a program must do: two requests, parsed, the tool called, a list kept."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0, limit_per_host=1024, keepalive_timeout=30)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
    ) as http:

        @asynccontextmanager
        async def opened(clients: Sequence[str]) -> AsyncGenerator[list[Converse], None]:
            yield [_bare_conversation(http, f"{base_url}/chat/completions") for _ in clients]

        yield opened


def _bare_conversation(http: "aiohttp.ClientSession", url: str) -> Converse:
    messages: list[dict[str, object]] = [{"role": "system", "content": _PROMPT}]
    headers = {"Content-Type": "application/json"}

    async def ask() -> dict[str, Any]:
        body = orjson.dumps({"model": _MODEL, "messages": messages, "tools": [_TOOL]})
        async with http.post(url, data=body, headers=headers) as response:
            message = orjson.loads(await response.read())["choices"][0]["message"]
        messages.append(message)
        return message

    async def converse(content: str) -> str:
        messages.append({"role": "user", "content": content})
        while calls := (message := await ask()).get("tool_calls"):
            for call in calls:
                arguments = orjson.loads(call["function"]["arguments"])
                output = str(await stock_level(**arguments))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": output})
        return message["content"]

    return converse
