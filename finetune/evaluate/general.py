"""What fine-tuning made a model forget: general questions, sums and questions about code.

The questions lie in `general.yaml` beside this module, and none of them is for training.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from finetune.evaluate.match import normalise_answer

__all__ = ["Area", "AreaScore", "GeneralQuestion", "compare_areas", "general_questions"]

Area = Literal["general", "maths", "code"]

_TOLERATED = 0.1
"""Share of an area's questions that may be lost."""


class GeneralQuestion(BaseModel):
    """A question with everything that counts as its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    question: str
    accept: Annotated[tuple[str, ...], Field(min_length=1)]
    """Texts of which the answer has to hold one, as whole words."""

    def is_answered_by(self, answer: str) -> bool:
        """Tell whether an answer holds an accepted text."""
        words = f" {normalise_answer(answer)} "
        return any(f" {normalise_answer(text)} " in words for text in self.accept)


class AreaScore(BaseModel):
    """One area, asked of both models."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    area: Area
    questions: int
    baseline: float
    """Share that the baseline answers."""
    candidate: float
    """Share that the candidate answers."""
    verdict: Literal["OK", "WARN"]
    """WARN when the candidate lost more than a tenth of the area's questions."""


@cache
def general_questions() -> Mapping[Area, tuple[GeneralQuestion, ...]]:
    """Return the built-in questions by area."""
    text = (Path(__file__).parent / "general.yaml").read_text(encoding="utf-8")
    reader = TypeAdapter(dict[Area, tuple[GeneralQuestion, ...]])
    return reader.validate_python(yaml.safe_load(text))


def compare_areas(
    baseline: Mapping[str, str],
    candidate: Mapping[str, str],
    questions: Mapping[Area, Sequence[GeneralQuestion]] | None = None,
) -> tuple[AreaScore, ...]:
    """Return how many questions of each area both models answer.

    Args:
        baseline: The baseline's answers, by question.
        candidate: The candidate's answers, by question.
        questions: Other questions than the built-in ones.
    """
    scores: list[AreaScore] = []
    for area, asked in (questions or general_questions()).items():
        before = _share(asked, baseline)
        after = _share(asked, candidate)
        lost = before - after > _TOLERATED + 1e-9
        scores.append(
            AreaScore(
                area=area,
                questions=len(asked),
                baseline=before,
                candidate=after,
                verdict="WARN" if lost else "OK",
            )
        )
    return tuple(scores)


def _share(questions: Sequence[GeneralQuestion], answers: Mapping[str, str]) -> float:
    right = sum(one.is_answered_by(answers.get(one.question, "")) for one in questions)
    return right / len(questions) if questions else 0.0
