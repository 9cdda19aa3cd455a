"""`Policy`: what tools and programs call to ask for, set and lift bans."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swarm.policy.policies import Policies

__all__ = ["Policy"]


class Policy:
    """The bans of a swarm's policies, from a tool or from anywhere inside an open host.

    Raises:
        UnknownNameError: No such swarm or policy.
        PolicyNotListedError: The swarm does not list the policy.
        InvalidIdError: No client can be called that.
        CallbackError: A function of the policy's own ban list failed; nothing was changed.
        StoreError: The database failed; nothing was changed.
        SessionError: No host is open.
    """

    @staticmethod
    async def has_ban(*, client_id: str, swarm_name: str, policy_name: str) -> bool:
        """Return whether a policy bans a client from a swarm."""
        return await _policies().has_ban(client_id, swarm_name, policy_name)

    @staticmethod
    async def ban_client(*, client_id: str, swarm_name: str, policy_name: str) -> None:
        """Ban a client from a swarm; return once that is durable.

        The client's next message is refused, in every process on the same database. An answer
        that is on its way still arrives.

        Raises:
            BanListReadOnlyError: The policy has `get_banned_clients` without
                `set_banned_clients`.
        """
        await _policies().ban(client_id, swarm_name, policy_name)

    @staticmethod
    async def unban_client(*, client_id: str, swarm_name: str, policy_name: str) -> None:
        """Let a client talk to a swarm again; raises what `ban_client` raises."""
        await _policies().unban(client_id, swarm_name, policy_name)


def _policies() -> "Policies":
    from swarm.host import open_host  # the host imports this package

    return open_host("`Policy`").policies
