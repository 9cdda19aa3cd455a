"""Texts without what a copy may differ in: case, spacing, punctuation and forms of characters.

Letters, digits, marks and symbols stay, so that `5 €` is not `5 $`, `-5` is not `5`, and vowels
of scripts that write them as marks count.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from finetune.dataset.rows import AssistantMessage, Message, OutputMessage
from finetune.dataset.rules import plain_text

__all__ = ["MARKS", "fold_character", "fold_text", "fold_texts", "said"]

MARKS: Final = frozenset("\x01\x02\x03\x04\x05\x06\x07")
"""Characters that no text has: programs put them between texts, and folding leaves them."""
_BETWEEN: Final = "\x07"
"""The mark that stands between texts that are folded together."""
_MEANS: Final = frozenset("%&@#/")
"""Punctuation by Unicode's table that changes what is said: `5 %`, `C#`, `1/2`."""
_MARKUP: Final = frozenset("`^")
"""Symbols by Unicode's table that only format."""
_MINUS: Final = "~"
"""What stands for the sign of a number: a symbol that has no other business there."""
_SIGN: Final = re.compile("[-\u2212](?=\\d)(?<![^\\W_].)")
_ASCII_SIGN: Final = re.compile(rb"-(?=\d)(?<![^\W_].)")


@functools.cache
def fold_character(char: str) -> str:
    """Return what stands for one character: itself in lower case, a space, or nothing."""
    if char in MARKS:
        return char
    category = unicodedata.category(char)
    if category == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F:
        return ""  # joiners, soft hyphens, and how an emoji is drawn
    if category[0] in "LMNS" or char in _MEANS:
        return " " if char in _MARKUP else char.casefold()
    return " "


def fold_text(text: str) -> str:
    """Return a text to compare with others; one without any letter or symbol stays as it is."""
    if text.isascii():
        return _fold_ascii(text) or text.strip()
    folded = unicodedata.normalize("NFKC", text)
    if "-" in folded or "\u2212" in folded:
        folded = _SIGN.sub(_MINUS, folded)
    # Texts repeat few characters, so each different one is looked at once.
    for char in set(folded):
        if (new := fold_character(char)) != char:
            folded = folded.replace(char, new)
    return " ".join(folded.split()) or text.strip()


def fold_texts(texts: Sequence[str]) -> list[str]:
    """Return what `fold_text` makes of each text; ASCII is folded in one go, by numpy."""
    import numpy as np

    is_quick = [text.isascii() and _BETWEEN not in text for text in texts]
    folded = ["" if quick else fold_text(text) for quick, text in zip(is_quick, texts, strict=True)]
    places = [at for at, quick in enumerate(is_quick) if quick]
    if not places:
        return folded
    data = _BETWEEN.join([texts[at] for at in places]).encode("ascii")
    if b"-" in data:
        data = _ASCII_SIGN.sub(_MINUS.encode(), data)
    codes = np.frombuffer(data.translate(_ascii_table()), np.uint8)
    is_space = codes == ord(" ")
    is_kept = np.append(True, ~(is_space[1:] & is_space[:-1]))[: len(codes)]
    single = codes[is_kept].tobytes().decode("ascii")
    for at, text in zip(places, single.split(_BETWEEN), strict=True):
        folded[at] = text.strip() or texts[at].strip()
    return folded


def _fold_ascii(text: str) -> str:
    data = text.encode("ascii")
    if b"-" in data:
        data = _ASCII_SIGN.sub(_MINUS.encode(), data)
    data = data.translate(_ascii_table())
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.strip().decode("ascii")


@functools.cache
def _ascii_table() -> bytes:
    return bytes(ord(fold_character(chr(code)) or " ") for code in range(128)) + bytes(128)


def said(messages: Sequence[Message | OutputMessage]) -> list[list[str]]:
    """Return who says what in messages: folded texts, refusals, calls with their arguments.

    Ids, weights and images are left out.
    """
    found: list[list[str]] = []
    for message in messages:
        found.append([message.role, fold_text(plain_text(message.content))])
        if isinstance(message, AssistantMessage):
            if message.refusal:
                found.append(["refusal", fold_text(message.refusal)])
            found.extend(
                ["call", call.function.name, fold_text(call.function.arguments)]
                for call in message.tool_calls or ()
            )
    return found
