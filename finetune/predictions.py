"""Predictions: a line of JSON for each answer in service, and what its reader thought of it.

For programs that ask a model without a session; sessions have the journal and feedback.
`finetune.watch` reads the log.
"""

import json
import os
import time
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swarm.errors import DataError, StoreError

__all__ = ["Prediction", "log_prediction"]


class Prediction(BaseModel):
    """One line of the log."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    query: str
    response: str
    timestamp: float
    """Seconds since 1970."""
    response_length: int
    """Characters."""
    user_feedback: Annotated[int, Field(ge=1, le=5)] | None = None
    """1 is bad, 5 is good; None when nobody said."""


def log_prediction(
    query: str,
    response: str,
    user_feedback: int | None = None,
    *,
    path: Path | str = "predictions_log.jsonl",
) -> Prediction:
    """Append an answer to a log; several processes may write to one.

    Args:
        query: What was asked.
        response: What the model answered.
        user_feedback: 1 to 5.
        path: The JSONL file; it is made, with its folder, when it is not there.

    Raises:
        DataError: The feedback is no rating from 1 to 5, or a text cannot be written.
        StoreError: The file cannot be written.
    """
    try:
        made = Prediction(
            query=query,
            response=response,
            timestamp=time.time(),
            response_length=len(response),
            user_feedback=user_feedback,
        )
        line = json.dumps(made.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n"
    except (ValidationError, UnicodeEncodeError) as wrong:
        reason = wrong.errors()[0]["msg"] if isinstance(wrong, ValidationError) else str(wrong)
        raise DataError(f"this prediction cannot be logged: {reason}") from None
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One write: lines of several processes do not run into one another.
            os.write(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    return made
