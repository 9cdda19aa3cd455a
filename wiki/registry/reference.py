"""Names of model versions: `pharma@live`, `pharma@3`, or `pharma` for the live one."""

import re
from typing import NamedTuple

from swarm.errors import DeclarationError, InvalidIdError

__all__ = [
    "CANDIDATE",
    "LIVE",
    "PREVIOUS",
    "VersionReference",
    "check_name",
    "parse_version_reference",
]

CANDIDATE = "candidate"
"""The alias of the version that is tried on some of the clients."""
LIVE = "live"
"""The alias of the version in service."""
PREVIOUS = "previous"
"""The alias of the version that was live before."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
# Folders of these names cannot be made on Windows, whatever follows the dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|.*\.")


class VersionReference(NamedTuple):
    """A parsed reference: exactly one of `version` and `alias` is set."""

    name: str
    version: int | None
    alias: str | None

    def __str__(self) -> str:
        return f"{self.name}@{self.version or self.alias}"


def parse_version_reference(text: str) -> VersionReference:
    """Split `name@alias` or `name@number`; without an `@`, the live version is meant.

    Raises:
        InvalidIdError: The name is none that a model may have.
        DeclarationError: What follows the `@` is neither a version nor an alias.
    """
    name, at, selector = text.partition("@")
    check_name(name, "model")
    if not at:
        return VersionReference(name, None, LIVE)
    if _VERSION.fullmatch(selector):
        return VersionReference(name, int(selector), None)
    if not _NAME.fullmatch(selector) or selector.isdecimal():
        raise DeclarationError(
            f"{text!r} is no model version; write {name}@live, {name}@1 or {name}@candidate"
        )
    return VersionReference(name, None, selector)


def check_name(name: str, kind: str) -> str:
    """Return a name that may become the name of a folder or an alias.

    Raises:
        InvalidIdError: It may not.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise InvalidIdError(
            f"{name[:80]!r} cannot be the name of a {kind}: use up to 64 of a-z, 0-9, '.', '_' "
            "and '-', with a letter or digit first"
        )
    return name
