"""Reads a byte-level BPE vocabulary from a Hugging Face folder, for the GGUF writer.

Only tokenizers whose way of splitting text has a name in llama.cpp: with any other one the served
model would get other tokens than the trained one.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from finetune.package.converter import PackagingError, UnknownModelError
from finetune.package.template_file import read_chat_template

__all__ = ["Vocabulary", "read_vocabulary"]

# The splitting rules that llama.cpp knows by name and that need no further options.
_SPLITS = {
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+": "qwen2",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+": "llama-bpe",
}


@dataclass(slots=True)
class Vocabulary:
    """A vocabulary as a GGUF file holds it."""

    tokens: list[str]
    """By id; ids without a token are filled up."""
    special: set[int]
    """Control tokens: never part of an answer's text."""
    added: set[int]
    """Tokens that are matched as a whole."""
    unused: set[int]
    """Ids without a token."""
    merges: list[str]
    """Merge rules, `left right`."""
    split: str
    """llama.cpp's name of the splitting rule."""
    add_bos: bool
    """Whether the tokenizer itself puts a beginning token first."""
    ids: dict[str, int]
    """Ids of `bos`, `eos`, `pad` and `unk`, as far as there are any."""
    chat_template: str | None
    """Jinja source."""


def read_vocabulary(folder: Path, *, size: int) -> Vocabulary:
    """Return the vocabulary of a model folder, filled up to `size` tokens.

    Raises:
        UnknownModelError: The tokenizer is not byte-level BPE, or its split has no name.
        PackagingError: There is no tokenizer, or it does not fit the model.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise PackagingError(f"{folder}: no tokenizer.json; save the tokenizer with the model")
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    settings = _settings(folder)
    model: dict[str, Any] = data["model"]
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        raise UnknownModelError(f"{path}: only byte-level BPE tokenizers are known here")
    by_id: dict[int, str] = {number: token for token, number in model["vocab"].items()}
    added: list[dict[str, Any]] = data.get("added_tokens") or []
    by_id |= {token["id"]: token["content"] for token in added}
    if max(by_id) >= size:
        raise PackagingError(f"{path}: {max(by_id) + 1} tokens, but the model has only {size}")
    merges = [rule if isinstance(rule, str) else " ".join(rule) for rule in model["merges"]]
    return Vocabulary(
        tokens=[by_id.get(number, f"[PAD{number}]") for number in range(size)],
        special={token["id"] for token in added if token.get("special")},
        added={token["id"] for token in added},
        unused={number for number in range(size) if number not in by_id},
        merges=merges,
        split=_split(data.get("pre_tokenizer") or {}, path),
        add_bos=_adds_bos(data, settings),
        ids=_special_ids(by_id, settings),
        chat_template=read_chat_template(folder),
    )


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _split(rule: dict[str, Any], path: Path) -> str:
    steps: list[dict[str, Any]] = rule.get("pretokenizers") or [rule]
    kinds = [step.get("type") for step in steps]
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    if kinds == ["Split", "ByteLevel"]:
        pattern: dict[str, str] = steps[0].get("pattern") or {}
        name = _SPLITS.get(pattern.get("Regex", ""))
        if name is not None:
            return name
    raise UnknownModelError(f"{path}: this way of splitting text has no name that is known here")


def _adds_bos(data: dict[str, Any], settings: dict[str, Any]) -> bool:
    if "add_bos_token" in settings:
        return bool(settings["add_bos_token"])
    rule: dict[str, Any] = data.get("post_processor") or {}
    steps: list[dict[str, Any]] = rule.get("processors") or [rule]
    return any(
        step.get("type") == "TemplateProcessing" and "SpecialToken" in (step["single"] or [{}])[0]
        for step in steps
    )


def _special_ids(by_id: dict[int, str], settings: dict[str, Any]) -> dict[str, int]:
    by_token = {token: number for number, token in by_id.items()}
    found: dict[str, int] = {}
    for kind in ("bos", "eos", "pad", "unk"):
        value: JsonValue = settings.get(f"{kind}_token")
        token = value.get("content") if isinstance(value, dict) else value
        if isinstance(token, str) and token in by_token:
            found[kind] = by_token[token]
    return found
