"""Policies: what may be said in a swarm, what is changed on the way, and who is banned.

A swarm lists its policies in order; the host merges them into the guard that a turn asks. They
know texts and clients, nothing of models and tools.
"""

from swarm.policy.chain import PolicyChain
from swarm.policy.declare import add_policy, get_policy, override_policy
from swarm.policy.errors import BanListReadOnlyError, PolicyNotListedError
from swarm.policy.facade import Policy
from swarm.policy.policies import Policies
from swarm.policy.redaction import Redaction
from swarm.policy.spec import POLICIES, PolicyCallbacks, PolicySpec

__all__ = [
    "POLICIES",
    "BanListReadOnlyError",
    "Policies",
    "Policy",
    "PolicyCallbacks",
    "PolicyChain",
    "PolicyNotListedError",
    "PolicySpec",
    "Redaction",
    "add_policy",
    "get_policy",
    "override_policy",
]
