"""Rows for evaluation that training has seen, or nearly: an evaluation on them says little.

`finetune.dataset.check_overlap` compares two files exactly, in memory that grows by two hashes per
row; this also finds copies with small differences.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict

from finetune.curate.duplicates.conversation import digest
from finetune.curate.duplicates.near import NearDuplicates, NearStep
from finetune.curate.duplicates.replaced import Vocabulary
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Leak", "LeakageReport", "leakage"]

_CANDIDATES: Final = 32
"""Rows of a bucket that one row is compared with."""


class Leak(BaseModel):
    """A held-out row and a row of the training set that says the same."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["same", "near"]
    """The same but for case, spacing and punctuation, or with small differences."""
    train: int
    """Which sample of the training set, counted from 0."""
    valid: int
    """Which held-out sample, counted from 0."""
    train_line: int
    """The line that its provenance names; without one, its number counted from 1."""
    valid_line: int
    similarity: float
    """The share of words and pairs of words that both have, estimated; 1 for the same."""

    def __str__(self) -> str:
        alike = "the same as" if self.kind == "same" else f"{100 * self.similarity:.0f} % like"
        return f"held-out line {self.valid_line} is {alike} training line {self.train_line}"


class LeakageReport(BaseModel):
    """What a training set and a held-out set share."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    train_rows: int
    valid_rows: int
    leaks: tuple[Leak, ...]
    """All pairs that say the same, and up to some hundreds of near ones for each held-out row; in
    the order of the held-out rows."""

    @property
    def is_ok(self) -> bool:
        """Whether nothing leaked."""
        return not self.leaks

    @property
    def leaked_valid(self) -> tuple[int, ...]:
        """Held-out samples to leave out, counted from 0."""
        return tuple(sorted({leak.valid for leak in self.leaks}))

    @property
    def leaked_train(self) -> tuple[int, ...]:
        """Training samples to leave out instead, counted from 0."""
        return tuple(sorted({leak.train for leak in self.leaks}))


def leakage(
    train: Sequence[Sample], valid: Sequence[Sample], *, near: NearDuplicates | None = None
) -> LeakageReport:
    """Find what two sets share, exactly and nearly.

    Args:
        train: The samples to train on.
        valid: The samples that are held out.
        near: From when on two rows are alike; the defaults of near duplicates when absent.

    Raises:
        MissingExtraError: numpy is not installed.
    """
    step = NearStep(near or NearDuplicates())
    found = dict.fromkeys(_same(train, valid), 1.0)
    kinds: dict[tuple[int, int], Literal["same", "near"]] = dict.fromkeys(found, "same")
    for v, t, similarity in _near(step, train, valid):
        if (v, t) not in kinds:
            kinds[v, t], found[v, t] = "near", similarity
    leaks = [
        Leak(
            kind=kinds[v, t],
            train=t,
            valid=v,
            train_line=train[t].provenance.line or t + 1,
            valid_line=valid[v].provenance.line or v + 1,
            similarity=found[v, t],
        )
        for v, t in sorted(kinds)
    ]
    return LeakageReport(train_rows=len(train), valid_rows=len(valid), leaks=tuple(leaks))


def _same(train: Sequence[Sample], valid: Sequence[Sample]) -> Iterator[tuple[int, int]]:
    where: dict[int, list[int]] = {}
    for at, sample in enumerate(train):
        where.setdefault(digest(sample.row), []).append(at)
    for at, sample in enumerate(valid):
        for twin in where.get(digest(sample.row), ()):
            yield at, twin


def _near(
    step: NearStep, train: Sequence[Sample], valid: Sequence[Sample]
) -> Iterator[tuple[int, int, float]]:
    import numpy as np

    trained, held = step.summarise(train), step.summarise(valid)
    vocabulary = Vocabulary(np.concatenate((trained["words"], held["words"])))
    for band in range(step.bands):
        keys, wanted = step.band(trained, band), step.band(held, band)
        first, second = _candidates(wanted, keys)
        alike = step.alike(held, first, trained, second, vocabulary)
        first, second = first[alike], second[alike]
        agree = held[step.sketcher][first] == trained[step.sketcher][second]
        shares = cast("list[float]", np.mean(agree, axis=1).tolist())
        yield from zip(first.tolist(), second.tolist(), shares, strict=True)


def _candidates(
    wanted: "NDArray[np.uint64]", keys: "NDArray[np.uint64]"
) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Return pairs of positions that have the same key, some for each that is wanted."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begin = np.searchsorted(ordered, wanted, "left")
    end = np.minimum(np.searchsorted(ordered, wanted, "right"), begin + _CANDIDATES)
    counts = end - begin
    first = np.repeat(np.arange(len(wanted)), counts)
    offset: NDArray[Any] = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, order[np.repeat(begin, counts) + offset]
