"""Copies of a conversation that differ at most in case, spacing and punctuation."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from finetune.curate.duplicates.conversation import digests, rank
from finetune.curate.duplicates.groups import best_first
from finetune.curate.step import CorpusStep, Decision, Note, StepConfig
from finetune.dataset.sample import Sample
from swarm.errors import require

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ExactDuplicates"]


class ExactDuplicates(StepConfig):
    """Keep one of each conversation: what a person corrected, else the better rated, the first.

    Messages are compared with their roles, calls of tools with their arguments, and tools by name;
    of preference rows the input and both outputs.
    """

    step_name: ClassVar[str] = "exact_duplicates"
    is_corpus_step: ClassVar[bool] = True

    def build(self) -> CorpusStep:
        """Return the step.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", extra="data")
        return _Exact()


class _Exact:
    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        import numpy as np

        summaries = np.zeros(len(samples), [("digest", "u8"), ("rank", "u1")])
        summaries["digest"] = digests([sample.row for sample in samples])
        summaries["rank"] = [rank(sample) for sample in samples]
        return summaries

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        import numpy as np

        order = best_first(summaries["rank"])
        digests = summaries["digest"][order]
        # `return_index` gives the first of equals, which is the best one in this order.
        _, first, which = np.unique(digests, return_index=True, return_inverse=True)
        stays = order[first][which]
        dropped = np.flatnonzero(stays != order)
        pairs = sorted(zip(order[dropped].tolist(), stays[dropped].tolist(), strict=True))
        note = Note("exact_duplicate", "the same conversation as another row")
        return [Decision(position, note, twin) for position, twin in pairs]
