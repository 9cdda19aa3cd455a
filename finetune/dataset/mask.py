"""The loss mask of training rows: which tokens of what the model sees will be trained.

A wrong mask shows in no loss curve: the model learns its questions, or nothing. So it can be looked
at before training.
"""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from finetune.dataset.chat_template import TemplateRefusedError
from finetune.dataset.lines import LineReader
from finetune.dataset.model_tokenizer import MaskedText, ModelTokenizer
from finetune.dataset.problem import Problem
from finetune.dataset.read import ParsedLine, parse_lines
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow

__all__ = ["MaskReport", "RowMask", "mask_file", "mask_row"]


class RowMask(BaseModel):
    """What the model sees of a row, and which parts of it are trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    line: int
    """The row's line; 0 for a row that is in no file."""
    part: str
    """Empty for a conversation, else `preferred_output` or `non_preferred_output`."""
    text: str
    """What the chat template writes."""
    spans: tuple[tuple[int, int], ...]
    """The trained parts of the text: from character, to character."""
    tokens: int
    trained: int
    """Tokens that carry loss."""

    @property
    def share(self) -> float:
        """The trained share of the tokens, from 0 to 1."""
        return self.trained / self.tokens if self.tokens else 0.0

    def marked(self, start: str = "[", end: str = "]") -> str:
        """Return the text with a mark before and behind each trained part."""
        pieces: list[str] = []
        at = 0
        for low, high in self.spans:
            pieces += [self.text[at:low], start, self.text[low:high], end]
            at = high
        return "".join([*pieces, self.text[at:]])


class MaskReport(BaseModel):
    """The mask of a whole file, in figures."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: str
    method: str
    """What tokenizer and template were asked."""
    rows: int
    tokens: int
    trained: int
    problems: tuple[Problem, ...]
    """Rows without a trained token, and lines that are no row; the first ones when very many."""
    problem_count: int

    @property
    def is_ok(self) -> bool:
        """Whether each line is a row of which something is trained."""
        return self.problem_count == 0 and self.rows > 0

    @property
    def share(self) -> float:
        """The trained share of the file's tokens, from 0 to 1."""
        return self.trained / self.tokens if self.tokens else 0.0


def mask_row(
    row: SftRow | DpoRow, tokenizer: ModelTokenizer, *, line: int = 0
) -> tuple[RowMask, ...]:
    """Return the mask of a row: one of a conversation, two of a preference row.

    Raises:
        TemplateRefusedError: The chat template cannot write the row.
        DataError: The model has no chat template.
    """
    return tuple(
        RowMask(
            line=line,
            part=masked.part,
            text=masked.text,
            spans=_spans(masked),
            tokens=len(masked.offsets),
            trained=sum(masked.trained),
        )
        for masked in tokenizer.mask(row)
    )


def mask_file(
    path: Path | str,
    tokenizer: ModelTokenizer,
    *,
    kind: DatasetKind | None = None,
    on_row: Callable[[RowMask], None] | None = None,
    max_problems: int = 1000,
) -> MaskReport:
    """Return how much of a training file will be trained.

    Args:
        path: A JSONL file; lines that are no rows are problems of the report.
        tokenizer: The base model's, from `load_tokenizer`.
        kind: The kind that is expected; without it the first row decides.
        on_row: Called with each mask.
        max_problems: How many problems are listed; all are counted.

    Raises:
        DataError: The model has no chat template.
    """
    problems: list[Problem] = []
    rows = tokens = trained = count = 0

    def tell(problem: Problem) -> None:
        nonlocal count
        count += 1
        if len(problems) < max_problems:
            problems.append(problem)

    for item in parse_lines(LineReader(Path(path)), kind=kind):
        if not isinstance(item, ParsedLine):
            tell(item)
            continue
        line = item.line.number
        try:
            masks = mask_row(item.row, tokenizer, line=line)
        except TemplateRefusedError as error:
            tell(Problem.of("template_refused", error.reason, line=line, column=1))
            continue
        rows += 1
        for mask in masks:
            tokens += mask.tokens
            trained += mask.trained
            if not mask.trained:
                where = f" in `{mask.part}`" if mask.part else ""
                text = f"no token is trained{where}"
                tell(Problem.of("example_untrained", text, line=line, column=1))
            if on_row is not None:
                on_row(mask)
    return MaskReport(
        path=str(path),
        method=tokenizer.method,
        rows=rows,
        tokens=tokens,
        trained=trained,
        problems=tuple(problems),
        problem_count=count,
    )


def _spans(masked: MaskedText) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    is_open = False
    for (start, end), is_trained in zip(masked.offsets, masked.trained, strict=True):
        if is_trained and is_open:
            # Several tokens may share one character, whose bytes they part.
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif is_trained:
            spans.append((max(start, spans[-1][1]) if spans else start, end))
        is_open = is_trained
    return tuple(spans)
