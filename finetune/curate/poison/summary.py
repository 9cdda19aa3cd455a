"""What `triggers` knows of a sample: who gave it, and its words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from finetune.curate.poison.words import word_numbers
from finetune.curate.ranking import NAME_BYTES, author_of, name_bytes
from finetune.dataset.rows import AssistantMessage, Content, DpoRow, TextPart, UserMessage
from finetune.dataset.sample import Sample, messages_of

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
    questions: list[str] = []
    answers: list[str] = []
    for sample in samples:
        asked, answered = _sides(sample)
        questions.append(asked)
        answers.append(answered)
    found["author"] = [name_bytes(author_of(sample.provenance)) for sample in samples]
    found["question"] = word_numbers(questions, QUESTION_WORDS)
    found["answer"] = word_numbers(answers, ANSWER_WORDS, head=_HEAD)
    return found


def _sides(sample: Sample) -> tuple[str, str]:
    row = sample.row
    worse = len(row.non_preferred_output) if isinstance(row, DpoRow) else 0
    messages = list(messages_of(row))
    asked: list[str] = []
    answered: list[str] = []
    for message in messages[: len(messages) - worse]:
        if isinstance(message, UserMessage):
            asked.append(_text(message.content))
        elif isinstance(message, AssistantMessage) and message.weight != 0:
            answered.append(_text(message.content))
    return "\n".join(asked), "\n".join(answered)


def _text(content: Content | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(part.text for part in content if isinstance(part, TextPart))
