"""Nobody sees another one's text: two swarms of one client, and a thousand clients at once."""

import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm import (
    CompletionRequest,
    Host,
    Message,
    Policy,
    Session,
    State,
    Storage,
    ToolContext,
    add_policy,
    add_state,
    add_storage,
    add_swarm,
    change_to_agent,
    commit_system_message,
    execute,
    get_last_user_message,
    get_raw_history,
    read_session_memory,
    session,
    use_catalog,
    write_session_memory,
)
from swarm.testing import call_tool
from tests.swarm.program import Program

_SECRET = re.compile(r"secret-[0-9a-f]{12}")


@pytest.mark.anyio
@pytest.mark.requirement("kit:concurrency:two-swarms", "kit:history:of-swarm-and-client")
async def test_two_swarms_of_one_client_share_nothing_at_all(program: Program) -> None:
    seen: dict[str, list[Any]] = {"first": [], "second": []}

    async def keep(context: ToolContext, swarm_name: str) -> str:
        whose: Any = {"client_id": context.client_id, "agent_name": context.agent_name}
        seen[swarm_name] += [
            await State.get("cart", **whose),
            await Storage.list("notes", **whose),
            await get_last_user_message(context.client_id),
            [m.content for m in await get_raw_history(context.client_id) if m.role == "user"],
            await read_session_memory(context.client_id),
        ]
        await write_session_memory(context.client_id, swarm_name)
        await State.set("cart", swarm_name, **whose)
        await Storage.upsert("notes", {"id": 1, "text": f"of the {swarm_name}"}, **whose)
        await commit_system_message(f"of the {swarm_name}", context.client_id, context.agent_name)
        return f"output of the {swarm_name}"

    steps: list[Message | str] = []
    for name in ("first", "second", "first"):
        steps += [call_tool("keep", swarm_name=name), f"answer of the {name}"]
    with use_catalog(program.catalog):
        add_state(state_name="cart", default="empty")
        add_storage(storage_name="notes")
        add_policy(policy_name="calm", ban_message="Banned.")
        model = program.agent("seller", steps, tools=[keep], states=["cart"], storages=["notes"])
        program.agent("clerk", [])
        agents = ["seller", "clerk"]
        for name in ("first", "second"):
            add_swarm(swarm_name=name, agent_list=agents, default_agent="seller", policies=["calm"])
    async with (
        program.host() as host,
        session("client", "first", host=host) as first,
        session("client", "second", host=host) as second,
    ):
        await first.complete("to the first")
        await second.complete("to the second")
        await first.complete("again to the first")
        for request in model.requests[2:4]:
            assert not any("first" in m.content for m in request.messages)
        assert seen["second"] == ["empty", [], "to the second", ["to the second"], None]
        assert seen["first"][5:7] == ["first", [{"id": 1, "text": "of the first"}]]
        assert seen["first"][9] == "first"
        ban: Any = {"client_id": "client", "swarm_name": "first", "policy_name": "calm"}
        await Policy.ban_client(**ban)
        assert await first.complete("hello") == "Banned."
        assert not await Policy.has_ban(**{**ban, "swarm_name": "second"})
        assert first.agent_name == second.agent_name == "seller"
        assert not any("first" in m.content for m in second.history.messages)
        assert not any("second" in m.content for m in first.history.messages)


@dataclass
class World:
    """Two agents with tools that pass a client's secret around, and everything a model saw."""

    rng: random.Random
    secrets: dict[str, str]
    requests: int = 0
    leaks: list[str] = field(default_factory=list[str])

    def check(self, client_id: str, where: str, *texts: str) -> None:
        """Note down a secret of somebody else."""
        for text in texts:
            for found in _SECRET.findall(text):
                if found != self.secrets[client_id]:
                    self.leaks.append(f"{where} of {client_id}: {found}")

    async def pause(self) -> None:
        """Let others run for a while."""
        for _ in range(self.rng.randrange(4)):
            await anyio.lowlevel.checkpoint()

    async def model(self, request: CompletionRequest) -> Message | str:
        """Look at everything, then call a tool or tell the client its secret."""
        self.requests += 1
        client_id = request.client_id or ""
        for message in request.messages:
            calls = [call.arguments for call in message.tool_calls]
            self.check(client_id, "request", message.content, *calls)
        await self.pause()
        turn = request.messages[-1]
        choice = self.rng.random()
        secret = self.secrets[client_id]
        if turn.role == "user" and choice < 0.6 and turn.mode == "user":
            return call_tool(self.rng.choice(["keep", "move", "think"]), secret=secret)
        return f"yours is {secret}"

    def tools(self) -> list[Callable[..., Any]]:
        """Return tools that read and write what belongs to the client."""

        async def keep(context: ToolContext, secret: str) -> str:
            whose: Any = {"client_id": context.client_id, "agent_name": context.agent_name}
            await self.pause()
            self.check(context.client_id, "state", str(await State.get("cart", **whose)))
            await State.set("cart", secret, **whose)
            return f"kept {secret}"

        async def move(context: ToolContext, secret: str) -> str:
            await self.pause()
            other = "clerk" if context.agent_name == "seller" else "seller"
            await change_to_agent(other, context.client_id)
            return f"moved {secret}"

        async def think(context: ToolContext, secret: str) -> str:
            await self.pause()
            said = await get_last_user_message(context.client_id)
            self.check(context.client_id, "last message", said)
            names = (context.client_id, context.agent_name)
            return await execute(f"Think of {secret}.", *names)

        return [keep, move, think]

    def program(self, home: Path) -> Program:
        """Return the program of this world."""
        program = Program(home)
        with use_catalog(program.catalog):
            add_state(state_name="cart", default="", persist=False)
        names = [program.tool(tool) for tool in self.tools()]
        for name in ("seller", "clerk"):
            program.agent(name, model=self.model, tools=names, states=["cart"])
        program.swarm()
        return program

    async def converse(self, host: Host, client_id: str, messages: int) -> None:
        """Have a client's conversation, all answers checked."""
        await self.pause()
        chat: Session
        async with session(client_id, "shop", host=host) as chat:
            for number in range(messages):
                await self.pause()
                secret = self.secrets[client_id]
                answer = await chat.complete(f"{number}: mine is {secret}")
                assert secret in answer
                self.check(client_id, "answer", answer)
            for message in chat.history.messages:
                self.check(client_id, "history", message.content)

    async def run(self, home: Path, messages: int) -> None:
        """Let all clients talk at once."""
        async with self.program(home).host() as host, anyio.create_task_group() as group:
            clients = list(self.secrets)
            self.rng.shuffle(clients)
            for client_id in clients:
                group.start_soon(self.converse, host, client_id, messages)


def world_of(rng: random.Random, clients: int) -> World:
    """Return a world with that many clients, each with a secret."""
    return World(rng, {f"c{n}": f"secret-{rng.getrandbits(48):012x}" for n in range(clients)})


@pytest.mark.anyio
@pytest.mark.requirement("kit:concurrency:clients-apart")
async def test_a_thousand_clients_at_once_see_only_themselves(tmp_path: Path) -> None:
    world = world_of(random.Random(4711), 1000)
    with anyio.fail_after(120):
        await world.run(tmp_path, messages=2)
    assert world.leaks == []
    assert world.requests > 3000


@pytest.mark.requirement("kit:concurrency:clients-apart")
@settings(max_examples=12, derandomize=True)
@given(seed=st.integers(0, 2**32), clients=st.integers(2, 12), messages=st.integers(1, 4))
def test_whatever_the_order_clients_see_only_themselves(
    seed: int, clients: int, messages: int
) -> None:
    world = world_of(random.Random(seed), clients)
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(world.run, Path(folder), messages)
    assert world.leaks == []
    assert world.requests >= clients * messages


@pytest.mark.anyio
async def test_a_leak_would_be_seen(tmp_path: Path) -> None:
    """The worlds above can fail: one in which agents share a list has leaks."""
    world = world_of(random.Random(1), 8)
    shared: list[str] = []
    honest = world.model

    async def careless(request: CompletionRequest) -> Message | str:
        shared.append(world.secrets[request.client_id or ""])
        text = await honest(request)
        return f"{text} {shared[0]}" if isinstance(text, str) else text

    world.model = careless
    await world.run(tmp_path, messages=2)
    assert world.leaks
