"""What can go wrong with policies, beyond their functions and the database."""

from swarm.errors import DeclarationError, suggest

__all__ = ["BanListReadOnlyError", "PolicyNotListedError"]


class PolicyNotListedError(DeclarationError):
    """A ban was asked of a policy that the swarm does not list, where it would mean nothing."""

    code = "policy_not_listed"
    rpc_code = -32090

    def __init__(self, policy_name: str, swarm_name: str, listed: tuple[str, ...]) -> None:
        self.policy_name, self.swarm_name = policy_name, swarm_name
        self.hint = suggest(policy_name, listed) or f"it lists: {', '.join(listed) or 'none'}"
        super().__init__(f"swarm {swarm_name!r} does not list policy {policy_name!r}; {self.hint}")


class BanListReadOnlyError(DeclarationError):
    """A ban was to change in a list that the program only gives for reading."""

    code = "ban_list_read_only"
    rpc_code = -32091

    def __init__(self, policy_name: str) -> None:
        self.policy_name = policy_name
        self.hint = "declare `set_banned_clients` too, or change the list where it is kept"
        super().__init__(
            f"policy {policy_name!r} takes its bans from `get_banned_clients`; {self.hint}"
        )
