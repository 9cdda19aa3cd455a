"""The step of curation that takes keys, tokens and passwords out of rows."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, Literal

from finetune.curate.screen import PlainRows
from finetune.curate.secrets.rows import Place, redact_row, suspects
from finetune.curate.step import Note, RowStep, StepConfig, Verdict
from finetune.dataset.sample import Sample

__all__ = ["SecretsConfig"]

_WHERE = {
    "key": "in the name of a tool's argument",
    "tools": "in the declaration of a tool",
    "image": "in the address of an image",
}


class SecretsConfig(StepConfig):
    """Finds secrets by the form that their issuers give them and by the names in front of them."""

    step_name: ClassVar[str] = "secrets"

    mode: Literal["redact", "drop"] = "redact"
    """`redact` writes `[SECRET]` in place of the value; `drop` removes the row."""

    def build(self) -> RowStep:
        """Return the step; without `google-re2` it finds the same, slower."""
        return _Secrets(is_dropping=self.mode == "drop")


class _Secrets:
    def __init__(self, *, is_dropping: bool) -> None:
        self._is_dropping = is_dropping

    def suspects(self, rows: PlainRows) -> frozenset[int]:
        """Return the rows that may hold something with which secrets begin."""
        return suspects(rows)

    def judge(self, sample: Sample) -> Verdict:
        """Return the sample without secrets, or nothing where it cannot be or must not be kept."""
        row, places = redact_row(sample.row)
        if not places:
            return Verdict(sample)
        is_fixed = all(place.where == "text" for place in places)
        is_kept = is_fixed and not self._is_dropping
        notes = tuple(_notes(places, "redacted" if is_kept else "found"))
        return Verdict(sample._replace(row=row) if is_kept else None, notes)


def _notes(places: list[Place], prefix: str) -> Iterator[Note]:
    """Yield a note for each rule and place; what cannot be redacted comes first."""
    counts = Counter(places)
    for place, count in sorted(counts.items(), key=lambda item: item[0].where == "text"):
        times = "1 place" if count == 1 else f"{count} places"
        yield Note(f"{prefix}_{place.rule}", _WHERE.get(place.where, times), place.path)
