"""The check of one training file: every rule, row by row and across rows, in one pass.

Streams, so a file of any size is checked in memory that grows by a hash per row. Overlap between
two files is in `overlap`; the rules of a single row are in `rules`.
"""

import hashlib
import json
from array import array
from collections import Counter
from pathlib import Path
from statistics import fmean, median

from pydantic import JsonValue

from finetune.dataset.lines import MAX_LINE_BYTES, LineReader
from finetune.dataset.problem import Finding, Problem
from finetune.dataset.read import ParsedLine, parse_lines, place
from finetune.dataset.report import DatasetReport, TokenEstimate
from finetune.dataset.rows import AssistantMessage, DatasetKind, DpoRow, SftRow
from finetune.dataset.rules import check_row
from finetune.dataset.tokens import ESTIMATE_METHOD, estimate_tokens

__all__ = ["check_file"]

_USUAL_MINIMUM = 50
_LARGE_BYTES = 150_000_000  # plain upload calls of some providers fail silently above this


def check_file(
    path: Path | str,
    *,
    kind: DatasetKind | None = None,
    minimum: int = 10,
    max_tokens: int | None = None,
    max_problems: int = 1000,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> DatasetReport:
    """Check a training file against every rule of its format.

    Args:
        path: A JSONL file; anything else is reported, not raised.
        kind: The kind that is expected; without it the first row decides.
        minimum: The fewest rows that the trainer or provider takes.
        max_tokens: The longest row that the model can be trained on, to warn about cuts.
        max_problems: How many errors, and how many warnings, are listed; all are counted.
        max_line_bytes: Longer lines are reported and skipped.
    """
    reader = LineReader(Path(path), max_line_bytes=max_line_bytes)
    tally = _Tally(max_problems, max_tokens)
    for item in parse_lines(reader, kind=kind):
        if isinstance(item, ParsedLine):
            kind = kind or ("sft" if isinstance(item.row, SftRow) else "dpo")
            tally.add_row(item)
        else:
            tally.add_problem(item)
    tally.finish(reader, minimum)
    return DatasetReport(
        path=str(path),
        kind=kind,
        sha256=reader.sha256,
        bytes=reader.bytes,
        lines=reader.number,
        rows=len(tally.longest),
        bad_rows=tally.bad_rows,
        duplicates=tally.codes["duplicate_row"],
        messages=tally.roles.total(),
        roles=dict(sorted(tally.roles.items())),
        tools=dict(sorted(tally.tools.items())),
        tokens=tally.tokens(),
        error_count=tally.errors,
        warning_count=tally.codes.total() - tally.errors,
        codes=dict(sorted(tally.codes.items())),
        problems=tuple(tally.listed["error"]),
        warnings=tuple(tally.listed["warning"]),
    )


class _Tally:
    """Everything that grows while the file is read."""

    def __init__(self, max_problems: int, max_tokens: int | None) -> None:
        self.codes: Counter[str] = Counter()
        self.errors = 0
        self.bad_rows = 0
        self.roles: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.listed: dict[str, list[Problem]] = {"error": [], "warning": []}
        self.longest = array("Q")
        self._total = 0
        self._trained = 0
        self._first_line: dict[int, int] = {}
        self._last_bad_line = 0
        self._max_problems = max_problems
        self._max_tokens = max_tokens

    def add_problem(self, problem: Problem) -> None:
        self.codes[problem.code] += 1
        if problem.severity == "error":
            self.errors += 1
            # Problems of one line arrive together, so the last line is memory enough.
            if problem.line not in (0, self._last_bad_line):
                self.bad_rows += 1
                self._last_bad_line = problem.line
        listed = self.listed[problem.severity]
        if len(listed) < self._max_problems:
            listed.append(problem)

    def add_row(self, parsed: ParsedLine) -> None:
        line, value, row = parsed
        tokens = estimate_tokens(row)
        self.longest.append(tokens.longest)
        self._total += tokens.total
        self._trained += tokens.trained
        self._count_messages(row)
        findings = list(check_row(row))
        if self._max_tokens is not None and tokens.longest > self._max_tokens:
            text = f"about {tokens.longest} tokens (estimate), cut at {self._max_tokens}"
            findings.append(Finding("too_many_tokens", text))
        first = self._first_line.setdefault(_digest(value), line.number)
        if first != line.number:
            findings.append(Finding("duplicate_row", f"the same row as line {first}"))
        for problem in place(line, findings):
            self.add_problem(problem)

    def finish(self, reader: LineReader, minimum: int) -> None:
        rows = len(self.longest)
        if reader.bytes > _LARGE_BYTES:
            size = f"{reader.bytes / 1e6:.0f} MB"
            self.add_problem(
                Problem.of("large_file", f"{size}; upload it in parts or split the file")
            )
        if self.codes["unreadable_file"] or self.codes["not_text"] or self.codes["empty_file"]:
            return  # one clear finding
        if rows < minimum:
            text = f"{rows} valid rows, at least {minimum} are needed"
            self.add_problem(Problem.of("too_few_examples", text))
        elif rows < _USUAL_MINIMUM:
            text = f"{rows} rows; gains are usual from {_USUAL_MINIMUM} to 100"
            self.add_problem(Problem.of("few_examples", text))

    def tokens(self) -> TokenEstimate | None:
        if not self.longest:
            return None
        return TokenEstimate(
            method=ESTIMATE_METHOD,
            total=self._total,
            trained=self._trained,
            minimum=min(self.longest),
            median=median(self.longest),
            mean=round(fmean(self.longest), 1),
            maximum=max(self.longest),
        )

    def _count_messages(self, row: SftRow | DpoRow) -> None:
        if isinstance(row, SftRow):
            messages = row.messages
        else:
            messages = (*row.input.messages, *row.preferred_output, *row.non_preferred_output)
        for message in messages:
            self.roles[message.role] += 1
            if isinstance(message, AssistantMessage):
                for call in message.tool_calls or ():
                    self.tools[call.function.name] += 1


def _digest(value: JsonValue) -> int:
    """Name a row by eight bytes; neither spacing nor the order of keys matters."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
