"""What `triggers` knows of a sample: who gave it, and its words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from finetune.curate.poison.words import word_numbers
from finetune.curate.ranking import NAME_BYTES, author_of, name_bytes
from finetune.curate.turns import turns_of
from finetune.dataset.sample import Sample

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ANSWER_WORDS", "QUESTION_WORDS", "summarise_words"]

QUESTION_WORDS = 48
ANSWER_WORDS = 64
_HEAD = 16


def summarise_words(samples: Sequence[Sample]) -> "np.ndarray":
    """Return author and words of each sample, 936 bytes each.

    The words are those of all user messages, and of all answers that are learnt; of an answer
    over 64 words, the first 16 and the last 48.
    """
    import numpy as np

    kind = np.dtype(
        [
            ("author", f"S{NAME_BYTES}"),
            ("question", np.uint64, (QUESTION_WORDS,)),
            ("answer", np.uint64, (ANSWER_WORDS,)),
        ]
    )
    found = np.zeros(len(samples), dtype=kind)
    turns = [turns_of(sample.row) for sample in samples]
    found["author"] = [name_bytes(author_of(sample.provenance)) for sample in samples]
    found["question"] = word_numbers([one.question for one in turns], QUESTION_WORDS)
    found["answer"] = word_numbers([one.answer for one in turns], ANSWER_WORDS, head=_HEAD)
    return found
