"""The `unsloth` back end: loading, the adapter and saving through Unsloth, training through TRL.

Unsloth patches TRL, transformers and PEFT while it is imported, so it comes before them. Its
wheels are Apache-2.0 and LGPL-3.0, and about half of their files carry AGPL-3.0 headers: it is an
optional extra, never part of this package; read its licence before you build a service on it.
"""

# unsloth ships no types, and is not installed where this is checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

import os
import sys
from pathlib import Path
from typing import Any

from finetune.train.config import LoraShape, TrainConfig
from finetune.train.files import model_folder
from swarm.errors import DataError, SetupError, require

__all__ = ["TARGETS", "import_unsloth", "load_with_unsloth", "save_merged"]

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The layers that get an adapter unless the configuration names others."""
_PATCHED = ("trl", "transformers", "peft")
_QUIET = {"UNSLOTH_DISABLE_STATISTICS": "1", "UNSLOTH_AUTO_INSTALL": "0"}


def import_unsloth() -> Any:
    """Import unsloth before the libraries that it patches, and return it.

    Raises:
        SetupError: One of them was imported already, so the patches would miss it.
        MissingExtraError: It is not installed.
    """
    early = [name for name in _PATCHED if sys.modules.get(name) is not None]
    if early and "unsloth" not in sys.modules:
        raise SetupError(
            f"unsloth must be imported before {', '.join(early)}; train in a process of its own"
        )
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    return require("unsloth", extra="unsloth")


def load_with_unsloth(config: TrainConfig) -> tuple[Any, Any]:
    """Return the base with a new adapter, and its tokenizer.

    Raises:
        DataError: The base is `scratch`, which Unsloth cannot make, or an adapter is to be
            continued.
    """
    if config.base == "scratch" or config.adapter is not None:
        raise DataError("the unsloth back end trains a new adapter on a base folder: set base")
    unsloth = import_unsloth()
    shape = config.lora
    model, tokenizer = unsloth.FastLanguageModel.from_pretrained(
        model_name=str(model_folder(Path(config.base))),
        max_seq_length=config.max_length,
        dtype=None,
        load_in_4bit=config.quantization == "4bit",
        full_finetuning=shape is None,
        use_gradient_checkpointing=_checkpointing(config),
        random_state=config.seed,
        max_lora_rank=max(64, shape.rank) if shape else 64,
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return (_with_adapter(unsloth, model, shape, config) if shape else model), tokenizer


def save_merged(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write the model with its adapter merged, in 16 bits, as a Hugging Face folder."""
    model.save_pretrained_merged(str(folder), tokenizer, save_method="merged_16bit")


def _with_adapter(unsloth: Any, model: Any, shape: LoraShape, config: TrainConfig) -> Any:
    return unsloth.FastLanguageModel.get_peft_model(
        model,
        r=shape.rank,
        target_modules=list(shape.targets or TARGETS),
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        bias="none",
        use_gradient_checkpointing=_checkpointing(config),
        random_state=config.seed,
        max_seq_length=config.max_length,
    )


def _checkpointing(config: TrainConfig) -> str | bool:
    # Unsloth's own kind moves activations to main memory, which a GPU gains by.
    return "unsloth" if config.gradient_checkpointing or config.device == "auto" else False
