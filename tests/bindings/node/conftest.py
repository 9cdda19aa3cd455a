"""A folder with a document, its TypeScript beside it, and the built npm package."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from declarative import load
from swarm import Catalog, Host, session
from tests.bindings.typescript.package import PACKAGE, build

__all__ = ["MODEL", "SWARM", "Files", "OpenHost", "say"]

Files = Callable[[Mapping[str, str]], Path]
"""Writes files by name and returns their folder."""
OpenHost = Callable[[str], AbstractAsyncContextManager[Host]]
"""Opens a host for the text of a document."""

SWARM = """\
completions: {model: {get_completion: "file.ts#model"}}
tools: {tool: {call: "file.ts#tool", timeout: 20}}
agents: {seller: {completion: model, prompt: Sell., tools: [tool]}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""
MODEL = """\
export async function model({ messages }) {
  const last = messages.at(-1);
  if (last.role === "tool") return `it said ${last.content}`;
  const call = { function: { name: "tool", arguments: { text: last.content } } };
  return { role: "assistant", content: "", tool_calls: [call] };
}
"""
"""A model that calls the tool with what it is asked, and says what came of it."""


async def say(host: Host, text: str, client: str = "client") -> str:
    """Return the answer to a message."""
    async with session(client, "shop", host=host) as chat:
        return await chat.complete(text)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A folder in which `wikiswarm` and `tsx` are installed, as links to this repository's."""
    build()
    folder = tmp_path / "project"
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    (modules / "wikiswarm").symlink_to(PACKAGE)
    (modules / "tsx").symlink_to(PACKAGE / "node_modules" / "tsx")

    def write(texts: Mapping[str, str]) -> Path:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    write({"package.json": '{"type": "module"}'})
    return write


@pytest.fixture
def open_host(files: Files, home: Path) -> OpenHost:
    """A way to open a host for a document of the folder."""

    @asynccontextmanager
    async def opened(text: str) -> AsyncGenerator[Host, None]:
        folder = files({"swarm.yaml": text})
        catalog = load(folder / "swarm.yaml", catalog=Catalog())
        async with Host(catalog=catalog, home=home) as host:
            yield host

    return opened
