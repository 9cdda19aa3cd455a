"""People as judges: a sheet with the answers of two models side by side, without their names.

Which answer is the candidate's is drawn for each row from the answers themselves, so no key has to
be kept, and nobody can tell from the sheet.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.evaluate.row import RowResult, pair_results
from swarm.errors import DataError, StoreError
from swarm.files import write_atomically

__all__ = ["PeopleReport", "SheetRow", "read_sheet", "write_sheet"]


class SheetRow(BaseModel):
    """One row of the sheet."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    row: int
    question: str
    expected: str
    answer_a: str
    answer_b: str
    choice: Literal["A", "B", "tie"] | None = None
    """What the person writes: the better answer, or tie."""


class PeopleReport(BaseModel):
    """What people preferred."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    wins: int
    """Rows on which the candidate's answer is better."""
    losses: int
    ties: int
    open: int
    """Rows without a choice."""


def write_sheet(
    path: Path, candidate: Sequence[RowResult], live: Sequence[RowResult], *, most: int = 50
) -> int:
    """Write rows on which the two models differ for people to judge, and return how many.

    Args:
        path: A JSONL file; people fill in `choice`.
        candidate: The candidate's answers.
        live: The live model's answers to the same questions.
        most: Rows at most, spread over all.

    Raises:
        DataError: The two do not answer the same questions.
        StoreError: The file cannot be written.
    """
    differing = [
        (new, old) for new, old in pair_results(candidate, live) if new.answer != old.answer
    ]
    step = max(1, -(-len(differing) // most))
    rows = [_sheet_row(new, old) for new, old in differing[::step]]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, "".join(f"{row.model_dump_json()}\n" for row in rows))
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    return len(rows)


def read_sheet(
    path: Path, candidate: Sequence[RowResult], live: Sequence[RowResult]
) -> PeopleReport:
    """Return what people preferred in a sheet that `write_sheet` wrote.

    Raises:
        DataError: The file cannot be read, a line is wrong, or it is about other answers.
    """
    pairs = {new.row: (new, old) for new, old in pair_results(candidate, live)}
    counts = {"wins": 0, "losses": 0, "ties": 0, "open": 0}
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            given = SheetRow.model_validate(json.loads(line))
        except (ValueError, ValidationError, RecursionError):
            raise DataError(f"{path}:{number}: choice must be A, B or tie") from None
        if given.row not in pairs or given != _sheet_row(*pairs[given.row], choice=given.choice):
            raise DataError(f"{path}:{number}: the row is about other answers")
        counts[_outcome(given, *pairs[given.row])] += 1
    return PeopleReport.model_validate(counts)


def _sheet_row(
    new: RowResult, old: RowResult, choice: Literal["A", "B", "tie"] | None = None
) -> SheetRow:
    first, second = (new, old) if _candidate_is_a(new, old) else (old, new)
    return SheetRow(
        row=new.row,
        question=new.question,
        expected=new.expected,
        answer_a=first.answer,
        answer_b=second.answer,
        choice=choice,
    )


def _outcome(given: SheetRow, new: RowResult, old: RowResult) -> str:
    if given.choice is None:
        return "open"
    if given.choice == "tie":
        return "ties"
    return "wins" if (given.choice == "A") == _candidate_is_a(new, old) else "losses"


def _candidate_is_a(new: RowResult, old: RowResult) -> bool:
    text = json.dumps([new.row, new.question, new.answer, old.answer])
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0
