"""Everything that grows while `check` reads a file: counts, lengths and findings."""

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Iterable
from statistics import fmean, median

import orjson
from pydantic import JsonValue

from finetune.dataset.guidance import Habits
from finetune.dataset.lines import Line
from finetune.dataset.problem import Finding, Problem
from finetune.dataset.providers import ProviderProfile
from finetune.dataset.read import place
from finetune.dataset.report import FieldTokens, LengthBin, TokenCounts
from finetune.dataset.rows import AssistantMessage, DpoRow, SftRow
from finetune.dataset.sample import messages_of
from finetune.dataset.tokens import RowTokens, Tokenizer

__all__ = ["Tally"]

_FIELDS = (
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "tools",
    "preferred_output",
    "non_preferred_output",
)
_LONG = 500  # tokens below which no row is called long
_ENOUGH = 20  # rows below which a median says nothing


class Tally:
    """Counts of one file; a few numbers for each row and message, and no text of them."""

    def __init__(self, profile: ProviderProfile, max_problems: int) -> None:
        """Start with no row.

        Args:
            profile: Whose rules hold.
            max_problems: How many errors, and how many warnings, are listed.
        """
        self.codes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.bad_rows = 0
        self.roles: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self.listed: dict[str, list[Problem]] = {"error": [], "warning": []}
        self.rows = 0
        self.habits = Habits()
        self._longest = array("Q")
        self._lines = array("Q")
        self._fields: dict[str, array[int]] = {name: array("L") for name in _FIELDS}
        self._total = 0
        self._trained = 0
        self._first_line: dict[int, int] = {}
        self._last_bad_line = 0
        self._profile = profile
        self._max_problems = max_problems

    def add_problem(self, problem: Problem) -> None:
        """Count a problem, with the severity that the provider gives it."""
        if problem.code in self._profile.accepts:
            return
        if problem.code in self._profile.errors and problem.severity != "error":
            problem = problem.model_copy(update={"severity": "error"})
        self.codes[problem.code] += 1
        if problem.severity == "error":
            self.errors[problem.code] += 1
            # Problems of one line arrive together, so the last line is memory enough.
            if problem.line not in (0, self._last_bad_line):
                self.bad_rows += 1
                self._last_bad_line = problem.line
        listed = self.listed[problem.severity]
        if len(listed) < self._max_problems:
            listed.append(problem)

    def add_findings(self, line: Line, findings: Iterable[Finding]) -> None:
        """Count what is wrong with a line."""
        for problem in place(line, findings):
            self.add_problem(problem)

    def add_row(self, line: int, row: SftRow | DpoRow, tokens: RowTokens | None) -> None:
        """Count a row; without tokens where its template cannot write it."""
        self.rows += 1
        for message in messages_of(row):
            self.roles[message.role] += 1
            if isinstance(message, AssistantMessage):
                for call in message.tool_calls or ():
                    self.tools[call.function.name] += 1
        if tokens is None:
            return
        self._longest.append(tokens.longest)
        self._lines.append(line)
        self._total += tokens.total
        self._trained += tokens.trained
        fields, answer = self._fields, 0
        for name, count in tokens.parts:
            fields[name].append(count)
            if name in ("assistant", "preferred_output"):
                answer = count
        self.habits.add(line, row, answer)

    def first_line(self, line: int, value: JsonValue) -> int:
        """Return the first line with the same row; neither spacing nor order of keys matters."""
        try:
            text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # numbers above 64 bits
            text = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
        digest = hashlib.blake2b(text, digest_size=8).digest()
        return self._first_line.setdefault(int.from_bytes(digest, "big"), line)

    def add_summary(self) -> None:
        """Count what shows in the file as a whole."""
        if self.codes["not_text"] or self.rows < 2:
            return
        for problem in self.habits.warnings():
            self.add_problem(problem)
        if len(self._longest) < _ENOUGH:
            return
        longest, usual = max(self._longest), median(self._longest)
        if longest >= _LONG and longest > 10 * usual:
            many = sum(length > max(10 * usual, _LONG) for length in self._longest)
            line = self._lines[self._longest.index(longest)]
            text = f"{longest} tokens where half of the rows have {usual:.0f}; so long are {many}"
            self.add_problem(Problem.of("length_outlier", text, line=line, column=1))

    def tokens(self, tokenizer: Tokenizer) -> TokenCounts | None:
        """Return the lengths of the rows."""
        if not self._longest:
            return None
        return TokenCounts(
            is_estimate=tokenizer.is_estimate,
            method=tokenizer.method,
            total=self._total,
            trained=self._trained,
            minimum=min(self._longest),
            median=median(self._longest),
            mean=round(fmean(self._longest), 1),
            maximum=max(self._longest),
        )

    def fields(self) -> tuple[FieldTokens, ...]:
        """Return the lengths by field, in the order of a row."""
        known = [(name, counts) for name, counts in self._fields.items() if counts]
        if self._longest:
            known.append(("row", self._longest))
        return tuple(
            FieldTokens(
                field=name,
                count=len(counts),
                minimum=min(counts),
                maximum=max(counts),
                mean=round(fmean(counts), 1),
                median=median(counts),
            )
            for name, counts in known
        )

    def lengths(self) -> tuple[LengthBin, ...]:
        """Return the rows by length, each bin twice as wide as the one before it."""
        bins = Counter(length.bit_length() for length in self._longest)
        if not bins:
            return ()
        return tuple(
            LengthBin(low=1 << (power - 1) if power else 0, high=(1 << power) - 1, rows=bins[power])
            for power in range(min(bins), max(bins) + 1)
        )
