"""Keeps the values of keys out of what is written and shown.

A variable is taken for a key by its name: `OPENAI_API_KEY`, `HF_TOKEN`, `DB_PASSWORD`. Where such
a value would show, the variable stands instead.
"""

import re
from collections.abc import Mapping

__all__ = ["hide", "is_secret", "secrets_of"]

_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD)(_\w+)?$", re.IGNORECASE)
_SHORTEST = 6
"""A shorter value is part of ordinary words, and hiding it would only garble a text."""


def is_secret(variable: str) -> bool:
    """Whether a variable of that name holds a key."""
    return _SECRET.search(variable) is not None


def secrets_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that hold keys."""
    return {
        name: value
        for name, value in environment.items()
        if len(value) >= _SHORTEST and is_secret(name)
    }


def hide(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text with `${NAME}` wherever the value of a key stood."""
    for name, value in sorted(secrets.items(), key=lambda item: -len(item[1])):
        # Messages quote values with repr, which spells some characters differently.
        for shape in (value, repr(value)[1:-1]):
            text = text.replace(shape, f"${{{name}}}")
    return text
