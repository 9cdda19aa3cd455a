"""Programs that do not read, and programs that die before they have said who they are."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from websockets.asyncio.client import connect

from bindings.rpc.core import Core
from bindings.rpc.framing import LineChannel
from swarm import Host
from tests.bindings.rpc.client import INITIALIZE, Client
from tests.bindings.rpc.conftest import FAR_LIMIT, WebSocketLine, connected, socket_pair
from tests.bindings.rpc.story import callback, catalog, shop

pytestmark = pytest.mark.anyio

EVENTS = 1500
SIZE = 64 * 1024
ANSWERS = 100


@asynccontextmanager
async def _core(home: Path) -> AsyncGenerator[tuple[str, Process], None]:
    """Run a core that listens; gives its address."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "bindings", "--ws", "127.0.0.1:0", "--home", str(home)]
    async with await anyio.open_process(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=None
    ) as process:
        assert process.stderr is not None
        lines, said, found = TextReceiveStream(process.stderr), "", None
        try:
            while found is None:
                said += await lines.receive()
                found = re.search(r"listening on (ws:\S+)", said)
            yield found[1], process
        finally:
            process.kill()


def _memory(pid: int) -> int:
    """Return how many bytes a process has in memory."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.requirement("wire:events:numbered", "wire:connection:slow-reader")
@pytest.mark.parametrize("resume", [False, True])
async def test_who_does_not_read_costs_little_and_gets_its_answers_later(
    home: Path, resume: bool
) -> None:
    async with _core(home) as (url, process), AsyncExitStack() as stack:
        good = await stack.enter_async_context(connect(url, proxy=None, max_size=None))
        client = await stack.enter_async_context(Client(WebSocketLine(good)).running())
        await client.initialize()
        await shop(client)
        slow = await stack.enter_async_context(
            connect(url, proxy=None, max_size=None, compression=None, ping_interval=None)
        )
        first = {**INITIALIZE, "capabilities": {"resume": resume}}
        listen = {"clientId": "*", "bus": "large"}
        for request_id, method, params in [
            ("hello", "initialize", first),
            ("listen", "events/subscribe", listen),
            *((index, "catalog/get", {}) for index in range(ANSWERS)),
        ]:
            frame = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
            await slow.send(json.dumps(frame))
            if request_id == "listen":
                await slow.recv()
                await slow.recv()
                slow.transport.pause_reading()
        before = _memory(process.pid)
        event = {"clientId": "client-1", "topic": "large", "payload": "x" * SIZE}
        for _ in range(EVENTS):
            await client.ask("verb/event", **event)
        grown = _memory(process.pid) - before
        # All of them are 96 MB; the queue has room for 256 messages, which are 16 MB.
        assert grown < 64 * 1024 * 1024

        slow.transport.resume_reading()
        answers: set[Any] = set()
        numbers: list[int] = []
        with anyio.fail_after(30):
            while len(answers) < ANSWERS:
                message = json.loads(await slow.recv())
                if message.get("method") == "event":
                    numbers.append(message["params"]["seq"])
                elif "result" in message:
                    answers.add(message["id"])
            # One that comes after those that were dropped shows how many they were; it is
            # dropped too where those before it are still on their way.
            while not numbers or numbers[-1] <= EVENTS:
                text = None
                with anyio.move_on_after(0.2):
                    text = await slow.recv()
                if text is None:
                    await client.ask("verb/event", **event)
                elif (message := json.loads(text)).get("method") == "event":
                    numbers.append(message["params"]["seq"])
        assert answers == set(range(ANSWERS))
        assert numbers == sorted(numbers)
        assert len(numbers) < EVENTS


@pytest.mark.requirement("wire:connection:lost")
@pytest.mark.parametrize("said", [b"", b'{"jsonrpc": "2.0", "id": 1, "meth', b"initialize"])
async def test_a_program_that_dies_in_its_handshake_harms_nobody(host: Host, said: bytes) -> None:
    first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    text = json.dumps(first).encode() + b"\n" if said == b"initialize" else said
    async with connected(host) as client:
        await client.initialize()
        async with Core(host) as core, anyio.create_task_group() as tasks:
            near, far = socket_pair()
            os.write(far, text)
            os.close(far)
            with anyio.fail_after(5):
                await core.serve(LineChannel(near, near, limit=FAR_LIMIT))
            tasks.cancel_scope.cancel()
        assert (await client.ask("catalog/get"))["declarations"] == []


@pytest.mark.requirement("wire:declare:first-come")
async def test_the_agents_of_two_programs_are_in_one_swarm(host: Host) -> None:
    async with connected(host) as first, connected(host) as second:
        for client in (first, second):
            await client.initialize()
        completion, *_ = catalog()

        async def hand_over(args: list[Any], call: dict[str, Any]) -> Any:
            last = args[0]["messages"][-1]
            if last["role"] == "user" and last["mode"] == "user":
                wish = {"id": "c", "name": "to_second", "arguments": "{}"}
                return {"role": "assistant", "content": "", "toolCalls": [wish]}
            return "the first one stays"

        async def answer(args: list[Any], call: dict[str, Any]) -> Any:
            return f"{call['agentName']} heard {args[0]['messages'][-1]['content']}"

        second.functions["completion:theirs.getCompletion"] = answer
        first.functions["completion:model.getCompletion"] = hand_over
        theirs = callback("completion:theirs.getCompletion")
        await second.declare(
            {"kind": "completion", "completionName": "theirs", "getCompletion": theirs},
            {"kind": "agent", "agentName": "second", "completion": "theirs"},
        )
        await first.declare(
            completion,
            {
                "kind": "agentNavigation",
                "toolName": "to_second",
                "description": "Hand over.",
                "navigateTo": "second",
                "executeMessage": "Greet",
            },
            {
                "kind": "agent",
                "agentName": "first",
                "completion": "model",
                "tools": ["to_second"],
                "dependsOn": ["second"],
            },
            {
                "kind": "swarm",
                "swarmName": "both",
                "agentList": ["first", "second"],
                "defaultAgent": "first",
            },
        )
        await first.ask("session/open", clientId="c", swarmName="both")
        say = {"clientId": "c", "swarmName": "both", "content": "hi"}
        assert await first.ask("session/complete", **say) == "second heard Greet"
        assert await first.ask("verb/getAgentName", clientId="c") == "second"
        # The agent stays in the session when its program leaves, and its model fails as lost.
        await second.line.aclose()
        with anyio.fail_after(5):
            while "second" in host.catalog.agents:
                await first.ask("catalog/get", kind="agent")
        with pytest.raises(Exception, match=r"closed the connection"):
            await first.ask("session/complete", **say)
        await first.ask("session/dispose", clientId="c", swarmName="both")
