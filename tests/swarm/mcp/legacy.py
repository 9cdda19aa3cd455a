"""An MCP server of an earlier revision of the protocol, written without any library.

It knows no discovery, and it announces that its list of tools has changed.
"""

import json
import sys
from typing import Any

TOOLS = [{"name": "grow", "description": "Adds a tool.", "inputSchema": {"type": "object"}}]


def send(**message: Any) -> None:
    """Write one message."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Return the result of a request, or None for a method that does not exist."""
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "legacy", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        TOOLS.append({"name": "grown", "description": "New.", "inputSchema": {"type": "object"}})
        send(method="notifications/tools/list_changed")
        return {"content": [{"type": "text", "text": "grown"}]}
    return None


for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    result = answer(request["method"], request.get("params", {}))
    if result is None:
        send(id=request["id"], error={"code": -32601, "message": "unknown method"})
    else:
        send(id=request["id"], result=result)
