"""A text as the recognisers read it: without the Unicode tricks, and with the way back.

Invisible characters are left out; digits of all scripts, full-width forms, and the many spaces
and hyphens become their ASCII twins, and so do the escapes of JSON, URLs and HTML that hide an
at-sign or a space. Letters stay as they are, whatever their script.
"""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

__all__ = ["View", "goes_on", "lowered", "view_of"]

# Beyond category Cf: marks and letters that show nothing.
_INVISIBLE = (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))
_TWINS = {0x2212: "-", 0x2043: "-", 0x2044: "/", 0x2215: "/"}
# Small, full-width and mathematical forms; what NFKC makes of them is ASCII.
_FORMS = (range(0xFE50, 0xFE70), range(0xFF01, 0xFF5F), range(0x1D400, 0x1D800))
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\[nrt]|%40|%20|&#(?:64|x40);|&nbsp;|&commat;")


class View(NamedTuple):
    """What the recognisers see of a text."""

    text: str
    places: list[int] | None
    """For each character of `text` where it stands in the original, and the original's length;
    None where they are the same."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that a span of the view stands for, never empty."""
        if self.places is None:
            return start, end
        # What was hidden right behind the last character goes with it.
        return self.places[start], self.places[end]


def view_of(text: str) -> View:
    """Return a text without invisible characters and with plain digits, spaces and hyphens."""
    places: list[int] | None = None
    if "\\" in text or "&" in text or "%" in text:
        text, places = _without_escapes(text)
    if text.isascii():
        return View(text, places)
    pattern, twins = _odd_characters()
    odd = set(pattern.findall(text))
    # A character set that goes beyond 16 bits is searched many times slower.
    if len(text.encode("utf-16-le", "surrogatepass")) != 2 * len(text):
        odd.update(character for character in set(text) if character in twins)
    if not odd:
        return View(text, places)
    hidden = {character for character in odd if not twins[character]}
    if hidden:
        kept = [at for at, character in enumerate(text) if character not in hidden]
        text, end = "".join(text[at] for at in kept), len(text)
        places = [*kept, end] if places is None else [places[at] for at in (*kept, end)]
    for character in odd - hidden:
        text = text.replace(character, twins[character])
    return View(text, places)


def lowered(text: str) -> str:
    """Return a text in lower case, of the same length."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c if len(c.lower()) != 1 else c.lower() for c in text)


def goes_on(text: str, at: int) -> bool:
    """Say whether a letter or digit stands there that may belong to the value beside it.

    Japanese is written without spaces around values, so its letters do not count.
    """
    return 0 <= at < len(text) and text[at].isalnum() and text[at] < "\u3000"


def _without_escapes(text: str) -> tuple[str, list[int] | None]:
    matches = list(_ESCAPE.finditer(text))
    if not matches:
        return text, None
    pieces: list[str] = []
    places: list[int] = []
    done = 0
    for match in matches:
        pieces += (text[done : match.start()], _unescaped(match.group()))
        places += range(done, match.start())
        places.append(match.start())
        done = match.end()
    pieces.append(text[done:])
    places += range(done, len(text) + 1)
    return "".join(pieces), places


def _unescaped(escape: str) -> str:
    if escape.startswith("\\u"):
        return chr(int(escape[2:], 16))
    if escape in ("\\n", "\\r"):
        return "\n"
    return " " if escape in ("\\t", "%20", "&nbsp;") else "@"


@cache
def _odd_characters() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of the characters that the view changes, and what each becomes."""
    twins = {chr(code): "" for code in _INVISIBLE} | {chr(c): t for c, t in _TWINS.items()}
    for code in (*range(0x80, 0x3400), *range(0xA000, 0x12000), *range(0xE0000, 0xE0080)):
        character = chr(code)
        match unicodedata.category(character):
            case "Nd":
                twins[character] = str(unicodedata.digit(character))
            case "Cf":
                twins[character] = ""
            case "Zs" | "Zl" | "Zp":
                twins[character] = " "
            case "Pd":
                twins[character] = "-"
            case _:
                pass
    for code in (code for form in _FORMS for code in form):
        plain = unicodedata.normalize("NFKC", chr(code))
        if len(plain) == 1 and plain.isascii():
            twins[chr(code)] = plain
    near = sorted(character for character in twins if character < "\U00010000")
    return re.compile("[" + re.escape("".join(near)) + "]"), twins
