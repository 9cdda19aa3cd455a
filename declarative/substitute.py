"""`${NAME}` and `${NAME:-default}` in the text values of a document.

What comes out is text and stays one value: it is never read as YAML. `$${` stands for a plain `${`.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Substituted", "SubstitutionError", "substitute"]

_PLACE = re.compile(r"\$\$\{|\$\{(?P<body>[^}]*)\}|\$\{")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<or>:-(?P<default>.*))?", re.DOTALL)


class SubstitutionError(ValueError):
    """A variable that is not set, or a `${` that names none."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


class Substituted(NamedTuple):
    """A text after substitution."""

    text: str
    variables: tuple[str, ...]
    """The variables whose values are in it."""


def substitute(text: str, environment: Mapping[str, str]) -> Substituted:
    """Replace every variable of a text by its value.

    Raises:
        SubstitutionError: A variable without a default is not set, or `${` starts no variable.
    """
    used: list[str] = []

    def value_of(place: re.Match[str]) -> str:
        if place.group() == "$${":
            return "${"
        body = place.group("body")
        parts = _BODY.fullmatch(body) if body is not None and "${" not in body else None
        if parts is None:
            shown = place.group() if len(place.group()) <= 40 else place.group()[:37] + "..."
            raise SubstitutionError(
                f"{shown!r} names no variable",
                "write ${NAME} or ${NAME:-default}, or $${ for a plain ${",
            )
        name, has_default = parts.group("name"), parts.group("or") is not None
        value = environment.get(name)
        if value is None or (has_default and not value):
            if not has_default:
                raise SubstitutionError(
                    f"the variable {name} is not set", f"set {name}, or write ${{{name}:-default}}"
                )
            return parts.group("default")
        used.append(name)
        return value

    return Substituted(_PLACE.sub(value_of, text), tuple(used))
