"""A training file into another format: streamed, atomic, and honest about every row.

What a row loses, and why a row was left out, stands in `TARGET.losses.jsonl`, one line for each.
The rules of the formats are in `formats`, of containers in `detect`, `source` and `target`.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from finetune.dataset.dataset_info import add_dataset_info, dataset_entry, read_dataset_info
from finetune.dataset.detect import Detection, detect_file, not_an_object, shown_fields
from finetune.dataset.formats import (
    Decoded,
    Format,
    RowRefusedError,
    completion_format,
    get_format,
    recognise,
)
from finetune.dataset.formats.format import JsonObject, kind_of_row
from finetune.dataset.lines import MAX_LINE_BYTES
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.record import Record, placed
from finetune.dataset.rows import DatasetKind
from finetune.dataset.side_file import SideFile
from finetune.dataset.source import read_records
from finetune.dataset.target import RowWriter, open_target, target_container
from swarm.errors import StoreError
from swarm.files import replacing

__all__ = ["ConversionReport", "OnBad", "convert_file"]

OnBad = Literal["skip", "stop"]
"""Leave bad rows out, or write nothing when there is one."""

_LISTED = 20
_REPORT_EVERY = 1000


class ConversionReport(BaseModel):
    """What a conversion did."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    source: Detection
    """What was read, and how."""
    target: Path
    from_format: str
    to_format: str
    kind: DatasetKind
    rows: int
    """Rows of the source, bad ones included."""
    written: int
    skipped: int
    """Rows that were left out."""
    changed: int
    """Written rows that do not say everything as the source did."""
    losses: Mapping[str, int]
    """How often each code of `LOSSES` occurred: what the target does not say."""
    kept: Mapping[str, int]
    """Likewise, of what stands in a key that trainers ignore and comes back when read here."""
    problems: tuple[Problem, ...]
    """Why rows were left out; the first ones."""
    losses_path: Path | None
    """The file with every loss and problem by line; None when there was none."""
    info_path: Path | None
    """LLaMA-Factory's `dataset_info.json`, where it belongs beside the file."""


def convert_file(
    source: Path | str,
    target: Path | str,
    *,
    to: str,
    from_: str | None = None,
    on_bad: OnBad = "skip",
    template: str | None = None,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
    max_line_bytes: int = MAX_LINE_BYTES,
    on_progress: Callable[[int], None] | None = None,
) -> ConversionReport:
    """Convert a training file; the target appears whole or not at all.

    Args:
        source: Any file that `detect_file` knows.
        target: Its suffix says what it becomes: .jsonl, .json, .csv or .parquet.
        to: The name of the target's format, one of `FORMATS`.
        from_: The source's format, where it is not to be detected.
        on_bad: What becomes of rows that cannot be read or expressed.
        template: For completions, text with {question} and {answer}; see `completion_format`.
        encoding: The source's encoding, where it is not to be guessed.
        columns: Columns by the field that they are; see `detect_file`.
        max_line_bytes: Longest row.
        on_progress: Is called now and then with the number of rows that were read.

    Raises:
        DatasetError: The source cannot be used, no row can be converted, or a row is bad and
            `on_bad` is "stop". An existing target is untouched.
        MissingExtraError: Parquet is read or written, and pyarrow is not installed.
        StoreError: The target cannot be written.
    """
    source, target = Path(source), Path(target)
    writes = get_format(to) if template is None else _templated(to, template)
    given = None if from_ is None else get_format(from_)
    container = target_container(target, writes.name)
    found = detect_file(source, encoding=encoding, columns=columns, max_line_bytes=max_line_bytes)
    reads = given or _detected(found)
    has_info = writes.name in ("sharegpt", "alpaca") and container in ("json", "jsonl")
    if has_info:
        read_dataset_info(target.parent)  # an unusable one is told before the work
    with ExitStack() as stack:
        with _storing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(replacing(target))
        side = stack.enter_context(SideFile(target))
        work = _Conversion(source, reads, writes, side, on_bad, is_detected=given is None)
        writer = open_target(file, container, writes.name)
        records = read_records(source, found.layout, max_line_bytes=max_line_bytes)
        work.run(records, writer, on_progress)
        with _storing(target):
            writer.finish()
            stack.close()
    assert work.kind is not None, "`run` raises when nothing was written"
    info = None
    if has_info:
        entry = dataset_entry(target, writes.name, work.kind, frozenset(work.keys))
        with _storing(target):
            info = add_dataset_info(target.parent, target.stem, entry)
    return ConversionReport(
        source=found,
        target=target,
        from_format=reads.name,
        to_format=writes.name,
        kind=work.kind,
        rows=work.rows,
        written=work.written,
        skipped=work.rows - work.written,
        changed=work.changed,
        losses=dict(sorted(work.losses.items())),
        kept=dict(sorted(work.kept.items())),
        problems=tuple(work.problems),
        losses_path=side.path if side.has_lines else None,
        info_path=info,
    )


class _Conversion:
    """The rows of one file on their way, and what was counted."""

    def __init__(
        self,
        source: Path,
        reads: Format,
        writes: Format,
        side: SideFile,
        on_bad: OnBad,
        *,
        is_detected: bool,
    ) -> None:
        self._source, self._reads, self._writes = source, reads, writes
        self._is_detected = is_detected
        self._side, self._on_bad = side, on_bad
        self.kind: DatasetKind | None = None
        self.rows = self.written = self.changed = 0
        self.losses: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.keys: set[str] = set()
        """Top-level keys of what was written."""

    def run(
        self,
        records: Iterator[Record | Problem],
        writer: RowWriter,
        on_progress: Callable[[int], None] | None,
    ) -> None:
        for record in records:
            self.rows += 1
            problems = [record] if isinstance(record, Problem) else self._convert(record, writer)
            if problems:
                self._refuse(problems)
            if on_progress and self.rows % _REPORT_EVERY == 0:
                on_progress(self.rows)
        if on_progress:
            on_progress(self.rows)
        if not self.written:
            problem = Problem.of("empty_file", "the file holds no row")
            raise DatasetError(str(self._source), tuple(self.problems) or (problem,))

    def _convert(self, record: Record, writer: RowWriter) -> list[Problem]:
        if not isinstance(record.value, dict):
            return [not_an_object(record)]
        try:
            read = self._read(record.value)
            kind = kind_of_row(read.row)
            if self.kind is not None and kind != self.kind:
                text = f"a {kind} row in a file of {self.kind} rows"
                return [Problem.of("mixed_formats", text, line=record.line, column=record.column)]
            made = self._writes.encode(read.row)
            with _storing(None):
                writer.add(made.value)
        except RowRefusedError as error:
            return placed(record, error.findings)
        except ValueError:
            text = "a value that JSON in UTF-8 cannot carry"
            return [Problem.of("invalid_unicode", text, line=record.line, column=record.column)]
        self.kind = kind
        self.written += 1
        self.keys.update(made.value)
        if losses := [*read.losses, *made.losses]:
            self.changed += 1
            for loss in losses:
                (self.kept if loss.is_kept else self.losses)[loss.code] += 1
                self._side.add_loss(record.line, loss)
        return []

    def _read(self, value: JsonObject) -> Decoded:
        try:
            return self._reads.decode(value)
        except RowRefusedError:
            seen = recognise(value)
            if not self._is_detected or seen is None or seen[0] is self._reads:
                raise
            # Plain messages are the same in both, so TRL's file may begin like OpenAI's.
            if self._reads.name == "openai" and seen[0].name.startswith("trl"):
                return seen[0].decode(value)
            text = f"a row of the format {seen[0].name} in a file of {self._reads.name}"
            raise RowRefusedError.of("mixed_formats", text) from None

    def _refuse(self, problems: list[Problem]) -> None:
        if self._on_bad == "stop":
            raise DatasetError(str(self._source), tuple(problems))
        self.problems += problems[: _LISTED - len(self.problems)]
        for problem in problems:
            self._side.add_problem(problem)


def _templated(to: str, template: str) -> Format:
    if to != "completion":
        text = f"a template is for completions, not for {to}"
        raise DatasetError("template", (Problem.of("wrong_value", text),))
    return completion_format(template)


def _detected(found: Detection) -> Format:
    if found.format is not None:
        return get_format(found.format)
    if found.problems and not found.fields:
        raise DatasetError(found.path, found.problems)
    seen = shown_fields(found)
    if found.container in ("csv", "tsv"):
        text = f"no field is known among the columns {seen}; name them, as question and answer"
        raise DatasetError(found.path, (Problem.of("unmapped_fields", text),))
    text = f"the rows fit no known format; their keys are {seen}"
    raise DatasetError(found.path, (Problem.of("unknown_format", text),))


@contextmanager
def _storing(path: Path | None) -> Generator[None]:
    # Only around our own calls: an OSError of the source is told where it is read.
    try:
        yield
    except OSError as error:
        where = f" {path}" if path else ""
        raise StoreError(f"cannot write{where}: {error.strerror or error}") from error
