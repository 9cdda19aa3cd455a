"""Whether a wiki is asked other things than before: vectors of its questions, tested by energy.

The first questions are the reference; each further window of them is compared with it. A state
holds directions of vectors in eight bits and no words.
"""

import base64
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from finetune.watch.changepoint import HORIZON
from finetune.watch.energy import energy_test

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["QuestionState", "QuestionVectors", "Topic", "encode_questions"]

_LONGEST = 2000
"""Characters of a question that are looked at."""
_REFERENCE = 2
"""Windows of questions that the others are compared with."""


class QuestionVectors(NamedTuple):
    """Questions as vectors."""

    made_by: str
    """What made them, such as `wordllama`."""
    rows: Sequence[bytes]
    """A vector's direction, in eight bits for each number."""


class Topic(NamedTuple):
    """How a window of questions compares with the reference."""

    p: float
    limit: float
    """Below it, the questions are others."""
    inside: float
    """The mean cosine of two questions of the reference."""
    between: float
    """The mean cosine of a question of the reference and one of the window."""
    before_count: int
    after_count: int


class QuestionState(BaseModel):
    """The questions of one stream, as far as they are needed later."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    made_by: str = ""
    size: int = 0
    """Numbers of a vector."""
    reference: str = ""
    waiting: str = ""
    """Vectors in base64; those that wait for their window to be full."""
    looks: int = 0

    def add(self, vectors: QuestionVectors, *, window: int, false_alarms: float) -> list[Topic]:
        """Take questions in.

        Args:
            vectors: Of the questions; made by something else than before, they begin anew.
            window: How many questions are compared together.
            false_alarms: The share of streams without a change in which any of the looks within
                `HORIZON` questions may be below its limit.

        Returns:
            One comparison for each window that became full.
        """
        if not vectors.rows:
            return []
        size = len(vectors.rows[0])
        if (vectors.made_by, size) != (self.made_by, self.size):
            self.made_by, self.size = vectors.made_by, size
            self.reference = self.waiting = ""
        waiting = base64.b64decode(self.waiting) + b"".join(vectors.rows)
        reference = base64.b64decode(self.reference)
        found: list[Topic] = []
        wanted = _REFERENCE * window * size
        if len(reference) < wanted:
            missing = wanted - len(reference)
            reference, waiting = reference + waiting[:missing], waiting[missing:]
        # All looks are equally strict, so that a late change is found as soon as an early one.
        limit = false_alarms * window / HORIZON
        while len(reference) >= wanted and len(waiting) >= window * size:
            own, waiting = waiting[: window * size], waiting[window * size :]
            topic = self._compare(reference, own, limit)
            self.looks += 1
            found.append(topic)
            if topic.p <= limit:
                # What is asked now is what is usual from now on.
                reference = own
                missing = wanted - len(reference)
                reference, waiting = reference + waiting[:missing], waiting[missing:]
        self.reference = base64.b64encode(reference).decode()
        self.waiting = base64.b64encode(waiting).decode()
        return found

    def _compare(self, reference: bytes, own: bytes, limit: float) -> Topic:
        first, second = _decoded(reference, self.size), _decoded(own, self.size)
        test = energy_test(first, second, limit=limit, seed=self.looks)
        return Topic(test.p, limit, test.inside, test.between, len(first), len(second))


def encode_questions(
    questions: Sequence[str], embedding: str | None, home: Path | None
) -> QuestionVectors:
    """Return the vectors of questions, by what semantic curation uses.

    Args:
        questions: The texts.
        embedding: `wordllama`, `hash` or the reference of an embedding model; None takes
            wordllama where it is installed, and hashes of words where not.
        home: Where vectors of a model are remembered.

    Raises:
        MissingExtraError: numpy, or wordllama asked for by name, is not installed.
        ProviderError: The model's provider failed.
    """
    import numpy as np

    from finetune.curate.duplicates.vectors import open_vectors
    from finetune.curate.duplicates.words import words_of

    texts = [unicodedata.normalize("NFKC", question[:_LONGEST]) for question in questions]
    maker = open_vectors(embedding, home)
    vectors = maker.encode(texts, words_of(texts))
    largest = np.maximum(np.abs(vectors).max(axis=1, initial=0.0), 1e-12)
    small = np.rint(vectors * (127.0 / largest)[:, None]).astype(np.int8)
    return QuestionVectors(maker.name, [row.tobytes() for row in small])


def _decoded(rows: bytes, size: int) -> "NDArray[np.float32]":
    import numpy as np

    vectors = np.frombuffer(rows, np.int8).reshape(-1, size).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-6)
