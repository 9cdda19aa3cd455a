"""What no model decides: an emergency is answered at once, by a rule."""

import re

__all__ = ["emergency"]

_SIGNS = re.compile(
    r"\b(chest pain|can(no|')?t breathe|short of breath|unconscious|stroke|overdose|suicid\w*"
    r"|severe bleeding|bleeding heavily)\b",
    re.IGNORECASE,
)


def emergency(text: str, client_id: str, swarm_name: str) -> str | None:
    """Return what to do in an emergency, or None where there is no sign of one."""
    if _SIGNS.search(text):
        return "This may be an emergency. Please call your emergency number now."
    return None
