"""A model that knows nothing, for evaluations that need none."""

from swarm import CompletionRequest

__all__ = ["no"]


def no(request: CompletionRequest) -> str:
    """Answer every question wrongly."""
    return "No."
