"""The `llamafactory` back end: writes what LLaMA-Factory reads, and the command that runs it.

LLaMA-Factory itself is neither imported nor started. Rows go out in its ShareGPT form with
OpenAI's tag names.
"""

import json
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import JsonValue

from finetune.train.catalogue import base_model
from finetune.train.config import TrainConfig
from finetune.train.rows import Message, read_chats, read_data, read_pairs
from swarm.errors import DataError, StoreError, UnknownNameError
from swarm.files import write_atomically

__all__ = ["LlamaFactoryFiles", "write_llamafactory"]

_NAME = "wiki"
_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


class LlamaFactoryFiles(NamedTuple):
    """What was written, and how it is run."""

    config: Path
    dataset_info: Path
    data: Path
    command: tuple[str, ...]
    """Run it in the folder of the files."""


def write_llamafactory(
    config: TrainConfig, data: Path, folder: Path, *, template: str | None = None
) -> LlamaFactoryFiles:
    """Write train.yaml, dataset_info.json and the rows of a run for LLaMA-Factory.

    Args:
        config: The run; its `base` is a folder, or a name of the catalogue or the hub.
        data: OpenAI SFT or DPO rows, or a questions file.
        folder: Where the files go.
        template: LLaMA-Factory's name of the chat template; from the catalogue without it.

    Raises:
        DataError: The data or the configuration cannot be expressed there.
        StoreError: The folder cannot be written.
    """
    if config.base == "scratch" or config.method == "none":
        raise DataError("LLaMA-Factory trains a base model by sft, dpo or orpo: set base")
    name, template = _base(config.base, template)
    rows = read_data(data)
    is_preference = config.method in ("dpo", "orpo")
    lines = _preferences(rows, config, data) if is_preference else _chats(rows, config, data)
    info: dict[str, JsonValue] = {
        "file_name": f"{_NAME}.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": dict(_TAGS),
    }
    if is_preference:
        info["ranking"] = True
        info["columns"] = {"messages": "messages", "chosen": "chosen", "rejected": "rejected"}
    files = {
        "train.yaml": yaml.safe_dump(_settings(config, name, template), sort_keys=False),
        "dataset_info.json": json.dumps({_NAME: info}, indent=2) + "\n",
        f"{_NAME}.jsonl": "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            write_atomically(folder / file, text)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    paths = (folder / file for file in files)
    return LlamaFactoryFiles(*paths, command=("llamafactory-cli", "train", "train.yaml"))


def _base(base: str, template: str | None) -> tuple[str, str]:
    try:
        known = base_model(base)
    except UnknownNameError:
        if template is None:
            raise DataError(
                f"{base}: name its chat template, as LLaMA-Factory calls it (such as qwen)"
            ) from None
        return (str(Path(base).resolve()) if Path(base).exists() else base), template
    return known.repository, template or known.template


def _settings(config: TrainConfig, base: str, template: str) -> dict[str, JsonValue]:
    is_preference = config.method in ("dpo", "orpo")
    found: dict[str, JsonValue] = {
        "model_name_or_path": base,
        "trust_remote_code": False,
        "stage": "dpo" if is_preference else "sft",
        "do_train": True,
        "finetuning_type": "full" if config.lora is None else "lora",
        "dataset": _NAME,
        "dataset_dir": ".",
        "template": template,
        "cutoff_len": config.max_length,
        "packing": config.packing,
        "output_dir": "output",
        "logging_steps": 1,
        "per_device_train_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulation,
        "learning_rate": config.learning_rate,
        "num_train_epochs": config.epochs,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": config.warmup,
        "weight_decay": config.weight_decay,
        "seed": config.seed,
        "report_to": config.track,
    }
    if config.device != "cpu":
        found["bf16"] = True
    if config.steps is not None:
        found["max_steps"] = config.steps
    if config.save_every:
        found["save_steps"] = config.save_every
    if config.lora is not None:
        found["lora_rank"] = config.lora.rank
        found["lora_alpha"] = config.lora.alpha
        found["lora_dropout"] = config.lora.dropout
        found["lora_target"] = ",".join(config.lora.targets) or "all"
    if config.adapter is not None:
        found["adapter_name_or_path"] = config.adapter
    if config.quantization == "4bit":
        found["quantization_bit"] = 4
    if is_preference:
        found["pref_beta"] = config.beta
        found["pref_loss"] = "orpo" if config.method == "orpo" else "sigmoid"
    if config.validation:
        found["val_size"] = config.validation
        found["eval_strategy"] = "steps"
        found["eval_steps"] = config.evaluate_every or 50
    return found


def _chats(
    rows: list[dict[str, JsonValue]], config: TrainConfig, source: Path
) -> list[dict[str, JsonValue]]:
    chats = read_chats(rows, source=str(source))
    return [{"messages": _messages(chat, config)} for chat in chats]


def _preferences(
    rows: list[dict[str, JsonValue]], config: TrainConfig, source: Path
) -> list[dict[str, JsonValue]]:
    return [
        {
            "messages": _messages(pair.prompt, config),
            "chosen": {"role": "assistant", "content": pair.chosen},
            "rejected": {"role": "assistant", "content": pair.rejected},
        }
        for pair in read_pairs(rows, source=str(source))
    ]


def _messages(chat: list[Message], config: TrainConfig) -> list[JsonValue]:
    # It knows no developer messages; they are what a system message was before.
    told = [{**m, "role": "system" if m["role"] == "developer" else m["role"]} for m in chat]
    if config.system is not None and told[0]["role"] != "system":
        told.insert(0, {"role": "system", "content": config.system})
    return [dict[str, JsonValue](message) for message in told]
