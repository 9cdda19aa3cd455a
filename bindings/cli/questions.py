"""The questions that a model is tested with: a file, its held-out phrasings, or a golden set."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import typer

from bindings.cli.output import say

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["Asked", "read_asked"]


class Asked(NamedTuple):
    """Rows, and what they are to a model."""

    rows: "list[dict[str, JsonValue]]"
    part: Literal["train", "held_out", "test"]
    """Under which name a run keeps its evaluation."""


def read_asked(
    home: Path,
    *,
    data: Path | None = None,
    test_set: Path | None = None,
    golden: str | None = None,
    held_out: bool = False,
) -> Asked:
    """Return the rows of the one source that was named.

    Raises:
        DataError: The file cannot be read, or has no held-out phrasings.
        UnknownNameError: There is no such golden set.
    """
    from finetune import held_out_rows, read_questions
    from finetune.evaluate import GoldenSets
    from finetune.train.rows import read_data
    from swarm.errors import DataError

    if sum(source is not None for source in (data, test_set, golden)) != 1:
        say("error: name one of DATA, --test-set and --golden")
        raise typer.Exit(2)
    if golden is not None:
        return Asked(GoldenSets(home / "golden").rows(golden), "test")
    path = data or test_set
    assert path is not None
    if not held_out:
        return Asked(read_data(path), "train" if test_set is None else "test")
    if path.suffix not in (".yaml", ".yml"):
        raise DataError(f"{path}: only a questions file (.yaml) has held-out phrasings")
    rows = held_out_rows(read_questions(path))
    if not rows:
        raise DataError(f"{path}: no question has held-out phrasings")
    return Asked(rows, "held_out")
