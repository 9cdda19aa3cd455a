"""`add_policy`, `get_policy` and `override_policy`."""

from swarm.declare import declarer, getter, override
from swarm.policy.spec import POLICIES, PolicySpec

__all__ = ["add_policy", "get_policy", "override_policy"]

add_policy = declarer(POLICIES, PolicySpec)
get_policy = getter(POLICIES)
override_policy = override(POLICIES)
