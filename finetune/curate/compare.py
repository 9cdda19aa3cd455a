"""The second pass: steps that compare rows decide over the summaries of all shards."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from finetune.curate.pipeline import Pipeline
from finetune.curate.step import CorpusStep, Note
from finetune.curate.work import ShardFiles

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Comparison", "Removal", "compare"]


class Removal(NamedTuple):
    """Why a comparing step removed a row."""

    step: str
    note: Note
    twin: int | None
    """The row that stays in its place, counted over all kept rows of the first pass."""


class Comparison(NamedTuple):
    """What the comparing steps decided; rows are counted over all kept rows of the first pass."""

    removals: dict[int, Removal]
    offsets: tuple[int, ...]
    """Where each shard's rows begin."""

    @property
    def removed(self) -> dict[str, Counter[str]]:
        """How many rows each step removed, by code."""
        counts: dict[str, Counter[str]] = {}
        for removal in self.removals.values():
            counts.setdefault(removal.step, Counter())[removal.note.code] += 1
        return counts


def compare(pipeline: Pipeline, folder: Path, kept: Sequence[int]) -> Comparison:
    """Let each comparing step decide over the rows that the ones before it left.

    Args:
        pipeline: The steps.
        folder: The work folder.
        kept: How many rows the first pass kept of each shard.
    """
    offsets = [0]
    for count in kept:
        offsets.append(offsets[-1] + count)
    removals: dict[int, Removal] = {}
    if pipeline.corpus_steps:
        import numpy as np

        alive = np.ones(offsets[-1], dtype=bool)
        for config in pipeline.corpus_steps:
            step = cast("CorpusStep", config.build())
            places = np.flatnonzero(alive)
            if not places.size:
                break
            summaries = _gather(folder, config.step_name, offsets, alive)
            for decision in step.decide(summaries):
                index = int(places[decision.position])
                alive[index] = False
                twin = None if decision.twin is None else int(places[decision.twin])
                removals[index] = Removal(config.step_name, decision.note, twin)
    return Comparison(removals, tuple(offsets))


def _gather(folder: Path, step: str, offsets: Sequence[int], alive: "np.ndarray") -> "np.ndarray":
    """Return the summaries of the rows that are left; the only copy that is made of them."""
    import numpy as np

    found: np.ndarray | None = None
    filled = 0
    for number in range(len(offsets) - 1):
        part = np.load(ShardFiles(folder, number).summary(step), mmap_mode="r", allow_pickle=False)
        left = part[alive[offsets[number] : offsets[number + 1]]]
        if found is None:
            found = np.empty((int(alive.sum()), *part.shape[1:]), dtype=part.dtype)
        found[filled : filled + len(left)] = left
        filled += len(left)
    return np.empty(0) if found is None else found
