"""The runner that checks bindings: it passes one that is right and names what others do wrong."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from bindings.conformance import CHECKS
from bindings.conformance.__main__ import main
from bindings.rpc.core import Core
from bindings.rpc.framing import LineChannel
from swarm import Host
from tests.bindings.rpc.client import Client
from tests.bindings.rpc.conftest import FAR_LIMIT, socket_pair
from tests.bindings.rpc.story import callback, say

PROGRAM = Path(__file__).with_name("program.py")


@pytest.mark.requirement("wire:callback:invoke", "wire:callback:throws", "wire:callback:concurrent")
@pytest.mark.parametrize("way", [[], ["--stdio"]])
def test_a_program_by_hand_passes(way: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*way, sys.executable, str(PROGRAM)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("ok   wire:") == len(CHECKS)
    assert f"{len(CHECKS)} of {len(CHECKS)} checks passed" in printed


@pytest.mark.parametrize(
    ("before", "after", "failing"),
    [
        ('self.refuse(request_id, -32601, f"no method {method}")', "return", "unknown-method"),
        ('params = {**params, "_meta": {"callId": call_id}}', "pass", "callback:nested"),
        ("len(frame) > self.limit", "False", "frame:oversized"),
        ("cancelled.wait()", "threading.Event().wait()", "cancel:answered"),
        ("    return 0\n", "    threading.Event().wait()\n    return 0\n", "connection:lost"),
        ('"protocol": 1, "minProtocol": 1', '"protocol": 5, "minProtocol": 4', "handshake:welcome"),
        ("-32056, str(error)", '-32056, "failed"', "callback:throws"),
    ],
)
def test_what_a_program_does_wrong_is_named(
    before: str,
    after: str,
    failing: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = PROGRAM.read_text(encoding="utf-8")
    assert before in source
    broken = tmp_path / "program.py"
    broken.write_text(source.replace(before, after), encoding="utf-8")
    name = next(check.id for check in CHECKS if check.id.endswith(failing))
    assert main(["--patience", "1.5", "--only", name, sys.executable, str(broken)]) == 1
    assert f"FAIL {name}" in capsys.readouterr().out


def test_a_command_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", CHECKS[0].id, "no-such-program"]) == 1
    assert "cannot start 'no-such-program'" in capsys.readouterr().out
    assert main(["--only", "wire:nope", "x"]) == 2
    assert "no check 'wire:nope'" in capsys.readouterr().err


def test_the_ids_of_checks_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


@pytest.mark.anyio
@pytest.mark.requirement("wire:connection:lost")
async def test_a_program_that_is_killed_in_the_middle_of_its_tool_is_noticed(host: Host) -> None:
    async def model(args: list[Any], call: dict[str, Any]) -> Any:
        last = args[0]["messages"][-1]
        if last["content"] == "wait":
            calls = [{"id": "c", "name": "wait", "arguments": "{}"}]
            return {"content": "", "toolCalls": calls}
        return last["content"]

    async with Core(host) as core, anyio.create_task_group() as tasks:
        near, far = socket_pair()
        environment = {**os.environ, "WIKISWARM_FD": str(far)}
        process = await anyio.open_process(
            [sys.executable, str(PROGRAM)], pass_fds=[far], env=environment, stderr=None
        )
        os.close(far)
        tasks.start_soon(core.serve, LineChannel(near, near, limit=FAR_LIMIT))
        ours, theirs = socket_pair()
        tasks.start_soon(core.serve, LineChannel(ours, ours, limit=FAR_LIMIT))
        async with (
            process,
            Client(LineChannel(theirs, theirs, limit=FAR_LIMIT)).running() as client,
        ):
            await client.initialize()
            client.functions["model"] = model
            with anyio.fail_after(10):
                while "wait" not in host.catalog.tools:
                    await client.ask("catalog/get", kind="tool")
            await client.declare(
                {"kind": "completion", "completionName": "m", "getCompletion": callback("model")},
                {"kind": "agent", "agentName": "a", "completion": "m", "tools": ["wait", "echo"]},
                {"kind": "swarm", "swarmName": "pharma", "agentList": ["a"], "defaultAgent": "a"},
            )
            await client.ask("session/open", clientId="client-1", swarmName="pharma")
            message = {"clientId": "client-1", "swarmName": "pharma", "content": "wait"}
            request_id = await client.begin("session/complete", message)
            with anyio.fail_after(10):
                while len(await client.ask("verb/getRawHistory", clientId="client-1")) < 2:
                    pass
            os.kill(process.pid, signal.SIGKILL)
            with anyio.fail_after(10):
                assert (await client.answer(request_id)).startswith("error: ")
            # The others are served on, and what the dead program declared is gone.
            with anyio.fail_after(10):
                while "wait" in host.catalog.tools:
                    await client.ask("catalog/get", kind="tool")
            assert await say(client, "still there") == "still there"
