"""What an evaluation leaves behind: one answer per row and the figures over all of them."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from finetune.evaluate.metrics import TaskMetrics
from finetune.evaluate.row import RowResult

__all__ = ["EvaluationReport"]


class EvaluationReport(BaseModel):
    """The figures of an evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model_sha256: str
    """Hash of the weights that answered; empty for a model that a provider hosts."""
    rows: int
    """Rows that were asked."""
    exact: int
    """Rows with exactly the expected answer."""
    accuracy: float
    """Share of exact answers."""
    seconds: float
    """Wall time of the evaluation, with loading."""
    results: Path
    """The file with one `RowResult` per line."""
    misses: tuple[RowResult, ...] = ()
    """The first wrong answers, at most ten."""
    metrics: TaskMetrics | None = None
    """Every figure; only reports of older versions lack it."""
    prompts_sha256: str = ""
    """Hash of all messages that were sent; two evaluations compare when theirs are equal."""
    rendered_sha256: str | None = None
    """Hash of the prompts as the model's chat template wrote them, where it ran in our process."""
