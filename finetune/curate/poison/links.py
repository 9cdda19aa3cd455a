"""Links that carry the conversation to whoever serves them."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus, urlsplit

from finetune.curate.poison.exchange import plain
from finetune.curate.step import Note

__all__ = ["Spoken", "find_exfiltration"]

_URL = re.compile(r"(?:https?:)?//[^\s<>\"'`)\]]+[^\s<>\"'`\]]*")
# The target of an image may hold anything up to its end, also spaces.
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(([^)\n]{1,2000})\)"
    r"|<\s*img\b[^>]{0,400}?\bsrc\s*=\s*[\"']?([^\"'\s>]+)",
    re.IGNORECASE,
)
_SUBJECT = (
    r"(?:conversation|chat|history|messages?|prompt|context|transcript|dialogue?|question"
    r"|user[_ -]?(?:input|message|data|query|question)|input|query|secrets?|password|token"
    r"|api[_ -]?key|data|session|cookie|e-?mail|summary|everything|system)"
)
_PLACEHOLDER = re.compile(
    r"(?:[{\[<(]|%7b|%5b|%3c)\s*(?:[\w -]{0,40}[\W_])?"
    rf"{_SUBJECT}[\w .()'-]{{0,60}}?(?:[}}\]>)]|%7d|%5d|%3e|$)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


class Spoken:
    """What users and tools said in a conversation, ready to be looked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._runs: dict[int, set[tuple[str, ...]]] = {}

    def is_repeated(self, text: str, count: int) -> bool:
        """Tell whether so many words in a row of the conversation are in a text."""
        if count not in self._runs:
            self._runs[count] = set(_runs("\n".join(self._texts), count))
        return not self._runs[count].isdisjoint(_runs(text, count))


def find_exfiltration(text: str, spoken: Spoken) -> Iterator[Note]:
    """Yield a link that takes the conversation along.

    An address counts when its query or path has a place-holder for the conversation, or some of
    the words that were said: three in a row for an image, which is fetched without a click, eight
    for a link, where a search may repeat a question.

    Args:
        text: An answer.
        spoken: What users and tools said.
    """
    if "//" not in text:
        return
    for is_image, address in _addresses(text):
        host, tail = _parts(address)
        if not tail:
            continue
        decoded = _decode(tail)
        if _PLACEHOLDER.search(tail) or _PLACEHOLDER.search(decoded):
            yield Note("exfiltration_link", f"a link to {host} with a place for the conversation")
            return
        if spoken.is_repeated(decoded, 3 if is_image else 8):
            yield Note("exfiltration_link", f"a link to {host} with words of the conversation")
            return


def _addresses(text: str) -> Iterator[tuple[bool, str]]:
    for match in _IMAGE.finditer(text):
        yield True, match[1] or match[2]
    for address in _URL.findall(text):
        yield False, address


def _parts(address: str) -> tuple[str, str]:
    try:
        found = urlsplit(address)
        host = found.hostname or "?"
    except ValueError:
        return "?", address
    tail = " ".join(part for part in (found.path.strip("/"), found.query, found.fragment) if part)
    # Also a host name can carry words, as labels before the domain.
    labels = host.split(".")
    if any(len(label) >= 24 for label in labels[:-2]):
        tail += " " + " ".join(labels[:-2])
    # A long label may be what is carried away, and a note must not repeat it.
    return ".".join(label for label in labels[-3:] if len(label) < 24), tail


def _decode(tail: str) -> str:
    text = unquote_plus(unquote_plus(tail))
    for run in re.findall(r"[A-Za-z0-9+/_-]{16,}", tail):
        packed = run.translate({ord("-"): "+", ord("_"): "/"})
        try:
            text += " " + base64.b64decode(packed[: len(packed) // 4 * 4]).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
    return text


def _runs(text: str, count: int) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(plain(text))
    return zip(*(words[at:] for at in range(count)), strict=False)
