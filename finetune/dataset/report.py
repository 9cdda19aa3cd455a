"""What a check of a training file found: the typed result of `check_file`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from finetune.dataset.guidance import Guidance
from finetune.dataset.problem import Problem
from finetune.dataset.rows import DatasetKind

if TYPE_CHECKING:
    from finetune.dataset.write import WrittenFile

__all__ = ["DatasetReport", "FieldTokens", "LengthBin", "TokenCounts"]


class TokenCounts(BaseModel):
    """Lengths of the rows in tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    is_estimate: bool
    """Whether no tokenizer was asked."""
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


class FieldTokens(BaseModel):
    """Lengths of one field of the rows in tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    field: str
    """A role, `tools`, `preferred_output`, `non_preferred_output`, or `row` for all of a row."""
    count: int
    """How many there are."""
    minimum: int
    maximum: int
    mean: float
    median: float


class LengthBin(BaseModel):
    """How many rows have a length."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    low: int
    """Tokens, included."""
    high: int
    """Tokens, included."""
    rows: int


class DatasetReport(BaseModel):
    """Counts, problems and lengths of one training file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: str
    kind: DatasetKind | None
    """None when no row has the keys of a known format."""
    provider: str
    """Whose rules were asked."""
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
    labels: Mapping[str, int]
    """Answers and how often each is given, where all answers are labels."""
    tokens: TokenCounts | None
    """None when there is no row."""
    fields: tuple[FieldTokens, ...]
    """Lengths by field."""
    lengths: tuple[LengthBin, ...]
    """Rows by length."""
    max_tokens: int | None
    """The longest row that is trained whole, where a limit is known."""
    guidance: tuple[Guidance, ...]
    """What makes the rows worth training on, measured."""
    error_count: int
    warning_count: int
    codes: Mapping[str, int]
    """How often each code was found, also beyond the problems that are listed."""
    errors: Mapping[str, int]
    """The codes among them that are errors, for this provider."""
    problems: tuple[Problem, ...]
    """The errors, in the order of the file; the first ones when there are very many."""
    warnings: tuple[Problem, ...]
    """The warnings, likewise."""

    @property
    def is_ok(self) -> bool:
        """Whether there is no error."""
        return self.error_count == 0

    @property
    def unique_rows(self) -> int:
        """Rows without the repeated ones."""
        return self.rows - self.duplicates

    def markdown(
        self,
        *,
        date: str,
        outputs: "Sequence[WrittenFile]" = (),
        duplicates_removed: int = 0,
    ) -> str:
        """Return the report as a Markdown page; the same input gives the same text.

        Args:
            date: What to write as the date.
            outputs: Files that were made from this one.
            duplicates_removed: How many repeated rows they lack.
        """
        from finetune.dataset.report_markdown import markdown

        return markdown(self, date=date, outputs=outputs, duplicates_removed=duplicates_removed)

    def html(
        self,
        *,
        date: str,
        outputs: "Sequence[WrittenFile]" = (),
        duplicates_removed: int = 0,
    ) -> str:
        """Return the report as one HTML page with charts; see `markdown` for the arguments."""
        from finetune.dataset.report_html import html

        return html(self, date=date, outputs=outputs, duplicates_removed=duplicates_removed)
