"""Where each declaration is described, so that pages can refer to it."""

import re
from collections.abc import Iterable, Mapping
from posixpath import dirname, relpath
from typing import Any, NamedTuple

from swarm import Kind

__all__ = ["Place", "Places", "anchor"]

_NO_ANCHOR = re.compile(r"[^\w\- ]")


class Place(NamedTuple):
    """A heading on a page."""

    page: str
    """The page's path under the folder of all pages; empty for the only one."""
    anchor: str
    """The heading, as addresses name it; empty for the page itself."""


class Places:
    """The places of all declarations that have one."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], Place] = {}
        self._taken: dict[tuple[str, str], int] = {}

    def copy(self) -> "Places":
        """Return the same places, to which more can be added."""
        other = Places()
        other._places, other._taken = dict(self._places), dict(self._taken)
        return other

    def add(self, kind: Kind[Any], name: str, page: str, title: str) -> None:
        """Note the heading under which a name is described; add them in the order of the page."""
        slug = plain = anchor(title)
        while (page, slug) in self._taken:
            self._taken[page, plain] += 1
            slug = f"{plain}-{self._taken[page, plain]}"
        self._taken[page, slug] = 0
        self._places[kind.name, name] = Place(page, slug)

    def add_page(self, kind: Kind[Any], names: Mapping[str, str]) -> None:
        """Note names that have a page each."""
        for name, page in names.items():
            self._places[kind.name, name] = Place(page, "")

    def add_section(self, kind: Kind[Any], names: Iterable[str], page: str, title: str) -> None:
        """Note names that are rows of one section."""
        for name in names:
            self._places[kind.name, name] = Place(page, anchor(title))

    def address(self, kind: Kind[Any], name: str, page: str) -> str | None:
        """Return what a link on a page has as its target; None where nothing describes the name."""
        place = self._places.get((kind.name, name))
        if place is None:
            return None
        anchored = f"#{place.anchor}" if place.anchor else ""
        if place.page == page:
            return anchored or None
        return relpath(place.page, dirname(page) or ".") + anchored


def anchor(title: str) -> str:
    """Return what GitHub and most others make of a heading, to name it in addresses."""
    return _NO_ANCHOR.sub("", title.strip().lower()).replace(" ", "-")
