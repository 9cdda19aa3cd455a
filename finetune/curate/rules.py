"""The step `rules`: rows that break a rule of their format are not trained on."""

from collections.abc import Iterator
from typing import ClassVar

from finetune.curate.screen import PlainRows
from finetune.curate.step import Note, StepConfig, Verdict
from finetune.dataset.problem import CODES
from finetune.dataset.rules import check_row, is_faultless
from finetune.dataset.sample import Sample

__all__ = ["RulesConfig"]


class RulesConfig(StepConfig):
    """Drops rows that `dataset check` finds an error in."""

    step_name: ClassVar[str] = "rules"

    def build(self) -> "_Rules":
        """Return the step."""
        return _Rules()


class _Rules:
    def suspects(self, rows: PlainRows) -> frozenset[int]:
        return rows.where([not is_faultless(*said) for said in rows.said])

    def judge(self, sample: Sample) -> Verdict:
        errors = tuple(self._errors(sample))
        return Verdict(None, errors) if errors else Verdict(sample)

    def _errors(self, sample: Sample) -> Iterator[Note]:
        for finding in check_row(sample.row):
            if CODES[finding.code].severity == "error":
                yield Note(finding.code, finding.message, finding.path)
