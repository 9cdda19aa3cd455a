"""Which version an alias of a model stands for, and how that came about.

Aliases and their history are one file, replaced as a whole: after a crash they agree.
"""

import getpass
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from swarm.files import write_atomically
from wiki.registry.errors import CorruptedVersionError
from wiki.registry.reference import CANDIDATE, LIVE, PREVIOUS

__all__ = ["Action", "Aliases", "Promotion", "read_aliases", "write_aliases"]

Action = Literal["promote", "rollback", "alias", "unalias"]
"""What is done to an alias."""

_FILE_NAME = "aliases.json"


class Promotion(BaseModel):
    """One change of an alias."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    """The model."""
    action: Action
    alias: str
    """The alias that was set or, with `unalias`, taken away; `live` for the first two actions."""
    version: int
    """What it stands for since then; with `unalias`, what it stood for."""
    previous: int | None
    """What it stood for before."""
    at: datetime
    by: str
    """Who asked for it."""


class Aliases(BaseModel):
    """All aliases of one model with their history."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = 1
    aliases: Mapping[str, int] = {}
    history: tuple[Promotion, ...] = ()
    """Oldest first."""

    @model_validator(mode="after")
    def _has_events(self) -> "Aliases":
        told = {PREVIOUS, *(event.alias for event in self.history)}
        if untold := sorted(set(self.aliases) - told):
            raise ValueError(f"the history does not tell how {untold[0]!r} came about")
        return self

    def of(self, version: int) -> tuple[str, ...]:
        """Return the aliases of a version, sorted."""
        return tuple(sorted(alias for alias, number in self.aliases.items() if number == version))

    def changed(
        self,
        name: str,
        action: Action,
        alias: str,
        version: int,
        by: str | None,
    ) -> "Aliases":
        """Return the aliases after a change; the version that leaves `live` becomes `previous`.

        The trial of a candidate that becomes live is over: it does not begin anew when that
        version is rolled back.
        """
        if alias == LIVE and self.aliases.get(CANDIDATE) == version:
            return self.without(name, CANDIDATE, by).changed(name, action, alias, version, by)
        before = self.aliases.get(alias)
        aliases = {**self.aliases, alias: version}
        if alias == LIVE and before is not None:
            aliases[PREVIOUS] = before
        return self._after(aliases, name, action, alias, version, by)

    def without(self, name: str, alias: str, by: str | None) -> "Aliases":
        """Return the aliases when one of them stands for nothing any more."""
        aliases = {known: number for known, number in self.aliases.items() if known != alias}
        return self._after(aliases, name, "unalias", alias, self.aliases[alias], by)

    def _after(
        self,
        aliases: Mapping[str, int],
        name: str,
        action: Action,
        alias: str,
        version: int,
        by: str | None,
    ) -> "Aliases":
        event = Promotion(
            name=name,
            action=action,
            alias=alias,
            version=version,
            previous=self.aliases.get(alias),
            at=datetime.now(UTC),
            by=by or _user(),
        )
        return Aliases(aliases=aliases, history=(*self.history, event))


def read_aliases(folder: Path) -> Aliases:
    """Return the aliases of the model in a folder.

    Raises:
        CorruptedVersionError: The file is damaged.
    """
    path = folder / _FILE_NAME
    try:
        return Aliases.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Aliases()
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise CorruptedVersionError(path, f"is no list of aliases: {reason}") from None


def write_aliases(folder: Path, aliases: Aliases) -> None:
    """Replace the aliases of the model in a folder; the caller holds the folder's lock."""
    # Nobody else writes now, so what lies here is left from processes that were killed.
    for left in folder.glob(f".{_FILE_NAME}.*.tmp"):
        left.unlink(missing_ok=True)
    write_atomically(folder / _FILE_NAME, aliases.model_dump_json(indent=1) + "\n")


def _user() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user may have no name
        return "unknown"
