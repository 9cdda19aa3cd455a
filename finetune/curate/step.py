"""What a step of curation is.

A row step judges one sample at a time and knows nothing of the others, so it runs anywhere. A
corpus step compares samples: each is summed up in an array, wherever it is read, and one place
decides over all arrays together. Both are pure: the same samples give the same result, and
nothing is dropped without a note that says why.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from finetune.curate.screen import PlainRows
from finetune.dataset.json_text import JsonPath
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "CorpusStep",
    "Decision",
    "Note",
    "RowStep",
    "ScreeningStep",
    "StepConfig",
    "Verdict",
]


class Note(NamedTuple):
    """Why a sample was removed, or what was changed in it."""

    code: str
    """The reason as one word with underscores, such as `too_short` or `redacted_email`."""
    detail: str = ""
    """What a person wants to read; never the private text itself."""
    path: JsonPath = ()
    """Where in the row."""


class Verdict(NamedTuple):
    """What a row step says of one sample."""

    sample: Sample | None
    """The sample as it goes on, changed or not; None removes it."""
    notes: tuple[Note, ...] = ()
    """At least one for a removal; one for each change; for a sample that is kept as it is, what
    a person should look at."""


class Decision(NamedTuple):
    """What a corpus step says of one sample that it does not keep."""

    position: int
    """Which sample, counted from 0 over all that the step was given."""
    note: Note
    twin: int | None = None
    """The sample that stays in its place, such as the first of several copies."""


class RowStep(Protocol):
    """Judges samples one by one."""

    def judge(self, sample: Sample) -> Verdict:
        """Return what becomes of a sample."""
        ...


@runtime_checkable
class ScreeningStep(RowStep, Protocol):
    """Judges samples one by one, and knows at a glance which need it."""

    def suspects(self, rows: PlainRows) -> frozenset[int]:
        """Return the places of rows to judge; `judge` keeps all others as they are, without a note.

        It may name too many, and never leaves one out.
        """
        ...


class CorpusStep(Protocol):
    """Compares all samples."""

    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        """Return an array whose first axis has one entry for each sample, of a fixed size each.

        It runs in worker processes, over parts of the corpus, and must not depend on the parts.
        """
        ...

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        """Return the samples to remove, given the summaries of all that are left at this step.

        The order of samples is that of the sources; the earlier of two copies stays.
        """
        ...


class StepConfig(BaseModel):
    """The settings of a step, as they stand in a pipeline's YAML, and how to make it of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    step_name: ClassVar[str]
    """What a pipeline calls the step."""
    version: ClassVar[int] = 1
    """Raised when the same settings give another result; part of what names a dataset version."""
    is_corpus_step: ClassVar[bool] = False
    """Whether `build` makes a step that compares samples."""

    def build(self) -> RowStep | CorpusStep:
        """Return the step.

        Raises:
            SetupError: It needs a package that is missing.
        """
        raise NotImplementedError
