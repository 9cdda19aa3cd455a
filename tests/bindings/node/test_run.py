"""Whole programs with the core in a Python process: `wikiswarm run`, and `run_program`."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from bindings.node import run_program
from declarative import add_agent, add_completion, add_swarm, load
from swarm import Catalog, Host, use_catalog
from swarm.errors import DataError
from swarm.testing import ScriptedCompletion, call_tool
from tests.bindings.node.conftest import Files
from tests.bindings.typescript.package import needs_node

pytestmark = [needs_node, pytest.mark.anyio, pytest.mark.xdist_group("npm")]

PROGRAM = """\
import { addAgent, addSwarm, addTool, session } from "wikiswarm";
addTool({
  toolName: "where",
  function: { name: "where", description: "Where is the shop?" },
  call: async () => "Main street",
});
addAgent({ agentName: "guide", completion: "model", prompt: "Guide.", tools: ["where"] });
addSwarm({ swarmName: "city", agentList: ["guide"], defaultAgent: "guide" });
"""
NOISY = """\
import os
print("a library prints")
os.system("echo and so does a child")
def wiki(message): print("again"); return "text"
"""
DOCUMENT = 'completions: {model: {model: offline}}\nwikis: {w: {get_chat: "noisy:wiki"}}\n'


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "bindings.cli", *map(str, arguments)]


def _environment(home: Path, **more: str) -> Mapping[str, str]:
    python_path = os.pathsep.join(sys.path)
    return {**os.environ, "PYTHONPATH": python_path, "WIKISWARM_HOME": str(home), **more}


def _run(home: Path, *arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command("run", *arguments),
        env=_environment(home, **more),
        input="from the terminal\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.requirement("wire:run:program", "wire:stdio:quiet")
def test_the_program_has_its_arguments_streams_and_status(files: Files, home: Path) -> None:
    folder = files({
        "program.ts": PROGRAM + """
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) console.log("read", line);
console.log(JSON.stringify(process.argv.slice(2)));
const { complete, dispose } = session("né", "city");
console.log(await complete("Where is the shop?"));
await dispose();
process.exitCode = 7;
""",
        "noisy.py": NOISY,
        "swarm.yaml": DOCUMENT,
    })  # fmt: skip
    program = folder / "program.ts"
    ran = _run(home, "--load", folder / "swarm.yaml", program, "--", "--load", "x", "--help")
    said = 'read from the terminal\n["--load","x","--help"]\nMain street\n'
    assert (ran.returncode, ran.stdout) == (7, said), ran.stderr
    assert "a library prints" in ran.stderr
    assert "and so does a child" in ran.stderr


@pytest.mark.requirement("wire:run:program")
def test_plain_javascript_needs_no_tsx_and_a_signal_is_told(files: Files, home: Path) -> None:
    folder = files({"p.cjs": "process.kill(process.pid, 'SIGKILL');", "p.mjs": "console.log(1);"})
    (folder / "node_modules" / "tsx").unlink()
    assert _run(home, folder / "p.cjs").returncode == 128 + signal.SIGKILL
    ran = _run(home, folder / "p.mjs")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "1\n", "")


def test_wrong_usage_and_a_machine_that_lacks_something(files: Files, home: Path) -> None:
    folder = files({"p.ts": "", "p.txt": "", "bad.yaml": "agents: {a: {}}"})
    for arguments, status, said in (
        ((folder / "q.ts",), 2, "there is no file"),
        ((folder,), 2, "is a folder"),
        ((folder / "p.txt",), 2, "is no program for Node"),
        (("--load", folder / "bad.yaml", folder / "p.ts"), 1, "agents.a: give a `completion`"),
        (("--load", folder / "none.yaml", folder / "p.ts"), 1, "cannot be read"),
    ):
        ran = _run(home, *arguments)
        assert (ran.returncode, ran.stdout) == (status, ""), ran.stderr
        assert said in ran.stderr
        assert "Traceback" not in ran.stderr
    ran = _run(home, folder / "p.ts", WIKISWARM_NODE="no-node")
    assert ran.returncode == 3
    assert ran.stderr.splitlines() == [
        "error: WIKISWARM_NODE names 'no-node', which is no program; install Node 20 or later, "
        "or name it in WIKISWARM_NODE"
    ]
    (folder / "node_modules" / "tsx").unlink()
    ran = _run(home, folder / "p.ts")
    assert ran.returncode == 3
    assert "needs tsx, which is not installed; run: npm install --prefix" in ran.stderr


WAITING = PROGRAM + """
import { openSync, writeSync } from "node:fs";
writeSync(openSync(new URL("./life", import.meta.url), "w"), `${process.pid}\\n`);
process.on("SIGTERM", () => { console.log("told to end"); process.exit(9); });
const { complete } = session("client", "city");
await complete("Where is the shop?");
setInterval(() => undefined, 1000);
console.log("ready");
"""  # fmt: skip


@pytest.mark.requirement("wire:run:program", "wire:connection:lost")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
async def test_a_signal_ends_both(files: Files, home: Path, name: str) -> None:
    folder = files({"program.ts": WAITING, "noisy.py": NOISY, "swarm.yaml": DOCUMENT})
    os.mkfifo(folder / "life")
    core = await anyio.open_process(
        _command("run", "--load", folder / "swarm.yaml", folder / "program.ts"),
        stderr=subprocess.DEVNULL,
        env=_environment(home),
        # Not in the foreground of a terminal, where Ctrl-C would be for all.
        start_new_session=True,
    )
    assert core.stdout is not None
    with anyio.fail_after(60):
        life = await anyio.to_thread.run_sync((folder / "life").open, "rb", abandon_on_cancel=True)
        assert await core.stdout.receive() == b"ready\n"
        core.send_signal(signal.Signals[name])
        said = b"".join([part async for part in core.stdout])
        status = await core.wait()
        # It closes with the program, and holds the pid that the program wrote.
        assert (await anyio.to_thread.run_sync(life.read)).strip().isdigit()
    life.close()
    expected = {"SIGTERM": 9, "SIGINT": 128 + signal.SIGINT, "SIGKILL": -signal.SIGKILL}
    assert status == expected[name]
    assert said == (b"" if name == "SIGINT" else b"told to end\n")


async def test_a_program_ends_with_who_runs_it(files: Files, home: Path) -> None:
    text = """\
import { openSync, writeSync } from "node:fs";
writeSync(openSync(new URL("./life", import.meta.url), "w"), String(process.pid));
setInterval(() => undefined, 1000);
"""
    folder = files({"program.mjs": text})
    os.mkfifo(folder / "life")
    said = b""
    # Opened to be written as well, so that opening it waits for nobody.
    with os.fdopen(os.open(folder / "life", os.O_RDWR), "r+b", buffering=0) as life:
        async with Host(catalog=Catalog(), home=home) as host, anyio.create_task_group() as tasks:
            tasks.start_soon(run_program, host, folder / "program.mjs")
            with anyio.fail_after(30):
                said = await anyio.to_thread.run_sync(life.read, 100, abandon_on_cancel=True)
            tasks.cancel_scope.cancel()
    pid = int(said)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


TOGETHER = """\
import { addAgent, addTool, changeToAgent, commitToolOutput, execute, question, session }
  from "wikiswarm";
addTool({
  toolName: "back",
  function: { name: "back", description: "Hands back." },
  call: async ({ toolId, clientId, agentName }) => {
    const known = await question("Does aspirin help?", clientId, agentName, "pharma");
    await commitToolOutput(toolId, known, clientId, agentName);
    await changeToAgent("front", clientId);
    await execute(`tell: ${known}`, clientId, "front");
  },
});
addAgent({ agentName: "expert", completion: "expert_model", prompt: "Know.", tools: ["back"],
  wikiList: ["pharma"] });
const { complete, dispose } = session("client", "shop");
console.log(await complete("What helps?"));
await dispose();
"""


@pytest.mark.requirement("wire:run:together")
async def test_agents_of_python_and_of_a_program_are_one_swarm(files: Files, home: Path) -> None:
    folder = files({
        "program.ts": TOGETHER,
        "swarm.yaml": 'wikis: {pharma: {get_chat: "pharma:answer"}}',
        "pharma.py": "def answer(message): return f'{message} Yes.'\n",
    })  # fmt: skip
    catalog = load(folder / "swarm.yaml", catalog=Catalog())
    front = ScriptedCompletion([call_tool("transfer_to_expert"), "Aspirin helps, they say."])
    expert = ScriptedCompletion([call_tool("back")])
    with use_catalog(catalog):
        add_completion(completion_name="front_model", get_completion=front)
        add_completion(completion_name="expert_model", get_completion=expert)
        add_agent(agent_name="front", completion="front_model", handoffs=["expert"])
        add_swarm(swarm_name="shop", agent_list=["front", "expert"], default_agent="front")
    async with Host(catalog=catalog, home=home) as host:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as said, os.fdopen(writing, "wb") as stdout:
            status = await run_program(host, folder / "program.ts", stdout=stdout.fileno())
            stdout.close()
            assert (status, said.read()) == (0, b"Aspirin helps, they say.\n")
        # What it declared has left with it; what it said has stayed.
        assert "expert" not in catalog.agents
        front.assert_complete()
        expert.assert_complete()
        assert front.requests[-1].messages[-1].content == "tell: Does aspirin help? Yes."


async def test_run_program_refuses_what_is_no_program(home: Path) -> None:
    async with Host(catalog=Catalog(), home=home) as host:
        with pytest.raises(DataError, match="there is no file"):
            await run_program(host, "none.ts")
