"""What makes rows worth training on, in figures: size, variety, consistency, relevance.

None of it says that a row is wrong. `Habits` collects while a file is read, in one pass; texts are
compared by their first words, without case and punctuation, answers also without digits.
"""

import string
from array import array
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finetune.dataset.problem import Problem
from finetune.dataset.rows import AssistantMessage, DpoRow, SftRow, UserMessage

__all__ = ["Guidance", "Habits"]

_SAMPLE = 200_000  # rows that are compared; further ones would only cost memory
_COMPARED = 240  # characters of a text that are compared
_USUAL_MINIMUM = 50
_ENOUGH = 20  # rows below which shares and medians say nothing
_LABEL = 60  # characters of the longest label
_MOST_LABELS = 50
_MARKS = str.maketrans(dict.fromkeys(string.punctuation, " "))
_MARKS_AND_DIGITS = str.maketrans(dict.fromkeys(string.digits + string.punctuation, " "))


class Guidance(BaseModel):
    """One measured figure about the rows as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    aspect: Literal["size", "variety", "consistency", "relevance"]
    value: float
    """The figure; a share is from 0 to 1."""
    text: str
    """The figure in words."""
    is_good: bool
    hint: str
    """What to do; empty where nothing is to be done."""


class Habits:
    """What questions and answers have in common, row by row."""

    def __init__(self) -> None:
        """Start with no row."""
        self.rows = 0
        self._compared = 0
        self._openings: Counter[str] = Counter()
        self._answers: dict[int, int] = {}  # an answer, and the first question that it answered
        self._questions: dict[int, int] = {}  # a question, and its first answer
        self._repeated = self._conflicting = self._asked_alone = 0
        self._labels: Counter[str] = Counter()
        self._has_labels = True
        self._lengths = array("L")
        self._lines = array("Q")

    def add(self, line: int, row: SftRow | DpoRow, answer_tokens: int) -> None:
        """Take a row into account.

        Args:
            line: Its line.
            row: The row.
            answer_tokens: The tokens of its last answer, or of its preferred output.
        """
        self.rows += 1
        self._lengths.append(answer_tokens)
        self._lines.append(line)
        question, is_alone, answer = _exchange(row)
        if self._has_labels:
            self._count_label(answer)
        if self._compared == _SAMPLE or not question:
            return
        self._compared += 1
        words = _words(question, _MARKS)
        self._openings[" ".join(words[:3])] += 1
        asked = hash(" ".join(words) or question)
        said = hash(" ".join(_words(answer, _MARKS_AND_DIGITS)) or answer)
        if answer and self._answers.setdefault(said, asked) != asked:
            self._repeated += 1
        if is_alone:
            self._asked_alone += 1
            if self._questions.setdefault(asked, said) != said:
                self._conflicting += 1

    def _count_label(self, answer: str) -> None:
        if len(answer) > _LABEL or len(self._labels) > _MOST_LABELS:
            self._has_labels = False
            self._labels.clear()
        elif answer:
            self._labels[answer.strip()] += 1

    @property
    def labels(self) -> dict[str, int]:
        """The answers and how often each is given, where all of them are labels."""
        known = self._labels if self._has_labels else Counter[str]()
        is_set = 2 <= len(known) <= max(2, self.rows // 5)
        return dict(known.most_common()) if is_set and self.rows >= _ENOUGH else {}

    def warnings(self) -> Iterator[Problem]:
        """Yield what is worth a look in the file as a whole."""
        labels = list(self.labels.items())
        if labels and labels[0][1] >= 10 * labels[-1][1]:
            (most, many), (least, few) = labels[0], labels[-1]
            text = f"{most!r} is the answer of {many} rows, {least!r} of {few}"
            yield Problem.of("label_imbalance", text)
        if self.rows < _ENOUGH or labels:
            return
        usual = median(self._lengths)
        short = [at for at, length in enumerate(self._lengths) if length <= 6]
        if usual >= 24 and short:
            text = (
                f"a word or two in {len(short)} of {self.rows} answers, where half have {usual:.0f}"
            )
            line = self._lines[short[0]]
            yield Problem.of("short_answers", f"{text} tokens or more", line=line, column=1)

    def guidance(self) -> Iterator[Guidance]:
        """Yield the figures, those of an empty file left out."""
        if not self.rows:
            return
        yield _figure(
            "size",
            self.rows,
            f"{self.rows} row" if self.rows == 1 else f"{self.rows} rows",
            self.rows >= _USUAL_MINIMUM,
            f"gains are usual from {_USUAL_MINIMUM} to 100 rows; collect more",
        )
        if self._compared >= _ENOUGH:
            opening, count = self._openings.most_common(1)[0]
            share = count / self._compared
            yield _figure(
                "variety",
                len(self._openings) / self._compared,
                f"{len(self._openings)} openings in {self._compared} questions;"
                f" {share:.0%} begin with {opening[:40]!r}",
                share <= 0.3,
                "ask in other words too, or the model learns the wording",
            )
        if self._asked_alone >= _ENOUGH:
            share = self._conflicting / self._asked_alone
            yield _figure(
                "consistency",
                share,
                f"{share:.1%} of the questions are asked again and answered otherwise",
                share <= 0.05,
                "decide which answer is right and drop the others",
            )
        if self.rows >= _ENOUGH:
            lengths = sorted(self._lengths)
            low, high = lengths[len(lengths) // 10], lengths[len(lengths) * 9 // 10]
            spread = high / max(low, 1)
            yield _figure(
                "consistency",
                round(spread, 2),
                f"answers have {low} to {high} tokens, the tenth at either end left out",
                spread <= 20,
                "answers of one kind should be about as long as each other",
            )
        if self._compared >= _ENOUGH:
            share = self._repeated / self._compared
            is_good = share <= 0.2 or bool(self.labels)
            yield _figure(
                "relevance",
                share,
                f"{share:.1%} of the answers are those of another question, or nearly",
                is_good,
                "an answer that fits every question teaches to ignore the question",
            )


def _figure(
    aspect: Literal["size", "variety", "consistency", "relevance"],
    value: float,
    text: str,
    is_good: bool,
    hint: str,
) -> Guidance:
    return Guidance(
        aspect=aspect,
        value=round(value, 4),
        text=text,
        is_good=is_good,
        hint="" if is_good else hint,
    )


def _exchange(row: SftRow | DpoRow) -> tuple[str, bool, str]:
    """Return the last question, whether it is the only one, and its answer."""
    if isinstance(row, DpoRow):
        messages, answer = row.input.messages, _text(row.preferred_output[-1].content)
    else:
        messages, answer = row.messages, ""
        for message in reversed(messages):
            if isinstance(message, AssistantMessage):
                answer = _text(message.content)
                break
    asked = [message for message in messages if isinstance(message, UserMessage)]
    return (_text(asked[-1].content) if asked else ""), len(asked) == 1, answer


def _words(text: str, left_out: dict[int, str]) -> list[str]:
    return text[:_COMPARED].lower().translate(left_out).split()


def _text(content: object) -> str:
    return content if isinstance(content, str) else ""
