"""Keeps the values of keys out of messages and documentation.

A variable is taken for a key by its name: `OPENAI_API_KEY`, `HF_TOKEN`, `DB_PASSWORD`. Where such
a value would show, the variable stands instead.
"""

import re
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from swarm import Catalog

__all__ = ["hide", "is_secret", "remember", "remembered", "secrets_of"]

_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD)(_\w+)?$", re.IGNORECASE)
_SHORTEST = 6
"""A shorter value is part of ordinary words, and hiding it would only garble a text."""

_of_catalog: "WeakKeyDictionary[Catalog, dict[str, str]]" = WeakKeyDictionary()


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


def remember(catalog: Catalog, secrets: Mapping[str, str]) -> None:
    """Note the keys of the environment that a catalog was loaded with."""
    _of_catalog.setdefault(catalog, {}).update(secrets)


def remembered(catalog: Catalog) -> dict[str, str]:
    """Return the keys noted for a catalog."""
    return dict(_of_catalog.get(catalog, {}))
