"""Pages about the results of outlines and advisors, for people to read and to file away."""

import re
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel

from swarm.environment import read_environment
from swarm.errors import InvalidIdError, StoreError
from swarm.files import write_atomically
from swarm.outline import OutlineResult
from swarm.secrets import hide, secrets_of

__all__ = ["dump_advisor_result", "dump_outline_result"]

_RESULT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def dump_outline_result(result: OutlineResult[Any], folder: str | Path) -> Path:
    """Write a Markdown page about an outline's result: the document, and how it came about.

    Args:
        result: What `json` returned.
        folder: Where the page goes, made if it is missing; its name is that of the result.

    Returns:
        The page.

    Raises:
        InvalidIdError: The result's id is no name for a file.
        StoreError: It cannot be written.
    """
    facts = {
        "Outline": result.outline_name,
        "Result": result.result_id,
        "Valid": "yes" if result.is_valid else "no",
        "Attempts": str(result.attempt),
        "Model": result.model,
        "Tokens": f"{result.usage.input_tokens} in, {result.usage.output_tokens} out",
        "Seconds": f"{result.seconds:.2f}",
    }
    parts = [f"# {result.outline_name}", _table(facts)]
    if result.error is not None:
        parts += ["## Error", _fence(result.error)]
    if result.is_valid:
        parts += ["## Document", _fence(_json(result.data), "json")]
    if result.params:
        parts += ["## Parameters", *(_fence(*_shown(value)) for value in result.params)]
    parts.append("## Messages")
    for place, message in enumerate(result.history, 1):
        parts += [f"### {place}. {message.role}", _fence(message.content)]
    return _write(folder, result.result_id, parts)


def dump_advisor_result(result_id: str, content: str, folder: str | Path) -> Path:
    """Write a Markdown page with an advisor's answer, as `on_result` is told of it.

    Args:
        result_id: Names the page.
        content: The answer; it is Markdown itself, if the advisor writes that.
        folder: Where the page goes, made if it is missing.

    Returns:
        The page.

    Raises:
        InvalidIdError: The id is no name for a file.
        StoreError: It cannot be written.
    """
    return _write(folder, result_id, [f"# Result {result_id}", content])


def _write(folder: str | Path, result_id: str, parts: list[str]) -> Path:
    """Write a page in one step, without the values of keys."""
    if not _RESULT_ID.fullmatch(result_id):
        raise InvalidIdError(f"result id {result_id!r} is no name for a file")
    text = hide("\n\n".join(parts) + "\n", secrets_of(read_environment()))
    path = Path(folder) / f"{result_id}.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode(errors="replace"), mode=0o600)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
    return path


def _table(facts: dict[str, str]) -> str:
    rows = [f"| {name} | {value.replace('|', '&#124;')} |" for name, value in facts.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _fence(text: str, language: str = "") -> str:
    """Return a block that ends where the text does, whatever marks are in it."""
    longest = max((len(mark) for mark in re.findall(r"`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text}\n{marks}"


def _shown(value: object) -> tuple[str, str]:
    return (value, "") if isinstance(value, str) else (_json(value), "json")


def _json(value: object) -> str:
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, default=_default, option=options).decode()


def _default(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
