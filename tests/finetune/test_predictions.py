"""The log of predictions."""

import json
from pathlib import Path

import pytest

from finetune.predictions import log_prediction
from swarm.errors import DataError, StoreError


@pytest.mark.requirement("S3-18")
def test_a_prediction_is_a_line_with_time_length_and_feedback(tmp_path: Path) -> None:
    path = tmp_path / "log" / "predictions.jsonl"
    made = log_prediction("Wie viel?", "4,80 €\nper box", 4, path=path)
    log_prediction("And now?", "", path=path)
    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert first == {
        "query": "Wie viel?",
        "response": "4,80 €\nper box",
        "timestamp": made.timestamp,
        "response_length": 14,
        "user_feedback": 4,
    }
    assert (second["user_feedback"], second["response_length"]) == (None, 0)
    assert second["timestamp"] >= made.timestamp


@pytest.mark.requirement("S3-18")
def test_what_is_no_prediction_is_not_logged(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    for feedback in (0, 6):
        with pytest.raises(DataError, match="cannot be logged"):
            log_prediction("a", "b", feedback, path=path)
    with pytest.raises(DataError, match="cannot be logged"):
        log_prediction("a", "\ud800", path=path)
    assert not path.exists()
    with pytest.raises(StoreError, match="cannot write"):
        log_prediction("a", "b", path=tmp_path)
