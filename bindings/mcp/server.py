"""The MCP server: which tools it offers, and what a call of one does."""

import importlib.metadata
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from bindings.mcp.conversations import Conversations
from declarative.modules import public_name
from swarm import Catalog, Host
from swarm.errors import DeclarationError, SwarmError, require
from swarm.runtime.tools import cut_text
from wiki import WIKIS, ask

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp.types import (
        CallToolRequestParams,
        CallToolResult,
        ListToolsResult,
        PaginatedRequestParams,
    )

__all__ = ["MAX_MESSAGE", "make_server", "tool_names"]

MAX_MESSAGE = 64 * 1024
"""Longest message or question, in characters."""
_CLIENT_ID = "mcp"
"""Whose conversation it is when the caller names none."""

_log = logging.getLogger("wikiswarm.mcp")


class _Target(NamedTuple):
    name: str
    """Of the swarm or the wiki."""
    field: str
    """The argument that holds the text."""
    description: str
    parameters: dict[str, Any]


class _Reply(NamedTuple):
    text: str
    details: dict[str, Any] | None = None


def tool_names(catalog: Catalog) -> list[str]:
    """Return the tools that a server of this catalog offers.

    Raises:
        DeclarationError: Two of them would have one name, or a name is too long.
    """
    return list(_targets(catalog))


def make_server(host: Host) -> "Server[Any]":
    """Return the MCP server of a host's swarms and wikis; it is run by `serve_stdio`.

    Raises:
        MissingExtraError: The `mcp` library is not installed.
        DeclarationError: Two tools would have one name, or a name is too long.
    """
    require("mcp", extra="mcp")
    from mcp import MCPError
    from mcp.server.lowlevel import Server
    from mcp.types import INVALID_PARAMS, CallToolResult, ListToolsResult, TextContent, Tool

    targets = _targets(host.catalog)
    conversations = Conversations(host)

    async def ask_swarm(target: _Target, arguments: Mapping[str, str]) -> _Reply:
        client_id = arguments.get("client_id", _CLIENT_ID)
        return _Reply(await conversations.complete(target.name, client_id, arguments["message"]))

    async def ask_wiki(target: _Target, arguments: Mapping[str, str]) -> _Reply:
        answer = await ask(target.name, arguments["question"], host=host)
        answer = answer.model_copy(update={"model": public_name(answer.model)})
        return _Reply(answer.text, answer.model_dump(mode="json"))

    asks: dict[str, Callable[[_Target, Mapping[str, str]], Awaitable[_Reply]]] = {
        "message": ask_swarm,
        "question": ask_wiki,
    }

    async def list_tools(
        context: object, params: "PaginatedRequestParams | None"
    ) -> "ListToolsResult":
        return ListToolsResult(
            tools=[
                Tool(name=name, description=target.description, input_schema=target.parameters)
                for name, target in targets.items()
            ]
        )

    async def call_tool(context: object, params: "CallToolRequestParams") -> "CallToolResult":
        target = targets.get(params.name)
        if target is None:
            known = ", ".join(targets)
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name[:64]!r}; known: {known}")
        wrong = _wrong_arguments(target, params.arguments or {})
        if wrong is not None:
            raise MCPError(INVALID_PARAMS, wrong)
        try:
            reply = await asks[target.field](target, params.arguments or {})
        except SwarmError as error:
            return CallToolResult(
                content=[TextContent(type="text", text=str(error))],
                structured_content={"code": error.code, "message": str(error)},
                is_error=True,
            )
        except Exception as error:
            # A defect: its trace is for whoever runs the server, not for the caller.
            _log.exception("tool %s failed", params.name)
            text = f"internal error ({type(error).__name__})"
            return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
        content = TextContent(type="text", text=cut_text(reply.text))
        if reply.details is None:
            return CallToolResult(content=[content])
        return CallToolResult(content=[content], structured_content=reply.details)

    return Server(
        "wikiswarm",
        version=importlib.metadata.version("wikiswarm"),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _targets(catalog: Catalog) -> dict[str, _Target]:
    targets: dict[str, _Target] = {}
    for swarm in catalog.swarms:
        agents = [catalog.agents.get(name) for name in swarm.agent_list if name in catalog.agents]
        notes = [agent.doc_description for agent in agents if agent.doc_description]
        text = swarm.doc_description or " ".join(notes) or "It answers and remembers."
        description = f"Send a message to the swarm {swarm.swarm_name}. {text}"
        parameters = _schema(
            {
                "message": _text("What to say.", MAX_MESSAGE),
                "client_id": _text("Whose conversation it is; one for all when absent.", 256),
            },
            "message",
        )
        target = _Target(swarm.swarm_name, "message", description, parameters)
        _add(targets, f"ask_{swarm.swarm_name}", target)
    for wiki in catalog.registry(WIKIS):
        description = f"Ask the wiki {wiki.wiki_name}. {wiki.doc_description or ''}".strip()
        parameters = _schema({"question": _text("What to ask.", MAX_MESSAGE)}, "question")
        target = _Target(wiki.wiki_name, "question", description, parameters)
        _add(targets, f"ask_wiki_{wiki.wiki_name}", target)
    return targets


def _add(targets: dict[str, _Target], name: str, target: _Target) -> None:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if name in targets:
        other = targets[name].name
        raise DeclarationError(f"{other!r} and {target.name!r} would both be the MCP tool {name!r}")
    if len(name) > 64:
        text = f"the MCP tool {name!r} would have {len(name)} characters; 64 are allowed"
        raise DeclarationError(text)
    targets[name] = target


def _schema(properties: dict[str, Any], required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [required],
        "additionalProperties": False,
    }


def _text(description: str, longest: int) -> dict[str, Any]:
    return {"type": "string", "description": description, "minLength": 1, "maxLength": longest}


def _wrong_arguments(target: _Target, arguments: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the arguments; they are texts, so no validator is needed."""
    properties: dict[str, dict[str, Any]] = target.parameters["properties"]
    for name, value in arguments.items():
        if name not in properties:
            return f"unknown argument {name[:64]!r}; known: {', '.join(properties)}"
        if not isinstance(value, str) or not value.strip():
            return f"{name} must be a text"
        if len(value) > properties[name]["maxLength"]:
            longest = properties[name]["maxLength"]
            return f"{name} has {len(value):,} characters; {longest:,} are allowed"
    return None if target.field in arguments else f"{target.field} is missing"
