"""What can go wrong with a client's state, storages and computes, beyond the database."""

from swarm.errors import DeclarationError, SwarmError, TurnError, suggest

__all__ = ["MemoryCallbackError", "MemoryNotListedError", "NotJsonError"]


class MemoryNotListedError(TurnError):
    """An agent used a state or a storage that it does not list."""

    code = "memory_not_listed"
    rpc_code = -32080

    def __init__(
        self, kind: str, name: str, listed: tuple[str, ...], *, client_id: str, agent_name: str
    ) -> None:
        self.kind, self.name = kind, name
        hint = suggest(name, listed) or f"it may use: {', '.join(listed) or 'none'}"
        text = f"{kind} {name!r} is not in the agent's {kind}s; {hint}"
        super().__init__(text, client_id=client_id, agent_name=agent_name)


class MemoryCallbackError(SwarmError):
    """A function of a declaration failed; nothing was changed."""

    code = "memory_callback"
    rpc_code = -32081

    def __init__(self, function: str, reason: str) -> None:
        self.function, self.reason = function, reason
        super().__init__(f"{function} failed: {reason}")


class NotJsonError(DeclarationError):
    """A value that cannot be kept, because JSON has nothing like it."""

    code = "not_json"
    rpc_code = -32082
