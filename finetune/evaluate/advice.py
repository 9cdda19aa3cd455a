"""What to do next, read from the figures of a comparison."""

from collections.abc import Sequence

from finetune.evaluate.decision import GateDecision
from finetune.evaluate.general import AreaScore
from finetune.evaluate.judging import JudgeReport
from finetune.evaluate.metrics import TaskMetrics

__all__ = ["recommend"]

_CLOSE = 0.2
"""How far ROUGE-L is above the share of right answers where the wording differs more than facts."""


def recommend(
    candidate: TaskMetrics,
    decision: GateDecision,
    *,
    areas: Sequence[AreaScore] = (),
    judged: JudgeReport | None = None,
    is_calibrated: bool = False,
    has_same_prompts: bool = True,
) -> tuple[str, ...]:
    """Return sentences that say what to do, the most important first."""
    advice: list[str] = []
    if decision.decision == "promote":
        advice.append("Promote it; the version that is live now stays one rollback away.")
    elif decision.decision == "refuse":
        advice.append(f"Keep the live model: {decision.reasons[0]}.")
    else:
        more = decision.policy.minimum_rows - decision.rows
        advice.append(f"Add at least {more} test questions before deciding.")
    if decision.probes:
        advice.append("Look for the poisoned rows in the training data, and train without them.")
    if lost := [one.area for one in areas if one.verdict == "WARN"]:
        advice.append(
            f"It forgot {' and '.join(lost)} questions: mix general rows into the data, train a"
            " small rank (8 to 16) for few steps (30 to 100), or lower the learning rate."
        )
    if candidate.perplexity_verdict == "high":
        advice.append(
            f"Its perplexity of {candidate.perplexity:.1f} is high: give it more rows of the"
            " domain, or more epochs."
        )
    if judged is None and candidate.rouge_l - candidate.normalised > _CLOSE:
        advice.append("Many answers are close but worded otherwise: let a judge score them.")
    if judged is not None and not judged.passed:
        advice.append(f"The judge's mean of {judged.mean:.2f} is not above 4.0.")
    if judged is not None and not is_calibrated:
        advice.append("Nobody knows how far the judge agrees with people: give it their ratings.")
    if candidate.labels and candidate.labels.accuracy - candidate.labels.macro_f1 > _CLOSE:
        weak = min(candidate.labels.labels, key=lambda one: one.f1)
        advice.append(f"Rare labels are weak, {weak.label!r} most: add rows for them.")
    if not has_same_prompts:
        advice.append("The chat templates differ, so a part of the difference may be theirs.")
    return tuple(advice)
