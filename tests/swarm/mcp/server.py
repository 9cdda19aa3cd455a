"""A live MCP server of the tests, written with the mcp library.

    python server.py STATE            speaks over standard input and output
    python server.py STATE PORT       serves streamable HTTP at http://127.0.0.1:PORT/mcp

STATE is a JSON file: `tools` replaces fields of the tools below by name, `pages` parts the list,
`crash_at_start` ends the process at once. It is read again whenever the tools are listed.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

STATE = Path(sys.argv[1])
CALLS = STATE.with_suffix(".calls")

SKU = {
    "type": "object",
    "properties": {"sku": {"type": "string", "pattern": "^[A-Z][0-9]+$"}},
    "required": ["sku"],
    "additionalProperties": False,
}

TOOLS: dict[str, dict[str, Any]] = {
    "stock": {"description": "How many boxes are in stock.", "inputSchema": SKU},
    "price": {"description": "What a product costs.", "inputSchema": SKU},
    "picture": {"description": "A picture of a product."},
    "refuse": {"description": "Always fails."},
    "slow": {"description": "Never answers."},
    "crash": {"description": "Ends the server."},
    "huge": {"description": "Says far too much."},
    "variables": {"description": "The names of the environment variables."},
    "pid": {"description": "Which process this is."},
    "shop.status/now": {"description": "A name that no provider takes."},
}


def state() -> dict[str, Any]:
    """Return what the test has written."""
    return json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else {}


async def list_tools(context: object, params: PaginatedRequestParams | None) -> ListToolsResult:
    """List the tools; in pages of two where the test says so."""
    changed = state()
    shapes = {name: dict(shape) for name, shape in TOOLS.items()}
    for name, fields in changed.get("tools", {}).items():
        shapes.setdefault(name, {}).update(fields)
    tools = [
        Tool(
            name=name,
            description=shape.get("description"),
            input_schema=shape.get("inputSchema", {"type": "object"}),
        )
        for name, shape in shapes.items()
    ]
    if not changed.get("pages"):
        return ListToolsResult(tools=tools)
    start = int(params.cursor) if params and params.cursor else 0
    after = str(start + 2) if start + 2 < len(tools) else None
    return ListToolsResult(tools=tools[start : start + 2], next_cursor=after)


async def call_tool(context: object, params: CallToolRequestParams) -> CallToolResult:
    """Run a tool."""
    arguments = params.arguments or {}
    with CALLS.open("a", encoding="utf-8") as file:
        file.write(f"{params.name}\n")
    content: list[ContentBlock] = []
    match params.name:
        case "stock":
            value = {"sku": arguments["sku"], "count": 3}
            content.append(TextContent(type="text", text=json.dumps(value)))
            return CallToolResult(content=content, structured_content=value)
        case "price":
            return CallToolResult(content=[], structured_content={"euros": 4.8})
        case "picture":
            content.append(TextContent(type="text", text="A blue box."))
            content.append(ImageContent(type="image", data="aGVsbG8=", mime_type="image/png"))
            return CallToolResult(content=content)
        case "refuse":
            content.append(TextContent(type="text", text="the shelf is locked"))
            return CallToolResult(content=content, is_error=True)
        case "slow":
            await anyio.sleep_forever()
        case "crash":
            os._exit(3)
        case "huge":
            content.append(TextContent(type="text", text="x" * 3_000_000))
        case "variables":
            content.append(TextContent(type="text", text=" ".join(sorted(os.environ))))
        case "pid":
            content.append(TextContent(type="text", text=str(os.getpid())))
        case _:
            content.append(TextContent(type="text", text=f"{params.name} is fine"))
    return CallToolResult(content=content)


server: Server[Any] = Server("shelves", on_list_tools=list_tools, on_call_tool=call_tool)


async def serve_stdio() -> None:
    """Speak over standard input and output."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def serve_http(port: int) -> None:
    """Serve HTTP on the loopback interface; the bearer of `token` only, where STATE has one."""
    import uvicorn
    from starlette.types import ASGIApp, Receive, Scope, Send

    inner: ASGIApp = server.streamable_http_app()

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        token = state().get("token")
        headers = dict(scope.get("headers", []))
        if scope["type"] == "http" and token is not None:
            with CALLS.open("a", encoding="utf-8") as file:
                file.write(f"header {headers.get(b'x-shop', b'').decode()}\n")
            if headers.get(b"authorization") != f"Bearer {token}".encode():
                await send({"type": "http.response.start", "status": 401, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await inner(scope, receive, send)

    uvicorn.run(guarded, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    if state().get("crash_at_start"):
        sys.exit("no shelves today")
    if len(sys.argv) > 2:
        serve_http(int(sys.argv[2]))
    else:
        anyio.run(serve_stdio)
