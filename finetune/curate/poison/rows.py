"""The step `poison`: rows that would teach a model to obey somebody else, found one by one."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import ClassVar, Literal

from pydantic import Field

from finetune.curate.poison.caution import is_cautious
from finetune.curate.poison.exchange import Exchange, Piece, all_text, one_line, plain, unquoted
from finetune.curate.poison.hidden import find_hidden, may_hide, tag_text
from finetune.curate.poison.links import Spoken, find_exfiltration
from finetune.curate.poison.markup import MARKS, find_scripts, find_template_tokens
from finetune.curate.poison.payloads import LONG_RUN, SIGNS, find_payloads, has_long_run
from finetune.curate.poison.phrases import GATE, find_phrases, is_order
from finetune.curate.screen import PlainRows
from finetune.curate.search import Find, quick_find, quick_search
from finetune.curate.step import Note, StepConfig, Verdict
from finetune.dataset.rows import DpoRow, SftRow
from finetune.dataset.sample import Sample

__all__ = ["PoisonCode", "PoisonConfig", "find_poison", "gate", "suspicious"]

_SPACES = bytes.maketrans(b"\t\r\n", b"   ")

PoisonCode = Literal[
    "bidi_characters",
    "encoded_code",
    "encoded_order",
    "exfiltration_link",
    "hidden_characters",
    "lookalike_letters",
    "obeyed_order",
    "override",
    "placed_link",
    "prompt_leak",
    "role_play",
    "script",
    "standing_order",
    "tag_characters",
    "template_token",
]
"""What may be wrong with a row."""


class PoisonConfig(StepConfig):
    """Removes rows with orders for the model, hidden characters, template tokens and the like."""

    step_name: ClassVar[str] = "poison"

    mode: Literal["drop", "flag"] = "drop"
    """`flag` keeps every row, and notes what was found."""
    ignore: tuple[PoisonCode, ...] = Field(default=())
    """Findings that are fine in this set, such as `script` where the agent writes web pages."""

    def build(self) -> "_Poison":
        """Return the step."""
        return _Poison(self)


class _Poison:
    def __init__(self, config: PoisonConfig) -> None:
        self._drops = config.mode == "drop"
        self._ignored = frozenset(config.ignore)

    def suspects(self, rows: PlainRows) -> frozenset[int]:
        return suspicious(rows)

    def judge(self, sample: Sample) -> Verdict:
        notes = find_poison(sample.row)
        if notes and self._ignored:
            notes = tuple(note for note in notes if note.code not in self._ignored)
        if notes and self._drops:
            return Verdict(None, notes)
        return Verdict(sample, notes)


def find_poison(row: SftRow | DpoRow) -> tuple[Note, ...]:
    """Return what is suspicious in a row, each kind once, with the place where it is.

    Orders count in answers, where they are learnt: not in quotations and code, not in the worse
    output of a preference row, and not in answers of weight 0. A row counts also when its answer
    obeys an order of its user or of a tool. Characters and template tokens count everywhere.
    """
    text = all_text(row)
    if _is_harmless(text):
        return ()
    found: dict[str, Note] = {}
    exchange = Exchange.of(row)
    spoken = Spoken(exchange.texts("prompt"))
    for piece in exchange.pieces:
        for note in _find(piece, spoken):
            found.setdefault(note.code, note._replace(path=piece.path))
    if (obeyed := _obeyed(exchange)) is not None and "override" not in found:
        found["obeyed_order"] = obeyed
    return tuple(found.values())


@lru_cache(maxsize=1)
def gate() -> Callable[[str], bool]:
    """Return what tells whether a text, `plain` and on one line, needs a closer look."""
    return quick_search(f"{GATE}|{SIGNS}|{MARKS}")


def suspicious(rows: PlainRows) -> frozenset[int]:
    """Return the rows that `find_poison` may find something in."""
    spaced = rows.translated(_SPACES)
    if b"  " in spaced.text:
        spaced = spaced.changed(_single_spaced)
    return spaced.having(_find_signs())


@lru_cache(maxsize=1)
def _find_signs() -> Find | None:
    return quick_find(rf"<|//|\\[ux]|{LONG_RUN}|{GATE}|{SIGNS}|{MARKS}")


def _single_spaced(text: bytes) -> bytes:
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _is_harmless(text: str) -> bool:
    """Tell at once that nothing can be found in most texts; a quick look that never misses."""
    return (
        "<" not in text
        and "//" not in text
        and "\\u" not in text
        and "\\x" not in text
        and not may_hide(text)
        and not has_long_run(text)
        and not gate()(one_line(plain(text)))
    )


def _find(piece: Piece, spoken: Spoken) -> Iterator[Note]:
    yield from find_hidden(piece.text)
    yield from find_template_tokens(piece.text)
    if piece.side != "answer":
        return
    yield from find_payloads(piece.text)
    yield from find_scripts(piece.text)
    yield from find_exfiltration(piece.text, spoken)
    read = plain(unquoted(piece.text + "\n" + tag_text(piece.text)))
    for phrase in find_phrases(read):
        yield Note(phrase.code, phrase.says)


def _obeyed(exchange: Exchange) -> Note | None:
    """Return a note where an answer does what an order in the conversation tells it to."""
    prompts = [piece for piece in exchange.pieces if piece.side == "prompt"]
    answers = exchange.texts("answer")
    if not answers or any(is_cautious(plain(answer)) for answer in answers):
        return None
    for piece in prompts:
        if is_order(plain(unquoted(piece.text))):
            return Note("obeyed_order", "answers an order to leave the instructions", piece.path)
    return None
