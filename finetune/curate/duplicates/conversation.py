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
from finetune.dataset.sample import Sample, messages_of

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
    pieces = [_kept(piece) for piece in _pieces(row, part.messages)]
    if part.tools:
        pieces.extend(f"{_OTHER}{name}" for name in sorted(t.function.name for t in part.tools))
    text = fold_text("".join(pieces))
    images = _images(row)
    return _number("\0".join((text, *images)) if images else text)


def spoken(row: SftRow | DpoRow) -> Spoken:
    """Return what a row says; of a preference row the input and both outputs."""
    part = row if isinstance(row, SftRow) else row.input
    said = [message for message in part.messages if message.role not in _SETTING_ROLES]
    setting = [
        _folded_setting(plain_text(message.content))
        for message in part.messages
        if message.role in _SETTING_ROLES
    ]
    body = "".join(_pieces(row, said))
    if not body.isascii():
        body = _INVISIBLE.sub("", unicodedata.normalize("NFKC", body))
    return Spoken(_setting_number((type(row).__name__, *setting, *_images(row))), body)


def _kept(text: str) -> str:
    """Return a short text so that folding leaves something of it: `?` does not say `!`."""
    if len(text) > _SHORT or any(map(str.isalnum, text)) or text.strip() in MARKS:
        return text
    return text.encode("utf-8", "surrogatepass").hex()


def _pieces(row: SftRow | DpoRow, messages: Sequence[Message]) -> list[str]:
    pieces: list[str] = []
    _add(pieces, messages)
    if isinstance(row, DpoRow):
        _add(pieces, row.preferred_output)
        pieces.append(f" {REJECTED} ")
        _add(pieces, row.non_preferred_output)
    return pieces


def _add(pieces: list[str], messages: Sequence[Message | OutputMessage]) -> None:
    for message in messages:
        pieces.append(_MARKS[message.role])
        content = message.content
        pieces.append(content if isinstance(content, str) else plain_text(content))
        if isinstance(message, AssistantMessage):
            if message.refusal:
                pieces += (_OTHER, message.refusal)
            for call in message.tool_calls or ():
                pieces.append(f"{_OTHER}{call.function.name} {call.function.arguments}")


def _images(row: SftRow | DpoRow) -> list[str]:
    urls: list[str] = []
    for message in messages_of(row):
        if isinstance(message.content, tuple):
            urls.extend(p.image_url.url for p in message.content if isinstance(p, ImagePart))
    return urls


# A corpus has few system prompts, and each stands in many rows.
@functools.lru_cache(maxsize=1024)
def _folded_setting(text: str) -> str:
    return fold_text(text)


@functools.lru_cache(maxsize=1024)
def _setting_number(texts: tuple[str, ...]) -> int:
    return _number("\0".join(texts))


def _number(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
