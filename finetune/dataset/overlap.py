"""Held-out rows that the training file already holds, which would make an evaluation lie.

Two findings: the same conversation (an error), and the same prompt with another answer (a
warning). Texts are compared without case, punctuation and spacing, so a copy that was only
retouched counts as the same; rewordings do not.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from finetune.dataset.folding import said
from finetune.dataset.lines import LineReader
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.read import ParsedLine, parse_lines
from finetune.dataset.rows import AssistantMessage, DpoRow, SftRow

__all__ = ["OverlapReport", "check_overlap"]


class OverlapReport(BaseModel):
    """What two files share."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    train: str
    held_out: str
    train_rows: int
    held_out_rows: int
    same_rows: int
    """Held-out rows that are in the training file."""
    same_prompts: int
    """Further held-out rows whose prompt is in the training file with another answer."""
    problems: tuple[Problem, ...]
    """One per such row, with the line of the held-out file; the first ones when very many."""

    @property
    def is_ok(self) -> bool:
        """Whether no held-out row is in the training file."""
        return self.same_rows == 0


class _Digests(NamedTuple):
    row: int
    prompt: int


def check_overlap(
    train: Path | str, held_out: Path | str, *, max_problems: int = 1000
) -> OverlapReport:
    """Find the rows of `held_out` that `train` holds; either may be SFT or DPO.

    Raises:
        DatasetError: A line of one of the files is no row; check the file first.
    """
    rows: dict[int, int] = {}
    prompts: dict[int, int] = {}
    train_rows = held_out_rows = same_rows = same_prompts = 0
    for number, digests in _digests(train):
        train_rows += 1
        rows.setdefault(digests.row, number)
        prompts.setdefault(digests.prompt, number)
    problems: list[Problem] = []
    for number, digests in _digests(held_out):
        held_out_rows += 1
        if (twin := rows.get(digests.row)) is not None:
            same_rows += 1
            code, text = "overlap_row", f"the same row as line {twin} of the training file"
        elif (twin := prompts.get(digests.prompt)) is not None:
            same_prompts += 1
            code, text = "overlap_prompt", f"the same prompt as line {twin} of the training file"
        else:
            continue
        if len(problems) < max_problems:
            problems.append(Problem.of(code, text, line=number, column=1))
    return OverlapReport(
        train=str(train),
        held_out=str(held_out),
        train_rows=train_rows,
        held_out_rows=held_out_rows,
        same_rows=same_rows,
        same_prompts=same_prompts,
        problems=tuple(problems),
    )


def _digests(path: Path | str) -> Iterator[tuple[int, _Digests]]:
    for item in parse_lines(LineReader(Path(path))):
        if not isinstance(item, ParsedLine):
            raise DatasetError(str(path), (item,))
        yield item.line.number, _digest(item.row)


def _digest(row: SftRow | DpoRow) -> _Digests:
    if isinstance(row, DpoRow):
        prompt = said(row.input.messages)
        outputs = [said(row.preferred_output), said(row.non_preferred_output)]
        return _Digests(_hash([prompt, outputs]), _hash(prompt))
    answers = [at for at, m in enumerate(row.messages) if isinstance(m, AssistantMessage)]
    split = answers[-1] if answers else len(row.messages)
    prompt = said(row.messages[:split])
    return _Digests(_hash([prompt, said(row.messages[split:])]), _hash(prompt))


def _hash(said: object) -> int:
    text = json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
