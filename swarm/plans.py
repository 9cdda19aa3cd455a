"""Swarms made ready for their sessions, kept until a declaration changes."""

from swarm.catalog import Catalog
from swarm.runtime import SwarmPlan

__all__ = ["Plans"]

_MOST = 256
"""Swarms that are kept; scopes make some that nobody needs again."""


class Plans:
    """The plans of one host, by catalog and swarm."""

    def __init__(self) -> None:
        # The catalog is kept with its plan, so that no other gets its id.
        self._kept: dict[tuple[int, str], tuple[Catalog, int, SwarmPlan]] = {}

    def find(self, catalog: Catalog, swarm_name: str) -> SwarmPlan | None:
        """Return the plan of a swarm as it is declared now."""
        known = self._kept.get((id(catalog), swarm_name))
        return known[2] if known is not None and known[1] == catalog.version else None

    def keep(self, catalog: Catalog, version: int, swarm_name: str, plan: SwarmPlan) -> SwarmPlan:
        """Keep a plan; of two that came at once the first stays, so that all sessions share one.

        Args:
            catalog: What it was made of.
            version: The catalog's version then.
            swarm_name: The swarm.
            plan: The plan.

        Returns:
            The one that stays.
        """
        key = (id(catalog), swarm_name)
        known = self._kept.get(key)
        if known is not None and known[1] == version:
            return known[2]
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[key] = (catalog, version, plan)
        return plan

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()
