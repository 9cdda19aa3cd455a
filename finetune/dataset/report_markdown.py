"""A Dataset Validation Report as a Markdown page."""

from collections.abc import Sequence

from finetune.dataset.report import DatasetReport
from finetune.dataset.report_tables import (
    TITLE,
    closing,
    finding_rows,
    output_rows,
    quality_checks,
    summary_rows,
    token_rows,
)
from finetune.dataset.write import WrittenFile

__all__ = ["markdown"]

_STEERING = str.maketrans(
    {"&": "&amp;", "<": "&lt;", "|": "&#124;", "[": "&#91;", "`": "'", "\n": " ", "\r": " "}
)
"""What a file says must not become a table's border, markup or a link."""


def markdown(
    report: DatasetReport,
    *,
    date: str,
    outputs: Sequence[WrittenFile] = (),
    duplicates_removed: int = 0,
) -> str:
    """Return the page; see `DatasetReport.markdown`."""
    checks = [
        (check.name, "PASS" if check.is_passed else "FAIL", check.details)
        for check in quality_checks(report)
    ]
    lines = [f"# {TITLE}", "", f"**Date:** {_cell(date)}  ", f"**Source:** {_cell(report.path)}"]
    lines += _table("Summary", ("Metric", "Value"), summary_rows(report, duplicates_removed))
    lines += _table("Quality Checks", ("Check", "Status", "Details"), checks)
    names = ("Field", "Min", "Max", "Mean", "Median")
    lines += _table("Token Statistics", names, token_rows(report.fields))
    if report.labels:
        labels = [(label, f"{count:,}") for label, count in report.labels.items()]
        lines += _table("Labels", ("Answer", "Rows"), labels)
    guidance = [
        (item.aspect, "OK" if item.is_good else "LOOK", item.text, item.hint)
        for item in report.guidance
    ]
    lines += _table("Guidance", ("Aspect", "Status", "Measured", "Hint"), guidance)
    names = ("File", "Rows", "Bytes", "SHA-256")
    lines += _table("Output Files", names, output_rows(outputs))
    names = ("Place", "Code", "What")
    lines += _table("Errors", names, finding_rows(report, "error"))
    lines += _table("Warnings", names, finding_rows(report, "warning"))
    return "\n".join([*lines, "", "---", "", closing(report), ""])


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head = ["", f"## {title}", ""]
    if not rows:
        return [*head, "None."]
    lines = [names, ["---"] * len(names), *([_cell(cell) for cell in row] for row in rows)]
    return [*head, *(f"| {' | '.join(line)} |" for line in lines)]


def _cell(text: str) -> str:
    return "".join(c for c in text.translate(_STEERING) if c.isprintable())
