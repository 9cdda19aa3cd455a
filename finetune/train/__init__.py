"""Training on this machine: a frozen run folder, a child process, a model.

It is not the place where data is collected, checked or exported, and it knows no hosted service.
"""

from finetune.train.adapter import (
    AdapterBaseError,
    AdapterManifest,
    base_sha256,
    check_adapter,
    seal_adapter,
)
from finetune.train.augment import augment_rows
from finetune.train.config import (
    LoraShape,
    ModelShape,
    TrainConfig,
    TrainProgress,
    TrainResult,
    dpo_config,
)
from finetune.train.defaults import Technique, default_config, fine_tune_model
from finetune.train.manifest import Manifest
from finetune.train.rows import RowsError
from finetune.train.run import TrainingError, train

__all__ = [
    "AdapterBaseError",
    "AdapterManifest",
    "LoraShape",
    "Manifest",
    "ModelShape",
    "RowsError",
    "Technique",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "TrainingError",
    "augment_rows",
    "base_sha256",
    "check_adapter",
    "default_config",
    "dpo_config",
    "fine_tune_model",
    "seal_adapter",
    "train",
]
