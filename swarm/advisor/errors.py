"""What can go wrong with an advisor, beyond its model."""

from swarm.errors import SwarmError

__all__ = ["AdvisorCallbackError"]


class AdvisorCallbackError(SwarmError):
    """The function of an advisor raised, or returned what it may not."""

    code = "advisor_callback"
    rpc_code = -32099

    def __init__(self, function: str, advisor_name: str, reason: str) -> None:
        self.function, self.advisor_name, self.reason = function, advisor_name, reason
        super().__init__(f"{function} failed: {reason}")
