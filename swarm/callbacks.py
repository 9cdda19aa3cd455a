"""Functions that a program is told by: one model per kind of declaration.

Whatever they return is ignored, and one that raises is written to the log and changes nothing.
Each may be plain or async; a plain one runs on the event loop, so it must not block.
"""

from swarm.fields import Callback, Spec

__all__ = ["AgentCallbacks", "CompletionCallbacks", "SwarmCallbacks", "ToolCallbacks"]


class AgentCallbacks(Spec):
    """Functions that hear of an agent; each takes `client_id` and `agent_name` first."""

    on_init: Callback | None = None
    """`(client_id, agent_name)`, when a session with the agent opens."""
    on_dispose: Callback | None = None
    """`(client_id, agent_name)`, when that session closes."""
    on_run: Callback | None = None
    """`(client_id, agent_name, content)`, before a model call that writes nothing down."""
    on_execute: Callback | None = None
    """`(client_id, agent_name, content, mode)`, before the agent answers a message."""
    on_tool_output: Callback | None = None
    """`(client_id, agent_name, tool_id, content)`, when a tool call has its output."""
    on_tool_request: Callback | None = None
    """`(client_id, agent_name, tool_calls)`, when the model asks for tools."""
    on_tool_error: Callback | None = None
    """`(client_id, agent_name, tool_id, reason)`, when a tool failed."""
    on_after_tool_calls: Callback | None = None
    """`(client_id, agent_name, tool_calls)`, when all calls of one model answer have ended."""
    on_system_message: Callback | None = None
    """`(client_id, agent_name, content)`, when a system message is committed."""
    on_developer_message: Callback | None = None
    """`(client_id, agent_name, content)`, when a developer message is committed."""
    on_assistant_message: Callback | None = None
    """`(client_id, agent_name, content)`, when an assistant message is committed or answered."""
    on_user_message: Callback | None = None
    """`(client_id, agent_name, content)`, when a user message joins the history."""
    on_flush: Callback | None = None
    """`(client_id, agent_name)`, when the history before now is hidden."""
    on_output: Callback | None = None
    """`(client_id, agent_name, content)`, when the agent has answered."""
    on_resurrect: Callback | None = None
    """`(client_id, agent_name, mode, reason)`, when a bad model output is being mended."""


class ToolCallbacks(Spec):
    """Functions that hear of a tool; each takes the `ToolContext` of the call."""

    on_before_call: Callback | None = None
    """`(context)`, before the function runs."""
    on_after_call: Callback | None = None
    """`(context)`, after the function returned."""
    on_validate: Callback | None = None
    """`(context)`, before the arguments are validated."""
    on_call_error: Callback | None = None
    """`(context, error)`, when the function raised."""


class CompletionCallbacks(Spec):
    """Functions that hear of a completion."""

    on_complete: Callback | None = None
    """`(request, result)`, after each answer."""


class SwarmCallbacks(Spec):
    """Functions that hear of a swarm; each takes `client_id` and `swarm_name` first."""

    on_connect: Callback | None = None
    """`(client_id, swarm_name)`, when a connection is made."""
    on_init: Callback | None = None
    """`(client_id, swarm_name)`, when a session opens."""
    on_dispose: Callback | None = None
    """`(client_id, swarm_name)`, when a session closes."""
    on_execute: Callback | None = None
    """`(client_id, swarm_name, content, mode)`, before a message is answered."""
    on_run: Callback | None = None
    """`(client_id, swarm_name, content)`, before a model call that writes nothing down."""
    on_emit: Callback | None = None
    """`(client_id, swarm_name, content)`, when a text goes out to the client."""
    on_agent_changed: Callback | None = None
    """`(client_id, swarm_name, agent_name)`, when another agent takes over."""
