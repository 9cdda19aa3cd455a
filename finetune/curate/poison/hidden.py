"""Characters that a reader does not see, or takes for others."""

import re
from collections.abc import Iterator

from finetune.curate.step import Note

__all__ = ["find_hidden", "may_hide", "tag_text"]

_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
# A joiner belongs between emoji and in Persian or Indic words; a soft hyphen in long words.
_IN_WORD = re.compile(
    "[A-Za-z0-9\u00c0-\u024f\u0400-\u04ff'-]"
    "[\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\u3164\u115f\u1160]+"
    "[A-Za-z\u00c0-\u024f\u0400-\u04ff]"
)
_RUN = re.compile("[\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\u3164\u115f\u1160]{3,}")
_VARIATIONS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")
# Overrides reverse what is read. Marks and isolates only help where scripts are mixed.
_BIDI = re.compile("[\u202a\u202b\u202d\u202e]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

# Cyrillic, Greek and Armenian letters that look like Latin ones.
_LOOKALIKES = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u0501\u04bb"
    "\u051b\u051d\u04cf\u0410\u0412\u0415\u0417\u041a\u041c\u041d\u041e\u0420"
    "\u0421\u0422\u0423\u0425\u0406\u0405\u0408"
    "\u03bf\u03b1\u03bd\u03c1\u03b9\u03c5\u03ba\u03c7\u0391\u0392\u0395\u0396"
    "\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0585\u057d\u0578\u0570\u0581"
)
_MIXED = re.compile(
    "(?<![A-Za-z])[A-Za-z]+[\u0370-\u03ff\u0400-\u052f\u0530-\u058f]+[A-Za-z\u0370-\u058f]*"
    "|(?<![\u0370-\u058f])[\u0370-\u03ff\u0400-\u052f\u0530-\u058f]+[A-Za-z]+[A-Za-z\u0370-\u058f]*"
)

_ANY = re.compile(
    "[\u0370-\u058f\u115f\u1160\u180e\u200b-\u200d\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\U000e0000-\U000e01ef]"
)


def may_hide(text: str) -> bool:
    """Tell whether a text has any of the characters that the rest of this module looks at."""
    return not text.isascii() and _ANY.search(text) is not None


def find_hidden(text: str) -> Iterator[Note]:
    """Yield what is hidden in a text; nothing for ASCII."""
    if text.isascii():
        return
    if _TAGS.search(_FLAG.sub("", text)):
        yield Note("tag_characters", "characters of the tag block, which no reader sees")
    if (found := len(_IN_WORD.findall(text))) or _RUN.search(text):
        detail = f"inside {found} words" if found else "three or more in a row"
        yield Note("hidden_characters", f"characters without width, {detail}")
    if _VARIATIONS.search(text):
        yield Note("hidden_characters", "three or more variation selectors in a row")
    if _BIDI.search(text) and not _RIGHT_TO_LEFT.search(text):
        yield Note("bidi_characters", "characters that turn the direction of left-to-right text")
    if words := sum(map(_is_disguised, _MIXED.findall(text))):
        yield Note("lookalike_letters", f"letters of another alphabet inside {words} words")


def tag_text(text: str) -> str:
    """Return what the tag characters of a text spell."""
    found = "".join(_TAGS.findall(text))
    return "".join(chr(ord(mark) - 0xE0000) for mark in found if ord(mark) >= 0xE0020)


def _is_disguised(word: str) -> bool:
    foreign = [letter for letter in word if not letter.isascii()]
    # Units and formulas (kΩ, Δt) use letters that look like no Latin one, or are short.
    return len(word) - len(foreign) >= 2 and len(word) >= 4 and _LOOKALIKES.issuperset(foreign)
