"""The step `unicode`: texts in one form, without characters that nobody sees.

Composed characters (NFC); no control characters, byte order marks, halves of surrogate pairs or
codes that are no characters; no invisible or direction-changing marks except where they belong:
inside an emoji, and between letters of scripts that are written with joiners. What may be a
mistake but cannot be told for sure is noted and left.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import ClassVar, NamedTuple

from finetune.curate.screen import PlainRows
from finetune.curate.step import Note, RowStep, StepConfig, Verdict
from finetune.dataset.json_text import JsonPath
from finetune.dataset.sample import Sample
from finetune.dataset.texts import Text, change_texts, texts_of

__all__ = ["Cleaned", "UnicodeConfig", "clean_text"]


class Cleaned(NamedTuple):
    """A text in order, and what was done."""

    text: str
    changes: tuple[str, ...]
    """Codes of what was changed: `control_character`, `invisible_character`, `direction_mark`,
    `surrogate`, `noncharacter`, `not_composed`."""
    remarks: tuple[str, ...]
    """Codes of what a person should look at: `mojibake`, `private_use`, `replacement_character`."""


class UnicodeConfig(StepConfig):
    """Brings texts into one Unicode form and takes out what does not show."""

    step_name: ClassVar[str] = "unicode"

    def build(self) -> RowStep:
        """Return the step."""
        return _Unicode()


class _Unicode:
    def suspects(self, rows: PlainRows) -> frozenset[int]:
        """Return all rows where one has a control character, and none otherwise."""
        controls = len(rows.text) - len(rows.text.translate(None, _CONTROL_BYTES))
        return rows.places if controls > rows.zeros else frozenset()

    def judge(self, sample: Sample) -> Verdict:
        """Return the sample with all texts in order."""
        texts = list(texts_of(sample.row))
        if _is_plain("".join([text.text for text in texts])):
            return Verdict(sample)
        cleaned: dict[JsonPath, Cleaned] = {}
        for text in texts:
            found = clean_text(text.text)
            if found.changes or found.remarks:
                cleaned[text.path] = found
        notes = tuple(_notes(cleaned))
        if not any(found.changes for found in cleaned.values()):
            return Verdict(sample, notes)

        def change(text: Text) -> str | None:
            return cleaned[text.path].text if text.path in cleaned else None

        try:
            row = change_texts(sample.row, change)
        except ValueError:
            return Verdict(
                None, (Note("empty_after_cleaning", "a text has nothing to show"), *notes)
            )
        return Verdict(sample._replace(row=row), notes)


def clean_text(text: str) -> Cleaned:
    """Return a text in Unicode's composed form, without what does not show."""
    if _is_plain(text):
        return Cleaned(text, (), ())
    changes: list[str] = []
    patterns = _patterns()
    if patterns.any_odd.search(text) is not None:
        text = _join_surrogates(text, changes)
        for code, pattern in patterns.removed:
            new = pattern.sub("", text)
            if len(new) != len(text):
                changes.append(code)
            text = new
        text = _without_stray(text, changes)
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        changes.append("not_composed")
    remarks = [code for code, pattern in patterns.remarks if pattern.search(text) is not None]
    return Cleaned(text, tuple(dict.fromkeys(changes)), tuple(remarks))


def _notes(cleaned: dict[JsonPath, Cleaned]) -> Iterator[Note]:
    for path, found in cleaned.items():
        for code in found.changes:
            yield Note(f"fixed_{code}", _DONE[code], path)
        for code in found.remarks:
            yield Note(code, _SEEN[code], path)


_DONE = {
    "control_character": "control characters were taken out",
    "invisible_character": "invisible characters were taken out",
    "direction_mark": "marks that change the direction of writing were taken out",
    "surrogate": "halves of surrogate pairs were joined or taken out",
    "noncharacter": "codes that are no characters were taken out",
    "not_composed": "characters were composed (NFC)",
}
_SEEN = {
    "mojibake": "may have been read in a wrong encoding",
    "private_use": "holds characters whose meaning is private to a font",
    "replacement_character": "holds U+FFFD, where something could not be decoded",
}


class _Patterns(NamedTuple):
    any_odd: re.Pattern[str]
    removed: tuple[tuple[str, re.Pattern[str]], ...]
    remarks: tuple[tuple[str, re.Pattern[str]], ...]


_CONTROLS = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f"
_DIRECTION = "\\u202a-\\u202e\\u2066-\\u2069\\u206a-\\u206f"
_INVISIBLE = (
    "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b\\u2060-\\u2064\\u3164\\ufeff\\uffa0"
    "\\ufff9-\\ufffb\\U0001d173-\\U0001d17a"
)
_NONCHARACTERS = "\\ufdd0-\\ufdef" + "".join(
    f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17)
)
_SURROGATES = "\\ud800-\\udfff"
# Joiners, direction hints, variation selectors and tags are right in some places only.
_STRAY = "\\u200c\\u200d\\u200e\\u200f\\u061c\\ufe00-\\ufe0f\\U000e0000-\\U000e01ef"
# UTF-8 that was read as Latin-1 or Windows-1252: a letter with an accent, then a sign.
_MOJIBAKE = (
    "[\\u00c2-\\u00c3][\\u0080-\\u00bf\\u0152\\u0153\\u0160\\u0161\\u0178\\u017d\\u017e\\u0192"
    "\\u02c6\\u02dc\\u2013-\\u2022\\u2026\\u2030\\u2039\\u203a\\u20ac\\u2122]"
    "|\\u00e2\\u20ac[\\u0153\\u009d\\u2122\\u02dc\\u201c\\u201d\\u00a6\\u00a2]|\\u00f0\\u0178"
)


@cache
def _patterns() -> _Patterns:
    removed = (
        ("control_character", f"[{_CONTROLS}]"),
        ("direction_mark", f"[{_DIRECTION}]"),
        ("invisible_character", f"[{_INVISIBLE}]"),
        ("surrogate", f"[{_SURROGATES}]"),
        ("noncharacter", f"[{_NONCHARACTERS}]"),
    )
    remarks = (
        ("mojibake", _MOJIBAKE),
        ("private_use", "[\\ue000-\\uf8ff\\U000f0000-\\U000ffffd\\U00100000-\\U0010fffd]"),
        ("replacement_character", "\\ufffd"),
    )
    odd = _CONTROLS + _DIRECTION + _INVISIBLE + _SURROGATES + _NONCHARACTERS + _STRAY
    return _Patterns(
        re.compile(f"[{odd}]"),
        tuple((code, re.compile(pattern)) for code, pattern in removed),
        tuple((code, re.compile(pattern)) for code, pattern in remarks),
    )


_CONTROL_BYTES = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")


def _is_plain(text: str) -> bool:
    """Return whether a text is ASCII without control characters, as most are."""
    return text.isascii() and len(text.encode().translate(None, _CONTROL_BYTES)) == len(text)


def _join_surrogates(text: str, changes: list[str]) -> str:
    """Return a text whose pairs of surrogates are the characters that they stand for."""
    if re.search("[\ud800-\udbff][\udc00-\udfff]", text) is None:
        return text
    changes.append("surrogate")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


_STRAYS = re.compile(f"[{_STRAY}]")
_JOINED_BLOCKS = (
    # Arabic and its neighbours, the scripts of India and around, Mongolian.
    range(0x0600, 0x0900),
    range(0x0900, 0x0E00),
    range(0x0F00, 0x1100),
    range(0x1700, 0x1900),
    range(0x1980, 0x1C50),
    range(0xA800, 0xAC00),
    range(0xFB50, 0xFE00),
    range(0xFE70, 0xFEFF),
    range(0x10A00, 0x11FFF),
    range(0x1E900, 0x1E960),
)
_HINTS = re.compile("[\u200e\u200f\u061c]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc]")


def _without_stray(text: str, changes: list[str]) -> str:
    """Return a text without joiners, selectors and tags that stand where they mean nothing."""
    pieces: list[str] = []
    done = 0
    keeps_hints = _HINTS.search(text) is not None and _RIGHT_TO_LEFT.search(text) is not None
    for match in _STRAYS.finditer(text):
        at = match.start()
        if _belongs(text, at, keeps_hints=keeps_hints):
            continue
        pieces.append(text[done:at])
        done = at + 1
        changes.append(
            "direction_mark" if text[at] in "\u200e\u200f\u061c" else "invisible_character"
        )
    return text if not done else "".join((*pieces, text[done:]))


def _belongs(text: str, at: int, *, keeps_hints: bool) -> bool:
    mark = ord(text[at])
    before = text[at - 1] if at else ""
    after = text[at + 1 : at + 2]
    if mark in (0x200E, 0x200F, 0x061C):
        return keeps_hints
    if mark == 0x200C:
        return _is_in(before, _JOINED_BLOCKS) and _is_in(after, _JOINED_BLOCKS)
    if mark == 0x200D:
        if _is_in(before, _JOINED_BLOCKS):
            return after == "" or _is_in(after, _JOINED_BLOCKS) or not after.isalnum()
        return _is_emoji(before) and _is_emoji(after)
    if mark in (0xFE0E, 0xFE0F):
        return _is_emoji(before) or before in tuple("0123456789#*")
    if 0xFE00 <= mark <= 0xFE0D or 0xE0100 <= mark <= 0xE01EF:
        # They choose the form of an ideograph, a sign of mathematics or of Mongolian.
        return before != "" and not before.isascii() and unicodedata.category(before)[0] != "Z"
    if 0xE0020 <= mark <= 0xE007F:
        return _is_in_flag(text, at)
    return False


def _is_in(character: str, blocks: tuple[range, ...]) -> bool:
    return character != "" and any(ord(character) in block for block in blocks)


def _is_emoji(character: str) -> bool:
    """Return whether a character is part of an emoji: a sign, a skin tone, or a selector."""
    if character == "":
        return False
    code = ord(character)
    return (
        (unicodedata.category(character) in ("So", "Sk", "Sm", "Po") and code > 0x7F)
        or 0x1F000 <= code <= 0x1FAFF
        or code in (0xFE0F, 0x00A9, 0x00AE, 0x20E3, 0x3030, 0x303D)
        or 0x2190 <= code <= 0x2BFF
    )


def _is_in_flag(text: str, at: int) -> bool:
    """Return whether tags stand behind a black flag, as those of England and Scotland do."""
    start = at
    while start and at - start < 8 and 0xE0020 <= ord(text[start - 1]) <= 0xE007F:
        start -= 1
    return start > 0 and text[start - 1] == "\U0001f3f4"
