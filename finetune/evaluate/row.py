"""One row of an evaluation, asked; and the file that holds all of them."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from swarm.errors import DataError, StoreError
from swarm.files import write_atomically

__all__ = ["RowResult", "pair_results", "read_results", "write_results"]


class RowResult(BaseModel):
    """One row, asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    row: int
    """1-based number of the row."""
    question: str
    """The last user message."""
    expected: str
    """The answer of the row."""
    answer: str
    """The answer of the model."""
    exact: bool
    """Whether both are equal but for white space."""
    loss: float | None = None
    """Sum of the loss over the expected answer's tokens, in nats; None where only text is known."""
    tokens: int | None = None
    """Tokens of the expected answer, its end mark included."""


def write_results(path: Path, results: Sequence[RowResult]) -> None:
    """Write results, one per line, in place of what was there.

    Raises:
        StoreError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, "".join(f"{result.model_dump_json()}\n" for result in results))
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def read_results(path: Path) -> list[RowResult]:
    """Return the results of a file that `write_results` wrote.

    Raises:
        DataError: The file cannot be read, or a line is no result; says which.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from None
    results: list[RowResult] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            results.append(RowResult.model_validate_json(line))
        except ValidationError as wrong:
            found = wrong.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, found["loc"])) or "line"
            raise DataError(
                f"{path}:{number}: {where}: {found['msg']}; expected lines as evaluate"
                " --predictions writes them"
            ) from None
    if not results:
        raise DataError(f"{path}: there are no predictions in this file")
    return results


def pair_results(
    candidate: Sequence[RowResult], live: Sequence[RowResult]
) -> list[tuple[RowResult, RowResult]]:
    """Return the rows of two evaluations side by side.

    Raises:
        DataError: They are not evaluations of the same questions.
    """
    if len(candidate) != len(live):
        raise DataError(
            f"the candidate answered {len(candidate)} questions and the live model {len(live)};"
            " evaluate both on the same file"
        )
    pairs = list(zip(candidate, live, strict=True))
    for one, other in pairs:
        if (one.question, one.expected) != (other.question, other.expected):
            raise DataError(
                f"row {one.row}: the models were asked different questions;"
                " evaluate both on the same file"
            )
    return pairs
