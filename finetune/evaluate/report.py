"""What an evaluation leaves behind: one answer per row and the figures over all of them."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["EvaluationReport", "RowResult"]


class RowResult(BaseModel):
    """One row, asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    row: int
    """1-based number of the row."""
    question: str
    """The last user message."""
    expected: str
    """The answer of the row."""
    answer: str
    """The answer of the model."""
    exact: bool
    """Whether both are equal but for white space."""


class EvaluationReport(BaseModel):
    """The figures of an evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model_sha256: str
    """Hash of the weights that answered."""
    rows: int
    """Rows that were asked."""
    exact: int
    """Rows with exactly the expected answer."""
    accuracy: float
    """Share of exact answers."""
    seconds: float
    """Wall time of the evaluation process, with loading."""
    results: Path
    """The file with one `RowResult` per line."""
    misses: tuple[RowResult, ...] = ()
    """The first wrong answers, at most ten."""
