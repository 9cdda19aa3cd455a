"""Rows from plain text: labelled questions and answers, pairs of lines, or text to complete.

`Q: ...` and `A: ...` (also Question, User, Human and Answer, Assistant, AI), or blocks of two
lines with empty lines between, or paragraphs.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import JsonValue

from finetune.dataset.lines import Line
from finetune.dataset.problem import Problem
from finetune.dataset.record import Record

__all__ = ["TextLayout", "layout_of", "read_text"]

TextLayout = Literal["labelled", "pairs", "paragraphs"]
"""How a text is divided into rows."""

_QUESTION = re.compile(r"\s*(?:q|question|user|human|prompt)\s*:[ \t]*", re.IGNORECASE)
_ANSWER = re.compile(r"\s*(?:a|answer|assistant|ai|bot|response)\s*:[ \t]*", re.IGNORECASE)


def layout_of(lines: Iterable[str]) -> TextLayout:
    """Return the layout that the first lines of a text show."""
    texts = [line.rstrip() for line in lines]
    if any(map(_QUESTION.match, texts)) and any(map(_ANSWER.match, texts)):
        return "labelled"
    sizes: list[int] = [0]
    for text in texts:
        if text:
            sizes[-1] += 1
        elif sizes[-1]:
            sizes.append(0)
    whole = sizes[:-1] or sizes  # the last block may be cut
    return "pairs" if whole and all(size == 2 for size in whole) else "paragraphs"


def read_text(lines: Iterable[Line | Problem], layout: TextLayout) -> Iterator[Record | Problem]:
    """Yield the rows of a text as Alpaca's fields, or as completions for paragraphs.

    Args:
        lines: The lines that hold something, with their numbers; problems are passed on.
        layout: How they make rows.
    """
    if layout == "labelled":
        yield from _labelled(lines)
        return
    for block in _blocks(lines):
        if isinstance(block, Problem):
            yield block
            continue
        number, texts = block[0].number, [line.text for line in block]
        if layout == "paragraphs":
            yield Record({"prompt": "", "completion": "\n".join(texts)}, number)
        elif len(block) == 2:
            yield Record({"instruction": texts[0].strip(), "output": texts[1].strip()}, number)
        else:
            text = f"a block of {len(block)} lines; a question and an answer have a line each"
            yield Problem.of("wrong_value", text, line=number)


def _blocks(lines: Iterable[Line | Problem]) -> Iterator[list[Line] | Problem]:
    block: list[Line] = []
    for line in lines:
        if isinstance(line, Problem):
            yield line
            continue
        if block and line.number != block[-1].number + 1:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _labelled(lines: Iterable[Line | Problem]) -> Iterator[Record | Problem]:
    question: list[str] | None = None
    answer: list[str] | None = None
    start = last = 0
    for line in lines:
        if isinstance(line, Problem):
            yield line
            continue
        gap = ["" for _ in range(line.number - last - 1)]  # empty lines inside a text
        last = line.number
        if label := _QUESTION.match(line.text):
            if question is not None:
                yield _pair(question, answer, start)
            question, answer, start = [line.text[label.end() :]], None, line.number
        elif (label := _ANSWER.match(line.text)) and question is not None and answer is None:
            answer = [line.text[label.end() :]]
        elif answer is not None:
            answer += [*gap, line.text]
        elif question is not None:
            question += [*gap, line.text]
        else:
            text = "text before the first question; begin it with `Q:`"
            yield Problem.of("wrong_value", text, line=line.number)
    if question is not None:
        yield _pair(question, answer, start)


def _pair(question: list[str], answer: list[str] | None, line: int) -> Record | Problem:
    if answer is None:
        text = "a question without an answer"
        return Problem.of("example_missing_assistant_message", text, line=line)
    value: dict[str, JsonValue] = {
        "instruction": "\n".join(question).strip(),
        "output": "\n".join(answer).strip(),
    }
    return Record(value, line)
