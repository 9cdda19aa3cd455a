"""The core: agents that share a conversation, their tools, and the journal that keeps it.

Importing this loads no model library and opens nothing. It knows nothing of wikis, training or
YAML; the packages above bring those through `swarm.extension`.
"""

import typing as _typing

from swarm.catalog import Catalog, current_catalog, use_catalog
from swarm.completion import (
    Completion,
    CompletionRequest,
    CompletionResult,
    ResponseFormat,
    ToolDefinition,
)
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
    from swarm.advisor import (
        AdvisorCallbacks,
        AdvisorSpec,
        add_advisor,
        ask,
        get_advisor,
        override_advisor,
    )
    from swarm.direct import (
        chat,
    )
    from swarm.dump import (
        dump_advisor_result,
        dump_outline_result,
    )
    from swarm.json_schema import (
        to_json_schema,
        validate_tool_arguments,
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
    from swarm.outline import (
        OutlineCallbacks,
        OutlineContext,
        OutlineResult,
        OutlineSpec,
        add_outline,
        get_outline,
        json,
        override_outline,
    )

__all__ = [
    "AdvisorCallbacks",
    "AdvisorSpec",
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
    "OutlineCallbacks",
    "OutlineContext",
    "OutlineResult",
    "OutlineSpec",
    "Registry",
    "ResponseFormat",
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
    "add_advisor",
    "add_agent",
    "add_completion",
    "add_compute",
    "add_embedding",
    "add_mcp",
    "add_outline",
    "add_state",
    "add_storage",
    "add_swarm",
    "add_tool",
    "ask",
    "change_to_agent",
    "chat",
    "commit_tool_output",
    "current_catalog",
    "current_host",
    "dump_advisor_result",
    "dump_outline_result",
    "emit",
    "execute",
    "get_advisor",
    "get_agent_name",
    "get_last_user_message",
    "get_outline",
    "json",
    "override_advisor",
    "override_outline",
    "run_sync",
    "session",
    "to_json_schema",
    "use_catalog",
    "validate",
    "validate_tool_arguments",
]


_ELSEWHERE = {
    "OutlineCallbacks": "swarm.outline",
    "OutlineContext": "swarm.outline",
    "OutlineResult": "swarm.outline",
    "OutlineSpec": "swarm.outline",
    "add_outline": "swarm.outline",
    "get_outline": "swarm.outline",
    "json": "swarm.outline",
    "override_outline": "swarm.outline",
    "AdvisorCallbacks": "swarm.advisor",
    "AdvisorSpec": "swarm.advisor",
    "add_advisor": "swarm.advisor",
    "ask": "swarm.advisor",
    "get_advisor": "swarm.advisor",
    "override_advisor": "swarm.advisor",
    "chat": "swarm.direct",
    "dump_advisor_result": "swarm.dump",
    "dump_outline_result": "swarm.dump",
    "to_json_schema": "swarm.json_schema",
    "validate_tool_arguments": "swarm.json_schema",
}
"""What is imported when it is first used, and where it lives; the rest is memory's."""


def __getattr__(name: str) -> object:
    """Import what not every program needs when it is first used: its models take time to build."""
    import importlib

    if name in __all__:
        return getattr(importlib.import_module(_ELSEWHERE.get(name, "swarm.memory")), name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")
