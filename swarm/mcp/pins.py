"""The tool descriptions of a server as they were when somebody last agreed to them.

A description is an instruction to the model, and its author can change it after everybody has
read it. So the first list of a server is kept in the home, and a tool that reads differently
later, or is new, stays blocked until a person approves it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from swarm.errors import DataError, StoreError
from swarm.files import write_atomically
from swarm.mcp.tool import McpTool

__all__ = ["Pins", "ToolChange", "changes", "pins_path", "read_pins", "write_pins"]


class Pins(BaseModel):
    """The tools of one server that were agreed to."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True
    )

    mcp_name: str
    approved_at: datetime
    """When the list was first seen, or last approved."""
    digests: dict[str, str]
    """Tool name to the SHA-256 of its name, description and schema."""
    tools: tuple[McpTool, ...]
    """What the digests were made of, to show what changed."""


class ToolChange(NamedTuple):
    """How a tool differs from what was agreed to."""

    tool_name: str
    kind: Literal["new", "changed", "removed"]
    before: McpTool | None
    after: McpTool | None


def pins_path(home: Path, mcp_name: str) -> Path:
    """Return the file with a server's pins; a declared name is no path."""
    return home / "mcp" / f"{mcp_name}.json"


def read_pins(home: Path, mcp_name: str) -> Pins | None:
    """Return the pins of a server, or None before its first use.

    Raises:
        DataError: The file holds something else; nothing of the server is trusted then.
    """
    path = pins_path(home, mcp_name)
    try:
        return Pins.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as wrong:
        raise DataError(
            f"{path} cannot be read ({type(wrong).__name__}); remove it to start afresh, "
            f"or approve the tools of mcp {mcp_name!r} again"
        ) from None


def write_pins(home: Path, mcp_name: str, tools: Sequence[McpTool]) -> Pins:
    """Agree to a list of tools.

    Raises:
        StoreError: The home cannot be written.
    """
    path = pins_path(home, mcp_name)
    pins = Pins(
        mcp_name=mcp_name,
        approved_at=datetime.now(UTC),
        digests={tool.name: tool.digest for tool in tools},
        tools=tuple(tools),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, pins.model_dump_json(indent=1), mode=0o600)
    except OSError as wrong:
        raise StoreError(f"{path} cannot be written: {wrong.strerror or wrong}") from wrong
    return pins


def changes(pins: Pins | None, tools: Sequence[McpTool]) -> list[ToolChange]:
    """Return how a list of tools differs from the pins; without pins everything is new."""
    before = {tool.name: tool for tool in pins.tools} if pins else {}
    digests = pins.digests if pins else {}
    found: list[ToolChange] = []
    for tool in tools:
        if tool.name not in digests:
            found.append(ToolChange(tool.name, "new", None, tool))
        elif digests[tool.name] != tool.digest:
            found.append(ToolChange(tool.name, "changed", before.get(tool.name), tool))
    present = {tool.name for tool in tools}
    found += [
        ToolChange(name, "removed", before.get(name), None)
        for name in digests
        if name not in present
    ]
    return found
