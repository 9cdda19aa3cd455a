"""The core as a process of its own: what is printed stays off the wire, and ends are clean."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from bindings.rpc.framing import LineChannel
from tests.bindings.rpc.client import Client, Refused
from tests.bindings.rpc.conftest import core_process, socket_pair
from tests.bindings.rpc.story import say, shop

pytestmark = pytest.mark.anyio

NOISY = """
import os, subprocess, sys
print("a banner of a library")
sys.stdout.flush()
os.write(1, b"from below\\n")
subprocess.run([sys.executable, "-c", "print('a child')"], check=True)


def answer(message: str) -> str:
    print("while it answers", flush=True)
    return f"The document says {message}."
"""
DOCUMENT = """
wikis:
  house: {get_chat: "noisy:answer"}
"""


@pytest.mark.requirement("wire:stdio:quiet")
async def test_what_is_printed_never_reaches_the_program(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noisy.py").write_text(NOISY, encoding="utf-8")
    document = tmp_path / "swarm.yaml"
    document.write_text(DOCUMENT, encoding="utf-8")
    async with core_process(home, "--load", str(document)) as (client, _):
        await client.initialize()
        await shop(client)
        # A wiki of the document, asked by an agent of the program.
        change = {"kind": "agent", "name": "seller", "fields": {"wikiList": ["house"]}}
        await client.ask("catalog/override", **change)
        await client.ask("session/dispose", clientId="client-1", swarmName="pharma")
        await client.ask("session/open", clientId="client-1", swarmName="pharma")
        answer = await client.ask(
            "verb/question", message="hi", clientId="client-1", agentName="seller",
            wikiName="house",
        )  # fmt: skip
        assert answer == "The document says hi."
    printed = capfd.readouterr()
    assert printed.out == ""
    for text in ("a banner of a library", "from below", "a child", "while it answers"):
        assert text in printed.err


@pytest.mark.requirement("wire:connection:lost")
async def test_a_core_that_is_killed_in_the_middle_of_a_tool_is_noticed(home: Path) -> None:
    started = anyio.Event()

    async def find(args: list[Any], call: dict[str, Any]) -> Any:
        started.set()
        await anyio.sleep_forever()

    async with core_process(home) as (client, pid):
        await client.initialize()
        await shop(client, find)
        await client.begin(
            "session/complete", {"clientId": "client-1", "swarmName": "pharma", "content": "hi"}
        )
        await started.wait()
        os.kill(pid, signal.SIGKILL)
        with anyio.fail_after(5):
            await client.is_closed.wait()
    # The conversation is whole, and a new core goes on with it.
    async with core_process(home) as (client, _):
        await client.initialize()
        await shop(client)
        users = await client.ask("verb/getUserHistory", clientId="client-1")
        assert [message["content"] for message in users] == ["hi"]
        assert (await say(client, "again")).startswith("The model says")


async def test_a_core_ends_with_its_program(home: Path) -> None:
    async with core_process(home) as (client, _):
        await client.initialize()
        await shop(client)
        await client.ask("shutdown")
        await client.send({"method": "exit"})
        with anyio.fail_after(10):
            await client.is_closed.wait()


async def test_a_core_ends_at_a_signal(home: Path) -> None:
    async with core_process(home) as (client, pid):
        await client.initialize()
        os.kill(pid, signal.SIGTERM)
        with anyio.fail_after(10):
            await client.is_closed.wait()


async def test_a_core_speaks_over_an_inherited_socket(home: Path) -> None:
    near, far = socket_pair()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "bindings", "--fd", str(near), "--home", str(home)]
    process = await anyio.open_process(
        command, pass_fds=[near], env=environment, stdin=None, stdout=None, stderr=None
    )
    os.close(near)
    async with process:
        async with Client(LineChannel(far, far, limit=2**26)).running() as client:
            await client.initialize()
            assert (await client.ask("catalog/get"))["declarations"] == []
        with anyio.fail_after(20):
            assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stdio", "--load", "missing.yaml"], "missing.yaml"),
        (["--fd", "77"], "--fd 77: Bad file descriptor"),
        (["--ws", "nonsense"], "'nonsense' is no address; give HOST:PORT"),
        (["--ws", "0.0.0.0:0"], "set WIKISWARM_TOKEN"),
        ([], "required"),
    ],
)
def test_what_cannot_begin_says_why(home: Path, arguments: list[str], said: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "bindings", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=environment,
        check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


async def test_a_program_that_reads_slowly_loses_nothing(home: Path) -> None:
    """Answers wait for their reader, and the core holds no more of them than its queue."""
    async with core_process(home) as (client, _):
        await client.initialize()

        async def long(args: list[Any], call: dict[str, Any]) -> Any:
            return "x" * 200_000

        await shop(client)
        client.functions["wiki:shop.getChat"] = long
        seller = {"clientId": "client-1", "agentName": "seller", "wikiName": "shop"}
        ids = [await client.begin("verb/question", {"message": "?", **seller}) for _ in range(50)]
        lengths = [len(await client.answer(request_id)) for request_id in ids]
        assert lengths == [200_000] * 50


async def test_a_session_of_a_core_that_is_gone_is_refused_with_a_reason(home: Path) -> None:
    async with core_process(home) as (client, _):
        await client.initialize()
        with pytest.raises(Refused, match="no swarm named"):
            await client.ask("session/open", clientId="client-1", swarmName="pharma")
