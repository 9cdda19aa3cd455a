"""A `wikiswarm chat` that is killed: nothing acknowledged is lost, and no half turn is left."""

import json
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from swarm import Message
from swarm.testing import StubReply, call_tool
from tests.bindings.cli.conftest import Serve, Wikiswarm

_WAIT = 30


@contextmanager
def chatting(shop: Path) -> Generator[subprocess.Popen[str]]:
    """Start a chat in a process of its own, and kill it as no program can prevent."""
    command = [Path(sys.executable).with_name("wikiswarm"), "chat", shop]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        limit = threading.Timer(_WAIT, process.kill)
        limit.start()
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()
            process.wait()


def send(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{text}\n")
    process.stdin.flush()


def wait_for(stream: IO[str] | None, text: str) -> None:
    """Read lines up to one that holds a text."""
    assert stream is not None
    seen: list[str] = []
    while text not in (line := stream.readline()):
        assert line, f"the process ended; it said {seen}"
        seen.append(line)


@pytest.mark.requirement("S0-01")
def test_killed_between_two_messages(wikiswarm: Wikiswarm, shop: Path) -> None:
    with chatting(shop) as process:
        for number in range(3):
            send(process, f"How much is number {number}?")
            wait_for(process.stdout, f"number {number}?': 4.80 euros.")
    expected = [
        line
        for number in range(3)
        for line in (
            f"> How much is number {number}?",
            f"On 'How much is number {number}?': 4.80 euros.",
        )
    ]
    assert wikiswarm("chat", shop, stdin="").lines == expected
    assert wikiswarm("chat", shop, "-m", "How many in stock?").lines == ["3"]
    statuses = [run["status"] for run in wikiswarm("runs", "list", "--json").json]
    assert statuses == ["answered"] * 4


@pytest.mark.parametrize("is_in_tool", [False, True], ids=["model", "tool"])
@pytest.mark.requirement("S0-01", "S0-23")
def test_killed_in_the_middle_of_a_turn(
    wikiswarm: Wikiswarm, shop: Path, serve: Serve, is_in_tool: bool
) -> None:
    def reply(request: Mapping[str, Any]) -> StubReply | Message:
        if request["messages"][-1]["content"] == "Hello":
            return StubReply("Good morning.")
        return call_tool("stock", "call_1") if is_in_tool else StubReply(hangs=True)

    code = shop.with_suffix(".py").read_text(encoding="utf-8")
    code = code.replace("    return 3\n", "    import time\n\n    time.sleep(600)\n    return 3\n")
    shop.with_suffix(".py").write_text(code, encoding="utf-8")
    _point_at(shop, serve(reply).base_url)
    with chatting(shop) as process:
        send(process, "Hello")
        wait_for(process.stdout, "Good morning.")
        send(process, "Are you there?")
        if is_in_tool:
            wait_for(process.stderr, "calls stock({})")
        while process.poll() is None and len(wikiswarm("runs", "list").lines) < 2:
            pass  # what nobody waits for is in the journal a moment later
    assert wikiswarm("runs", "list").lines[0].split("\t")[3] == "unfinished"
    shown = wikiswarm("chat", shop, stdin="").lines
    assert shown[:3] == ["> Hello", "Good morning.", "> Are you there?"]
    assert shown[3].startswith("[This message got no answer: ")
    assert len(shown) == 4
    newest, oldest = wikiswarm("runs", "list", "--json").json
    assert (newest["status"], oldest["status"]) == ("interrupted", "answered")
    assert newest["failure"]["code"] == "turn_interrupted"
    assert newest["question"] == "Are you there?"
    # The end of the turn is written once, however often the session is opened again.
    assert wikiswarm("chat", shop, stdin="").lines == shown
    found = wikiswarm("dataset", "collect", "--json").json
    assert (found["files"][0]["rows"], found["dropped"]) == (1, {"no_answer": 1})


def _point_at(shop: Path, url: str) -> None:
    spec = json.dumps({"model": "openai/any", "base_url": url})
    text = shop.read_text(encoding="utf-8").replace("{model: offline}", spec)
    shop.write_text(text, encoding="utf-8")
