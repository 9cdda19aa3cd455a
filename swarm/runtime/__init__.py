"""What runs: sessions, turns, tools and the verbs that tools call.

Nothing here knows where events are stored or how a model is reached; `swarm.host` brings both.
"""

from swarm.runtime.budget import Budget
from swarm.runtime.directory import find_live
from swarm.runtime.history import History
from swarm.runtime.journal import Journal, StoredEvent
from swarm.runtime.plan import AgentPlan, OpenCompletion, SwarmPlan, plan_swarm
from swarm.runtime.session import Session
from swarm.runtime.tokens import estimate_tokens
from swarm.runtime.tools import BoundTool
from swarm.runtime.verbs import (
    change_to_agent,
    commit_tool_output,
    emit,
    execute,
    get_agent_name,
    get_last_user_message,
    note,
)

__all__ = [
    "AgentPlan",
    "BoundTool",
    "Budget",
    "History",
    "Journal",
    "OpenCompletion",
    "Session",
    "StoredEvent",
    "SwarmPlan",
    "change_to_agent",
    "commit_tool_output",
    "emit",
    "estimate_tokens",
    "execute",
    "find_live",
    "get_agent_name",
    "get_last_user_message",
    "note",
    "plan_swarm",
]
