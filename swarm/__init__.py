"""The core: agents that share a conversation, their tools, and the journal that keeps it.

Importing this loads no model library and opens nothing. It knows nothing of wikis, training or
YAML; the packages above bring those through `swarm.extension`.
"""

import typing as _typing

from swarm.catalog import Catalog, current_catalog, use_catalog
from swarm.completion import Completion, CompletionRequest, CompletionResult, ToolDefinition
from swarm.context import ToolContext
from swarm.declare import add_agent, add_completion, add_mcp, add_swarm, add_tool
from swarm.events import (
    Answered,
    HandedOff,
    StreamEvent,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from swarm.host import Host, current_host, run_sync, session
from swarm.mcp.spec import McpSpec
from swarm.messages import Message, ToolCall, Usage
from swarm.registry import Kind, Registry
from swarm.runtime import (
    Session,
    change_to_agent,
    commit_tool_output,
    emit,
    execute,
    get_agent_name,
    get_last_user_message,
)
from swarm.specs import (
    AgentSpec,
    Callback,
    CompletionSpec,
    Name,
    Spec,
    SwarmSpec,
    ToolFunction,
    ToolSpec,
)
from swarm.validate import validate

if _typing.TYPE_CHECKING:
    from swarm.declare import get_mcp, override_mcp
    from swarm.memory import (
        Compute,
        ComputeSpec,
        EmbeddingSpec,
        Schema,
        SharedCompute,
        SharedState,
        SharedStorage,
        State,
        StateSpec,
        Storage,
        StorageSpec,
        add_compute,
        add_embedding,
        add_state,
        add_storage,
        get_compute,
        get_embedding,
        get_state,
        get_storage,
        override_compute,
        override_embedding,
        override_state,
        override_storage,
        read_session_memory,
        serialize,
        write_session_memory,
    )
    from swarm.servers import MCP

__all__ = [
    "MCP",
    "AgentSpec",
    "Answered",
    "Callback",
    "Catalog",
    "Completion",
    "CompletionRequest",
    "CompletionResult",
    "CompletionSpec",
    "Compute",
    "ComputeSpec",
    "EmbeddingSpec",
    "HandedOff",
    "Host",
    "Kind",
    "McpSpec",
    "Message",
    "Name",
    "Registry",
    "Schema",
    "Session",
    "SharedCompute",
    "SharedState",
    "SharedStorage",
    "Spec",
    "State",
    "StateSpec",
    "Storage",
    "StorageSpec",
    "StreamEvent",
    "SwarmSpec",
    "TextDelta",
    "ToolCall",
    "ToolContext",
    "ToolDefinition",
    "ToolFinished",
    "ToolFunction",
    "ToolSpec",
    "ToolStarted",
    "Usage",
    "add_agent",
    "add_completion",
    "add_compute",
    "add_embedding",
    "add_mcp",
    "add_state",
    "add_storage",
    "add_swarm",
    "add_tool",
    "change_to_agent",
    "commit_tool_output",
    "current_catalog",
    "current_host",
    "emit",
    "execute",
    "get_agent_name",
    "get_compute",
    "get_embedding",
    "get_last_user_message",
    "get_mcp",
    "get_state",
    "get_storage",
    "override_compute",
    "override_embedding",
    "override_mcp",
    "override_state",
    "override_storage",
    "read_session_memory",
    "run_sync",
    "serialize",
    "session",
    "use_catalog",
    "validate",
    "write_session_memory",
]


def __getattr__(name: str) -> object:
    """Import what sessions remember when it is first used: its models take 25 ms to build."""
    import importlib

    if name in __all__:
        place = _ELSEWHERE.get(name, "swarm.memory")
        return getattr(importlib.import_module(place), name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")


_ELSEWHERE = {
    "MCP": "swarm.servers",
    "get_mcp": "swarm.declare",
    "override_mcp": "swarm.declare",
}
"""Which module brings a name that is imported at its first use, where it is not memory."""
