"""Tools in the four shapes that most programs need: navigate, go back, act, look up.

Each is an ordinary tool made of the verbs; write your own where these do not fit.
"""

from swarm.templates.actions import (
    add_commit_action,
    add_fetch_info,
    create_commit_action,
    create_fetch_info,
)
from swarm.templates.navigation import (
    add_agent_navigation,
    add_triage_navigation,
    create_navigate_to_agent,
    create_navigate_to_triage_agent,
)

__all__ = [
    "add_agent_navigation",
    "add_commit_action",
    "add_fetch_info",
    "add_triage_navigation",
    "create_commit_action",
    "create_fetch_info",
    "create_navigate_to_agent",
    "create_navigate_to_triage_agent",
]
