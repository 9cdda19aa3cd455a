"""The configuration of a run in the words of TRL and PEFT.

TRL renames arguments between releases; the arguments whose names differ inside the supported range
are filtered by the signature of the installed release.
"""

# peft ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false

import inspect
import math
from pathlib import Path
from typing import Any

from finetune.train.checkpoint import CHECKPOINTS
from finetune.train.config import LoraShape, TrainConfig
from swarm.errors import require

__all__ = ["evaluation_steps", "lora_config", "trainer_options", "training_steps"]


def training_steps(config: TrainConfig, rows: int) -> int:
    """Return the optimizer steps of a run over `rows` rows, passes included."""
    if config.steps is not None:
        return config.steps
    batches = math.ceil(rows / (config.batch_size * config.processes))
    return max(1, math.ceil(batches / config.accumulation))


def evaluation_steps(config: TrainConfig, rows: int) -> int:
    """Return the steps between two measurements on the validation rows."""
    return config.evaluate_every or max(1, training_steps(config, rows) // 10)


def trainer_options(
    kind: Any, config: TrainConfig, run_dir: Path, *, evaluate_every: int = 0, **extra: Any
) -> Any:
    """Return the arguments of a TRL trainer.

    Args:
        kind: The class of the arguments, such as SFTConfig.
        config: The run.
        run_dir: Its folder; checkpoints go below it.
        evaluate_every: Steps between two measurements; 0 without validation rows.
        extra: Arguments of this kind alone.
    """
    values: dict[str, Any] = {
        "output_dir": str(run_dir / CHECKPOINTS),
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulation,
        "max_steps": config.steps or -1,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "adam_beta2": 0.98,
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        # The filter would show the last good loss in the place of one that is no number.
        "logging_nan_inf_filter": False,
        "report_to": "wandb" if config.track == "wandb" else "none",
        "disable_tqdm": True,
        "seed": config.seed,
        "data_seed": config.seed,
        "use_cpu": config.device == "cpu",
        "bf16": config.device != "cpu" and _has_bfloat16(),
        "gradient_checkpointing": config.gradient_checkpointing,
        "dataloader_pin_memory": False,
        **_saving(config, evaluate_every),
        **extra,
    }
    if config.gradient_checkpointing:
        values["gradient_checkpointing_kwargs"] = {"use_reentrant": False}
    if config.processes > 1:
        values["ddp_find_unused_parameters"] = False
    known = inspect.signature(kind.__init__).parameters
    if "warmup_ratio" in known:  # transformers 4: a share of the steps had its own name
        values["warmup_ratio"] = values.pop("warmup_steps")
    return kind(**{name: value for name, value in values.items() if name in known})


def lora_config(shape: LoraShape) -> Any:
    """Return PEFT's configuration of an adapter."""
    require("peft", extra="train")
    from peft import LoraConfig

    return LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules=list(shape.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )


def _saving(config: TrainConfig, evaluate_every: int) -> dict[str, Any]:
    if not evaluate_every and not config.save_every:
        return {"save_strategy": "no"}
    save_every = config.save_every or evaluate_every
    found: dict[str, Any] = {"save_strategy": "steps", "save_total_limit": 2}
    if evaluate_every:
        # The best weights can only be kept where a measurement and a checkpoint meet.
        save_every = math.ceil(save_every / evaluate_every) * evaluate_every
        found |= {
            "eval_strategy": "steps",
            "eval_steps": evaluate_every,
            "load_best_model_at_end": True,
            "metric_for_best_model": "eval_loss",
            "greater_is_better": False,
            "restore_callback_states_from_checkpoint": True,
        }
    return found | {"save_steps": save_every}


def _has_bfloat16() -> bool:
    torch = require("torch", extra="train")
    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())
