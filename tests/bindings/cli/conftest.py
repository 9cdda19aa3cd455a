"""The command line inside this process, a swarm to talk to, and a model server beside it."""

import json
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from anyio.from_thread import start_blocking_portal
from typer.testing import CliRunner

from bindings.cli import app
from swarm.testing import StubServer
from swarm.testing.stub_server import Decide

__all__ = ["Output", "Serve", "Wikiswarm"]


class Output:
    """What a command printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        """The standard output, which must be one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines of the standard output."""
        return self.out.splitlines()


class Wikiswarm(Protocol):
    """Runs a command and checks its exit code."""

    def __call__(self, *arguments: object, code: int = 0, stdin: str = "") -> Output:
        """Run a command; any exception that is no exit fails the test."""
        ...


class Serve(Protocol):
    """Starts a model server."""

    def __call__(self, reply: Decide, *, key: str | None = None) -> StubServer:
        """Return a server that lives as long as the test."""
        ...


@pytest.fixture
def wikiswarm(home: Path) -> Wikiswarm:
    """The command line, with a home and a working folder of its own."""

    def run(*arguments: object, code: int = 0, stdin: str = "") -> Output:
        words = [str(argument) for argument in arguments]
        result = CliRunner().invoke(app, words, input=stdin, catch_exceptions=False)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return Output(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def serve() -> Generator[Serve]:
    """Starts model servers in a thread of their own, which also serve other processes."""
    with start_blocking_portal() as portal, ExitStack() as stack:

        def start(reply: Decide, *, key: str | None = None) -> StubServer:
            server = StubServer(reply, key=key)
            return stack.enter_context(portal.wrap_async_context_manager(server))

        yield start


SHOP = """\
completions:
  model: {model: offline}
wikis:
  pharma: {get_chat: "shop:look_up", doc_description: Prices of products}
tools:
  price:
    wiki: pharma
    examples: [What does it cost?, How much is it?]
  stock:
    call: shop:stock
    examples: [How many boxes are in stock?]
  to_doctor:
    navigate_to: doctor
    examples: [I want a doctor]
agents:
  seller:
    completion: model
    prompt: You sell.
    tools: [price, stock, to_doctor]
    wiki_list: [pharma]
  doctor: {completion: model, prompt: You heal.}
swarms:
  shop: {agent_list: [seller, doctor], default_agent: seller}
"""

TOOLS = '''\
"""The functions of shop.yaml."""


def look_up(message: str) -> str:
    """Answer as a wiki."""
    return f"On {message!r}: 4.80 euros."


def stock() -> int:
    """Tell how many boxes are in stock."""
    return 3
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A swarm that works offline, with a wiki, a tool and a hand-off."""
    (tmp_path / "shop.py").write_text(TOOLS, encoding="utf-8")
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP, encoding="utf-8")
    return path
