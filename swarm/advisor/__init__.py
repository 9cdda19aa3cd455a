"""Advisors: functions or models that answer one message, outside of any conversation.

A wiki is the closer relative of an agent: it is on a list, knows documents and cites them. An
advisor takes whatever its own function takes and gives back a text.
"""

from swarm.advisor.ask import ask
from swarm.advisor.declare import (
    add_advisor,
    find_advisor_problems,
    get_advisor,
    override_advisor,
)
from swarm.advisor.errors import AdvisorCallbackError
from swarm.advisor.spec import ADVISORS, AdvisorCallbacks, AdvisorSpec

__all__ = [
    "ADVISORS",
    "AdvisorCallbackError",
    "AdvisorCallbacks",
    "AdvisorSpec",
    "add_advisor",
    "ask",
    "find_advisor_problems",
    "get_advisor",
    "override_advisor",
]
