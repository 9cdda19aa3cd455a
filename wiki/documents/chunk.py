"""Cuts a document into passages: along its headings, then its lines, then its sentences."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from wiki.documents.blocks import Block, Text, Unit

__all__ = ["OVERLAP", "SIZE", "Passage", "cut"]

SIZE = 900
"""The longest passage, in characters."""
OVERLAP = 150
"""At most so many characters of a passage are repeated in the next one of the same heading."""

_LONGEST = 300
_SENTENCE = re.compile(r"(?<=[.!?…。])\s+")


class Passage(NamedTuple):
    """A part of a document that stands on its own."""

    path: str
    title: str
    start: int
    """The first line or page, from 1."""
    end: int
    unit: Unit
    text: str


class _Piece(NamedTuple):
    glue: str
    """What stands between the piece and the one before it."""
    text: str
    place: int


def cut(path: str, text: Text) -> list[Passage]:
    """Return the passages of a document in order; the same text gives the same passages."""
    passages: list[Passage] = []
    # No passage spans two headings, nor two pages: its citation says where to look.
    for (title, _), blocks in groupby(text.blocks, key=lambda block: _group(block, text.unit)):
        pieces = [piece for block in blocks for piece in _pieces(block, text.unit)]
        for group in _pack(pieces):
            joined = group[0].text + "".join(piece.glue + piece.text for piece in group[1:])
            place = Passage(path, title, group[0].place, group[-1].place, text.unit, joined)
            passages.append(place)
    return passages


def _group(block: Block, unit: Unit) -> tuple[str, int]:
    return block.title, block.place if unit == "page" else 0


def _pieces(block: Block, unit: Unit) -> Iterator[_Piece]:
    glue = "\n\n"
    for offset, line in enumerate(block.text.split("\n")):
        place = block.place + offset if unit == "line" else block.place
        for part in _parts(line):
            yield _Piece(glue, part, place)
            glue = " "
        glue = "\n"


def _parts(line: str) -> Iterator[str]:
    """Yield a line whole, or its sentences, or what fits of a sentence that is too long."""
    if len(line) <= _LONGEST:
        yield line
        return
    for sentence in _SENTENCE.split(line):
        rest = sentence
        while len(rest) > _LONGEST:
            end = rest.rfind(" ", 1, _LONGEST)
            end = end if end > 0 else _LONGEST
            yield rest[:end].rstrip()
            rest = rest[end:].lstrip()
        if rest:
            yield rest


def _pack(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    size = fresh = 0
    for piece in pieces:
        if group and size + len(piece.glue) + len(piece.text) > SIZE:
            yield group
            group = _tail(group)
            size, fresh = sum(len(kept.glue) + len(kept.text) for kept in group), 0
        group.append(piece)
        size += len(piece.glue) + len(piece.text)
        fresh += 1
    if fresh:
        yield group


def _tail(group: Sequence[_Piece]) -> list[_Piece]:
    kept: list[_Piece] = []
    size = 0
    # Never the whole group, so that every passage brings something new.
    for piece in reversed(group[1:]):
        size += len(piece.glue) + len(piece.text)
        if size > OVERLAP:
            break
        kept.insert(0, piece)
    return kept
