"""From what an MCP server answers to the text that the model reads."""

from typing import TYPE_CHECKING, cast

import orjson

from swarm.errors import ToolFailed

if TYPE_CHECKING:
    from mcp.types import CallToolResult, ContentBlock

__all__ = ["result_text"]

_MAX_NOTE = 200


def result_text(result: "CallToolResult") -> str:
    """Return a result as text; what is no text is named, not shown.

    Raises:
        ToolFailed: The server says that the call failed.
    """
    parts = [_block_text(block) for block in result.content]
    structured = result.structured_content
    if structured is not None and not _is_told(parts, structured):
        parts.append(orjson.dumps(structured, default=str).decode())
    text = "\n".join(part for part in parts if part)
    if result.is_error:
        raise ToolFailed(text or "the server gave no reason")
    return text or "done"


def _block_text(block: "ContentBlock") -> str:
    if block.type == "text":
        return block.text
    if block.type == "image" or block.type == "audio":
        size = len(block.data) * 3 // 4
        return f"[{block.type}: {block.mime_type[:_MAX_NOTE]}, {size} bytes, not shown]"
    if block.type == "resource":
        resource = block.resource
        text = getattr(resource, "text", None)
        if isinstance(text, str):
            return text
        kind = (resource.mime_type or "unknown type")[:_MAX_NOTE]
        return f"[resource: {str(resource.uri)[:_MAX_NOTE]}, {kind}, not shown]"
    if block.type == "resource_link":
        return f"[link: {block.name[:_MAX_NOTE]} <{str(block.uri)[:_MAX_NOTE]}>]"
    return f"[{str(block.type)[:_MAX_NOTE]}, not shown]"


def _is_told(parts: list[str], structured: object) -> bool:
    """Whether the text says it already: servers repeat it for clients that know only text."""
    inner: object = structured
    if isinstance(structured, dict):
        fields = cast("dict[str, object]", structured)  # JSON objects have string keys
        # What is no object by itself is sent inside of one.
        if list(fields) == ["result"]:
            inner = fields["result"]
    values = [_value(part) for part in parts]
    return inner in values or structured in values or inner in (values, *parts)


def _value(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
