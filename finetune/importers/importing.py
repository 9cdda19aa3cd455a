"""`import_traces`: the conversations in a file of traces, each once, as samples.

An agent's model is sent the whole conversation again with each call. So of the calls of one
conversation only those are kept that no other goes on from.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.lines import LineReader
from finetune.dataset.problem import CODES, DatasetError, Problem
from finetune.dataset.rules import check_row
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.shape import shape_row
from finetune.importers.messages import (
    ForeignMessageError,
    as_messages,
    as_tools,
    inferred_tools,
)
from swarm.runtime.ids import check_project

__all__ = ["Call", "Imported", "Importer", "SkipReason", "import_traces", "read_values"]

Importer = Literal["langfuse", "otel"]
"""Whose file it is: Langfuse's, or OpenTelemetry's (OTLP as JSON)."""

SkipReason = str
"""Why a call gave no row: `no_answer`, `continued` (another call goes on from it), `cut_content`,
or a code of `dataset check`."""

_MOST_BYTES = 1 << 30
"""Of a line: whole exports are often one list on one line."""

_CUT = re.compile(r"\[cut: \d+ characters\]\s*$")
"""What our own telemetry writes at the end of a text that was too long for it."""


@dataclass(slots=True)
class Call:
    """One recorded call of a model."""

    conversation: str
    """Calls with the same one may go on from one another."""
    question: list[JsonValue] = field(default_factory=list[JsonValue])
    """What the model was sent, in any known shape."""
    answer: list[JsonValue] = field(default_factory=list[JsonValue])
    tools: JsonValue = None
    origin: dict[str, Any] = field(default_factory=dict[str, Any])
    """Fields of `Provenance`."""


class Imported(NamedTuple):
    """What a file gave."""

    samples: list[Sample]
    skipped: dict[SkipReason, int]
    """Calls that gave no row, by reason."""
    inferred_tools: int
    """Rows whose tools were made of the calls, since the trace did not say what was offered."""


def import_traces(
    path: Path | str,
    importer: Importer,
    *,
    project: str | None = None,
    rating_score: str = "rating",
) -> Imported:
    """Return the conversations of a file that another tool exported.

    Args:
        path: JSON, or JSONL with one object on each line.
        importer: Whose file it is.
        project: The project that the samples belong to.
        rating_score: Of Langfuse, the name of the score that holds a rating from 1 to 5.

    Raises:
        DatasetError: The file cannot be read, or is no JSON; says where.
        InvalidIdError: No project can be called that.
    """
    path = Path(path)
    check_project(project)
    values = read_values(path)
    if importer == "langfuse":
        from finetune.importers.langfuse import read_calls

        calls = read_calls(values, rating_score)
    else:
        from finetune.importers.otel import read_calls as read_otel

        calls = read_otel(values)
    return _samples(calls, path.name, project)


def read_values(path: Path) -> Iterator[JsonValue]:
    """Yield the JSON values of a file: of each line, or of the whole where it is one value.

    Raises:
        DatasetError: The file cannot be read, or is no JSON.
    """
    first: Problem | None = None
    for number, item in enumerate(LineReader(path, max_line_bytes=_MOST_BYTES)):
        if isinstance(item, Problem):
            if item.code == "blank_line":
                continue
            raise DatasetError(str(path), (item,))
        try:
            value = parse(item.text)
        except JsonTextError as error:
            if number:
                raise DatasetError(
                    str(path), (Problem.of(error.code, error.message, line=item.number),)
                ) from None
            first = Problem.of(error.code, error.message, line=item.number)
            break
        yield value
    if first is not None:
        try:
            yield parse(path.read_text(encoding="utf-8-sig"))
        except (JsonTextError, UnicodeDecodeError, OSError):
            raise DatasetError(str(path), (first,)) from None


def _samples(calls: Iterable[Call], source: str, project: str | None) -> Imported:
    skipped: Counter[str] = Counter()
    made: list[tuple[Call, list[dict[str, Any]], str]] = []
    continued: set[str] = set()
    for call in calls:
        try:
            question = [m for item in call.question for m in as_messages(item, "user")]
            answer = [m for item in call.answer for m in as_messages(item, "assistant")]
        except ForeignMessageError as wrong:
            skipped[wrong.code] += 1
            continue
        if not answer or not any(m["role"] == "assistant" for m in answer):
            skipped["no_answer"] += 1
            continue
        *before, whole = _prefixes(call.conversation, [*question, *answer])
        continued.update(before)
        made.append((call, [*question, *answer], whole))
    samples: list[Sample] = []
    inferred = 0
    for call, messages, whole in made:
        if whole in continued:
            skipped["continued"] += 1
            continue
        continued.add(whole)
        tools = as_tools(call.tools)
        row = _row(messages, tools or inferred_tools(messages))
        if isinstance(row, str):
            skipped[row] += 1
            continue
        inferred += not tools and bool(row.tools)
        origin = Provenance(source=source, project=project, **call.origin)
        samples.append(Sample(row, origin))
    return Imported(samples, dict(sorted(skipped.items())), inferred)


def _row(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Any:
    """Return the row of a conversation, or the code of what keeps it from being one."""
    if any(_CUT.search(m.get("content") or "") for m in messages):
        return "cut_content"
    row = shape_row({"messages": messages, **({"tools": tools} if tools else {})}, "sft")
    if isinstance(row, list):
        return row[0].code
    errors = [f.code for f in check_row(row) if CODES[f.code].severity == "error"]
    return errors[0] if errors else row


def _prefixes(conversation: str, messages: list[dict[str, Any]]) -> list[str]:
    """Return a name for each beginning of a conversation, the whole of it last."""
    digest = hashlib.blake2b(conversation.encode("utf-8", "surrogatepass"), digest_size=16)
    names: list[str] = []
    for message in messages:
        text = json.dumps(message, sort_keys=True)
        digest.update(text.encode())
        names.append(digest.copy().hexdigest())
    return names
