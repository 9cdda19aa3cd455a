"""Hyperparameters for training a model that exists already, and the one call that uses them.

`TrainConfig`'s own defaults are for the small models that are made from nothing; these are for
adapters and full training of a base model, the values that the LoRA and QLoRA papers and their
common tutorials settled on.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio import to_thread

from finetune.train.config import LoraShape, TrainConfig, TrainProgress, TrainResult
from finetune.train.hardware import find_hardware
from finetune.train.run import train
from swarm.errors import DataError

__all__ = ["Technique", "default_config", "epochs_for", "fine_tune_model"]

Technique = Literal["lora", "qlora", "full"]
"""Train an adapter, an adapter on a base in four bits, or all weights."""

_STEPS = 240
"""Steps of 32 rows in which a model from scratch learns its answers."""


def epochs_for(rows: int) -> int:
    """Return passes enough for a model made from nothing to learn a file by heart."""
    return min(600, max(18, -(-_STEPS * 32 // max(rows, 1))))


def default_config(technique: Technique, base: Path | str, **changes: Any) -> TrainConfig:
    """Return the usual configuration of a technique.

    Rank 16, alpha 16, learning rate 2e-4 (full training: 2e-5), 3 epochs, warmup 0.03, weight decay
    0.01, and 16 rows to a step: 4 at once, 2 at once in four bits.

    Args:
        technique: How the base is trained.
        base: A Hugging Face model folder or a run folder.
        changes: Fields of TrainConfig that are to differ.
    """
    is_four_bit = technique == "qlora"
    usual: dict[str, Any] = {
        "base": str(base),
        "lora": None if technique == "full" else LoraShape(rank=16, alpha=16),
        "quantization": "4bit" if is_four_bit else "none",
        "epochs": 3,
        "batch_size": 2 if is_four_bit else 4,
        "accumulation": 8 if is_four_bit else 4,
        "learning_rate": 2e-5 if technique == "full" else 2e-4,
        "warmup": 0.03,
        "weight_decay": 0.01,
        "max_length": 2048,
        "gradient_checkpointing": is_four_bit,
        "augment": False,
        "device": "auto" if is_four_bit else "cpu",
    }
    return TrainConfig.model_validate({**usual, **changes})


async def fine_tune_model(
    base_model: Path | str,
    corpus_path: Path | str,
    output_dir: Path | str,
    epochs: int = 3,
    batch_size: int = 4,
    learning_rate: float = 2e-4,
    max_seq_length: int = 2048,
    quantization: Literal["4bit", "auto"] | None = "auto",
    lora_rank: int = 16,
    lora_alpha: int = 16,
    *,
    adapter: Path | None = None,
    device: Literal["cpu", "auto"] = "auto",
    on_progress: Callable[[TrainProgress], None] | None = None,
) -> TrainResult:
    """Train a LoRA adapter on a base model and return where the result is.

    Args:
        base_model: A Hugging Face model folder or a run folder; nothing is downloaded.
        corpus_path: SFT rows (`.jsonl`) or a questions file (`.yaml`).
        output_dir: The run folder; new or empty. `model/` in it holds the merged model,
            `adapter/` the adapter.
        epochs: Passes over the data.
        batch_size: Rows computed at once; four such batches make a step.
        learning_rate: Peak of the cosine schedule.
        max_seq_length: Rows with more tokens are cut.
        quantization: `4bit` for QLoRA, which needs an NVIDIA GPU; `auto` where there is one.
        lora_rank: Rank of the adapter.
        lora_alpha: Scale of the adapter.
        adapter: An adapter of the same base to go on from.
        device: `auto` takes a GPU where there is one.
        on_progress: Called with every report.

    Raises:
        MissingExtraError: The training libraries are not installed.
        DataError: The base, the data or the configuration cannot be used.
        TrainingError: Training failed; the message says why and what to change.
        StoreError: The run folder cannot be written.
    """
    if not await anyio.Path(base_model).exists():
        raise DataError(
            f"{base_model}: no such folder; fetch the base first, for example with:"
            f" hf download {base_model} --local-dir base"
        )
    if quantization == "auto":
        has_gpu = device == "auto" and (await to_thread.run_sync(find_hardware)).gpu is not None
        quantization = "4bit" if has_gpu else None
    config = default_config(
        "qlora" if quantization == "4bit" else "lora",
        base_model,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        max_length=max_seq_length,
        lora=LoraShape(rank=lora_rank, alpha=lora_alpha),
        adapter=None if adapter is None else str(adapter),
        device="auto" if quantization == "4bit" else device,
    )
    return await train(
        config, data=Path(corpus_path), output_dir=Path(output_dir), on_progress=on_progress
    )
