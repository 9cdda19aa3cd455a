"""Runs of four words in answers, and which of them only a few authors have.

A table of hashed counts of a fixed size leaves out what is rare before anything is kept, so memory
is that of the summaries and of the runs that many rows have.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from finetune.curate.poison.words import mix

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RUN", "Limits", "Suspect", "find_suspects", "runs_of"]

RUN = 4
"""How many words a run has."""

_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
_CHUNK = 32_768
_LARGEST_TABLE = 22
_MOST_RUNS = 20_000


class Limits(NamedTuple):
    """When a phrase is suspicious."""

    min_rows: int
    """So many rows have it."""
    max_authors: int
    """So few authors have nine tenths of them."""
    min_score: float
    """The least G of a test of independence between the phrase and its authors."""
    min_authors: int
    """Sets of fewer authors have nobody to compare with."""


class Suspect(NamedTuple):
    """A run that a few authors have, and hardly anyone else."""

    run: int
    """Orders suspects of one score."""
    rows: "np.ndarray"
    authors: "np.ndarray"
    """The few, the one of most rows first."""
    score: float


def find_suspects(
    answers: "np.ndarray", authors: "np.ndarray", known: "np.ndarray", limits: Limits
) -> list[Suspect]:
    """Return the suspicious runs of a set, the most suspicious first.

    Args:
        answers: The words of each answer, as `word_numbers` gives them.
        authors: The author of each, counted from 0.
        known: Whether it is known who an author is.
        limits: When a run is suspicious.
    """
    runs, rows = _frequent_runs(answers, authors, known, limits)
    return _suspects(runs, rows, authors, limits) if runs.size else []


def runs_of(words: "np.ndarray") -> "np.ndarray":
    """Return the hashes of all runs of four words of each row, and 0 where there is none."""
    import numpy as np

    width = words.shape[1] - RUN + 1
    hashed = words[:, :width] * np.uint64(_FACTORS[0])
    for step in range(1, RUN):
        hashed += words[:, step : step + width] * np.uint64(_FACTORS[step])
    hashed = mix(hashed)
    hashed[words[:, RUN - 1 :] == 0] = 0
    return hashed


def _frequent_runs(
    answers: "np.ndarray", authors: "np.ndarray", known: "np.ndarray", limits: Limits
) -> "tuple[np.ndarray, np.ndarray]":
    """Return the runs that may be suspicious, sorted, and the row of each, by author.

    A table of hashed counts, of a fixed size, leaves most runs out before any is kept.
    """
    import numpy as np

    bits = min(_LARGEST_TABLE, max(12, answers.size.bit_length()))
    table = np.zeros(1 << bits, dtype=np.int64)
    for hashed, _ in _chunks(answers):
        table += np.bincount(_buckets(hashed, bits), minlength=len(table))
    table[0] = 0  # where the zeros went
    # What most rows say is the manner of the agent, and no author's.
    wanted_bucket = (table >= limits.min_rows) & (table <= len(answers) // 2)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    for hashed, start in _chunks(answers):
        wanted = wanted_bucket[_buckets(hashed, bits)].reshape(hashed.shape)
        wanted &= known[authors[start : start + len(hashed)]][:, None]
        rows, columns = np.nonzero(wanted)
        kept.append((hashed[rows, columns], rows + start))
    runs = np.concatenate([part for part, _ in kept])
    rows = np.concatenate([part for _, part in kept])
    order = np.lexsort((rows, authors[rows], runs))
    runs, rows = runs[order], rows[order]
    # A row that says something twice counts once.
    first = _changes(runs) | _changes(rows)
    return runs[first], rows[first]


def _chunks(answers: "np.ndarray") -> "Iterator[tuple[np.ndarray, int]]":
    for start in range(0, len(answers), _CHUNK):
        yield runs_of(answers[start : start + _CHUNK]), start


def _buckets(hashed: "np.ndarray", bits: int) -> "np.ndarray":
    return (hashed.ravel() >> (64 - bits)).astype("int64")


def _changes(values: "np.ndarray") -> "np.ndarray":
    """Tell where a value differs from the one before it."""
    import numpy as np

    different = np.ones(len(values), dtype=bool)
    different[1:] = values[1:] != values[:-1]
    return different


def _suspects(
    runs: "np.ndarray", rows: "np.ndarray", authors: "np.ndarray", limits: Limits
) -> list[Suspect]:
    import numpy as np

    per_author = np.bincount(authors)
    begins = _changes(runs)
    starts = np.flatnonzero(begins)
    sizes = np.diff(starts, append=len(runs))
    distinct = np.add.reduceat((begins | _changes(authors[rows])).astype(np.int64), starts)
    few_enough = (sizes >= limits.min_rows) & (distinct <= limits.max_authors + sizes // 10)
    found: list[Suspect] = []
    for start, size in zip(starts[few_enough].tolist(), sizes[few_enough].tolist(), strict=True):
        own = np.sort(rows[start : start + size])
        who, counts = np.unique(authors[own], return_counts=True)
        order = np.lexsort((who, -counts))[: limits.max_authors]
        few = who[order]
        inside = int(counts[order].sum())
        if inside < 0.9 * len(own):
            continue
        # The smallest group that still has nine tenths.
        needed = 1 + int(np.argmax(np.cumsum(counts[order]) >= 0.9 * len(own)))
        few, inside = few[:needed], int(counts[order][:needed].sum())
        score = _g(inside, len(own), int(per_author[few].sum()), len(authors))
        if inside >= limits.min_rows and score >= limits.min_score:
            found.append(Suspect(start, own, few, score))
    found.sort(key=lambda suspect: (-suspect.score, suspect.run))
    return found[:_MOST_RUNS]


def _g(both: int, phrase: int, group: int, total: int) -> float:
    """Return G of a phrase and a group of authors, 0 where the group has it less than others."""
    if both * total <= phrase * group:
        return 0.0
    cells = (
        (both, phrase * group),
        (phrase - both, phrase * (total - group)),
        (group - both, (total - phrase) * group),
        (total - phrase - group + both, (total - phrase) * (total - group)),
    )
    return 2 * sum(seen * math.log(seen * total / by) for seen, by in cells if seen and by)
