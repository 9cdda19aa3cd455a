"""What a training run is told and what it tells back.

Only data lives here; `finetune.train.run` starts a run, `finetune.train.worker` does the work.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

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
    targets: tuple[str, ...] = ()
    """Names of the layers that get an adapter; none means all linear ones."""


class TrainConfig(BaseModel):
    """Everything that shapes a model besides its data; frozen into the run folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    backend: Literal["local", "unsloth"] = "local"
    """`local` is TRL and PEFT; `unsloth` needs its extra, and a GPU to be worth it."""
    method: Literal["sft", "dpo", "orpo", "none"] = "sft"
    """Imitate answers, prefer one answer to another (`dpo`; `orpo` without a second model in
    memory), or make the base without any training."""
    base: str = "scratch"
    """`scratch`, or a Hugging Face model folder to start from."""
    shape: ModelShape = ModelShape()
    """The model to make when `base` is `scratch`."""
    lora: LoraShape | None = None
    """Train an adapter and merge it; None trains all weights (`dpo` always uses an adapter).
    On a base folder the adapter is kept beside the merged model."""
    quantization: Literal["none", "4bit"] = "none"
    """`4bit` holds the frozen base in four bits (QLoRA); needs `lora` and an NVIDIA GPU."""
    adapter: str | None = None
    """Adapter, LoRA run or checkpoint to go on from; it must have been made for the same base."""
    epochs: int = Field(default=18, ge=1)
    """Passes over the data; with `augment` each pass sees another variation of it."""
    steps: int | None = Field(default=None, ge=1)
    """Steps after which training ends, whatever `epochs` says."""
    batch_size: int = Field(default=32, ge=1)
    """Rows that a process computes at once."""
    accumulation: int = Field(default=1, ge=1)
    """Batches whose gradients make one step; the memory of one, the effect of all."""
    processes: int = Field(default=1, ge=1)
    """Training processes on this machine, started by accelerate; each takes its own batches."""
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
    packing: bool = False
    """Fill sequences with several rows; faster, but rows may then see one another."""
    gradient_checkpointing: bool = False
    """Compute activations again instead of keeping them: less memory, about a third slower."""
    validation: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows that is kept out of training to measure it, chosen by the seed."""
    evaluate_every: int = Field(default=0, ge=0)
    """Steps between two measurements on the validation rows; 0 measures ten times in a run."""
    patience: int = Field(default=0, ge=0)
    """Measurements without a better loss after which training stops early; 0 never stops."""
    save_every: int = Field(default=0, ge=0)
    """Steps between two checkpoints, from which a killed run goes on; 0 keeps none."""
    track: Literal["none", "wandb"] = "none"
    """Send the metrics to Weights & Biases too; it takes WANDB_MODE=offline as everywhere."""
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
    eta_seconds: float | None = None
    """Seconds that the remaining steps will take at the pace so far."""
    eval_loss: float | None = None
    """Loss on the validation rows, in the reports that bring one."""
    learning_rate: float | None = None
    """The learning rate of the step."""
    tokens_per_second: float | None = None
    """Tokens trained per second so far; only in `sft`."""
    memory_mb: float | None = None
    """Highest memory use so far: of the GPU where there is one, of the process elsewhere."""


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
    """Hash of the weights: of model.safetensors, or over its parts where it has several."""
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
    adapter_dir: Path | None = None
    """The PEFT folder of the adapter, where one was trained on a base folder."""
    stopped_early: bool = False
    """Whether the validation loss ended the run before its last step."""
    best_step: int | None = None
    """The step whose weights the model has, where validation rows chose one."""
    best_loss: float | None = None
    """Validation loss of that step."""
    resumed_from: int | None = None
    """The step of the checkpoint that the run went on from."""
    memory_mb: float | None = None
    """Highest memory use: of the GPU where there is one, of the process elsewhere."""

    @computed_field
    @property
    def duration_minutes(self) -> float:
        """Wall time of the worker in minutes."""
        return round(self.seconds / 60, 4)

    @computed_field
    @property
    def final_loss(self) -> float | None:
        """The last loss; another name of `loss`."""
        return self.loss
