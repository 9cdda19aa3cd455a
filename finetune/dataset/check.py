"""The check of one training file: every rule, row by row and across rows, in one pass.

Streams, so a file of any size is checked in memory that grows by some numbers per row. Overlap
between two files is in `overlap`; the rules of a single row are in `rules`, those of providers in
`providers`.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import JsonValue

from finetune.dataset.chat_template import TemplateRefusedError
from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.layouts import LaidOut, lay_out
from finetune.dataset.lines import MAX_LINE_BYTES, Line, LineReader
from finetune.dataset.problem import Finding, Problem
from finetune.dataset.providers import ProviderProfile, provider_findings, provider_profile
from finetune.dataset.read import problem_of
from finetune.dataset.report import DatasetReport
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow
from finetune.dataset.rules import check_row
from finetune.dataset.shape import kind_of, shape_row
from finetune.dataset.tally import Tally
from finetune.dataset.texts import texts_of
from finetune.dataset.tokens import ESTIMATE, RowTokens, Tokenizer

__all__ = ["check_file"]

_USUAL_MINIMUM = 50
_MARK = b"\xef\xbb\xbf"


def check_file(
    path: Path | str,
    *,
    kind: DatasetKind | None = None,
    provider: ProviderProfile | str = "openai",
    minimum: int | None = None,
    max_tokens: int | None = None,
    tokenizer: Tokenizer = ESTIMATE,
    max_problems: int = 1000,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> DatasetReport:
    """Check a training file against every rule of its format.

    Args:
        path: A JSONL file; anything else is reported, not raised.
        kind: The kind that is expected; without it the first row decides.
        provider: Whose rules hold: a name of `PROVIDERS`, or rules of one's own.
        minimum: The fewest rows that are taken; the provider's when absent.
        max_tokens: The longest row that the model can be trained on, to warn about cuts; what
            the tokenizer says when absent.
        tokenizer: What counts tokens; an estimate unless `load_tokenizer` gives a model's own.
        max_problems: How many errors, and how many warnings, are listed; all are counted.
        max_line_bytes: Longer lines are reported and skipped.

    Raises:
        DataError: No provider has this name.
    """
    profile = provider_profile(provider)
    checker = _Checker(profile, kind, tokenizer, max_tokens or tokenizer.max_length, max_problems)
    tally = checker.tally
    reader = LineReader(Path(path), max_line_bytes=max_line_bytes)
    for item in reader:
        if isinstance(item, Problem):
            tally.add_problem(item)
        else:
            checker.check(item)
    for problem in _whole(reader, tally, profile, minimum):
        tally.add_problem(problem)
    tally.add_summary()
    return DatasetReport(
        path=str(path),
        kind=checker.kind,
        provider=profile.name,
        sha256=reader.sha256,
        bytes=reader.bytes,
        lines=reader.number,
        rows=tally.rows,
        bad_rows=tally.bad_rows,
        duplicates=tally.codes["duplicate_row"],
        messages=tally.roles.total(),
        roles=dict(sorted(tally.roles.items())),
        tools=dict(sorted(tally.tools.items())),
        labels=tally.habits.labels,
        tokens=tally.tokens(tokenizer),
        fields=tally.fields(),
        lengths=tally.lengths(),
        max_tokens=checker.max_tokens,
        guidance=tuple(tally.habits.guidance()),
        error_count=tally.errors.total(),
        warning_count=tally.codes.total() - tally.errors.total(),
        codes={code: count for code, count in sorted(tally.codes.items()) if count},
        errors=dict(sorted(tally.errors.items())),
        problems=tuple(tally.listed["error"]),
        warnings=tuple(tally.listed["warning"]),
    )


class _Checker:
    """The check of one line after the other."""

    def __init__(
        self,
        profile: ProviderProfile,
        kind: DatasetKind | None,
        tokenizer: Tokenizer,
        max_tokens: int | None,
        max_problems: int,
    ) -> None:
        self.kind: DatasetKind | None = kind
        self.max_tokens = max_tokens
        self.tally = Tally(profile, max_problems)
        self._profile = profile
        self._tokenizer = tokenizer
        self._form = ""
        tokens = sorted(tokenizer.control_tokens)
        self._control = re.compile("|".join(map(re.escape, tokens))) if tokens else None

    def check(self, line: Line) -> None:
        try:
            value = parse(line.text)
        except JsonTextError as error:
            self.tally.add_problem(problem_of(line, error))
            return
        laid = lay_out(value, self._profile.layout)
        is_known = isinstance(laid.value, dict) and kind_of(laid.value) is not None
        if is_known and not self._form:
            self._form = laid.form
        if is_known and laid.form != self._form:
            text = f"a {laid.form} row in a file of {self._form} rows"
            self.tally.add_findings(line, [Finding("mixed_formats", text)])
            return
        found = list(laid.findings)
        if laid.value is not None or not found:
            found += self._row_findings(line, laid)
        self.tally.add_findings(line, found)

    def _row_findings(self, line: Line, laid: LaidOut) -> list[Finding]:
        if self.kind is None and isinstance(laid.value, dict):
            self.kind = kind_of(laid.value)
        shape = shape_row(laid.value, self.kind)
        found = shape if isinstance(shape, list) else list(self._rules(line, shape, laid.value))
        if laid.form == "chat":
            return found
        return [
            finding._replace(path=laid.origin(finding.path))
            for finding in found
            if finding.code not in laid.accepts
        ]

    def _rules(self, line: Line, row: SftRow | DpoRow, value: JsonValue) -> Iterator[Finding]:
        is_untrained = False
        for finding in check_row(row):
            is_untrained = is_untrained or finding.code == "example_untrained"
            yield finding
        tokens = None
        try:
            tokens = self._tokenizer.measure(row)
        except TemplateRefusedError as error:
            yield Finding("template_refused", error.reason)
        self.tally.add_row(line.number, row, tokens)
        if tokens is not None:
            yield from self._lengths(row, tokens, is_untrained)
        yield from self._injections(row)
        yield from provider_findings(row, tokens, self._profile)
        first = self.tally.first_line(line.number, value)
        if first != line.number:
            yield Finding("duplicate_row", f"the same row as line {first}")

    def _injections(self, row: SftRow | DpoRow) -> Iterator[Finding]:
        if self._control is None:
            return
        for text in texts_of(row):
            if found := self._control.search(text.text):
                token = found.group()
                message = f"the text holds {token!r}, with which the model parts its messages"
                yield Finding("template_injection", message, text.path)

    def _lengths(
        self, row: SftRow | DpoRow, tokens: RowTokens, is_untrained: bool
    ) -> Iterator[Finding]:
        if self.max_tokens is not None and tokens.longest > self.max_tokens:
            about = "about " if self._tokenizer.is_estimate else ""
            how = " (estimate)" if self._tokenizer.is_estimate else ""
            text = f"{about}{tokens.longest} tokens{how}, cut at {self.max_tokens}"
            yield Finding("too_many_tokens", text)
        if self._tokenizer.knows_trained and not tokens.trained and not is_untrained:
            text = "the chat template leaves no token of this row to be trained"
            yield Finding("example_untrained", text)


def _whole(
    reader: LineReader, tally: Tally, profile: ProviderProfile, minimum: int | None
) -> Iterator[Problem]:
    """Yield what is wrong with the file as such."""
    if profile.max_bytes is not None and reader.bytes > profile.max_bytes:
        text = f"{reader.bytes / 1e6:.0f} MB; {profile.name} takes {profile.max_bytes / 1e6:.0f} MB"
        yield Problem.of("file_too_large", text)
    elif reader.bytes > profile.large_bytes:
        size = f"{reader.bytes / 1e6:.0f} MB"
        yield Problem.of("large_file", f"{size}; upload it in parts or split the file")
    if tally.codes["unreadable_file"] or tally.codes["not_text"] or tally.codes["empty_file"]:
        return  # one clear finding
    if not profile.takes_mark and _has_mark(reader.path):
        text = "a byte order mark before the first row; save the file as UTF-8 without it"
        yield Problem.of("byte_order_mark", text, line=1, column=1)
    least = profile.minimum if minimum is None else minimum
    if tally.rows < least:
        text = f"{tally.rows} valid rows, at least {least} are needed"
        yield Problem.of("too_few_examples", text)
    elif tally.rows < _USUAL_MINIMUM:
        text = f"{tally.rows} rows; gains are usual from {_USUAL_MINIMUM} to 100"
        yield Problem.of("few_examples", text)
    if profile.maximum is not None and tally.rows > profile.maximum:
        text = f"{tally.rows} rows; {profile.name} takes at most {profile.maximum}"
        yield Problem.of("too_many_examples", text)


def _has_mark(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_MARK)) == _MARK
    return False
