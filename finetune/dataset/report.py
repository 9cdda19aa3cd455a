"""What a check of a training file found: the typed result of `check_file`."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finetune.dataset.problem import Problem
from finetune.dataset.rows import DatasetKind

__all__ = ["DatasetReport", "TokenEstimate"]


class TokenEstimate(BaseModel):
    """Lengths of the rows, estimated without a tokenizer."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    is_estimate: Literal[True] = True
    method: str
    """How the figures were made."""
    total: int
    """All rows together, once; multiply by epochs and price for a cost."""
    trained: int
    """The part that carries loss."""
    minimum: int
    median: float
    mean: float
    maximum: int


class DatasetReport(BaseModel):
    """Counts, problems and lengths of one training file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: str
    kind: DatasetKind | None
    """None when no row has the keys of a known format."""
    sha256: str
    """Hash of the file's bytes."""
    bytes: int
    lines: int
    """Lines of the file, blank ones included."""
    rows: int
    """Rows of valid shape."""
    bad_rows: int
    """Lines with at least one error."""
    duplicates: int
    """Rows equal to an earlier row."""
    messages: int
    """Messages of all rows, outputs included."""
    roles: Mapping[str, int]
    """Messages by role."""
    tools: Mapping[str, int]
    """Calls by tool name."""
    tokens: TokenEstimate | None
    """None when there is no row."""
    error_count: int
    warning_count: int
    codes: Mapping[str, int]
    """How often each code was found, also beyond the problems that are listed."""
    problems: tuple[Problem, ...]
    """The errors, in the order of the file; the first ones when there are very many."""
    warnings: tuple[Problem, ...]
    """The warnings, likewise."""

    @property
    def is_ok(self) -> bool:
        """Whether there is no error."""
        return self.error_count == 0
