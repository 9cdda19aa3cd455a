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
    from swarm.bus import BusEvent
    from swarm.listening import (
        event,
        listen_agent_event,
        listen_agent_event_once,
        listen_compute_event,
        listen_compute_event_once,
        listen_event,
        listen_event_once,
        listen_execution_event,
        listen_execution_event_once,
        listen_history_event,
        listen_history_event_once,
        listen_policy_event,
        listen_policy_event_once,
        listen_session_event,
        listen_session_event_once,
        listen_state_event,
        listen_state_event_once,
        listen_storage_event,
        listen_storage_event_once,
        listen_swarm_event,
        listen_swarm_event_once,
        watch_events,
    )
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
    "BusEvent",
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
    "event",
    "execute",
    "get_agent_name",
    "get_last_user_message",
    "listen_agent_event",
    "listen_agent_event_once",
    "listen_compute_event",
    "listen_compute_event_once",
    "listen_event",
    "listen_event_once",
    "listen_execution_event",
    "listen_execution_event_once",
    "listen_history_event",
    "listen_history_event_once",
    "listen_policy_event",
    "listen_policy_event_once",
    "listen_session_event",
    "listen_session_event_once",
    "listen_state_event",
    "listen_state_event_once",
    "listen_storage_event",
    "listen_storage_event_once",
    "listen_swarm_event",
    "listen_swarm_event_once",
    "run_sync",
    "session",
    "use_catalog",
    "validate",
    "watch_events",
]


_LATER = ("swarm.bus", "swarm.listening", "swarm.memory")
"""Modules that are imported when something of them is first used, the lightest first."""


def __getattr__(name: str) -> object:
    """Import what not every program needs; the models of memory take 25 ms to build."""
    import importlib

    if name in __all__:
        for home in _LATER:
            module = importlib.import_module(home)
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")
