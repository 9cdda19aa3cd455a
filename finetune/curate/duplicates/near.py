"""Copies of a conversation with small differences: typos, another order, added politeness.

Sketches find the pairs that share most words and pairs of words. Of those, rows are different
all the same when a number or a negation is in one only, or a word of one is replaced by an
unlike word in the other: what a template says of one product is no copy of what it says of
another.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from finetune.curate.duplicates.characters import mix
from finetune.curate.duplicates.conversation import digest, rank
from finetune.curate.duplicates.features import PART, features_of
from finetune.curate.duplicates.groups import Groups, Refused, neighbours
from finetune.curate.duplicates.replaced import WORDS, Vocabulary, word_entries
from finetune.curate.duplicates.sketch import SLOTS, Sketcher, choose_bands, open_sketcher, sketch
from finetune.curate.duplicates.words import Words
from finetune.curate.step import Decision, Note, StepConfig
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NearDuplicates", "NearStep", "facts_of"]

_CHUNK: Final = 4096
_DRIFT: Final = 0.75
"""Members of a group are at least this share of the threshold alike to the one that stays."""


class NearDuplicates(StepConfig):
    """Keep one of each group of conversations that share nearly all words, in nearly that order."""

    step_name: ClassVar[str] = "near_duplicates"
    version: ClassVar[int] = 2  # words are numbered by their bytes
    is_corpus_step: ClassVar[bool] = True

    threshold: Annotated[float, Field(gt=0.3, lt=1)] = 0.8
    """The Jaccard similarity of words and pairs of words from which two rows may be copies."""
    replaced_words: Annotated[int, Field(ge=0)] = 0
    """How many words of one may stand in the place of others; typos are not counted."""
    sketcher: Sketcher | None = None
    """`rensa` or `numpy`; None takes rensa where it is installed. Results are equally good, but
    not the same row by row."""

    def build(self) -> "NearStep":
        """Return the step.

        Raises:
            MissingExtraError: numpy, or the sketcher that is named, is not installed.
        """
        return NearStep(self)


class NearStep:
    """Finds near duplicates; `leakage` uses its summaries, too."""

    def __init__(self, config: NearDuplicates) -> None:
        self.sketcher: Sketcher = open_sketcher(config.sketcher)
        self._threshold = config.threshold
        self._replaced_words = config.replaced_words
        self._bands, self._length = choose_bands(config.threshold)

    @property
    def described(self) -> str:
        """What made the sketches, for a manifest."""
        return f"MinHash by {self.sketcher}, {SLOTS} slots, {self._bands} bands"

    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        """Return a sketch of each sample, its words, and what has to be the same."""
        import numpy as np

        # The field's name keeps sketches of different kinds from being joined.
        fields = [("rank", "u1"), ("same", "u8"), ("words", "u4", WORDS)]
        summaries = np.zeros(len(samples), [*fields, (self.sketcher, "u2", SLOTS)])
        summaries["rank"] = [rank(sample) for sample in samples]
        for part in features_of(samples):
            words = part.words
            rows = summaries[part.start : part.start + PART]
            rows["same"] = part.setting ^ facts_of(words)
            for at in np.flatnonzero(words.is_bare).tolist():
                rows["same"][at] = digest(part.samples[at].row)
            rows["words"] = word_entries(words)
            rows[self.sketcher] = sketch(self.sketcher, *_shingles(words))
        return summaries

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        """Return the samples that another one stands for."""
        import numpy as np

        groups, refused = Groups(len(summaries)), Refused(len(summaries))
        vocabulary = Vocabulary(summaries["words"])
        keys = [self.band(summaries, band) for band in range(self._bands)]
        for band, key in enumerate(keys):
            label = groups.labels()
            for first, second in neighbours(key, keys[(band + 1) % len(keys)]):
                apart = label[first] != label[second]
                first, second = refused.without(first[apart], second[apart])
                alike = self.alike(summaries, first, summaries, second, vocabulary)
                refused.add(first[~alike], second[~alike])
                for a, b in zip(first[alike].tolist(), second[alike].tolist(), strict=True):
                    groups.join(a, b)
        sketches = summaries[self.sketcher]

        def similarity(best: int, members: "NDArray[np.int64]") -> "NDArray[np.float64]":
            return np.mean(sketches[members] == sketches[best], axis=1)

        copies = groups.copies(summaries["rank"], similarity, self._threshold * _DRIFT)
        return [
            Decision(copy.position, Note("near_duplicate", _detail(copy.similarity)), copy.twin)
            for copy in sorted(copies)
        ]

    def band(self, summaries: "np.ndarray", band: int) -> "NDArray[np.uint64]":
        """Return the key of one band of each summary; alike rows share at least one."""
        import numpy as np

        key: NDArray[np.uint64] = summaries["same"] + np.uint64(band)
        for slot in range(band * self._length, (band + 1) * self._length):
            key = mix(key ^ summaries[self.sketcher][:, slot].astype(np.uint64))
        return key

    @property
    def bands(self) -> int:
        """How many bands there are."""
        return self._bands

    def alike(
        self,
        left: "np.ndarray",
        first: "NDArray[np.int64]",
        right: "np.ndarray",
        second: "NDArray[np.int64]",
        vocabulary: Vocabulary,
    ) -> "NDArray[np.bool_]":
        """Tell which pairs of summaries, given by their positions, are near duplicates."""
        import numpy as np

        found = np.zeros(len(first), np.bool_)
        for start in range(0, len(first), _CHUNK):
            a, b = first[start : start + _CHUNK], second[start : start + _CHUNK]
            is_alike = left["same"][a] == right["same"][b]
            share = np.mean(left[self.sketcher][a] == right[self.sketcher][b], axis=1)
            at = np.flatnonzero(is_alike & (share >= self._threshold))
            replaced = vocabulary.replaced(left["words"][a[at]], right["words"][b[at]])
            found[start + at] = replaced <= self._replaced_words
        return found


def facts_of(words: Words) -> "NDArray[np.uint64]":
    """Return a number for each text's numbers and negations, in whatever order they stand."""
    import numpy as np

    # Sums, for a number that is said twice is not one that is said once.
    facts = np.where(words.is_fact, mix(words.number), np.uint64(0))
    total = np.concatenate((np.zeros(1, np.uint64), np.cumsum(facts, dtype=np.uint64)))
    return total[words.starts[1:]] - total[words.starts[:-1]]


def _shingles(words: Words) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
    """Return each text's words and pairs of neighbouring words."""
    import numpy as np

    number = words.number
    shingles = np.repeat(number, 2)
    shingles[1:-1:2] = mix(number[:-1] * np.uint64(3) + number[1:])
    lasts = words.starts[1:] - 1
    shingles[2 * lasts + 1] = number[lasts]  # nothing follows the last word of a text
    return shingles, words.starts * 2


def _detail(similarity: float) -> str:
    return f"shares about {100 * similarity:.0f} % of its words and pairs of words with the other"
