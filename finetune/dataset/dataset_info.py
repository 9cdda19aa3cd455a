"""The entry of a training file in LLaMA-Factory's `dataset_info.json`."""

import json
from pathlib import Path

from pydantic import JsonValue

from finetune.dataset.formats.format import JsonObject
from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.rows import DatasetKind
from swarm.files import write_atomically

__all__ = ["INFO_NAME", "add_dataset_info", "dataset_entry", "read_dataset_info"]

INFO_NAME = "dataset_info.json"
"""The name that LLaMA-Factory looks for in the folder of the files."""

_ALPACA = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "system": "system",
    "history": "history",
}
_SHAREGPT = {
    "messages": "conversations",
    "system": "system",
    "tools": "tools",
    "images": "images",
}
_TAGS: JsonObject = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


def dataset_entry(
    file: Path, format_name: str, kind: DatasetKind, columns: frozenset[str]
) -> JsonObject:
    """Return what LLaMA-Factory must know about a file.

    Args:
        file: The training file, beside which the entry goes.
        format_name: `sharegpt` or `alpaca`.
        kind: The kind of its rows.
        columns: The keys that its rows have; the loader fails on columns that no row has.
    """
    known = _SHAREGPT if format_name == "sharegpt" else _ALPACA
    named: JsonObject = {name: key for name, key in known.items() if key in columns}
    entry: JsonObject = {"file_name": file.name, "formatting": format_name, "columns": named}
    if kind == "dpo":
        entry["ranking"] = True
        named.update({"chosen": "chosen", "rejected": "rejected"})
    if format_name == "sharegpt":
        entry["tags"] = _TAGS
    return entry


def read_dataset_info(folder: Path) -> JsonObject:
    """Return the entries that a folder has already.

    Raises:
        DatasetError: There is such a file, but it holds no JSON object.
    """
    path = folder / INFO_NAME
    try:
        value: JsonValue = parse(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, JsonTextError) as error:
        raise _unusable(path, str(error)) from None
    if not isinstance(value, dict):
        raise _unusable(path, "it is no JSON object")
    return value


def add_dataset_info(folder: Path, name: str, entry: JsonObject) -> Path:
    """Add an entry, or replace the one of the same name; the others stay.

    Raises:
        DatasetError: There is such a file, but it holds no JSON object.
        OSError: It cannot be written.
    """
    info = {**read_dataset_info(folder), name: entry}
    path = folder / INFO_NAME
    write_atomically(path, json.dumps(info, ensure_ascii=False, indent=2) + "\n")
    return path


def _unusable(path: Path, reason: str) -> DatasetError:
    text = f"the file of LLaMA-Factory cannot be used: {reason}; move it away or mend it"
    return DatasetError(str(path), (Problem.of("unreadable_file", text),))
