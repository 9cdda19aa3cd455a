"""The secrets of a whole row: where they are, and the row without them."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from finetune.curate.screen import PlainRows
from finetune.curate.secrets.assigned import is_secret_value
from finetune.curate.secrets.find import Finder, replaced
from finetune.curate.secrets.names import called
from finetune.curate.secrets.rule import Secret
from finetune.curate.secrets.shapes import SHAPES
from finetune.curate.secrets.structures import STRUCTURES
from finetune.dataset.json_text import JsonPath
from finetune.dataset.rows import DpoRow, ImagePart, SftRow
from finetune.dataset.sample import messages_of
from finetune.dataset.texts import Text, change_texts, texts_of

__all__ = ["Place", "Redaction", "find_in_row", "redact_row", "suspects"]

_BETWEEN = "\x1e"


class Place(NamedTuple):
    """One secret of a row; the value itself is nowhere in it."""

    rule: str
    path: JsonPath
    where: Literal["text", "key", "tools", "image"]
    """A text can be redacted; the name of an argument, a tool's declaration and the address of
    an image cannot."""


class Redaction(NamedTuple):
    """What became of a row."""

    row: SftRow | DpoRow
    """The row with all texts redacted."""
    places: list[Place]


@lru_cache(maxsize=1)
def _every() -> Finder:
    return Finder()


@lru_cache(maxsize=1)
def _exact() -> Finder:
    # In a declaration, a name such as `password` stands in front of anything.
    return Finder((*SHAPES, *STRUCTURES))


def find_in_row(row: SftRow | DpoRow) -> list[Place]:
    """Return the secrets of a row: those in texts, in names of arguments, in tools and images."""
    return redact_row(row).places


def suspects(rows: PlainRows) -> frozenset[int]:
    """Return the plain rows in which `redact_row` may find something."""
    return _every().suspects(rows)


def redact_row(row: SftRow | DpoRow) -> Redaction:
    """Return a row with `[SECRET]` in place of the secrets in its texts, and where all were."""
    places = list(_elsewhere(row))
    texts = list(texts_of(row))
    if not _every().may_hold_secrets(_joined(texts)):
        return Redaction(row, places)
    changed: dict[JsonPath, str] = {}
    for text in texts:
        if text.part == "argument":
            places += _in_keys(text)
            if (kind := _called(text)) is not None and is_secret_value(kind, text.text):
                places.append(Place("named_secret", text.path, "text"))
                changed[text.path] = "[SECRET]"
                continue
        secrets = _every().find(text.text)
        if secrets:
            places += [Place(secret.rule, text.path, "text") for secret in secrets]
            changed[text.path] = replaced(text.text, secrets)
    if not changed:
        return Redaction(row, places)
    return Redaction(change_texts(row, lambda text: changed.get(text.path)), places)


def _joined(texts: list[Text]) -> str:
    pieces: list[str] = []
    for text in texts:
        if text.part == "argument":
            pieces += map(str, _keys(text))
        pieces.append(text.text)
    return _BETWEEN.join(pieces)


def _keys(text: Text) -> JsonPath:
    """Return the names that lead to an argument, inside of the arguments."""
    return text.path[text.path.index("arguments") + 1 :]


def _called(text: Text) -> Literal["password", "secret", "token", "key"] | None:
    names = [key for key in _keys(text) if isinstance(key, str)]
    return called(names[-1]) if names else None


def _in_keys(text: Text) -> Iterator[Place]:
    for key in _keys(text):
        if isinstance(key, str):
            for secret in _every().find(key):
                yield Place(secret.rule, text.path, "key")


def _elsewhere(row: SftRow | DpoRow) -> Iterator[Place]:
    tools = row.tools if isinstance(row, SftRow) else row.input.tools
    if tools:
        for at, tool in enumerate(tools):
            declared = json.dumps(tool.function.parameters, ensure_ascii=False)
            for secret in _in_declaration(f"{tool.function.description}\n{declared}"):
                lead = () if isinstance(row, SftRow) else ("input",)
                yield Place(secret.rule, (*lead, "tools", at), "tools")
    for message in messages_of(row):
        content = message.content
        if content.__class__ is str or content is None:
            continue
        for part in content:
            if isinstance(part, ImagePart) and not part.image_url.url.startswith("data:"):
                for secret in _exact().find(part.image_url.url):
                    yield Place(secret.rule, ("messages",), "image")


@lru_cache(maxsize=256)
def _in_declaration(text: str) -> tuple[Secret, ...]:
    """Return what a tool's declaration holds; most rows of a set declare the same tools."""
    return tuple(_exact().find(text))
