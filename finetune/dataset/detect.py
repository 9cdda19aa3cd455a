"""What an unknown file is: container, encoding, compression, format, kind and fields.

By its content, never by its name. The beginning of the file and its first rows decide, so a
detection costs the same for every size.
"""

import json
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from finetune.dataset.columns import KNOWN_COLUMNS, field_names, given_names, renamed
from finetune.dataset.formats.format import JsonObject
from finetune.dataset.formats.registry import recognise
from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.lines import MAX_LINE_BYTES, foreign_content
from finetune.dataset.problem import DatasetError, Problem, UnknownFormatError
from finetune.dataset.record import Record
from finetune.dataset.rows import DatasetKind
from finetune.dataset.source import Container, Layout, read_records
from finetune.dataset.stream import Compression, guess_encoding, read_start
from finetune.dataset.tables import Delimiter, sniff_delimiter
from finetune.dataset.text_rows import TextLayout, layout_of

__all__ = ["Detection", "detect", "detect_file", "not_an_object", "shown_fields"]

_START = 256 * 1024
_ROWS = 100
_PROBLEMS = 20
_SAMPLE_SIZE = 8 * 1024 * 1024


class Detection(BaseModel):
    """What a file is, as far as its beginning tells."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: str
    container: Container
    encoding: str | None
    """By Python's name of the codec; None for Parquet."""
    compression: Compression | None
    delimiter: Delimiter | None
    """Of a table of text."""
    text_layout: TextLayout | None
    """How a plain text makes rows."""
    format: str | None
    """A name of `FORMATS`; None when no row has the keys of a known format."""
    kind: DatasetKind | None
    fields: tuple[str, ...]
    """Keys or columns of the rows, in the order in which they came."""
    columns: Mapping[str, str]
    """Keys or columns that have another name in the format, and that name."""
    rows: int
    """How many rows were looked at."""
    problems: tuple[Problem, ...]
    """The first problems of these rows, and notes on the file."""

    @property
    def layout(self) -> Layout:
        """How the records are read."""
        return Layout(
            self.container,
            self.encoding or "utf-8",
            self.delimiter or ",",
            self.text_layout or "paragraphs",
            self.columns,
        )


def detect(path: Path | str) -> DatasetKind:
    """Return the kind of a training file in OpenAI's format, one row on each line.

    Raises:
        UnknownFormatError: It is something else; says what it is or which keys were seen.
        DatasetError: The file cannot be read, is empty, or is not text.
    """
    found = detect_file(path)
    if found.compression:
        problem = Problem.of("not_text", "the file is gzip; convert or unpack it first")
        raise DatasetError(str(path), (problem,))
    if found.container == "jsonl" and found.format == "openai" and found.kind is not None:
        return found.kind
    if found.container != "jsonl":
        reason = f"no JSON object on a line; the file is {found.container}"
    elif not found.fields:
        first = found.problems[0] if found.problems else "no row"
        reason = f"no JSON object in the first lines; {first}"
    else:
        what = f"the format is {found.format}" if found.format else "unknown format"
        reason = f"{what}; the first row has the keys {shown_fields(found)}"
    raise UnknownFormatError(str(path), found.fields, reason)


def detect_file(
    path: Path | str,
    *,
    encoding: str | None = None,
    columns: Mapping[str, str] | None = None,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Detection:
    """Return what a file is.

    Args:
        path: Any file.
        encoding: What it is written in, where the guess is wrong.
        columns: Columns by the field that they are (`{"Frage": "question"}`), where their names
            do not tell: instruction, input, output, question, answer, system, history, prompt,
            completion, chosen, rejected, text, messages or conversations.
        max_line_bytes: Longest row.

    Raises:
        DatasetError: The file cannot be read, is empty, or holds no text and no Parquet.
        MissingExtraError: It is Parquet, and pyarrow is not installed.
    """
    path = Path(path)
    names = given_names(columns or {})
    if encoding is not None:
        _check_encoding(encoding)
    layout, compression, notes = _layout(path, encoding)
    sample, problems = _sample(path, layout, max_line_bytes)
    fields = tuple(dict.fromkeys(key for row in sample for key in row))
    found = _formats(sample, names)
    if not found and not names and (names := field_names(fields)):
        found = _formats(sample, names)
    if len({kind for _, kind in found}) > 1 or len({name for name, _ in found}) > 1:
        told = ", ".join(f"{name} {kind}" for name, kind in found)
        problems.append(Problem.of("mixed_formats", f"rows of several formats: {told}"))
    name, kind = found.most_common(1)[0][0] if found else (None, None)
    is_table = layout.container in ("csv", "tsv")
    return Detection(
        path=str(path),
        container=layout.container,
        encoding=None if layout.container == "parquet" else layout.encoding,
        compression=compression,
        delimiter=layout.delimiter if is_table else None,
        text_layout=layout.text if layout.container == "txt" else None,
        format=name,
        kind=kind,
        fields=fields,
        columns={old: new for old, new in names.items() if old != new},
        rows=len(sample),
        problems=(*notes, *problems),
    )


def _check_encoding(name: str) -> None:
    try:
        # Not an empty one, which is decoded without a look at the codec.
        b"a".decode(name, errors="replace")
    except (LookupError, ValueError):
        problem = Problem.of("wrong_value", f"no encoding of text is named {name[:40]!r}")
        raise DatasetError("encoding", (problem,)) from None


def _layout(path: Path, encoding: str | None) -> tuple[Layout, Compression | None, list[Problem]]:
    if path.exists() and not path.is_file() and not path.is_dir():
        # It is read twice, and would come without its beginning the second time.
        text = "cannot read the file: it is a pipe or a device; save it to a file first"
        raise _refusal(path, "unreadable_file", text)
    try:
        start, is_all, compression = read_start(path, _START)
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else (error.strerror or str(error))
        raise _refusal(path, "unreadable_file", f"cannot read the file: {reason}") from None
    if not start.strip():
        raise _refusal(path, "empty_file", "the file holds no row")
    if start.startswith(b"PAR1") and compression is None:
        return Layout("parquet"), None, []
    guess, note = guess_encoding(start, is_all=is_all)
    notes = [Problem.of("guessed_encoding", note)] if note and encoding is None else []
    foreign = None if guess == "utf-16" else foreign_content(start)
    if foreign is None and guess == "utf-8" and b"\x00" in start[:1024]:
        foreign = "binary"
    if foreign is not None:
        raise _refusal(path, "not_text", f"the file is {foreign}")
    encoding = encoding or guess
    text = start.decode(encoding, errors="replace").removeprefix("\ufeff")
    return _text_layout(text, encoding, is_all=is_all), compression, notes


def _text_layout(text: str, encoding: str, *, is_all: bool) -> Layout:
    lines = text.split("\n")
    if not is_all and len(lines) > 1:
        lines.pop()
    first = text.lstrip()[:1]
    parsed = [_parsed(line) for line in lines[:_ROWS] if line.strip()]
    rows = sum(isinstance(value, dict) for value in parsed)
    if rows and (first != "[" or not isinstance(parsed[0], list) or len(parsed) > 1):
        # An array whose items have lines of their own ends each but the last with a comma.
        is_array = first == "[" and parsed[0] is None
        return Layout("json" if is_array else "jsonl", encoding)
    if first == "[" or (first == "{" and _is_spread(lines)):
        return Layout("json", encoding)
    if first == "{":
        return Layout("jsonl", encoding)
    if delimiter := sniff_delimiter(text, KNOWN_COLUMNS, is_all=is_all):
        return Layout("tsv" if delimiter == "\t" else "csv", encoding, delimiter)
    return Layout("txt", encoding, text=layout_of(lines))


def _parsed(line: str) -> object:
    if line.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return parse(line)
    except JsonTextError:
        return None


def _is_spread(lines: list[str]) -> bool:
    """Tell an object over several lines from a broken object on one."""
    written = [line.strip() for line in lines if line.strip()]
    return len(written) > 1 and written[0].endswith(("{", "[", ","))


def _sample(path: Path, layout: Layout, limit: int) -> tuple[list[JsonObject], list[Problem]]:
    rows: list[JsonObject] = []
    problems: list[Problem] = []
    size = 0
    try:
        for item in islice(read_records(path, layout, max_line_bytes=limit), _ROWS):
            if isinstance(item, Problem):
                problems.append(item)
            elif isinstance(item.value, dict):
                rows.append(item.value)
            else:
                problems.append(not_an_object(item))
            size += len(item.text) if isinstance(item, Record) else 0
            if size > _SAMPLE_SIZE:
                break
    except DatasetError as error:
        if not rows and error.problems[0].code in ("unreadable_file", "not_text", "empty_file"):
            raise
        problems += error.problems
    return rows, problems[:_PROBLEMS]


def shown_fields(found: Detection) -> str:
    """Return the first fields of a file, short enough for a message."""
    return ", ".join(name[:40] for name in found.fields[:12]) or "none"


def not_an_object(record: Record) -> Problem:
    """Return what is wrong with a record that cannot be a row."""
    kind = "a list" if isinstance(record.value, list) else json.dumps(record.value)[:40]
    text = f"a row is a JSON object, this is {kind}"
    return Problem.of("data_type", text, line=record.line, column=record.column)


def _formats(rows: list[JsonObject], names: Mapping[str, str]) -> Counter[tuple[str, DatasetKind]]:
    counts: Counter[tuple[str, DatasetKind]] = Counter()
    for row in rows:
        if (found := recognise(renamed(row, names))) is not None:
            counts[found[0].name, found[1]] += 1
    if ("trl", "sft") in counts:  # its plain rows look like OpenAI's, and it reads both
        counts["trl", "sft"] += counts.pop(("openai", "sft"), 0)
    return counts


def _refusal(path: Path, code: str, message: str) -> DatasetError:
    return DatasetError(str(path), (Problem.of(code, message),))
