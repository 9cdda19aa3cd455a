"""Where a store is: a home folder's file, or the database that a URL names.

A URL may hold a password. It goes to the driver and nowhere else: messages use `place`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from swarm.errors import MissingExtraError, StoreError, require

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Location", "locate"]

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


@dataclass(frozen=True, slots=True)
class Location:
    """A database that can be opened."""

    url: "sqlalchemy.URL" = field(repr=False)
    """With the password."""
    place: str
    """What messages call it: the file, or the URL without password and options."""
    folder: Path | None = None
    """The folder that has to exist."""

    @property
    def secret(self) -> str:
        """The password, or nothing."""
        return str(self.url.password or "")


def locate(home: Path, store: str | None) -> Location:
    """Return where a store is.

    Args:
        home: The folder of the state.
        store: `postgresql://user:password@host/database`, `sqlite:///file`, or nothing for the
            file in the home.

    Raises:
        StoreError: The URL cannot be read, or names another kind of database.
        MissingExtraError: The driver of the database is not installed.
    """
    import sqlalchemy as sa

    if not store:
        path = home / "journal.sqlite3"
        return Location(sa.URL.create("sqlite", database=str(path)), str(path), home)
    url = _parse(store)
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreError("a sqlite store is a file: sqlite:///folder/journal.sqlite3")
        path = Path(url.database)
        return Location(url, str(path), path.parent)
    try:
        require("psycopg", extra="postgres")
    except MissingExtraError:
        raise
    except ImportError:  # the driver is there, and the library that it drives is not
        raise MissingExtraError("psycopg[binary]", "postgres") from None
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    place = f"postgresql://{user}{url.host or ''}{port}/{url.database or ''}"
    return Location(url, place)


def _parse(store: str) -> "sqlalchemy.URL":
    """Read a URL; no message repeats it, since a part that was misread may be the password."""
    import sqlalchemy as sa
    import sqlalchemy.exc

    try:
        url = sa.make_url(store)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise StoreError(_HINT) from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise StoreError(f"a store is a postgresql:// or sqlite:/// URL, not {url.drivername}://")
    if driver == "sqlite":
        return url.set(drivername=driver)
    query = dict(url.query)
    password = query.pop("password", url.password)
    named = (url.username or "", url.host or "", url.database or "")
    is_whole = not any(re.search(r"[@/?#:]", unquote(part).lstrip("/")) for part in named[2:])
    is_whole = is_whole and not re.search(r"[@/?#]", named[1] + named[0])
    if not is_whole or not all(re.fullmatch(r"[a-z_]+", key) for key in query):
        raise StoreError(_HINT)
    if isinstance(password, tuple):
        password = password[-1]
    return url.set(
        drivername=driver, host=unquote(url.host or "") or None, password=password, query=query
    )


_HINT = (
    "the store's URL cannot be read; write postgresql://user:password@host:5432/database, with"
    " special characters of the password percent-encoded (@ is %40, / is %2F)"
)
