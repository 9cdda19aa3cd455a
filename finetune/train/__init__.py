"""Training on this machine: a frozen run folder, a child process, a model.

It is not the place where data is collected, checked or exported, and it knows no hosted service.
"""

from finetune.train.augment import augment_rows
from finetune.train.config import (
    LoraShape,
    ModelShape,
    TrainConfig,
    TrainProgress,
    TrainResult,
    dpo_config,
)
from finetune.train.manifest import Manifest
from finetune.train.rows import RowsError
from finetune.train.run import TrainingError, train

__all__ = [
    "LoraShape",
    "Manifest",
    "ModelShape",
    "RowsError",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "TrainingError",
    "augment_rows",
    "dpo_config",
    "train",
]
