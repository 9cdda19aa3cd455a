"""SFT, DPO and ORPO with TRL.

Imports TRL when called, so it is only ever called in the worker process.
"""

# trl, peft and datasets ship no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune.train.callbacks import StepReport, trainer_callbacks
from finetune.train.checkpoint import last_checkpoint, step_of
from finetune.train.config import LoraShape, TrainConfig
from finetune.train.options import evaluation_steps, lora_config, trainer_options
from finetune.train.rows import Message, PreferenceRow
from finetune.train.tokenizer import Tokens
from swarm.errors import SetupError, require

__all__ = ["Trained", "train_preferences", "train_sft"]


_PLAIN_MODELS = ("llama", "mistral", "qwen2", "qwen3")
"""Kinds of models whose scores are what their output layer makes of their states."""


class Trained(NamedTuple):
    """What a trainer leaves behind."""

    model: Any
    """The trained model; a PEFT model where an adapter was trained."""
    stopped_early: bool
    best_step: int | None
    best_loss: float | None
    resumed_from: int | None


def train_sft(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Tokens],
    validation: Sequence[Tokens],
    config: TrainConfig,
    run_dir: Path,
    report: StepReport,
) -> Trained:
    """Train on token rows; `rows` holds all passes already, so TRL makes one pass over it."""
    require("trl", extra="train")
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    options = trainer_options(
        SFTConfig,
        config,
        run_dir,
        evaluate_every=evaluation_steps(config, len(rows)) if validation else 0,
        num_train_epochs=1,
        max_length=config.max_length,
        packing=config.packing,
        # The rows are token ids with labels already; TRL has nothing to prepare.
        dataset_kwargs=None if config.packing else {"skip_prepare_dataset": True},
        shuffle_dataset=False,
        train_sampling_strategy="sequential",
    )
    trainer = (_answers_only() if _is_plain(model, config) else SFTTrainer)(
        model=model,
        args=options,
        train_dataset=_token_data(rows),
        eval_dataset=_token_data(validation) if validation else None,
        processing_class=tokenizer,
        peft_config=_new_adapter(model, config.lora),
        callbacks=trainer_callbacks(
            config, report, passes=config.epochs, is_evaluated=bool(validation)
        ),
    )
    return _run(trainer, run_dir)


def train_preferences(
    model: Any,
    tokenizer: Any,
    pairs: Sequence[PreferenceRow],
    validation: Sequence[PreferenceRow],
    config: TrainConfig,
    run_dir: Path,
    report: StepReport,
) -> Trained:
    """Train an adapter to prefer one answer to another, by DPO or ORPO.

    Raises:
        SetupError: The installed TRL has no ORPO.
    """
    require("trl", extra="train")
    if config.method == "orpo":
        arguments, trainer_class = _orpo()
        extra: dict[str, Any] = {}
    else:
        from trl.trainer.dpo_config import DPOConfig
        from trl.trainer.dpo_trainer import DPOTrainer

        arguments, trainer_class = DPOConfig, DPOTrainer
        # The second term keeps the preferred answer itself likely, not only likelier.
        extra = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 1.0]}
    rows = len(pairs) * config.epochs
    options = trainer_options(
        arguments,
        config,
        run_dir,
        evaluate_every=evaluation_steps(config, rows) if validation else 0,
        num_train_epochs=config.epochs,
        max_length=config.max_length,
        beta=config.beta,
        **extra,
    )
    trainer = trainer_class(
        model=model,
        args=options,
        train_dataset=_pair_data(pairs),
        eval_dataset=_pair_data(validation) if validation else None,
        processing_class=tokenizer,
        peft_config=_new_adapter(model, config.lora or LoraShape()),
        callbacks=trainer_callbacks(config, report, passes=1, is_evaluated=bool(validation)),
    )
    return _run(trainer, run_dir)


def _run(trainer: Any, run_dir: Path) -> Trained:
    checkpoint = last_checkpoint(run_dir)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    state = trainer.state
    best = state.best_model_checkpoint
    return Trained(
        model=trainer.accelerator.unwrap_model(trainer.model),
        stopped_early=state.global_step < state.max_steps,
        best_step=step_of(Path(best)) if best else None,
        best_loss=round(float(state.best_metric), 6) if best else None,
        resumed_from=step_of(checkpoint) if checkpoint else None,
    )


def _orpo() -> tuple[Any, Any]:
    # TRL moved it among its experiments, and warns there; older releases have it beside DPO.
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    try:
        from trl.experimental.orpo import ORPOConfig, ORPOTrainer
    except ImportError:
        try:
            from trl import ORPOConfig, ORPOTrainer  # pyright: ignore[reportAttributeAccessIssue]
        except ImportError:
            import trl

            raise SetupError(
                f"TRL {trl.__version__} has no ORPO; use method dpo, or install trl 1.16"
            ) from None
    return ORPOConfig, ORPOTrainer


def _new_adapter(model: Any, shape: LoraShape | None) -> Any:
    """Return the adapter to make, or None where the model has one already or gets none."""
    return lora_config(shape) if shape is not None and not hasattr(model, "peft_config") else None


def _token_data(rows: Sequence[Tokens]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(
        {"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]}
    )


def _pair_data(pairs: Sequence[PreferenceRow]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(
        [
            {"prompt": pair.prompt, "chosen": _said(pair.chosen), "rejected": _said(pair.rejected)}
            for pair in pairs
        ]
    )


def _is_plain(model: Any, config: TrainConfig) -> bool:
    """Return whether `_answers_only` gives the loss that the model itself would.

    Others scale or cap their scores; on a GPU the mixed precision is wound round the model's own
    way forward, and several processes hide its layers.
    """
    return (
        model.config.model_type in _PLAIN_MODELS
        and config.backend == "local"
        and config.device == "cpu"
        and not config.packing
        and "WORLD_SIZE" not in os.environ
    )


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
            # An adapter sits in the layers, so the model below it runs with it.
            base = model.get_base_model() if hasattr(model, "get_base_model") else model
            states = base.model(
                input_ids=inputs["input_ids"],
                attention_mask=inputs.get("attention_mask"),
                use_cache=False,
            ).last_hidden_state[:, :-1]
            on = labels != -100
            loss = torch.nn.functional.cross_entropy(
                base.lm_head(states[on]), labels[on], reduction="sum"
            )
            count = num_items_in_batch if num_items_in_batch is not None else on.sum()
            return (loss / count, {}) if return_outputs else loss / count

    return AnswersOnlyTrainer


def _said(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]
