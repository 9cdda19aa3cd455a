"""What can go wrong with an outline, beyond the model that fills it in."""

from swarm.errors import SwarmError

__all__ = ["OutlineCallbackError"]


class OutlineCallbackError(SwarmError):
    """A function of an outline raised, or returned what it may not."""

    code = "outline_callback"
    rpc_code = -32098

    def __init__(self, function: str, outline_name: str, reason: str) -> None:
        self.function, self.outline_name, self.reason = function, outline_name, reason
        super().__init__(f"{function} failed: {reason}")
