"""The service book of the plant; a real one asks its maintenance system."""

__all__ = ["last_service"]

_BOOK = {3: "2026-01-19", 7: "2025-11-03", 9: "2026-03-02"}


def last_service(pump: int = 7) -> str:
    """Return when a pump was serviced last.

    Args:
        pump: The number on its plate.
    """
    if pump not in _BOOK:
        known = ", ".join(str(number) for number in _BOOK)
        raise ValueError(f"no pump {pump} in the service book; it has {known}")
    return f"Pump {pump} was last serviced on {_BOOK[pump]}."
