"""Encoded text: what base64, hexadecimal, percent signs, rot13 or a reversal hide is read too."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote

from finetune.curate.poison.exchange import plain
from finetune.curate.poison.phrases import find_phrases, is_order
from finetune.curate.step import Note

__all__ = ["LONG_RUN", "SIGNS", "find_payloads", "has_long_run"]

_LONG = 24
_RUNS = bytes(
    ord("x") if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "+/_-=\\%") else 32
    for code in range(256)
)
_NEEDLE = b"x" * _LONG
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}(?:\r?\n[A-Za-z0-9+/_-]{4,}={0,2})*")
_HEX = re.compile(
    r"(?:0x)?((?:[0-9a-fA-F]{2}){12,})|((?:\\x[0-9a-fA-F]{2}){8,})"
    r"|((?:[0-9a-fA-F]{2}[ :,]){11,}[0-9a-fA-F]{2})"
)
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}[A-Za-z0-9+._-]{0,16}){6,}")
_DATA_URL = re.compile(
    r"data:(?:image|audio|video|font|application/pdf)[^,\s]{0,80},[A-Za-z0-9+/=_%-]+"
)
_CODE = re.compile(
    r"\b(?:import (?:os|sys|subprocess|socket|requests|base64)|subprocess\.|os\.system|__import__"
    r"|exec\(|eval\(|curl (?:-\w+ )*https?:|wget (?:-\w+ )*https?:|rm -rf|/bin/(?:ba)?sh|bash -[ic]"
    r"|powershell|invoke-(?:expression|webrequest)|nc -\w*e|chmod \+x|document\.cookie|fetch\("
    r"|new xmlhttprequest|drop table|cmd\.exe|socket\.connect)|<script|<iframe|javascript:"
)
# Common words and words of orders, as rot13 and a reversal write them.
_ROT13 = re.compile(" (?:lbh|gur|naq|lbhe|nyy) |vtaber|flfgrz cebzcg|vafgehpgvba|sebz abj ba")
_REVERSED = re.compile(" (?:eht|uoy|ruoy) |snoitcurtsni|tpmorp metsys|no won morf|snoitcirtser")

SIGNS = f"{_ROT13.pattern}|{_REVERSED.pattern}|(?:[0-9a-f]{{2}}[ :,]){{11}}"
"""What is somewhere in the lower case of every encoded text without a long run."""

LONG_RUN = rf"[a-z0-9+/_=\\%-]{{{_LONG}}}"
"""What a text in lower case holds for which `has_long_run` is true."""


def has_long_run(text: str) -> bool:
    """Tell whether a text has a run of characters that could be an encoded text."""
    return _NEEDLE in text.encode("utf-8", "replace").translate(_RUNS)


def find_payloads(text: str) -> Iterator[Note]:
    """Yield encoded orders and encoded code of a text; encoded images and keys are neither."""
    for way, hidden in _decoded(text):
        read = plain(hidden)
        if _CODE.search(read):
            yield Note("encoded_code", f"{way} of {len(hidden)} characters decodes to code")
            return
        if is_order(read) or next(find_phrases(read), None):
            yield Note("encoded_order", f"{way} of {len(hidden)} characters decodes to an order")
            return


def _decoded(text: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    shown = _DATA_URL.sub(" ", text)
    found: list[tuple[str, str]] = []
    if has_long_run(shown):
        found += [("base64", new) for run in _BASE64.findall(shown) if (new := _base64(run))]
        found += [
            ("percent-encoding", unquote(run.replace("+", " "))) for run in _PERCENT.findall(shown)
        ]
    found += [("hexadecimal", new) for run in _HEX.findall(shown) if (new := _hex("".join(run)))]
    yield from found
    if depth:
        return
    # Once more, for what was encoded twice.
    for way, new in found:
        yield from ((f"{way} of {inner}", hidden) for inner, hidden in _decoded(new, 1))
    lower = text.lower()
    if _ROT13.search(lower):
        yield "rot13", codecs.decode(lower, "rot13")
    if _REVERSED.search(lower):
        yield "a reversal", lower[::-1]


def _base64(run: str) -> str | None:
    packed = re.sub(r"\s|=", "", run).translate({ord("-"): "+", ord("_"): "/"})
    for cut in (packed, packed[: len(packed) // 4 * 4]):
        try:
            return _text(base64.b64decode(cut + "=" * (-len(cut) % 4)))
        except (binascii.Error, ValueError):
            continue
    return None


def _hex(run: str) -> str | None:
    digits = re.sub(r"\\x|[ :,]", "", run)
    return _text(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _text(data: bytes) -> str | None:
    """Return what bytes say, or None where they are an image, a key or a hash."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = data.decode("utf-16-le")
        except UnicodeDecodeError:
            return None
    if data.count(0) > len(data) // 3:
        text = data.replace(b"\0", b"").decode("latin-1")
    readable = sum(letter.isprintable() or letter in "\r\n\t" for letter in text)
    return text if text and readable >= 0.95 * len(text) else None
