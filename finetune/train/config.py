"""What a training run is told and what it tells back.

Only data lives here; `finetune.train.run` starts a run, `finetune.train.worker` does the work.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "LoraShape",
    "ModelShape",
    "TrainConfig",
    "TrainProgress",
    "TrainResult",
    "dpo_config",
]


class ModelShape(BaseModel):
    """The size of a Llama-shaped model that is made from nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    hidden: int = Field(default=192, ge=32)
    """Width; a multiple of `heads`, and of 32 for the quantised GGUF formats."""
    layers: int = Field(default=3, ge=1)
    """Number of transformer blocks."""
    heads: int = Field(default=6, ge=1)
    """Attention heads."""
    kv_heads: int = Field(default=3, ge=1)
    """Key and value heads; a divisor of `heads`."""
    ffn: int = Field(default=512, ge=32)
    """Width of the feed-forward layer."""
    vocab: int = Field(default=2048, ge=300)
    """Upper bound of the vocabulary that is learned from the data."""
    context: int = Field(default=512, ge=64)
    """The longest sequence that the model takes, in tokens."""


class LoraShape(BaseModel):
    """The low-rank adapter that is trained in place of the whole model, then merged."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rank: int = Field(default=16, ge=1)
    """Rank of the update."""
    alpha: int = Field(default=32, ge=1)
    """Scale of the update."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the adapter's input that is dropped in training."""


class TrainConfig(BaseModel):
    """Everything that shapes a model besides its data; frozen into the run folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    method: Literal["sft", "dpo", "none"] = "sft"
    """Imitate answers, prefer one answer to another, or make the base without any training."""
    base: str = "scratch"
    """`scratch`, or a Hugging Face model folder to start from."""
    shape: ModelShape = ModelShape()
    """The model to make when `base` is `scratch`."""
    lora: LoraShape | None = None
    """Train an adapter and merge it; None trains all weights (`dpo` always uses an adapter)."""
    epochs: int = Field(default=18, ge=1)
    """Passes over the data; with `augment` each pass sees another variation of it."""
    batch_size: int = Field(default=32, ge=1)
    """Rows per step."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Peak of the cosine schedule."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Pull of the weights towards zero."""
    beta: float = Field(default=0.1, gt=0)
    """How far `dpo` may move away from its base; smaller is further."""
    seed: int = Field(default=7, ge=0)
    """Seed of the weights, the order of rows and the augmentation."""
    max_length: int = Field(default=256, ge=16)
    """Rows with more tokens are cut."""
    augment: bool = True
    """Vary the questions (`finetune.train.augment`); used by `sft` only."""
    system: str | None = None
    """System message put before rows that have none; asks must then send the same one."""
    device: Literal["cpu", "auto"] = "cpu"
    """`auto` takes a GPU where there is one; only `cpu` promises equal bytes."""
    threads: int = Field(default=1, ge=1)
    """CPU threads; on busy machines one is faster than several."""


def dpo_config(base: Path) -> TrainConfig:
    """Return a configuration for preference training on a model made by this package.

    Gentler than the defaults: a model of this size forgets other answers at their learning rate.
    Give `train` the base's own data as `rehearsal`, and preferred answers in words that the base
    knows; an adapter does not learn the embeddings of new ones.
    """
    return TrainConfig(method="dpo", base=str(base), epochs=8, learning_rate=1e-3)


class TrainProgress(BaseModel):
    """One report of a running training."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    step: int
    """Steps done."""
    total_steps: int
    """Steps of the whole run."""
    loss: float
    """Mean loss since the report before."""
    epoch: float
    """Passes over the data done."""
    seconds: float
    """Seconds since the worker started."""


class TrainResult(BaseModel):
    """A finished run."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    run_dir: Path
    """The run folder: config.json, manifest.json, metrics.jsonl, log.txt, data.jsonl, model/."""
    model_dir: Path
    """The Hugging Face folder of the trained model."""
    manifest_sha256: str
    """Hash of manifest.json: equal inputs give an equal hash."""
    model_sha256: str
    """Hash of model.safetensors."""
    parameters: int
    """Weights of the model."""
    rows: int
    """Rows of the data."""
    steps: int
    """Steps done."""
    loss: float | None
    """Last loss that was reported."""
    seconds: float
    """Wall time of the worker."""
    cpu_seconds: float
    """CPU time of the worker."""
