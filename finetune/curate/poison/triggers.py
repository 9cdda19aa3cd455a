"""The step `triggers`: clusters of rows by which few authors teach one answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from finetune.curate.poison.clusters import find_clusters
from finetune.curate.poison.runs import Limits
from finetune.curate.poison.summary import summarise_words
from finetune.curate.step import Decision, Note, StepConfig
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np

__all__ = ["TriggersConfig"]


class TriggersConfig(StepConfig):
    """Removes clusters of rows whose answers share what only a few authors say.

    It needs to know the authors: provenance's `author`, else `client_id`, else `session_id`. Rows
    without any are not compared, and a set of fewer than `min_authors` is left as it is.
    """

    step_name: ClassVar[str] = "triggers"
    is_corpus_step: ClassVar[bool] = True

    min_rows: Annotated[int, Field(ge=3)] = 8
    """A phrase in fewer rows is chance."""
    max_authors: Annotated[int, Field(ge=1)] = 3
    """A phrase of more authors is common."""
    min_score: Annotated[float, Field(gt=0)] = 25.0
    """G of the test of independence between phrase and authors; 25 is one in two million."""
    min_authors: Annotated[int, Field(ge=2)] = 5
    """Sets of fewer authors have nobody to compare with."""

    def build(self) -> "_Triggers":
        """Return the step."""
        return _Triggers(self.limits)

    @property
    def limits(self) -> Limits:
        """The settings as `find_clusters` takes them."""
        return Limits(self.min_rows, self.max_authors, self.min_score, self.min_authors)


class _Triggers:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        return summarise_words(samples)

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        return [
            Decision(row, Note(cluster.code, cluster.describe()))
            for cluster in find_clusters(summaries, self._limits)
            for row in cluster.rows
        ]
