"""Why a training stopped, in words with the fix: out of memory, a loss that is no number, no GPU.

The child raises these; they reach the caller as the reason of a `TrainingError`.
"""

import math

from finetune.train.config import TrainConfig
from swarm.errors import SwarmError

__all__ = ["TrainingStopped", "check_loss", "is_out_of_memory", "no_gpu", "out_of_memory"]


class TrainingStopped(SwarmError):
    """A training run that cannot go on; the message says what to change."""

    code = "training_stopped"
    rpc_code = -32075


def check_loss(loss: float, *, step: int, config: TrainConfig) -> None:
    """Stop a run whose loss is no number any more; nothing that follows would be one.

    Raises:
        TrainingStopped: The loss is NaN or infinite.
    """
    if not math.isfinite(loss):
        lower = f"{config.learning_rate / 10:.0e}"
        raise TrainingStopped(
            f"the loss is {loss} at step {step}; lower learning_rate (it is"
            f" {config.learning_rate:g}, try {lower}), or look for broken rows in the data"
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a library's error means that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def out_of_memory(config: TrainConfig) -> TrainingStopped:
    """Return the error of a run that ran out of memory, with the fixes that are left."""
    fixes: list[str] = []
    if config.batch_size > 1:
        half = config.batch_size // 2
        fixes.append(
            f"batch_size {half} with accumulation {config.accumulation * 2} (equal effect)"
        )
    if not config.gradient_checkpointing:
        fixes.append("gradient_checkpointing")
    if config.max_length > 64:
        fixes.append(f"max_length {config.max_length // 2}")
    if config.lora is None:
        fixes.append("lora in place of full training")
    elif config.quantization == "none":
        fixes.append("quantization 4bit (QLoRA)")
    fixes.append("a smaller base model")
    return TrainingStopped(f"out of memory; in this order, try: {', '.join(fixes)}")


def no_gpu(what: str) -> TrainingStopped:
    """Return the error of a technique that needs a GPU on a machine without one."""
    return TrainingStopped(
        f"{what} needs an NVIDIA GPU and this machine shows none; use LoRA without"
        " quantization and a small base here, or run it where nvidia-smi lists a GPU"
    )
