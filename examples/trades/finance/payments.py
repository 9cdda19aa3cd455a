"""Paying back; a real one asks the payroll system."""

from typing import Any

from swarm import ToolContext

__all__ = ["is_large", "reimburse"]

_LIMIT = 200.0
"""Euros that are paid without a person."""


def is_large(arguments: dict[str, Any], context: ToolContext) -> bool:
    """Tell whether a person has to agree."""
    return float(arguments["euros"]) > _LIMIT


def reimburse(euros: float = 250.0) -> str:
    """Pay an employee back.

    Args:
        euros: The amount; `offline` names none.
    """
    if not 0 < euros < 100_000:
        raise ValueError(f"{euros} euros cannot be paid back")
    return f"{euros:.2f} euros are paid with the next salary."
