"""Reads a log of predictions, also while programs write to it.

A line that is no prediction, or too long for one, is named and left out; a last line without its
end is left for the next time, for its writer may not be done.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from finetune.predictions import Prediction
from swarm.errors import DataError

__all__ = ["LogReading", "read_log"]

_LONGEST = 10_000_000
"""Bytes of a line; a longer one is passed over, in portions of this size."""


class LogReading(NamedTuple):
    """What a log held from some place on."""

    predictions: list[Prediction]
    """By the time that they tell, not by their lines."""
    problems: list[str]
    """What is wrong with lines, each with the file and the line."""
    offset: int
    """Where the next reading goes on, in bytes."""
    line: int
    """How many whole lines come before it."""


def read_log(path: Path, *, offset: int = 0, line: int = 0) -> LogReading:
    """Return the predictions of a log from some place on.

    Lines with the names `feedback` and ISO times, as other programs write them, are understood.

    Args:
        path: The JSONL file.
        offset: Where an earlier reading ended; a file that is shorter now is a new one.
        line: How many lines came before that.

    Raises:
        DataError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            problems: list[str] = []
            if size < offset:
                problems.append(f"{path}: is shorter than it was; read from its beginning")
                offset = line = 0
            file.seek(offset)
            predictions: list[Prediction] = []
            while raw := file.readline(_LONGEST):
                length, end = len(raw), raw[-1:]
                while end != b"\n" and (more := file.readline(_LONGEST)):
                    length, end = length + len(more), more[-1:]
                if end != b"\n":
                    problems.append(f"{path}:{line + 1}: the last line has no end; left for later")
                    break
                line += 1
                offset += length
                if length > _LONGEST:
                    reason = f"it is longer than {_LONGEST:,} bytes"
                    problems.append(f"{path}:{line}: no prediction: {reason}")
                    continue
                if not raw.strip():
                    continue
                try:
                    predictions.append(_prediction(raw))
                except (ValueError, OverflowError, RecursionError) as wrong:
                    problems.append(f"{path}:{line}: no prediction: {_reason(wrong)}")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    predictions.sort(key=lambda prediction: prediction.timestamp)
    return LogReading(predictions, problems, offset, line)


def _prediction(raw: bytes) -> Prediction:
    values: object = json.loads(raw)
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    fields = dict(cast("Mapping[str, Any]", values))
    if "feedback" in fields:
        fields.setdefault("user_feedback", fields.pop("feedback"))
    if isinstance(stamp := fields.get("timestamp"), str):
        told = datetime.fromisoformat(stamp)
        fields["timestamp"] = (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    return Prediction.model_validate(fields)


def _reason(wrong: Exception) -> str:
    if isinstance(wrong, ValidationError):
        first = wrong.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(wrong, json.JSONDecodeError):
        return f"invalid JSON: {wrong.msg}"
    return "it is nested too deeply" if isinstance(wrong, RecursionError) else str(wrong)
