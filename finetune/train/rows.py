"""Reads training files for the local trainer: OpenAI SFT rows and OpenAI DPO rows.

Only what a wiki needs: text messages. Rows with tools are refused here, because the models made
from nothing have no template for them; checking whole datasets is `finetune.dataset`'s business.
"""

import json
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from finetune.questions import read_questions, training_rows
from swarm.errors import DataError, Problem

__all__ = [
    "Message",
    "PreferenceRow",
    "RowsError",
    "dump_rows",
    "read_chats",
    "read_data",
    "read_pairs",
]

Message = dict[str, str]
"""A message as the chat template sees it: `role` and `content`."""

_ROLES = frozenset({"system", "developer", "user", "assistant"})


class RowsError(DataError):
    """Rows that cannot be trained on; `problems` holds all of them, each with its line."""

    code = "rows_error"
    rpc_code = -32037

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"  {problem}" for problem in problems[:20])
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        super().__init__(f"{len(problems)} row(s) cannot be trained on\n{shown}{more}")


class PreferenceRow(NamedTuple):
    """One DPO row."""

    prompt: list[Message]
    chosen: str
    rejected: str


def read_data(path: Path) -> list[dict[str, JsonValue]]:
    """Return the rows of a JSONL file, or the training rows of a questions file (`.yaml`).

    Raises:
        RowsError: A line is not a JSON object, or there is no row.
        QuestionsError: The questions file has problems.
    """
    if path.suffix in {".yaml", ".yml"}:
        return training_rows(read_questions(path))
    problems: list[Problem] = []
    rows: list[dict[str, JsonValue]] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RowsError([Problem(str(error), "row", str(path))]) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row: JsonValue = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            problems.append(Problem(f"not JSON: {error}", "row", str(path), number))
            continue
        if isinstance(row, dict):
            rows.append(row)
        else:
            problems.append(Problem("expected an object", "row", str(path), number))
    if not rows and not problems:
        problems.append(Problem("there are no rows in this file", "row", str(path)))
    if problems:
        raise RowsError(problems)
    return rows


def dump_rows(rows: list[dict[str, JsonValue]]) -> str:
    """Return rows as JSON lines, always in the same bytes for the same rows."""
    return "".join(f"{json.dumps(row, ensure_ascii=False, sort_keys=True)}\n" for row in rows)


def read_chats(rows: list[dict[str, JsonValue]], *, source: str) -> list[list[Message]]:
    """Return SFT rows as conversations that end with an answer.

    Raises:
        RowsError: A row has tools, a message without text, or no answer at its end.
    """
    problems: list[Problem] = []
    chats: list[list[Message]] = []
    for number, row in enumerate(rows, start=1):
        try:
            chat = _messages(row.get("messages"), row)
            if chat[-1]["role"] != "assistant":
                raise ValueError("the last message must be the assistant's")
            chats.append(chat)
        except ValueError as error:
            problems.append(Problem(str(error), "row", source, number))
    if problems:
        raise RowsError(problems)
    return chats


def read_pairs(rows: list[dict[str, JsonValue]], *, source: str) -> list[PreferenceRow]:
    """Return DPO rows as prompt, preferred and non-preferred answer.

    Raises:
        RowsError: A row has another shape than OpenAI's, tools, or two equal answers.
    """
    problems: list[Problem] = []
    pairs: list[PreferenceRow] = []
    for number, row in enumerate(rows, start=1):
        try:
            given = row.get("input")
            if not isinstance(given, dict):
                raise ValueError("expected input, preferred_output and non_preferred_output")
            prompt = _messages(given.get("messages"), given)
            if prompt[-1]["role"] != "user":
                raise ValueError("the last message of input must be the user's")
            chosen = _output(row, "preferred_output")
            rejected = _output(row, "non_preferred_output")
            if chosen == rejected:
                raise ValueError("both outputs are equal")
            pairs.append(PreferenceRow(prompt, chosen, rejected))
        except ValueError as error:
            problems.append(Problem(str(error), "row", source, number))
    if problems:
        raise RowsError(problems)
    return pairs


def _messages(value: JsonValue, holder: dict[str, JsonValue]) -> list[Message]:
    if holder.get("tools"):
        raise ValueError(
            "rows with tools cannot be trained locally; collect what the wiki was asked:"
            " wikiswarm dataset collect --wiki NAME"
        )
    if not isinstance(value, list) or not value:
        raise ValueError("expected a list of messages")
    return [_message(message) for message in value]


def _message(value: JsonValue) -> Message:
    if not isinstance(value, dict) or value.get("role") not in _ROLES:
        raise ValueError(f"a message needs a role of {', '.join(sorted(_ROLES))}")
    content = value.get("content")
    if value.get("tool_calls") or not isinstance(content, str):
        raise ValueError("only text messages can be trained locally")
    for mark in ("<|im_start|>", "<|im_end|>", "<|endoftext|>"):
        if mark in content:
            raise ValueError(f"a message holds the control token {mark}")
    return {"role": str(value["role"]), "content": content}


def _output(row: dict[str, JsonValue], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, list) or len(value) != 1:
        raise ValueError(f"{key} must hold one assistant message")
    message = _message(value[0])
    if message["role"] != "assistant":
        raise ValueError(f"{key} must hold one assistant message")
    return message["content"]
