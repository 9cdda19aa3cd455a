"""How far a judge agrees with people, and the refusal of a judge that does not."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.evaluate.judge import Judge
from finetune.evaluate.judging import judge_rows
from finetune.evaluate.row import RowResult
from swarm.errors import DataError

__all__ = [
    "FLOOR",
    "MINIMUM_RATINGS",
    "Agreement",
    "HumanRating",
    "JudgeRefusedError",
    "calibrate",
    "measure_agreement",
    "read_ratings",
    "require_agreement",
]

FLOOR = 0.6
"""Weighted kappa below which a judge is refused; 0.6 is commonly read as substantial agreement."""
MINIMUM_RATINGS = 20
"""Fewer ratings by people say nothing about a judge."""
_SCALE = range(1, 6)


class HumanRating(BaseModel):
    """An answer that a person rated."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    question: str
    expected: str
    answer: str
    rating: Annotated[int, Field(ge=1, le=5)]
    """1 to 5, with the meaning of the rubric."""


class Agreement(BaseModel):
    """How far two raters agree on a scale from 1 to 5."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows: int
    exact: float
    """Share of rows with the same score."""
    within_one: float
    """Share of rows with scores at most one apart."""
    kappa: float
    """Cohen's kappa with quadratic weights: 1 is full agreement, 0 what chance gives."""
    spearman: float | None
    """Correlation of the ranks; None where one rater gave all rows the same score."""
    bias: float
    """How much higher the judge scores than people, in the mean."""


class JudgeRefusedError(DataError):
    """A judge does not agree with people; `agreement` says how far."""

    code = "judge_refused"
    rpc_code = -32079

    def __init__(self, judge: str, agreement: Agreement, reason: str) -> None:
        self.judge, self.agreement = judge, agreement
        self.hint = "take another model as the judge, or say in the rubric what people look at"
        super().__init__(f"judge {judge} is refused: {reason}")


def measure_agreement(people: Sequence[int], judge: Sequence[int]) -> Agreement:
    """Return how far a judge's scores are those of people, row by row.

    Raises:
        ValueError: There are no rows, not as many scores as ratings, or a score is not 1 to 5.
    """
    if not people or len(people) != len(judge):
        raise ValueError(f"{len(people)} ratings and {len(judge)} scores")
    if not {*people, *judge} <= set(_SCALE):
        raise ValueError("scores and ratings are whole numbers from 1 to 5")
    rows = len(people)
    gaps = [scored - rated for rated, scored in zip(people, judge, strict=True)]
    return Agreement(
        rows=rows,
        exact=gaps.count(0) / rows,
        within_one=sum(abs(gap) <= 1 for gap in gaps) / rows,
        kappa=_kappa(people, judge),
        spearman=_spearman(people, judge),
        bias=sum(gaps) / rows,
    )


def require_agreement(
    judge: str, agreement: Agreement, *, floor: float = FLOOR, minimum: int = MINIMUM_RATINGS
) -> None:
    """Make sure that a judge agrees with people.

    Raises:
        JudgeRefusedError: It does not, or too few ratings were compared.
    """
    if agreement.rows < minimum:
        reason = f"{agreement.rows} ratings by people are too few to know it; give {minimum}"
        raise JudgeRefusedError(judge, agreement, reason)
    if agreement.kappa < floor:
        reason = (
            f"its weighted kappa with people is {agreement.kappa:.2f}, below {floor:.2f}"
            f" ({agreement.rows} ratings, {agreement.within_one:.0%} within one point)"
        )
        raise JudgeRefusedError(judge, agreement, reason)


async def calibrate(
    judge: Judge,
    ratings: Sequence[HumanRating],
    *,
    floor: float = FLOOR,
    minimum: int = MINIMUM_RATINGS,
) -> Agreement:
    """Let a judge score what people rated, and return how far they agree.

    Raises:
        JudgeRefusedError: They agree too little, or there are too few ratings.
        ProviderError: The judge's model failed.
    """
    rows = [
        RowResult(
            row=number,
            question=one.question,
            expected=one.expected,
            answer=one.answer,
            exact=False,
        )
        for number, one in enumerate(ratings, start=1)
    ]
    if not rows:
        raise DataError("there are no ratings by people to compare the judge with")
    report = await judge_rows(judge, rows)
    found = measure_agreement([one.rating for one in ratings], [one.score for one in report.rows])
    require_agreement(judge.model, found, floor=floor, minimum=minimum)
    return found


def read_ratings(path: Path) -> list[HumanRating]:
    """Return the ratings of a JSONL file with `question`, `expected`, `answer` and `rating`.

    Raises:
        DataError: The file cannot be read, or a line is no rating; says which.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
    found: list[HumanRating] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(HumanRating.model_validate(json.loads(line)))
        except ValidationError as wrong:
            first = wrong.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{path}:{number}: {where}: {first['msg']}") from None
        except (ValueError, RecursionError) as wrong:
            raise DataError(f"{path}:{number}: not JSON: {wrong}") from None
    return found


def _kappa(first: Sequence[int], second: Sequence[int]) -> float:
    rows = len(first)
    seen = sum((one - other) ** 2 for one, other in zip(first, second, strict=True))
    ones, others = Counter(first), Counter(second)
    by_chance = sum((a - b) ** 2 * ones[a] * others[b] for a in ones for b in others) / rows
    # Without any spread there is nothing to agree on but the one score itself.
    return 1 - seen / by_chance if by_chance else 1.0 if not seen else 0.0


def _spearman(first: Sequence[int], second: Sequence[int]) -> float | None:
    ones, others = _ranks(first), _ranks(second)
    mean = (len(first) + 1) / 2
    shared = math.fsum((a - mean) * (b - mean) for a, b in zip(ones, others, strict=True))
    spread = math.fsum((a - mean) ** 2 for a in ones) * math.fsum((b - mean) ** 2 for b in others)
    return shared / math.sqrt(spread) if spread else None


def _ranks(values: Sequence[int]) -> list[float]:
    """Return the rank of each value; equal ones share the mean of their ranks."""
    counts, ranks, before = Counter(values), dict[int, float](), 0
    for value in sorted(counts):
        ranks[value] = before + (counts[value] + 1) / 2
        before += counts[value]
    return [ranks[value] for value in values]
