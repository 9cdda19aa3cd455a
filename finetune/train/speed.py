"""How long a training takes, roughly: operations over the speed of the machine.

A weight costs 6 operations for each token when it is trained and 4 when it is frozen (Kaplan et
al., 2020, section 2.1: 2 forward, 4 backward, half of which a frozen weight does not need).
Gradient checkpointing computes the 2 of the way forward again. GPUs reach about a third of the
speed in their data sheets (dense 16-bit with 32-bit sums), CPU cores about 15 GFLOP/s.
"""

import re

from finetune.train.catalogue import WeightShape
from finetune.train.hardware import Hardware

__all__ = ["seconds_of"]

_REACHED = 0.33
_CORE_FLOPS = 15e9
_UNKNOWN_GPU = 30e12
_GPUS = (
    (r"\bB200\b", 2250e12),
    (r"\bH[12]00\b", 989e12),
    (r"\bA100\b", 312e12),
    (r"\bL40S\b", 362e12),
    (r"\bL4\b", 121e12),
    (r"\bA10G?\b", 125e12),
    (r"\bT4\b", 65e12),
    (r"RTX 5090", 105e12),
    (r"RTX 4090", 83e12),
    (r"RTX 3090", 36e12),
)
"""Name patterns and operations per second."""


def seconds_of(shape: WeightShape, tokens: int, hardware: Hardware, *, is_adapter: bool) -> float:
    """Return the rough seconds of training on so many tokens, passes included."""
    operations = (6 if is_adapter else 8) * shape.parameters * tokens
    gpu = hardware.gpu
    if gpu is None:
        return operations / (_CORE_FLOPS * hardware.cores)
    speed = next((s for pattern, s in _GPUS if re.search(pattern, gpu.name)), _UNKNOWN_GPU)
    return operations / (speed * _REACHED)
