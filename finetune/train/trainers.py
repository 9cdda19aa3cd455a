"""SFT and DPO with TRL, for one process and one machine.

TRL renames arguments between releases; the arguments whose names differ inside the supported range
are filtered by the signature of the installed release. Imports TRL when called, so it is only ever
called in the worker process.
"""

# trl, peft and datasets ship no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from finetune.train.config import LoraShape, TrainConfig
from finetune.train.rows import Message, PreferenceRow
from finetune.train.tokenizer import Tokens
from swarm.errors import require

__all__ = ["StepReport", "train_dpo", "train_sft"]

StepReport = Callable[[int, int, float, float], None]
"""Called with step, total steps, loss and epoch."""


def train_sft(
    model: Any, tokenizer: Any, rows: Sequence[Tokens], config: TrainConfig, report: StepReport
) -> Any:
    """Return the model after supervised training on token rows; an adapter is merged.

    `rows` holds all passes already, so TRL makes one pass over it.
    """
    require("trl", extra="train")
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    options = _options(
        SFTConfig,
        config,
        num_train_epochs=1,
        max_length=config.max_length,
        packing=False,
        # The rows are token ids with labels already; TRL has nothing to prepare.
        dataset_kwargs={"skip_prepare_dataset": True},
        shuffle_dataset=False,
        train_sampling_strategy="sequential",
    )
    data = Dataset.from_dict(
        {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    )
    plain = config.base == "scratch" and config.lora is None
    trainer = (_answers_only() if plain else SFTTrainer)(
        model=model,
        args=options,
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=_lora(config.lora) if config.lora else None,
        callbacks=[_callback(report, config.epochs)],
    )
    trainer.train()
    return _merged(trainer.model)


def train_dpo(
    model: Any,
    tokenizer: Any,
    pairs: Sequence[PreferenceRow],
    config: TrainConfig,
    report: StepReport,
) -> Any:
    """Return the model after preference training with an adapter, merged."""
    require("trl", extra="train")
    from datasets import Dataset
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    options = _options(
        DPOConfig,
        config,
        num_train_epochs=config.epochs,
        max_length=config.max_length,
        beta=config.beta,
        # The second term keeps the preferred answer itself likely, not only likelier.
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, 1.0],
    )
    data = Dataset.from_list(
        [
            {"prompt": pair.prompt, "chosen": _said(pair.chosen), "rejected": _said(pair.rejected)}
            for pair in pairs
        ]
    )
    trainer = DPOTrainer(
        model=model,
        args=options,
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=_lora(config.lora or LoraShape()),
        callbacks=[_callback(report, 1)],
    )
    trainer.train()
    return _merged(trainer.model)


def _answers_only() -> Any:
    import torch
    from trl.trainer.sft_trainer import SFTTrainer

    class AnswersOnlyTrainer(SFTTrainer):
        """Computes the vocabulary's scores where there is an answer, and nowhere else.

        In a model of this size the output layer is half of the work; TRL's own loss also measures
        entropy over the whole vocabulary and took twice the CPU time of the rest.
        """

        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            labels = inputs["labels"][:, 1:]
            states = model.model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs.get("attention_mask"),
                use_cache=False,
            ).last_hidden_state[:, :-1]
            on = labels != -100
            loss = torch.nn.functional.cross_entropy(
                model.lm_head(states[on]), labels[on], reduction="sum"
            )
            count = num_items_in_batch if num_items_in_batch is not None else on.sum()
            return (loss / count, None) if return_outputs else loss / count

    return AnswersOnlyTrainer


def _said(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


def _options(kind: Any, config: TrainConfig, **extra: Any) -> Any:
    values: dict[str, Any] = {
        "output_dir": str(Path.cwd()),  # nothing is saved there: save_strategy is "no"
        "per_device_train_batch_size": config.batch_size,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "adam_beta2": 0.98,
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "seed": config.seed,
        "data_seed": config.seed,
        "use_cpu": config.device == "cpu",
        "bf16": False,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": False,
        **extra,
    }
    known = inspect.signature(kind.__init__).parameters
    if "warmup_ratio" in known:  # transformers 4: a share of the steps had its own name
        values["warmup_ratio"] = values.pop("warmup_steps")
    return kind(**{name: value for name, value in values.items() if name in known})


def _lora(shape: LoraShape) -> Any:
    require("peft", extra="train")
    from peft import LoraConfig

    return LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _merged(model: Any) -> Any:
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def _callback(report: StepReport, passes: int) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logs: dict[str, Any] = kwargs.get("logs") or {}
            if "loss" in logs:
                done = state.global_step / max(1, state.max_steps)
                epochs = passes * args.num_train_epochs
                report(state.global_step, state.max_steps, float(logs["loss"]), done * epochs)

    return Reporter()
