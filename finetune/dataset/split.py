"""Splitting samples into those to train on and those held out, without a leak between the two.

Rows that belong together stay on one side: rows of one session, rows with the same prompt, and
near duplicates. Groups are then dealt out label by label, so that both sides have each label in
about the same share.
"""

import functools
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from finetune.dataset.rows import AssistantMessage, SftRow
from finetune.dataset.sample import Sample
from finetune.dataset.texts import texts_of
from swarm.errors import DataError, require

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Split", "split_samples"]

_HASHES = 64
_BANDS = 16
_ROWS = _HASHES // _BANDS
_WORDS = 3
_WORD = re.compile(r"[^\W_]+")
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
"""Large odd numbers, for mixing."""
_MOST_ALIKE = 8
"""Rows of a band that a new one is compared with; more of them are alike among themselves."""
_MOST_WORDS = 2_000
"""Words of a row that are looked at; longer rows differ, or not, within them."""


class Split(NamedTuple):
    """Both sides, each in the order of the samples."""

    train: list[Sample]
    valid: list[Sample]
    groups: int
    """Groups of rows that could not be parted."""


def split_samples(
    samples: Sequence[Sample],
    *,
    valid: float = 0.1,
    seed: int = 0,
    similarity: float = 0.7,
) -> Split:
    """Split samples, about 90 to 10 by default.

    The same samples and seed give the same split, and the order of samples does not matter to
    who goes where.

    Args:
        samples: The samples; `provenance.label` is what the split is balanced by.
        valid: The part that is held out, above 0 and below 1.
        seed: Decides who is held out.
        similarity: Rows whose word triples overlap by so much (Jaccard) stay together; 1 keeps
            only equal texts together.

    Raises:
        DataError: The part is out of range, or all rows belong to one group, so that nothing
            can be held out.
    """
    if not 0 < valid < 1:
        raise DataError(f"the held-out part is between 0 and 1, not {valid:g}")
    groups = _groups(samples, similarity)
    if len(groups) < 2:
        raise DataError(
            f"{len(samples)} rows in {len(groups)} group: nothing can be held out; rows of one"
            " session, with one prompt or with nearly the same text stay together"
        )
    held_out = _deal(samples, groups, valid, seed)
    sides: tuple[list[Sample], list[Sample]] = ([], [])
    for index, sample in enumerate(samples):
        sides[index in held_out].append(sample)
    return Split(sides[0], sides[1], len(groups))


def _deal(
    samples: Sequence[Sample], groups: Sequence[Sequence[int]], valid: float, seed: int
) -> set[int]:
    """Return the samples to hold out: groups in a seeded order, as long as a label lacks rows."""
    totals = Counter(sample.provenance.label for sample in samples)
    wanted = {label: count * valid for label, count in totals.items()}
    ids = [sample.id for sample in samples]

    def order(group: Sequence[int]) -> str:
        name = min(ids[index] for index in group)
        return hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).hexdigest()

    held_out: set[int] = set()
    taken: Counter[str | None] = Counter()
    ordered = sorted(groups, key=order)
    for group in ordered:
        labels = Counter(samples[index].provenance.label for index in group)
        # Nearer to the wanted share with it than without it, over the labels of the group.
        gain = sum(
            abs(wanted[label] - taken[label]) - abs(wanted[label] - taken[label] - count)
            for label, count in labels.items()
        )
        if gain > 0 and len(held_out) + len(group) < len(samples):
            held_out.update(group)
            taken += labels
    if not held_out:
        # Small sets: the smallest group is the nearest to what was asked for.
        held_out.update(min(ordered, key=len))
    return held_out


def _groups(samples: Sequence[Sample], similarity: float) -> list[list[int]]:
    """Return the samples in groups that must not be parted, by their places."""
    np = require("numpy", extra="data")
    parents = list(range(len(samples)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    def join(first: int, second: int) -> None:
        one, other = sorted((root(first), root(second)))
        parents[other] = one

    seen: dict[tuple[str, str], int] = {}
    triples = [_triples(sample) for sample in samples]
    for index, sample in enumerate(samples):
        keys = [("prompt", _prompt(sample)), ("text", triples[index].tobytes().hex())]
        if sample.provenance.session_id is not None:
            project = sample.provenance.project or ""
            keys.append(("session", f"{project}\0{sample.provenance.session_id}"))
        for key in keys:
            first = seen.setdefault(key, index)
            if first != index:
                join(first, index)
    for first, second in _candidates(triples):
        if root(first) != root(second):
            shared = len(np.intersect1d(triples[first], triples[second], assume_unique=True))
            if shared >= similarity * (len(triples[first]) + len(triples[second]) - shared):
                join(first, second)
    found: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(samples)):
        found[root(index)].append(index)
    return list(found.values())


def _prompt(sample: Sample) -> str:
    """Return what the last answer of a row, or both outputs of a preference, answer."""
    row = sample.row
    if isinstance(row, SftRow):
        answers = [at for at, m in enumerate(row.messages) if isinstance(m, AssistantMessage)]
        messages = row.messages[: answers[-1]] if answers else row.messages
    else:
        messages = row.input.messages
    said = "\n".join(f"{m.role}:{m.model_dump_json(exclude={'weight'})}" for m in messages)
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _triples(sample: Sample) -> "np.ndarray":
    """Return the hashes of a row's runs of three words; system messages, which repeat, left out."""
    np = require("numpy", extra="data")
    words: list[str] = []
    for text in texts_of(sample.row):
        if text.role not in ("system", "developer"):
            words += _WORD.findall(text.text.casefold())
        if len(words) >= _MOST_WORDS:
            break
    words += [""] * (_WORDS - len(words))
    hashes = np.fromiter(map(_hash, words), dtype=np.uint64, count=len(words))
    # Sums of products that wrap around; the order of the words counts.
    runs = hashes[:-2] * np.uint64(_ODD[0]) + hashes[1:-1] * np.uint64(_ODD[1]) + hashes[2:]
    return np.unique(runs ^ (runs >> np.uint64(29)))


@functools.lru_cache(maxsize=1 << 16)
def _hash(word: str) -> int:
    data = word.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def _candidates(triples: "Sequence[np.ndarray]") -> Iterable[tuple[int, int]]:
    """Yield pairs that may be alike: MinHash signatures that agree in one band."""
    np = require("numpy", extra="data")
    # Fixed numbers, so that a split can be repeated anywhere.
    source = np.random.Generator(np.random.PCG64(0))
    # Multiplication by odd numbers wraps around, which is what mixes the order.
    factors = source.integers(0, 2**64, _HASHES, dtype=np.uint64) | np.uint64(1)
    terms = source.integers(0, 2**64, _HASHES, dtype=np.uint64)
    buckets: defaultdict[bytes, list[int]] = defaultdict(list)
    for index, values in enumerate(triples):
        smallest = (values[:, None] * factors + terms).min(axis=0)
        for band in range(_BANDS):
            part = smallest[band * _ROWS : (band + 1) * _ROWS].tobytes()
            alike = buckets[bytes([band]) + part]
            yield from ((other, index) for other in alike)
            if len(alike) < _MOST_ALIKE:
                alike.append(index)
