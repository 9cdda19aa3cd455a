"""What a watch looks at: answers of a wiki's models, and what people thought of them."""

from typing import NamedTuple

__all__ = ["FALLBACK", "LOG", "Answered", "Rated", "stream_name"]

FALLBACK = " (fallback)"
"""How the names end of streams of answers by a wiki's fallback."""
LOG = "log:"
"""How the names begin of streams that come from a log of predictions."""


class Answered(NamedTuple):
    """One answer."""

    stream: str
    """The model that gave it; see `stream_name`."""
    question: str
    text: str
    confidence: float | None = None
    """From 0 to 1; None where the model gives none."""
    is_calibrated: bool = False


class Rated(NamedTuple):
    """One rating of an answer."""

    stream: str
    rating: int
    """From 1, bad, to 5, good."""
    at: float
    """Seconds since 1970."""
    client_id: str = ""
    """Whose conversation it was; empty where nobody knows."""


def stream_name(model: str, *, is_fallback: bool) -> str:
    """Return under which name answers of a model are watched; fallbacks are apart."""
    return f"{model}{FALLBACK}" if is_fallback else model
