"""Conversations that mean the same in other words, as far as an embedding can tell.

Embeddings hardly see which product, price or day is meant. So rows count as copies only when
they also have the same numbers, the same words with a capital letter inside a sentence, and as
many negations.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from finetune.curate.duplicates.characters import mix
from finetune.curate.duplicates.conversation import rank
from finetune.curate.duplicates.cosine import copies_among
from finetune.curate.duplicates.features import Features, features_of
from finetune.curate.duplicates.groups import Copy
from finetune.curate.duplicates.lexicon import NUMERAL
from finetune.curate.duplicates.vectors import open_vectors
from finetune.curate.duplicates.words import Words
from finetune.curate.step import Decision, Note, StepConfig
from finetune.dataset.sample import Sample
from swarm.errors import require
from swarm.memory.specs import EmbeddingSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SemanticDuplicates", "SemanticStep"]


def _checked(name: str | None) -> str | None:
    if name is not None:
        EmbeddingSpec(embedding_name="curation", model=name)
    return name


class SemanticDuplicates(StepConfig):
    """Keep one of the conversations whose vectors have nearly the same direction."""

    step_name: ClassVar[str] = "semantic_duplicates"
    version: ClassVar[int] = 2  # words are numbered by their bytes, and vectors hold whole numbers
    is_corpus_step: ClassVar[bool] = True

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.95
    """The cosine from which two rows mean the same."""
    embedding: Annotated[str | None, AfterValidator(_checked)] = None
    """`wordllama`, `hash`, or a model such as `openai/text-embedding-3-small`; None takes wordllama
    where it is installed."""
    same_facts: bool = True
    """Rows with other numbers, names or negations are never copies."""
    home: Path | None = None
    """Where vectors of a model are remembered; the state's usual folder when absent."""

    def build(self) -> "SemanticStep":
        """Return the step.

        Raises:
            MissingExtraError: numpy, or wordllama asked for by name, is not installed.
        """
        return SemanticStep(self)


class SemanticStep:
    """Finds conversations that mean the same."""

    def __init__(self, config: SemanticDuplicates) -> None:
        require("numpy", extra="data")
        self._vectors = open_vectors(config.embedding, config.home)
        self._threshold = config.threshold
        self._same_facts = config.same_facts

    @property
    def described(self) -> str:
        """What made the vectors, for a manifest."""
        return f"vectors by {self._vectors.name}, cosine {self._threshold:g}"

    def summarise(self, samples: Sequence[Sample]) -> "np.ndarray":
        """Return a vector of each sample, and what has to be the same."""
        import numpy as np

        return np.concatenate([self._summarise(part) for part in features_of(samples)])

    def decide(self, summaries: "np.ndarray") -> list[Decision]:
        """Return the samples that another one stands for."""
        return [
            Decision(
                copy.position,
                Note("semantic_duplicate", f"cosine {copy.similarity:.3f} with the other row"),
                copy.twin,
            )
            for copy in sorted(self._copies(summaries))
        ]

    def _summarise(self, part: Features) -> "np.ndarray":
        import numpy as np

        vectors = self._vectors.encode(part.bodies, part.words)
        fields = [("rank", "u1"), ("same", "u8"), ("vector", "i1", vectors.shape[1])]
        summaries = np.zeros(len(part.samples), fields)
        summaries["rank"] = [rank(sample) for sample in part.samples]
        facts = _facts(part.words) if self._same_facts else np.uint64(0)
        summaries["same"] = part.setting ^ facts
        # Eight bits hold the direction: the cosine is off by about 0.001.
        largest = np.maximum(np.abs(vectors).max(axis=1, initial=0.0), 1e-12)
        summaries["vector"] = np.rint(vectors * (127.0 / largest)[:, None])
        return summaries

    def _copies(self, summaries: "np.ndarray") -> Iterator[Copy]:
        """Compare rows that agree in what has to be the same."""
        import numpy as np

        order = np.argsort(summaries["same"], kind="stable")
        _, sizes = np.unique(summaries["same"][order], return_counts=True)
        ends = np.cumsum(sizes)
        for at in np.flatnonzero(sizes > 1).tolist():
            own = order[ends[at] - sizes[at] : ends[at]]
            rows = summaries[own]
            for copy in copies_among(rows["vector"], rows["rank"], self._threshold):
                yield Copy(int(own[copy.position]), int(own[copy.twin]), copy.similarity)


def _facts(words: Words) -> "NDArray[np.uint64]":
    """Return a number for each text's different numbers and names, and how often it negates."""
    import numpy as np

    texts = len(words.starts) - 1
    has_digit = words.traits & NUMERAL > 0
    chosen = has_digit | (words.is_name & (words.lexicon.length[words.row] > 1))
    # Once each, for a rewording may name its subject more often.
    text, number = words.text[chosen], words.number[chosen]
    order = np.lexsort((number, text))
    text, number = text[order], number[order]
    is_first = np.append(True, (text[1:] != text[:-1]) | (number[1:] != number[:-1]))[: len(text)]
    is_negation = words.is_fact & ~has_digit
    negations = np.bincount(words.text[is_negation], minlength=texts)
    facts = mix(negations.astype(np.uint64))
    np.add.at(facts, text[is_first], mix(number[is_first]))
    return facts
