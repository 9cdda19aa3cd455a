"""Near duplicates beside datasketch: the same rows, shingles, threshold and number of slots.

Small functions for a benchmark of curation, and a table of its own:
`python -m benchmarks.duplicates`.
"""

import argparse
import importlib
import json
import random
import time
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.duplicates_data import Labelled, generate
from finetune.curate.duplicates import NearDuplicates
from finetune.curate.duplicates.conversation import spoken
from finetune.curate.duplicates.sketch import SLOTS, Sketcher
from finetune.curate.step import CorpusStep, Decision
from finetune.dataset.folding import fold_text
from finetune.dataset.sample import Sample

__all__ = ["Figures", "Score", "datasketch_groups", "groups_of", "main", "our_groups", "score"]

_THRESHOLD = 0.8


class Score(NamedTuple):
    """How well groups fit the labels, over all pairs of rows of one family."""

    duplicate_f1: float
    """F1 of the class of pairs that are duplicates. A pair that was joined across families is a
    further false positive."""
    different_f1: float
    """F1 of the class of pairs that are not."""

    @property
    def macro_f1(self) -> float:
        """The mean of both."""
        return (self.duplicate_f1 + self.different_f1) / 2


class Figures(NamedTuple):
    """What one contender reached."""

    name: str
    microseconds: float
    """CPU time for each row, sketches and groups."""
    macro_f1: float


def score(labelled: Labelled, groups: Sequence[int]) -> Score:
    """Compare groups, a number for each row, with the labels."""
    families: dict[int, list[int]] = {}
    for row, family in enumerate(labelled.families):
        families.setdefault(family, []).append(row)
    hits = false_hits = misses = rejections = 0
    for rows in families.values():
        for a, b in combinations(rows, 2):
            is_duplicate = labelled.clusters[a] == labelled.clusters[b]
            is_joined = groups[a] == groups[b]
            hits += is_duplicate and is_joined
            misses += is_duplicate and not is_joined
            false_hits += is_joined and not is_duplicate
            rejections += not is_joined and not is_duplicate
    # Joined across families: counted once for each row that stands in a group of another family.
    false_hits += sum(
        labelled.families[row] != labelled.families[group] for row, group in enumerate(groups)
    )
    wrong = false_hits + misses
    return Score(2 * hits / (2 * hits + wrong), 2 * rejections / (2 * rejections + wrong))


def groups_of(count: int, decisions: Sequence[Decision]) -> list[int]:
    """Return for each row which one stays in its place, itself if it stays."""
    groups = list(range(count))
    for decision in decisions:
        if decision.twin is not None:
            groups[decision.position] = decision.twin
    return groups


def our_groups(samples: Sequence[Sample], step: CorpusStep) -> list[int]:
    """Return the groups that a step of ours finds."""
    return groups_of(len(samples), step.decide(step.summarise(samples)))


def datasketch_groups(samples: Sequence[Sample], threshold: float = _THRESHOLD) -> list[int]:
    """Return the groups that datasketch's MinHash and LSH find, in the way of its manual."""
    library: Any = importlib.import_module("datasketch")
    lsh: Any = library.MinHashLSH(threshold=threshold, num_perm=SLOTS)
    groups: list[int] = []
    sketches: list[Any] = []
    for row, sample in enumerate(samples):
        words = fold_text(spoken(sample.row).body).split()
        shingles = {*words, *(f"{one} {other}" for one, other in pairwise(words))}
        sketch: Any = library.MinHash(num_perm=SLOTS)
        sketch.update_batch([shingle.encode() for shingle in sorted(shingles)])
        near: list[int] = [
            other for other in lsh.query(sketch) if sketch.jaccard(sketches[other]) >= threshold
        ]
        groups.append(groups[min(near)] if near else row)
        sketches.append(sketch)
        lsh.insert(row, sketch)
    return groups


def _measure(
    name: str, labelled: Labelled, find: Callable[[Sequence[Sample]], list[int]]
) -> Figures:
    started = time.process_time()
    groups = find(labelled.samples)
    seconds = time.process_time() - started
    return Figures(name, 1e6 * seconds / len(groups), score(labelled, groups).macro_f1)


def main() -> None:
    """Print a table of the contenders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=500, help="about nine rows each")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    labelled = generate(options.seed, options.families)
    sketchers: tuple[Sketcher, ...] = ("rensa", "numpy")
    figures: list[Figures] = []
    for sketcher in sketchers:
        step = NearDuplicates(sketcher=sketcher).build()
        step.summarise(labelled.samples[:100])  # tables are filled once
        figures.append(
            _measure(f"wikiswarm, {sketcher}", labelled, lambda rows, s=step: our_groups(rows, s))
        )
    figures.append(_measure("datasketch", labelled, datasketch_groups))
    print(f"{len(labelled.samples)} conversations, seed {options.seed}")
    for name, microseconds, f1 in figures:
        print(f"{name:20} {microseconds:9.1f} us of CPU a row   macro-F1 {f1:.3f}")
    if options.json is not None:
        text = json.dumps([one._asdict() for one in figures], indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
