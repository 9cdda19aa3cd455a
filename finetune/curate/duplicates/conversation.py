"""What of a sample is compared: its digest, its words by who says them, and its rank."""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from finetune.dataset.folding import MARKS, fold_text
from finetune.dataset.rows import (
    AssistantMessage,
    DpoRow,
    ImagePart,
    Message,
    OutputMessage,
    SftRow,
)
from finetune.dataset.rules import plain_text
from finetune.dataset.sample import Sample

__all__ = ["REJECTED", "Spoken", "digest", "rank", "spoken"]

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
_UNRATED: Final = 3
_SHORT: Final = 16
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")


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
    part = row if isinstance(row, SftRow) else row.input
    pieces, images = _pieces(row, part.messages)
    # Folding leaves nothing of `?`, which does not say `!`.
    pieces = [
        piece if len(piece) > _SHORT or piece in _OURS else _with_word(piece) for piece in pieces
    ]
    if part.tools:
        for name in sorted(tool.function.name for tool in part.tools):
            pieces += (_OTHER, name)
    text = fold_text("".join(pieces))
    return _number("\0".join((text, *images)) if images else text)


def spoken(row: SftRow | DpoRow) -> Spoken:
    """Return what a row says; of a preference row the input and both outputs."""
    part = row if isinstance(row, SftRow) else row.input
    said = [message for message in part.messages if message.role not in _SETTING_ROLES]
    setting = _setting(
        type(row).__name__,
        *(plain_text(m.content) for m in part.messages if m.role in _SETTING_ROLES),
    )
    pieces, images = _pieces(row, said)
    body = "".join(pieces)
    if not body.isascii():
        body = _INVISIBLE.sub("", unicodedata.normalize("NFKC", body))
    return Spoken(setting ^ _number("\0".join(images)) if images else setting, body)


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
    if sum(map("".join(pieces).count, MARKS)) > sum(map(_OURS.__contains__, pieces)):
        pieces = [piece if piece in _OURS else piece.translate(_NO_MARKS) for piece in pieces]
    return pieces, images


def _add(pieces: list[str], images: list[str], messages: Sequence[Message | OutputMessage]) -> None:
    for message in messages:
        pieces.append(_MARKS[message.role])
        content = message.content
        if isinstance(content, str):
            pieces.append(content)
        elif content is not None:
            pieces.append(plain_text(content))
            images.extend(part.image_url.url for part in content if isinstance(part, ImagePart))
        if isinstance(message, AssistantMessage):
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
