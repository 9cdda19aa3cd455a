"""What of a sample is compared: its digest, its words by who says them, and its rank."""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from finetune.curate.plain import plain_row
from finetune.curate.remembered import Remembered
from finetune.dataset.folding import MARKS, fold_text, fold_texts
from finetune.dataset.rows import DpoRow, Message, OutputMessage, SftRow
from finetune.dataset.rules import plain_text
from finetune.dataset.sample import Sample

__all__ = ["REJECTED", "Spoken", "digest", "digests", "rank", "spoken"]

_MARKS: Final = {
    "system": " \x01 ",
    "developer": " \x01 ",
    "user": " \x02 ",
    "assistant": " \x03 ",
    "tool": " \x04 ",
}
"""Stands before what a role says; it is a word of its own."""
_OTHER: Final = " \x05 "
"""Stands before a refusal, a call, a tool, an image."""
REJECTED: Final = "\x06"
"""Stands before the output that a preference row rejects."""
_SETTING_ROLES: Final = frozenset({"system", "developer"})
_OURS: Final = frozenset({*_MARKS.values(), _OTHER, f" {REJECTED} "})
_NO_MARKS: Final = str.maketrans(dict.fromkeys(MARKS, "\ufffd"))
_MARK_BYTES: Final = "".join(MARKS).encode()
_LEADING: Final = frozenset({_MARKS["system"]})
_UNRATED: Final = 3
_SHORT: Final = 16
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")


class _Pieces(NamedTuple):
    """What all messages of a row say."""

    texts: list[str]
    """With a mark before each message."""
    images: list[str]
    """The addresses of images."""
    settings: int | None = None
    """How many texts at the beginning are settings and their marks; None where that has to be
    looked up in the messages."""
    joined: str | None = None
    """The texts together, where they name the row as they are."""


_remembered: Remembered[_Pieces] = Remembered()


class Spoken(NamedTuple):
    """What a conversation says, for comparisons that allow for differences."""

    setting: int
    """Names what has to be the same all the same: system messages and images; eight bytes."""
    body: str
    """All else, with a mark before each message."""


def rank(sample: Sample) -> int:
    """Return how good a copy is: corrected by a person first, then the better rating.

    A copy that nobody rated counts as one of rating 3.
    """
    provenance = sample.provenance
    return 8 * bool(provenance.is_corrected) + (provenance.rating or _UNRATED)


def digest(row: SftRow | DpoRow) -> int:
    """Name a conversation by eight bytes: folded texts with roles, tools by name, images."""
    return digests([row])[0]


def digests(rows: Sequence[SftRow | DpoRow]) -> list[int]:
    """Return the digest of each row; of many at once it takes half the time."""
    named = [_named(row) for row in rows]
    texts = fold_texts([text for text, _ in named])
    return [
        _number("\0".join((text, *images)) if images else text)
        for text, (_, images) in zip(texts, named, strict=True)
    ]


def _named(row: SftRow | DpoRow) -> tuple[str, list[str]]:
    """Return the text of all that names a row, and the addresses of its images."""
    part = row if isinstance(row, SftRow) else row.input
    pieces, images, _, joined = _all_pieces(row, part.messages)
    if joined is not None:
        return joined, images
    # Folding leaves nothing of `?`, which does not say `!`.
    pieces = [
        piece if len(piece) > _SHORT or piece in _OURS else _with_word(piece) for piece in pieces
    ]
    if part.tools:
        for name in sorted(tool.function.name for tool in part.tools):
            pieces += (_OTHER, name)
    return "".join(pieces), images


def spoken(row: SftRow | DpoRow) -> Spoken:
    """Return what a row says; of a preference row the input and both outputs."""
    part = row if isinstance(row, SftRow) else row.input
    pieces, images, lead, joined = _all_pieces(row, part.messages)
    if lead is not None:
        setting = _setting(type(row).__name__, *pieces[1:lead:2])
    else:
        settings = [m for m in part.messages if m.role in _SETTING_ROLES]
        setting = _setting(type(row).__name__, *(plain_text(m.content) for m in settings))
        lead = 2 * len(settings)
        if images or not _LEADING.issuperset(pieces[:lead:2]):
            said = [message for message in part.messages if message.role not in _SETTING_ROLES]
            pieces, images, lead = *_pieces(row, said), 0
    body = "".join(pieces[lead:]) if joined is None else joined[sum(map(len, pieces[:lead])) :]
    if not body.isascii():
        body = _INVISIBLE.sub("", unicodedata.normalize("NFKC", body))
    return Spoken(setting ^ _number("\0".join(images)) if images else setting, body)


def _all_pieces(row: SftRow | DpoRow, messages: Sequence[Message]) -> _Pieces:
    """Return the pieces of all messages; of the last rows they are remembered."""
    if (known := _remembered.get(row)) is not None:
        return known[1]
    said = plain_row(row)
    if said is None or any(map("".join(said.contents).__contains__, MARKS)):
        pieces = _Pieces(*_pieces(row, messages))
    else:
        marks, settings = _marks_of(said.roles)
        texts = [piece for pair in zip(marks, said.contents, strict=True) for piece in pair]
        has_short = any(len(content) <= _SHORT for content in said.contents)
        joined = None if has_short or settings is None else "".join(texts)
        pieces = _Pieces(texts, [], settings, joined)
    _remembered.keep(row, pieces)
    return pieces


@functools.lru_cache(maxsize=1024)
def _marks_of(roles: tuple[str, ...]) -> tuple[tuple[str, ...], int | None]:
    """Return the mark before each message of a row, and `settings` of its pieces."""
    first = next((at for at, role in enumerate(roles) if role not in _SETTING_ROLES), len(roles))
    is_leading = _SETTING_ROLES.isdisjoint(roles[first:])
    return tuple([_MARKS[role] for role in roles]), 2 * first if is_leading else None


def _pieces(row: SftRow | DpoRow, messages: Sequence[Message]) -> tuple[list[str], list[str]]:
    """Return the texts of messages, with marks between them, and the addresses of images."""
    pieces: list[str] = []
    images: list[str] = []
    _add(pieces, images, messages)
    if isinstance(row, DpoRow):
        _add(pieces, images, row.preferred_output)
        pieces.append(f" {REJECTED} ")
        _add(pieces, images, row.non_preferred_output)
    # A text that holds marks of its own would pass for other messages than it is.
    if _count_marks("".join(pieces)) > sum(map(_OURS.__contains__, pieces)):
        pieces = [piece if piece in _OURS else piece.translate(_NO_MARKS) for piece in pieces]
    return pieces, images


def _count_marks(text: str) -> int:
    # Faster than counting each of them.
    data = text.encode("utf-8", "surrogatepass")
    return len(data) - len(data.translate(None, _MARK_BYTES))


def _add(pieces: list[str], images: list[str], messages: Sequence[Message | OutputMessage]) -> None:
    for message in messages:
        pieces.append(_MARKS[message.role])
        content = message.content
        if isinstance(content, str):
            pieces.append(content)
        elif content is not None:
            pieces.append(plain_text(content))
            images.extend(part.image_url.url for part in content if part.type == "image_url")
        if message.role == "assistant":  # `isinstance` of pydantic's models is slow
            if message.refusal:
                pieces += (_OTHER, message.refusal)
            for call in message.tool_calls or ():
                pieces += (_OTHER, f"{call.function.name} {call.function.arguments}")


def _with_word(text: str) -> str:
    if not text or any(map(str.isalnum, text)):
        return text
    return text.encode("utf-8", "surrogatepass").hex()


# A corpus has few system prompts, and each stands in many rows.
@functools.lru_cache(maxsize=64)
def _setting(*texts: str) -> int:
    return _number("\0".join(map(fold_text, texts)))


def _number(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
