"""What samples say and their words, made once for all steps that ask about the same samples.

A worker lets each comparing step sum up the same rows, one step after the other, and finding
words is most of the work of two of them.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from finetune.curate.duplicates.conversation import spoken
from finetune.curate.duplicates.words import Words, words_of
from finetune.dataset.rows import DpoRow, SftRow
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PART", "Features", "features_of"]

PART: Final = 256
"""Rows whose characters stay in the processor's cache."""
_REMEMBERED: Final = 4
"""Parts; what a worker sums up together has two."""


class Features(NamedTuple):
    """What the samples of one part say."""

    start: int
    """Where the part begins in the samples that were asked about."""
    samples: Sequence[Sample]
    setting: "NDArray[np.uint64]"
    """Names what has to be the same in a copy, see `Spoken`."""
    bodies: list[str]
    words: Words


class _Made(NamedTuple):
    rows: "list[SftRow | DpoRow]"
    """Held, so that no other row can come to the same place in memory."""
    setting: "NDArray[np.uint64]"
    bodies: list[str]
    words: Words


_made: deque[_Made] = deque(maxlen=_REMEMBERED)


def features_of(samples: Sequence[Sample]) -> Iterator[Features]:
    """Yield what samples say, in parts of up to `PART`; one empty part where there is none."""
    for start in range(0, max(1, len(samples)), PART):
        part = samples[start : start + PART]
        made = _find(part) or _make(part)
        yield Features(start, part, made.setting, made.bodies, made.words)


def _find(samples: Sequence[Sample]) -> _Made | None:
    # A row never changes, so the same object says the same. Threads may add parts meanwhile.
    for made in tuple(_made):
        if len(made.rows) == len(samples) and all(
            row is sample.row for row, sample in zip(made.rows, samples, strict=True)
        ):
            return made
    return None


def _make(samples: Sequence[Sample]) -> _Made:
    import numpy as np

    said = [spoken(sample.row) for sample in samples]
    bodies = [one.body for one in said]
    setting = np.array([one.setting for one in said], np.uint64)
    made = _Made([sample.row for sample in samples], setting, bodies, words_of(bodies))
    _made.append(made)
    return made
