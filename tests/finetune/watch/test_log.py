"""Reads logs of predictions: lines that are too long, whole or not."""

import json
from pathlib import Path

import pytest

from finetune.watch.log import read_log

_LINE = json.dumps(
    {"query": "q", "response": "r", "timestamp": 1, "response_length": 1, "user_feedback": 4}
).encode()
_LONG = b'{"query": "' + b"q" * 21_000_000


@pytest.mark.requirement("S3-18")
def test_a_line_that_is_too_long_is_named_and_those_after_it_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(_LINE + b"\n" + _LONG + b'"}\n' + _LINE + b"\n")
    reading = read_log(path)
    assert len(reading.predictions) == 2
    assert reading.problems == [f"{path}:2: no prediction: it is longer than 10,000,000 bytes"]
    assert (reading.offset, reading.line) == (path.stat().st_size, 3)


@pytest.mark.requirement("S3-18")
def test_a_long_line_without_its_end_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(_LINE + b"\n" + _LONG)
    first = read_log(path)
    assert first.problems == [f"{path}:2: the last line has no end; left for later"]
    assert (first.offset, first.line) == (len(_LINE) + 1, 1)
    with path.open("ab") as file:
        file.write(b'"}\n' + _LINE + b"\n")
    later = read_log(path, offset=first.offset, line=first.line)
    assert len(later.predictions) == len(later.problems) == 1
    assert (later.offset, later.line) == (path.stat().st_size, 3)
