"""Personal data replaced by what kind of data it was, in a text or in a whole row."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from finetune.curate.personal.find import Search, search
from finetune.curate.personal.hit import Hit, Kind, merged
from finetune.curate.personal.spread import identity, spread
from finetune.dataset.json_text import JsonPath, JsonTextError, parse
from finetune.dataset.rows import AssistantMessage, DpoRow, SftRow
from finetune.dataset.sample import messages_of
from finetune.dataset.texts import change_texts, texts_of

__all__ = ["Mode", "Redaction", "redact", "redact_row"]

Mode = Literal["redact", "pseudonym", "drop"]
"""`redact` writes `[EMAIL]`; `pseudonym` writes `[EMAIL_1]`, the same number for the same value of
a row; `drop` removes the row."""

# No pattern takes it for a space, so that no value goes on over it.
_BETWEEN = "\0"
_LEAFLESS = re.compile(r"true|false|null|\"\"|\{\s*\}|\[\s*\]")


_NONE: Counter[Kind] = Counter()


class Redaction(NamedTuple):
    """What became of a row."""

    row: SftRow | DpoRow
    counts: Counter[Kind]
    """In how many places each kind stood."""
    paths: dict[Kind, JsonPath]
    """Where each kind stood first."""
    in_key: bool
    """Personal data is in the name of a tool's argument, where it cannot be replaced."""
    unsure: bool
    """A telephone number may be left, for want of `phonenumbers`."""


def redact(text: str, *, mode: Literal["redact", "pseudonym"] = "redact") -> str:
    """Return a text with all personal data replaced: `[EMAIL]`, `[PHONE]` and so on.

    Args:
        text: The text.
        mode: `pseudonym` numbers the values of each kind, the same number for the same value.
    """
    hits = search(text).hits
    if not hits:
        return text
    return _replaced(text, merged((*hits, *spread(text, hits))), 0, len(text), _tokens(mode))


def redact_row(
    row: SftRow | DpoRow,
    mode: Mode,
    find: Callable[[str], Search] = search,
) -> Redaction:
    """Return a row with personal data replaced in all its texts, and what was found.

    All texts are read together, so that a value that gave itself away once is replaced wherever
    else it stands in the row, in any writing. In the mode `drop` the row stays as it is.

    Args:
        row: The row.
        mode: What takes the place of a value.
        find: Finds the personal data of a text.
    """
    texts = list(texts_of(row))
    leads = [_key(text.path) if text.part == "argument" else _BETWEEN for text in texts]
    whole = "".join(
        [piece for lead, text in zip(leads, texts, strict=True) for piece in (lead, text.text)]
    )
    if keys := list(_keys_alone(row)):
        whole = _BETWEEN.join((whole, *keys))
    found = find(whole)
    if not found.hits:
        return Redaction(row, _NONE, {}, in_key=False, unsure=found.unsure)
    counts: Counter[Kind] = Counter()
    paths: dict[Kind, JsonPath] = {}
    hits = merged((*found.hits, *spread(whole, found.hits)))
    token = _tokens("pseudonym" if mode == "pseudonym" else "redact")
    changed: dict[JsonPath, str] = {}
    covered = 0
    first = 0
    end = 0
    for lead, text in zip(leads, texts, strict=True):
        start = end + len(lead)
        end = start + len(text.text)
        while first < len(hits) and hits[first].end <= start:
            first += 1
        inside: list[Hit] = []
        for hit in hits[first:]:
            if hit.start >= end:
                break
            inside.append(Hit(hit.kind, max(hit.start, start), min(hit.end, end)))
        for hit in inside:
            counts[hit.kind] += 1
            paths.setdefault(hit.kind, text.path)
            covered += hit.end - hit.start
        if inside and mode != "drop":
            changed[text.path] = _replaced(whole, inside, start, end, token)
    between = sum(_outside(hit, whole) for hit in hits)
    in_key = sum(hit.end - hit.start for hit in hits) - between > covered
    if changed:
        row = change_texts(row, lambda text: changed.get(text.path))
    return Redaction(row, counts, paths, in_key, found.unsure)


def _outside(hit: Hit, whole: str) -> int:
    return whole.count(_BETWEEN, hit.start, hit.end)


def _key(path: JsonPath) -> str:
    """Return the names that lead to an argument, as words that announce its value."""
    inside = path[path.index("arguments") + 1 :]
    keys = [step for step in inside if isinstance(step, str)]
    return _BETWEEN + "".join(f"{_parted(key)}: " for key in keys)


def _keys_alone(row: SftRow | DpoRow) -> Iterator[str]:
    """Yield the keys of arguments whose values are no texts, which lead to none of the texts."""
    for message in messages_of(row):
        if isinstance(message, AssistantMessage):
            for call in message.tool_calls or ():
                if _LEAFLESS.search(call.function.arguments):
                    try:
                        yield from _keys(parse(call.function.arguments))
                    except JsonTextError:
                        continue


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _keys(inner)


def _parted(key: str) -> str:
    """Return `dateOfBirth` as `date Of Birth`."""
    if key.islower() or key.isupper():
        return key
    return "".join(
        f" {c}" if c.isupper() and at and key[at - 1].islower() else c for at, c in enumerate(key)
    )


def _tokens(mode: Literal["redact", "pseudonym"]) -> Callable[[Kind, str], str]:
    """Return what writes the replacement of a value."""
    if mode == "redact":
        return lambda kind, _: f"[{kind.upper()}]"
    known: dict[Kind, dict[str, int]] = {}

    def numbered(kind: Kind, value: str) -> str:
        numbers = known.setdefault(kind, {})
        number = numbers.setdefault(identity(kind, value), len(numbers) + 1)
        return f"[{kind.upper()}_{number}]"

    return numbered


def _replaced(
    text: str, hits: list[Hit], start: int, end: int, token: Callable[[Kind, str], str]
) -> str:
    pieces: list[str] = []
    for hit in hits:
        pieces += (text[start : hit.start], token(hit.kind, text[hit.start : hit.end]))
        start = hit.end
    return "".join((*pieces, text[start:end]))
