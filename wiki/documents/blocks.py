"""What a reader makes of a file: paragraphs, each with its heading and its place."""

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Block", "Headings", "Text", "Unit"]

Unit: TypeAlias = Literal["line", "page"]
"""What the places of a document count."""


class Block(NamedTuple):
    """A paragraph, a list, a table or a piece of code."""

    title: str
    """The headings above it, from the outermost; empty where there are none."""
    place: int
    """The line or page of its first line, from 1."""
    text: str


class Text(NamedTuple):
    """A document, read."""

    unit: Unit
    blocks: tuple[Block, ...]


class Headings:
    """The headings that stand above the place that is being read."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        """Note a heading; it closes those of its own level and below."""
        self._open = [(n, text) for n, text in self._open if n < level]
        if title:
            self._open.append((level, title))

    @property
    def path(self) -> str:
        """The open headings in one line."""
        return " > ".join(text for _, text in self._open)
