"""What a server answers, as text."""

from typing import Any

import pytest
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from swarm.errors import ToolFailed
from swarm.mcp.output import result_text


def texts(*values: str) -> list[ContentBlock]:
    """Return blocks of text."""
    return [TextContent(type="text", text=value) for value in values]


@pytest.mark.parametrize(
    ("parts", "structured", "expected"),
    [
        ([], None, "done"),
        (["a", "b"], None, "a\nb"),
        ([], {"count": 3}, '{"count":3}'),
        (['{"count": 3}'], {"count": 3}, '{"count": 3}'),
        (["3 boxes"], {"count": 3}, '3 boxes\n{"count":3}'),
        (["3"], {"result": 3}, "3"),
        (["three"], {"result": "three"}, "three"),
        (["3"], {"result": "3"}, "3"),
        (["1", "2"], {"result": [1, 2]}, "1\n2"),
        (["1"], {"result": 2}, '1\n{"result":2}'),
        ([], [1, 2], "[1,2]"),
    ],
)
def test_structured_content_is_told_once(parts: list[str], structured: Any, expected: str) -> None:
    assert result_text(CallToolResult(content=texts(*parts), structured_content=structured)) == (
        expected
    )


def test_what_is_no_text_is_named() -> None:
    content: list[ContentBlock] = [
        AudioContent(type="audio", data="aGVsbG8=", mime_type="audio/wav"),
        EmbeddedResource(
            type="resource", resource=TextResourceContents(uri="file:///a.txt", text="inside")
        ),
        EmbeddedResource(
            type="resource", resource=BlobResourceContents(uri="file:///a.bin", blob="aGVsbG8=")
        ),
        ResourceLink(type="resource_link", name="leaflet", uri="https://a.example/leaflet"),
    ]
    assert result_text(CallToolResult(content=content)).splitlines() == [
        "[audio: audio/wav, 6 bytes, not shown]",
        "inside",
        "[resource: file:///a.bin, unknown type, not shown]",
        "[link: leaflet <https://a.example/leaflet>]",
    ]


def test_an_error_is_a_failed_tool() -> None:
    with pytest.raises(ToolFailed, match="locked"):
        result_text(CallToolResult(content=texts("locked"), is_error=True))
    with pytest.raises(ToolFailed, match="no reason"):
        result_text(CallToolResult(content=[], is_error=True))
