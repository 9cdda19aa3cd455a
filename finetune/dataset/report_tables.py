"""The tables of a Dataset Validation Report as plain cells, for its Markdown and its HTML."""

from collections.abc import Sequence
from typing import NamedTuple

from finetune.dataset.report import DatasetReport, FieldTokens
from finetune.dataset.write import WrittenFile

__all__ = [
    "CLOSING",
    "TITLE",
    "QualityCheck",
    "closing",
    "finding_rows",
    "output_rows",
    "quality_checks",
    "summary_rows",
    "token_rows",
]

TITLE = "Dataset Validation Report"
CLOSING = "Checked by wikiswarm"
"""How the last line begins."""

_LISTED = 50
_JSON = (
    "invalid_json",
    "not_finite",
    "duplicate_key",
    "data_type",
    "line_too_deep",
    "blank_line",
    "unreadable_file",
    "empty_file",
)
_FIELDS = (
    "missing_key",
    "missing_messages_list",
    "message_missing_key",
    "message_unrecognized_key",
    "unrecognized_key",
    "unrecognized_role",
    "unknown_format",
    "mixed_formats",
    "wrong_type",
    "wrong_value",
    "deprecated_functions",
    "example_missing_user_message",
    "example_missing_assistant_message",
)
_SHORT = ("missing_content", "example_untrained", "short_answers", "empty_file")
_LONG = ("too_many_tokens", "turn_too_long", "line_too_long", "length_outlier")
_ENCODING = ("not_text", "invalid_unicode", "byte_order_mark", "unreadable_file")
_TOOLS = (
    "too_many_tools",
    "tool_name_invalid",
    "duplicate_tool",
    "tool_schema_invalid",
    "unknown_tool",
    "tool_arguments_not_string",
    "tool_arguments_not_object",
    "tool_arguments_not_json",
    "tool_arguments_invalid",
    "undeclared_argument",
    "empty_argument",
    "empty_tool_calls",
    "tool_call_id_empty",
    "duplicate_tool_call_id",
    "unknown_tool_call_id",
    "unanswered_tool_call",
)


class QualityCheck(NamedTuple):
    """One line of the table of checks."""

    name: str
    is_passed: bool
    details: str


def quality_checks(report: DatasetReport) -> list[QualityCheck]:
    """Return the checks that the report sums up; a warning fails only the checks of length."""
    tokens, limit = report.tokens, report.max_tokens
    shortest = f"the shortest row has {tokens.minimum:,} tokens" if tokens else "no row"
    longest = f"the longest row has {tokens.maximum:,} tokens" if tokens else "no row"
    if limit is not None:
        longest += f", the limit is {limit:,}"
    checks = [
        _check(report, "Valid JSON", _JSON, f"{report.rows:,} rows in {report.lines:,} lines"),
        _check(report, "Required Fields", _FIELDS, f"{report.messages:,} messages"),
        _check(report, "Min Length", _SHORT, shortest, is_strict=True),
        _check(report, "Max Length", _LONG, longest, is_strict=True),
        _check(report, "Encoding", _ENCODING, "UTF-8"),
        _check(report, "Tool Calls", _TOOLS, f"{sum(report.tools.values()):,} calls"),
    ]
    known = {*_JSON, *_FIELDS, *_SHORT, *_LONG, *_ENCODING, *_TOOLS}
    others = [code for code in report.errors if code not in known]
    checks.append(_check(report, f"Rules of {report.provider}", others, "no other error"))
    return checks


def _check(
    report: DatasetReport,
    name: str,
    codes: Sequence[str],
    details: str,
    *,
    is_strict: bool = False,
) -> QualityCheck:
    found = [code for code in codes if code in report.codes]
    is_passed = not found if is_strict else not any(code in report.errors for code in codes)
    if found:
        details = ", ".join(f"{report.codes[code]:,} {code}" for code in found)
    return QualityCheck(name, is_passed and report.rows > 0, details)


def summary_rows(report: DatasetReport, duplicates_removed: int) -> list[tuple[str, str]]:
    """Return names and values of the summary."""
    kinds = {"sft": "supervised (sft)", "dpo": "preferences (dpo)"}
    rows = [
        ("Total Examples", f"{report.rows:,}"),
        ("Unique Examples", f"{report.unique_rows:,}"),
        ("Duplicates Removed", f"{duplicates_removed:,}"),
        ("Duplicates Left", f"{max(report.duplicates - duplicates_removed, 0):,}"),
        ("Format", f"JSONL, {kinds.get(report.kind or '', 'unknown')}"),
        ("Lines With Errors", f"{report.bad_rows:,}"),
        ("Messages", f"{report.messages:,}"),
        ("Size", f"{report.bytes:,} bytes"),
        ("SHA-256", report.sha256),
    ]
    if (tokens := report.tokens) is not None:
        share = f"{tokens.trained / tokens.total:.1%}" if tokens.total else "0%"
        about = "about " if tokens.is_estimate else ""
        rows.append(("Tokens", f"{about}{tokens.total:,}, of which {share} are trained"))
        rows.append(("Counted By", tokens.method + (" (estimate)" if tokens.is_estimate else "")))
    return rows


def token_rows(fields: Sequence[FieldTokens]) -> list[tuple[str, ...]]:
    """Return field, minimum, maximum, mean and median."""
    return [
        (f.field, f"{f.minimum:,}", f"{f.maximum:,}", f"{f.mean:,.1f}", f"{f.median:,.1f}")
        for f in fields
    ]


def output_rows(outputs: Sequence[WrittenFile]) -> list[tuple[str, ...]]:
    """Return path, rows, bytes and hash of files that were made."""
    return [(str(f.path), f"{f.rows:,}", f"{f.bytes:,}", f.sha256[:12]) for f in outputs]


def finding_rows(report: DatasetReport, severity: str) -> list[tuple[str, ...]]:
    """Return line and column, code and message of the findings, the first ones when very many."""
    listed = report.problems if severity == "error" else report.warnings
    count = report.error_count if severity == "error" else report.warning_count
    rows = [
        (f"{p.line}:{p.column}" if p.line else "file", p.code, p.message) for p in listed[:_LISTED]
    ]
    if count > len(rows):
        rows.append(("...", "", f"and {count - len(rows):,} more"))
    return rows


def closing(report: DatasetReport) -> str:
    """Return the last line."""
    if report.is_ok:
        return f"{CLOSING}: the dataset can be trained on ({report.warning_count:,} warnings)."
    return f"{CLOSING}: {report.error_count:,} errors must be mended before training."
