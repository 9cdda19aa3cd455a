"""The core: agents that share a conversation, their tools, and the journal that keeps it.

Importing this loads no model library and opens nothing. It knows nothing of wikis, training or
YAML; the packages above bring those through `swarm.extension`.
"""

import typing as _typing

from swarm.callbacks import AgentCallbacks, CompletionCallbacks, SwarmCallbacks, ToolCallbacks
from swarm.catalog import Catalog, current_catalog, use_catalog
from swarm.completion import (
    Completion,
    CompletionRequest,
    CompletionResult,
    ResponseFormat,
    ToolDefinition,
)
from swarm.context import ToolContext
from swarm.declare import (
    add_agent,
    add_completion,
    add_mcp,
    add_swarm,
    add_tool,
    get_agent,
    get_completion,
    get_mcp,
    get_swarm,
    get_tool,
    override_agent,
    override_completion,
    override_mcp,
    override_swarm,
    override_tool,
)
from swarm.entry import run_sync, session
from swarm.events import (
    Answered,
    HandedOff,
    StreamEvent,
    TextDelta,
    ToolFinished,
    ToolStarted,
)
from swarm.host import Host, current_host
from swarm.mcp.spec import McpSpec
from swarm.messages import Message, ToolCall, Usage
from swarm.registry import Kind, Registry
from swarm.runtime import (
    Session,
    SessionContext,
    ToolRequest,
    cancel_output,
    cancel_output_force,
    change_to_agent,
    change_to_default_agent,
    change_to_prev_agent,
    commit_assistant_message,
    commit_assistant_message_force,
    commit_developer_message,
    commit_developer_message_force,
    commit_flush,
    commit_flush_force,
    commit_stop_tools,
    commit_stop_tools_force,
    commit_system_message,
    commit_system_message_force,
    commit_tool_output,
    commit_tool_output_force,
    commit_tool_request,
    commit_tool_request_force,
    commit_user_message,
    commit_user_message_force,
    emit,
    emit_force,
    execute,
    execute_force,
    get_agent_history,
    get_agent_name,
    get_assistant_history,
    get_check_busy,
    get_last_assistant_message,
    get_last_system_message,
    get_last_tool_message,
    get_last_user_message,
    get_navigation_route,
    get_payload,
    get_raw_history,
    get_session_context,
    get_session_mode,
    get_tool_name_for_model,
    get_user_history,
    has_navigation,
    has_session,
    run_stateless,
    run_stateless_force,
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
    from swarm.advisor import (
        AdvisorCallbacks,
        AdvisorSpec,
        add_advisor,
        ask,
        get_advisor,
        override_advisor,
    )
    from swarm.bus import (
        BusEvent,
    )
    from swarm.completions.round_robin import (
        round_robin,
    )
    from swarm.connect import (
        Chat,
        OutgoingMessage,
        PipelineCallbacks,
        PipelineSpec,
        add_pipeline,
        complete,
        dispose_connection,
        fork,
        get_online,
        get_pipeline,
        is_online,
        make_auto_dispose,
        make_connection,
        mark_offline,
        mark_online,
        notify,
        notify_force,
        override_pipeline,
        scope,
        start_pipeline,
    )
    from swarm.direct import (
        chat,
    )
    from swarm.dump import (
        dump_advisor_result,
        dump_outline_result,
    )
    from swarm.inbox import (
        Inbox,
        InboxItem,
    )
    from swarm.json_schema import (
        to_json_schema,
        validate_tool_arguments,
    )
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
    from swarm.policy import (
        Policy,
        PolicySpec,
        add_policy,
        get_policy,
        override_policy,
    )
    from swarm.templates import (
        add_agent_navigation,
        add_commit_action,
        add_fetch_info,
        add_triage_navigation,
        create_commit_action,
        create_fetch_info,
        create_navigate_to_agent,
        create_navigate_to_triage_agent,
    )

__all__ = [
    "AdvisorCallbacks",
    "AdvisorSpec",
    "AgentCallbacks",
    "AgentSpec",
    "Answered",
    "BreakerSpec",
    "BudgetSpec",
    "BusEvent",
    "Callback",
    "Catalog",
    "Chat",
    "Completion",
    "CompletionCallbacks",
    "CompletionRequest",
    "CompletionResult",
    "CompletionSpec",
    "Compute",
    "ComputeSpec",
    "EmbeddingSpec",
    "HandedOff",
    "Host",
    "Inbox",
    "InboxItem",
    "Kind",
    "McpSpec",
    "Message",
    "Name",
    "OutgoingMessage",
    "OutlineCallbacks",
    "OutlineContext",
    "OutlineResult",
    "OutlineSpec",
    "PipelineCallbacks",
    "PipelineSpec",
    "Policy",
    "PolicySpec",
    "Registry",
    "ResponseFormat",
    "Session",
    "SessionContext",
    "SharedCompute",
    "SharedState",
    "SharedStorage",
    "Spec",
    "State",
    "StateSpec",
    "Storage",
    "StorageSpec",
    "StreamEvent",
    "SwarmCallbacks",
    "SwarmSpec",
    "TextDelta",
    "ToolCall",
    "ToolCallbacks",
    "ToolContext",
    "ToolDefinition",
    "ToolFinished",
    "ToolFunction",
    "ToolRequest",
    "ToolSpec",
    "ToolStarted",
    "Usage",
    "add_advisor",
    "add_agent",
    "add_agent_navigation",
    "add_commit_action",
    "add_completion",
    "add_compute",
    "add_embedding",
    "add_fetch_info",
    "add_mcp",
    "add_outline",
    "add_pipeline",
    "add_policy",
    "add_state",
    "add_storage",
    "add_swarm",
    "add_tool",
    "add_triage_navigation",
    "ask",
    "cancel_output",
    "cancel_output_force",
    "change_to_agent",
    "change_to_default_agent",
    "change_to_prev_agent",
    "chat",
    "commit_assistant_message",
    "commit_assistant_message_force",
    "commit_developer_message",
    "commit_developer_message_force",
    "commit_flush",
    "commit_flush_force",
    "commit_stop_tools",
    "commit_stop_tools_force",
    "commit_system_message",
    "commit_system_message_force",
    "commit_tool_output",
    "commit_tool_output_force",
    "commit_tool_request",
    "commit_tool_request_force",
    "commit_user_message",
    "commit_user_message_force",
    "complete",
    "create_commit_action",
    "create_fetch_info",
    "create_navigate_to_agent",
    "create_navigate_to_triage_agent",
    "current_catalog",
    "current_host",
    "dispose_connection",
    "dump_advisor_result",
    "dump_outline_result",
    "emit",
    "emit_force",
    "event",
    "execute",
    "execute_force",
    "fork",
    "get_advisor",
    "get_agent",
    "get_agent_history",
    "get_agent_name",
    "get_assistant_history",
    "get_check_busy",
    "get_completion",
    "get_last_assistant_message",
    "get_last_system_message",
    "get_last_tool_message",
    "get_last_user_message",
    "get_mcp",
    "get_navigation_route",
    "get_online",
    "get_outline",
    "get_payload",
    "get_pipeline",
    "get_policy",
    "get_raw_history",
    "get_session_context",
    "get_session_mode",
    "get_swarm",
    "get_tool",
    "get_tool_name_for_model",
    "get_user_history",
    "has_navigation",
    "has_session",
    "is_online",
    "json",
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
    "make_auto_dispose",
    "make_connection",
    "mark_offline",
    "mark_online",
    "notify",
    "notify_force",
    "override_advisor",
    "override_agent",
    "override_completion",
    "override_mcp",
    "override_outline",
    "override_pipeline",
    "override_policy",
    "override_swarm",
    "override_tool",
    "round_robin",
    "run_stateless",
    "run_stateless_force",
    "run_sync",
    "scope",
    "session",
    "start_pipeline",
    "to_json_schema",
    "use_catalog",
    "validate",
    "validate_tool_arguments",
    "watch_events",
]

_LAZY = {
    "swarm.advisor": "AdvisorCallbacks AdvisorSpec add_advisor ask get_advisor override_advisor",
    "swarm.bus": "BusEvent",
    "swarm.completions.round_robin": "round_robin",
    "swarm.connect": (
        "Chat OutgoingMessage PipelineCallbacks PipelineSpec add_pipeline complete "
        "dispose_connection fork get_online get_pipeline is_online make_auto_dispose "
        "make_connection mark_offline mark_online notify notify_force override_pipeline scope "
        "start_pipeline"
    ),
    "swarm.direct": "chat",
    "swarm.dump": "dump_advisor_result dump_outline_result",
    "swarm.inbox": "Inbox InboxItem",
    "swarm.json_schema": "to_json_schema validate_tool_arguments",
    "swarm.listening": (
        "event listen_agent_event listen_agent_event_once listen_compute_event "
        "listen_compute_event_once listen_event listen_event_once listen_execution_event "
        "listen_execution_event_once listen_history_event listen_history_event_once "
        "listen_policy_event listen_policy_event_once listen_session_event "
        "listen_session_event_once listen_state_event listen_state_event_once "
        "listen_storage_event listen_storage_event_once listen_swarm_event "
        "listen_swarm_event_once watch_events"
    ),
    "swarm.memory": (
        "Compute ComputeSpec EmbeddingSpec SharedCompute SharedState SharedStorage State "
        "StateSpec Storage StorageSpec add_compute add_embedding add_state add_storage"
    ),
    "swarm.outline": (
        "OutlineCallbacks OutlineContext OutlineResult OutlineSpec add_outline get_outline "
        "json override_outline"
    ),
    "swarm.policy": "Policy PolicySpec add_policy get_policy override_policy",
    "swarm.templates": (
        "add_agent_navigation add_commit_action add_fetch_info add_triage_navigation "
        "create_commit_action create_fetch_info create_navigate_to_agent "
        "create_navigate_to_triage_agent"
    ),
}
"""What is imported when it is first used, by module: an import should not pay for all of it."""

_OWNERS = {name: module for module, names in _LAZY.items() for name in names.split()}


def __getattr__(name: str) -> object:
    import importlib

    if name in _OWNERS:
        return getattr(importlib.import_module(_OWNERS[name]), name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")
