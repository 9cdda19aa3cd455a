"""The step of curation that takes personal data out of rows."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from finetune.curate.personal.find import Search, search
from finetune.curate.personal.hit import KINDS, Kind
from finetune.curate.personal.redact import Mode, Redaction, redact_row
from finetune.curate.personal.signs import suspects
from finetune.curate.screen import PlainRows
from finetune.curate.step import Note, RowStep, StepConfig, Verdict
from finetune.dataset.sample import Sample

__all__ = ["PersonalData", "verdict"]


class PersonalData(StepConfig):
    """Finds personal data by its form, its check digits and the words around it."""

    step_name: ClassVar[str] = "personal_data"

    mode: Mode = "redact"
    """What becomes of it; `drop` removes the row."""
    kinds: tuple[Kind, ...] = Field(default=KINDS, min_length=1)
    """Which kinds to look for."""

    def build(self) -> RowStep:
        """Return the step; without `phonenumbers` it knows fewer telephone numbers, and says so."""
        return _Step(self)


class _Step:
    def __init__(self, config: PersonalData) -> None:
        self._mode: Mode = config.mode
        self._kinds = frozenset(config.kinds)

    def suspects(self, rows: PlainRows) -> frozenset[int]:
        """Return the rows that hold a sign of personal data."""
        return suspects(rows)

    def judge(self, sample: Sample) -> Verdict:
        """Return the sample without personal data, or nothing in the mode `drop`."""
        return verdict(sample, redact_row(sample.row, self._mode, self._find), self._mode)

    def _find(self, text: str) -> Search:
        found = search(text)
        if not found.hits or len(self._kinds) == len(KINDS):
            return found
        return Search([hit for hit in found.hits if hit.kind in self._kinds], found.unsure)


def verdict(sample: Sample, redaction: Redaction, mode: Mode) -> Verdict:
    """Return the verdict on a sample whose row was redacted, with a note for each kind."""
    if redaction.row is sample.row and not (
        redaction.counts or redaction.in_key or redaction.unsure
    ):
        return Verdict(sample)
    notes = tuple(_notes(redaction, mode))
    if redaction.in_key or (mode == "drop" and redaction.counts):
        return Verdict(None, notes)
    if redaction.row is sample.row:
        return Verdict(sample, notes)
    return Verdict(sample._replace(row=redaction.row), notes)


def _notes(redaction: Redaction, mode: Mode) -> Iterator[Note]:
    if redaction.in_key:
        yield Note("personal_data_in_key", "in the name of a tool's argument")
    prefix = "found" if mode == "drop" else "redacted"
    for kind, count in sorted(redaction.counts.items()):
        places = "1 place" if count == 1 else f"{count} places"
        yield Note(f"{prefix}_{kind}", places, redaction.paths[kind])
    if redaction.unsure:
        yield Note(
            "unchecked_phone",
            "phonenumbers is not installed; run: pip install 'wikiswarm[data]'",
        )
