"""What the gate wants to see of a candidate, and what it says."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finetune.evaluate.metrics import RowMetric
from finetune.evaluate.probes import ProbeFinding

__all__ = ["Decision", "GateDecision", "GateMetric", "GatePolicy", "MetricVerdict"]

Decision = Literal["promote", "refuse", "not_enough_data"]
"""What the gate says."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class GateMetric(_Record):
    """A figure that may not get worse."""

    metric: RowMetric | Literal["judge"]
    """`judge` is a model's score from 1 to 5, mapped onto 0 to 1."""
    margin: Annotated[float, Field(ge=0)] = 0.02
    """How much worse the candidate may be in truth, on the figure's own scale."""


class GatePolicy(_Record):
    """What a candidate has to show."""

    primary: GateMetric = GateMetric(metric="exact")
    """The figure that has to be better."""
    others: tuple[GateMetric, ...] = (GateMetric(metric="token_f1"),)
    """Figures that must not be worse by their margin; those that rows do not have are left out."""
    must_improve: bool = True
    """Whether not being worse by the margin is too little on the primary figure."""
    minimum_rows: Annotated[int, Field(ge=2)] = 50
    """Fewer questions decide nothing."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Of each bound and of the test against chance; 0.95 promotes an equal model at most once in
    twenty times."""
    resamples: Annotated[int, Field(ge=1000, le=1_000_000)] = 10_000
    seed: Annotated[int, Field(ge=0)] = 0
    """Equal answers and an equal seed give an equal decision."""

    @model_validator(mode="after")
    def _names_each_once(self) -> "GatePolicy":
        names = [one.metric for one in (self.primary, *self.others)]
        if len(set(names)) < len(names):
            raise ValueError("a figure stands twice among `primary` and `others`")
        return self


class MetricVerdict(_Record):
    """One figure of both models."""

    metric: str
    live: float
    candidate: float
    """Means over the rows."""
    difference: float
    """Candidate less live."""
    low: float
    """The true difference is above it, with the policy's confidence."""
    high: float
    """The true difference is below it, with the policy's confidence."""
    p_value: float
    """How often chance alone gives as large a difference."""
    margin: float
    is_better: bool
    """Beyond chance."""
    is_not_worse: bool
    """By more than the margin, beyond chance."""


class GateDecision(_Record):
    """May the candidate be promoted, and why."""

    decision: Decision
    reasons: tuple[str, ...]
    """One sentence each, the deciding ones first."""
    rows: int
    """Questions that both models answered."""
    metrics: tuple[MetricVerdict, ...]
    """The primary figure first."""
    probes: tuple[ProbeFinding, ...] = ()
    """Probes that the candidate failed."""
    policy: GatePolicy

    @property
    def may_promote(self) -> bool:
        """Whether the decision is to promote."""
        return self.decision == "promote"

    def text(self) -> str:
        """Return the decision in a few lines for people."""
        head = {"promote": "promote", "refuse": "refuse", "not_enough_data": "not enough data"}
        lines = [f"{head[self.decision]} ({self.rows} questions)"]
        lines += [f"- {reason}" for reason in self.reasons]
        for one in self.metrics:
            lines.append(
                f"  {one.metric}: live {one.live:.4f}, candidate {one.candidate:.4f}, difference"
                f" {one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}], p {one.p_value:.4f}"
            )
        return "\n".join(lines)
