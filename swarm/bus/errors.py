"""What can be wrong with a topic."""

from swarm.errors import DeclarationError

__all__ = ["TopicError"]


class TopicError(DeclarationError):
    """A topic that a program may not use: reserved for a bus, or empty."""

    code = "topic"
    rpc_code = -32061

    def __init__(self, topic: str, reason: str, hint: str) -> None:
        self.topic, self.hint = topic, hint
        super().__init__(f"topic {topic!r} {reason}; {hint}")
