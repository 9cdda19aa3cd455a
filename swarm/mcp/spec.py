"""The declaration of an MCP server, and the kind it brings to a catalog."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from swarm.registry import Kind
from swarm.specs import Callback, Name, Spec

__all__ = ["MCPS", "McpCallbacks", "McpSpec"]

_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Words = Annotated[Sequence[str], AfterValidator(tuple)]
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class McpCallbacks(Spec):
    """Functions that hear of an MCP server; one that raises is written to the log."""

    on_init: Callback | None = None
    """`(mcp_name)`, when a host uses it for the first time."""
    on_dispose: Callback | None = None
    """`(mcp_name)`, when that host closes."""
    on_fetch: Callback | None = None
    """`(client_id, mcp_name)`, before the list of tools is asked for; a server has one list for
    all, so `client_id` is None there."""
    on_list: Callback | None = None
    """`(tool_names, client_id, mcp_name)`, when an agent is given its tools for a model call."""
    on_call: Callback | None = None
    """`(tool_name, context, mcp_name)`, before a tool is called."""
    on_update: Callback | None = None
    """`(client_id, mcp_name)`, when `MCP.update` lets the list be asked for again; `client_id` is
    None where that is for all."""


class McpSpec(Spec):
    """A server of tools that speaks MCP, the Model Context Protocol, or two functions in place."""

    mcp_name: Name
    """What agents call it."""
    command: Annotated[_Words, Field(min_length=1)] | None = None
    """Starts the server as a child process that speaks over standard input and output."""
    env: Annotated[Sequence[_Variable], AfterValidator(tuple)] = ()
    """Environment variables that the child process gets, beside PATH, HOME and the like."""
    cwd: str | None = None
    """The child's working folder."""
    url: str | None = None
    """Where a server is reached by streamable HTTP, such as `https://example.com/mcp`."""
    api_key_env: _Variable | None = None
    """The environment variable whose value is sent as `Authorization: Bearer`."""
    headers: Mapping[str, _Variable] = {}
    """Further HTTP headers: the name of each, and the environment variable with its value."""
    list_tools: Callback | None = None
    """A function `(client_id) -> list` of `name`, `description` and `inputSchema` mappings."""
    call_tool: Callback | None = None
    """A function `(tool_name, context) -> str` that goes with `list_tools`."""
    tools: _Words | None = None
    """The server's tools that may be used; all of them when absent."""
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$", max_length=32)] = ""
    """Put before the name of each tool, where two servers have tools of one name."""
    timeout: Annotated[float, Field(gt=0)] = 30.0
    """Seconds for one call, and for reaching the server."""
    callbacks: McpCallbacks | None = None
    """Functions that are told of lists and calls."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "McpSpec":
        has_callbacks = self.list_tools is not None or self.call_tool is not None
        sources = [self.command is not None, self.url is not None, has_callbacks]
        if sum(sources) != 1:
            raise ValueError("give exactly one of `command`, `url` and `list_tools`")
        if has_callbacks and (self.list_tools is None or self.call_tool is None):
            raise ValueError("`list_tools` and `call_tool` go together")
        if self.command is None and (self.env or self.cwd is not None):
            raise ValueError("`env` and `cwd` are for a `command`")
        if self.url is None and (self.headers or self.api_key_env is not None):
            raise ValueError("`headers` and `api_key_env` are for a `url`")
        return self

    @model_validator(mode="after")
    def _keeps_its_keys(self) -> "McpSpec":
        if self.url is None:
            return self
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("`url` must start with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("`url` must hold no key; name an environment variable in its place")
        sends_keys = self.api_key_env is not None or bool(self.headers)
        if sends_keys and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("keys are sent to an https:// address only")
        return self


MCPS = Kind("mcp", McpSpec, "mcp_name")
