"""What a host knows of policies: the chains of its swarms, and who is banned."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from swarm.catalog import Catalog, current_catalog
from swarm.policy.bans import Bans
from swarm.policy.chain import PolicyChain
from swarm.policy.errors import PolicyNotListedError
from swarm.policy.functions import Case, Functions
from swarm.policy.spec import POLICIES
from swarm.runtime.ids import check_client_id
from swarm.secrets import secrets_of
from swarm.specs import SwarmSpec

if TYPE_CHECKING:
    from swarm.store import Database

__all__ = ["Policies"]


class Policies:
    """The policies of a host; one for all its sessions. `Policy` is the door for programs."""

    def __init__(
        self, catalog: Catalog, database: "Database", environment: Mapping[str, str]
    ) -> None:
        self._catalog = catalog
        self._secrets = secrets_of(environment)
        self._functions = Functions(self._secrets)
        self._bans = Bans(database, self._functions, catalog.bus)
        self._begun: set[str] = set()

    async def guard(self, catalog: Catalog, swarm: SwarmSpec) -> PolicyChain | None:
        """Return the merged policies of a swarm; None when it lists none.

        Raises:
            UnknownNameError: It lists one that nothing declares.
        """
        policies = [catalog.registry(POLICIES).get(name) for name in swarm.policies]
        for policy in policies:
            if policy.policy_name not in self._begun:
                self._begun.add(policy.policy_name)
                await self._functions.tell("on_init", policy, policy.policy_name)
        if not policies:
            return None
        return PolicyChain(swarm, policies, self._bans, self._functions, self._secrets)

    async def has_ban(self, client_id: str, swarm_name: str, policy_name: str) -> bool:
        """Whether a policy bans a client; see `Policy.has_ban`."""
        case = self._case(client_id, swarm_name, policy_name)
        return await self._bans.find([case]) is not None

    async def ban(self, client_id: str, swarm_name: str, policy_name: str) -> None:
        """Ban a client; see `Policy.ban_client`."""
        await self._bans.ban(self._case(client_id, swarm_name, policy_name))

    async def unban(self, client_id: str, swarm_name: str, policy_name: str) -> None:
        """Take a ban back; see `Policy.unban_client`."""
        await self._bans.unban(self._case(client_id, swarm_name, policy_name))

    def _case(self, client_id: str, swarm_name: str, policy_name: str) -> Case:
        current = current_catalog()
        catalog = current if current.descends_from(self._catalog) else self._catalog
        swarm = catalog.swarms.get(swarm_name)
        policy = catalog.registry(POLICIES).get(policy_name)
        if policy_name not in swarm.policies:
            raise PolicyNotListedError(policy_name, swarm_name, tuple(swarm.policies))
        return Case(policy, swarm, check_client_id(client_id))
