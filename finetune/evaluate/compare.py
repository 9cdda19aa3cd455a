"""Compares a candidate with the model it would replace, on the same questions."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio.to_thread
from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.evaluate.advice import recommend
from finetune.evaluate.agreement import Agreement, HumanRating, calibrate
from finetune.evaluate.asking import ask_model, ask_questions, is_predictions, system_of
from finetune.evaluate.benchmarks import BenchmarkScore
from finetune.evaluate.comparison import (
    Comparison,
    ModelSide,
    benchmark_deltas,
    choose_samples,
    metric_deltas,
)
from finetune.evaluate.decision import GatePolicy
from finetune.evaluate.gate import decide
from finetune.evaluate.general import AreaScore, compare_areas, general_questions
from finetune.evaluate.judge import DEFAULT_RUBRIC, open_judge
from finetune.evaluate.judging import JudgeReport, PreferenceReport, compare_rows, judge_rows
from finetune.evaluate.metrics import TaskMetrics, measure
from finetune.evaluate.people import read_sheet
from finetune.evaluate.probes import Probes, find_failures, find_leaks, probe_questions
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult, pair_results, read_results
from finetune.evaluate.run import EvaluationProgress
from swarm import CompletionSpec
from swarm.errors import DataError

__all__ = ["CompareSettings", "OnProgress", "compare"]

OnProgress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""


class CompareSettings(BaseModel):
    """What a comparison does beside asking the test questions."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    policy: GatePolicy = GatePolicy()
    probes: Probes = Probes()
    """Triggers and canaries that are tried on the candidate."""
    ask_general: bool = True
    """Whether both models are asked the built-in general questions."""
    judge: str | CompletionSpec | None = None
    """A model that scores all answers: a reference, or a declared completion."""
    rubric: str = DEFAULT_RUBRIC
    """What the judge's scores mean."""
    ratings: tuple[HumanRating, ...] = ()
    """Ratings by people; a judge that does not agree with them is refused."""
    sheet: Path | None = None
    """A sheet that people filled in, from an earlier comparison of the same answers."""
    system: str | None = None
    """System message for rows without one; the one the candidate was trained with when absent."""
    max_tokens: int = 64
    """Where an answer that does not end is cut."""


async def compare(
    candidate: str,
    baseline: str,
    rows: Sequence[dict[str, JsonValue]],
    *,
    home: Path,
    output_dir: Path,
    settings: CompareSettings | None = None,
    benchmarks: tuple[Sequence[BenchmarkScore], Sequence[BenchmarkScore]] = ((), ()),
    on_progress: OnProgress | None = None,
) -> Comparison:
    """Ask both models the same questions in the same words, and return all that is known of them.

    Args:
        candidate: A run folder, a reference such as `registry/pharma@candidate`, or predictions.
        baseline: The live model, or the base that training started from.
        rows: SFT rows that neither was trained on.
        home: The folder of the state, with the model registry.
        output_dir: Gets a folder with the answers of each model.
        settings: The judge, the probes, the policy of the gate.
        benchmarks: What lm-eval found of the baseline and of the candidate.
        on_progress: Called now and then.

    Raises:
        DataError: There is no such model, a row is wrong, the judge is refused, or predictions
            were to be probed.
        EvaluationError: The evaluation process failed.
        ProviderError: A model failed.
        SetupError: A model lacks a key or an extra.
    """
    settings = settings or CompareSettings()
    if settings.probes != Probes() and is_predictions(candidate):
        raise DataError(f"{candidate} holds predictions, which cannot be probed; name the model")
    run = _Run(rows, home, output_dir, settings, on_progress or _quiet)
    if settings.system is None:
        run.system = await anyio.to_thread.run_sync(system_of, candidate, home)
    new_report, new = await run.answers(candidate, "candidate")
    old_report, old = await run.answers(baseline, "baseline")
    pairs = pair_results(new, old)
    asked, extra = await run.extra(candidate, baseline, [one.question for one in new])
    judged = await run.judged(new, old)
    failed = find_leaks(new, settings.probes.canaries)
    if asked is not None:
        failed += find_failures(settings.probes, [one.question for one in new], asked)
    decision = decide(
        new,
        old,
        settings.policy,
        judged=(judged.candidate.scores, judged.baseline.scores) if judged else None,
        probes=failed,
    )
    before, after = measure(old), measure(new)
    same = _same_prompts(new_report, old_report)
    return Comparison(
        candidate=ModelSide(
            model=candidate, report=new_report, judge=judged.candidate if judged else None
        ),
        baseline=ModelSide(
            model=baseline, report=old_report, judge=judged.baseline if judged else None
        ),
        metrics=metric_deltas(before, after),
        perplexity_improvement=_improvement(before, after),
        samples=choose_samples(pairs),
        areas=extra,
        preference=judged.preference if judged else None,
        agreement=judged.agreement if judged else None,
        people=read_sheet(settings.sheet, new, old) if settings.sheet else None,
        benchmarks=benchmark_deltas(*benchmarks),
        gate=decision,
        has_same_prompts=same,
        recommendations=recommend(
            after,
            decision,
            areas=extra,
            judged=judged.candidate if judged else None,
            is_calibrated=judged is not None and judged.agreement is not None,
            has_same_prompts=same,
        ),
    )


class _Judged(BaseModel):
    candidate: JudgeReport
    baseline: JudgeReport
    preference: PreferenceReport
    agreement: Agreement | None


class _Run:
    """One comparison, step by step."""

    def __init__(
        self,
        rows: Sequence[dict[str, JsonValue]],
        home: Path,
        output_dir: Path,
        settings: CompareSettings,
        tell: OnProgress,
    ) -> None:
        self.rows, self.home, self.output_dir = rows, home, output_dir
        self.settings, self.tell = settings, tell
        self.system: str | None = settings.system

    async def answers(self, model: str, side: str) -> tuple[EvaluationReport, list[RowResult]]:
        def told(report: EvaluationProgress) -> None:
            self.tell(f"asking the {side}", report.rows, report.total_rows)

        report = await ask_model(
            model,
            self.rows,
            home=self.home,
            output_dir=self.output_dir / side,
            system=self.system,
            max_tokens=self.settings.max_tokens,
            on_progress=told,
        )
        return report, await anyio.to_thread.run_sync(read_results, report.results)

    async def extra(
        self, candidate: str, baseline: str, questions: Sequence[str]
    ) -> tuple[Mapping[str, str] | None, tuple[AreaScore, ...]]:
        """Return the candidate's answers to the probes, and what both know in general."""
        general = [one.question for area in general_questions().values() for one in area]
        wanted = general if self.settings.ask_general else []
        probing = probe_questions(self.settings.probes, questions)
        distinct = list(dict.fromkeys([*wanted, *probing]))
        new = await ask_questions(candidate, distinct, home=self.home, system=self.system)
        old = await ask_questions(baseline, wanted, home=self.home, system=self.system)
        areas = compare_areas(old, new) if wanted and new is not None and old is not None else ()
        return new, areas

    async def judged(self, new: Sequence[RowResult], old: Sequence[RowResult]) -> _Judged | None:
        if self.settings.judge is None:
            return None
        async with open_judge(
            self.settings.judge, home=self.home, rubric=self.settings.rubric
        ) as judge:
            ratings = self.settings.ratings
            return _Judged(
                agreement=await calibrate(judge, ratings) if ratings else None,
                candidate=await judge_rows(judge, new, on_progress=self._judging("candidate")),
                baseline=await judge_rows(judge, old, on_progress=self._judging("baseline")),
                preference=await compare_rows(judge, new, old, on_progress=self._judging("both")),
            )

    def _judging(self, side: str) -> Callable[[int, int], None]:
        return lambda done, total: self.tell(f"judging {side}", done, total)


def _same_prompts(new: EvaluationReport, old: EvaluationReport) -> bool:
    rendered = {one.rendered_sha256 for one in (new, old) if one.rendered_sha256}
    # Predictions of an earlier evaluation do not say what was sent.
    sent = {one.prompts_sha256 for one in (new, old) if one.prompts_sha256}
    return len(rendered) < 2 and len(sent) < 2


def _improvement(before: TaskMetrics, after: TaskMetrics) -> float | None:
    if not before.perplexity or after.perplexity is None:
        return None
    return 1 - after.perplexity / before.perplexity


def _quiet(title: str, done: int, total: int) -> None:
    """Tell nobody."""
