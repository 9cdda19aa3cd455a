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
    BreakerSpec,
    BudgetSpec,
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
    from swarm.completions.round_robin import round_robin
    from swarm.memory import (
        Compute,
        ComputeSpec,
        EmbeddingSpec,
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
    )

__all__ = [
    "AgentSpec",
    "Answered",
    "BreakerSpec",
    "BudgetSpec",
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
    "get_last_user_message",
    "round_robin",
    "run_sync",
    "session",
    "use_catalog",
    "validate",
]


def __getattr__(name: str) -> object:
    """Import what sessions remember when it is first used: its models take 25 ms to build."""
    import importlib

    if name == "round_robin":
        return importlib.import_module("swarm.completions.round_robin").round_robin
    if name in __all__:
        return getattr(importlib.import_module("swarm.memory"), name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")
