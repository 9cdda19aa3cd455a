"""What a TRL trainer is asked to do between its steps: report, stop, mark checkpoints.

Imports transformers when called, so it is only ever called in the worker process.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import functools
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from finetune.train.adapter import base_sha256, write_manifest
from finetune.train.checkpoint import mark_checkpoint
from finetune.train.config import TrainConfig
from finetune.train.failure import check_loss
from swarm.errors import require

__all__ = ["StepReport", "memory_mb", "trainer_callbacks"]

StepReport = Callable[[dict[str, JsonValue]], None]
"""Called with the fields of a report that a trainer knows."""


def trainer_callbacks(
    config: TrainConfig, report: StepReport, *, passes: int, is_evaluated: bool
) -> list[Any]:
    """Return the callbacks of one run.

    Args:
        config: The run.
        report: Takes every report.
        passes: Passes over the data that one epoch of the trainer stands for.
        is_evaluated: Whether there are validation rows.
    """
    from transformers import EarlyStoppingCallback, TrainerCallback

    base_hash = functools.cache(base_sha256)  # a large base takes seconds

    class Reports(TrainerCallback):
        """Reports each step and each measurement; marks each checkpoint."""

        loss = 0.0

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logs: dict[str, Any] = kwargs.get("logs") or {}
            loss, measured = logs.get("loss"), logs.get("eval_loss")
            for value in (loss, measured):
                if value is not None:
                    check_loss(float(value), step=state.global_step, config=config)
            if loss is None and measured is None:
                return
            if loss is not None:
                self.loss = float(loss)
            fields: dict[str, JsonValue] = {
                "step": state.global_step,
                "total_steps": state.max_steps,
                "loss": round(self.loss, 6),
                "epoch": round(float(state.epoch or 0) * passes, 4),
                "memory_mb": memory_mb(),
            }
            if measured is not None:
                fields["eval_loss"] = round(float(measured), 6)
            if "learning_rate" in logs:
                fields["learning_rate"] = float(logs["learning_rate"])
            report(fields)

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                if config.base != "scratch" and (folder / "adapter_config.json").is_file():
                    write_manifest(folder, base_hash(Path(config.base)))
                mark_checkpoint(folder, step=state.global_step)

    found: list[Any] = [Reports()]
    if is_evaluated and config.patience:
        found.append(EarlyStoppingCallback(early_stopping_patience=config.patience))
    return found


def memory_mb() -> float:
    """Return the highest memory use so far, of the GPU where there is one."""
    torch = require("torch", extra="train")
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak / 1e3, 1)
