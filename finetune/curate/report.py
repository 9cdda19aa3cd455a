"""What a curation did, as a model and as Markdown."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from finetune.dataset.write import WrittenFile

__all__ = ["CurationReport", "SourceReport", "StepReport"]


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SourceReport(_Report):
    """A file that was curated."""

    name: str
    sha256: str
    bytes: int
    lines: int


class StepReport(_Report):
    """What one step did."""

    step: str
    version: int
    settings: dict[str, Any]
    rows_in: int
    removed: dict[str, int]
    """Rows by reason."""
    changed_rows: int
    """Rows with at least one change or remark."""
    changes: dict[str, int]
    """Changes and remarks by what they are."""

    @property
    def rows_out(self) -> int:
        """Rows that went on."""
        return self.rows_in - sum(self.removed.values())


class CurationReport(_Report):
    """What a curation did; equal sources and steps give equal reports."""

    pipeline: str
    """Names the steps, their versions and settings: a SHA-256."""
    sources: tuple[SourceReport, ...]
    rows_in: int
    """Rows of valid shape in the sources."""
    bad_lines: int
    """Lines that are no rows; each is in `removed.jsonl`."""
    rows_out: int
    steps: tuple[StepReport, ...]
    files: tuple[WrittenFile, ...]
    """What was written, `sft.jsonl` and `dpo.jsonl` first."""

    @property
    def duplicates_removed(self) -> int:
        """Rows that steps called `..._duplicates` removed."""
        found = [step for step in self.steps if step.step.endswith("_duplicates")]
        return sum(sum(step.removed.values()) for step in found)

    def markdown(self) -> str:
        """Return the report as a page."""
        lines = [
            "# Curation",
            "",
            "| source | lines | bytes | SHA-256 |",
            "|---|---:|---:|---|",
            *(
                f"| {one.name} | {one.lines:,} | {one.bytes:,} | `{one.sha256[:16]}` |"
                for one in self.sources
            ),
            "",
            f"{self.rows_in:,} rows came in, {self.rows_out:,} went out; {self.bad_lines:,} lines "
            "were no rows.",
            "",
            "| step | in | removed | changed | out |",
            "|---|---:|---:|---:|---:|",
            *(
                f"| {one.step} | {one.rows_in:,} | {sum(one.removed.values()):,} | "
                f"{one.changed_rows:,} | {one.rows_out:,} |"
                for one in self.steps
            ),
            "",
            "| step | what | times |",
            "|---|---|---:|",
        ]
        for step in self.steps:
            for what, codes in (("removed", step.removed), ("changed", step.changes)):
                lines += [f"| {step.step} | {what}: {code} | {n:,} |" for code, n in codes.items()]
        lines += ["", "| file | rows | bytes | SHA-256 |", "|---|---:|---:|---|"]
        lines += [
            f"| {Path(one.path).name} | {one.rows:,} | {one.bytes:,} | `{one.sha256[:16]}` |"
            for one in self.files
        ]
        return "\n".join([*lines, "", f"Pipeline `{self.pipeline[:16]}`.", ""])
