"""A judge over a whole evaluation: every row scored, or two models compared row by row."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
from pydantic import BaseModel, ConfigDict

from finetune.evaluate.judge import Judge, Judgement, Preference
from finetune.evaluate.row import RowResult, pair_results
from swarm.messages import Usage

__all__ = [
    "PASSING_SCORE",
    "JudgeReport",
    "JudgedRow",
    "OnProgress",
    "PreferenceReport",
    "compare_rows",
    "judge_rows",
]

PASSING_SCORE = 4.0
"""A mean above it passes."""

OnProgress = Callable[[int, int], None]
"""Takes how many rows are done, and how many there are."""

Item = TypeVar("Item")
Found = TypeVar("Found")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class JudgedRow(_Record):
    """One answer, judged."""

    row: int
    score: int
    """1 to 5."""
    reason: str
    has_orders: bool = False
    """The answer held sentences that speak to a judge; it was judged without them."""


class JudgeReport(_Record):
    """What a judge says of all answers of a model."""

    judge: str
    rows: tuple[JudgedRow, ...]
    mean: float
    """1 to 5."""
    passed: bool
    """Whether the mean is above 4.0."""
    invalid: int
    """Rows without a valid judgement; they count as 1."""
    tokens: int
    """Tokens that the judging took, in and out."""
    cost: float | None
    """US dollars; None where the judge's model has no known price."""

    @property
    def scores(self) -> list[float]:
        """The score of each row, in order."""
        return [float(one.score) for one in self.rows]


class PreferenceReport(_Record):
    """What a judge says of two models, row by row, asked in both orders."""

    judge: str
    wins: int
    """Rows on which the candidate's answer is better."""
    losses: int
    ties: int
    inconsistent: int
    """Ties because the order of the answers changed the judge's mind."""
    tokens: int
    cost: float | None
    """US dollars; None where the judge's model has no known price."""


async def judge_rows(
    judge: Judge,
    results: Sequence[RowResult],
    *,
    concurrency: int = 4,
    on_progress: OnProgress | None = None,
) -> JudgeReport:
    """Return the judge's score of every row.

    Raises:
        ProviderError: The judge's model failed.
    """

    async def score(result: RowResult) -> Judgement:
        return await judge.score(result.question, result.expected, result.answer)

    found = await _each(results, score, concurrency, on_progress)
    mean = sum(one.score for one in found) / len(found) if found else 0.0
    usage = sum((one.usage for one in found), Usage())
    return JudgeReport(
        judge=judge.model,
        rows=tuple(
            JudgedRow(row=result.row, score=one.score, reason=one.reason, has_orders=one.has_orders)
            for result, one in zip(results, found, strict=True)
        ),
        mean=mean,
        passed=mean > PASSING_SCORE,
        invalid=sum(not one.is_valid for one in found),
        tokens=usage.tokens,
        cost=usage.known_cost,
    )


async def compare_rows(
    judge: Judge,
    candidate: Sequence[RowResult],
    live: Sequence[RowResult],
    *,
    concurrency: int = 4,
    on_progress: OnProgress | None = None,
) -> PreferenceReport:
    """Return on how many rows the candidate's answer is better, as the judge sees it.

    Raises:
        DataError: The two do not answer the same questions.
        ProviderError: The judge's model failed.
    """

    async def prefer(pair: tuple[RowResult, RowResult]) -> Preference:
        new, old = pair
        return await judge.compare(new.question, new.expected, new.answer, old.answer)

    found = await _each(pair_results(candidate, live), prefer, concurrency, on_progress)
    usage = sum((one.usage for one in found), Usage())
    return PreferenceReport(
        judge=judge.model,
        wins=sum(one.winner == "first" for one in found),
        losses=sum(one.winner == "second" for one in found),
        ties=sum(one.winner == "tie" for one in found),
        inconsistent=sum(not one.is_consistent for one in found),
        tokens=usage.tokens,
        cost=usage.known_cost,
    )


async def _each(
    items: Sequence[Item],
    ask: Callable[[Item], Awaitable[Found]],
    concurrency: int,
    on_progress: OnProgress | None,
) -> list[Found]:
    """Return what each item gives, in order; the first error ends all of them."""
    found: dict[int, Found] = {}
    failures: list[Exception] = []
    limiter = anyio.CapacityLimiter(concurrency)

    async def run(at: int) -> None:
        async with limiter:
            try:
                found[at] = await ask(items[at])
            except Exception as error:
                # Raised below, as it is and not as one of a group.
                failures.append(error)
                group.cancel_scope.cancel()
                return
        if on_progress is not None:
            on_progress(len(found), len(items))

    async with anyio.create_task_group() as group:
        for at in range(len(items)):
            group.start_soon(run, at)
    if failures:
        raise failures[0]
    return [found[at] for at in range(len(items))]
