"""A plan of a training: technique, memory, settings, time and cost, with the reasons in words.

Nothing is trained and no training library is imported; the figures are estimates and say so.
"""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from finetune.train.advice import Payback, payback
from finetune.train.bases import PlannedBase
from finetune.train.catalogue import Licence
from finetune.train.config import TrainConfig
from finetune.train.defaults import Technique, default_config
from finetune.train.hardware import Hardware
from finetune.train.memory import MemoryEstimate, estimate_memory
from finetune.train.speed import seconds_of

__all__ = ["DataSize", "Plan", "make_plan"]

_TECHNIQUES: tuple[Technique, ...] = ("full", "lora", "qlora")
_SAFE = 0.9
"""Share of the memory that a plan may fill."""
_CORE_GB = 4.0
"""Memory that the core and a small quantised model need."""
_FEW_STEPS = 30


class DataSize(BaseModel):
    """How much there is to train on."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows: int
    tokens: int
    """Of all rows together, once; an estimate."""
    longest: int
    """Tokens of the longest row."""


class Plan(BaseModel):
    """What to train and how, and what that takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    base: str
    technique: Technique
    fits: bool
    """Whether the machine's memory holds the recommended technique."""
    config: TrainConfig
    """The settings; `train` takes them as they are where `base` is a folder."""
    memory: dict[Technique, MemoryEstimate]
    """The estimate for each technique with these settings."""
    hardware: Hardware
    steps: int
    """Optimizer steps of the run."""
    seconds: float
    """Rough wall time on this hardware; right to about a factor of three."""
    hosted_cost: float | None = None
    """Dollars for the same training at a hosted service, where a price is known."""
    payback: Payback | None = None
    """Set when the daily volume was given."""
    licence: Licence | None = None
    """The licence of the base and its duties."""
    reasons: tuple[str, ...]
    """Why this technique and these settings."""
    hints: tuple[str, ...]
    """Ways to pay less."""


def make_plan(
    data: DataSize,
    base: PlannedBase,
    hardware: Hardware,
    *,
    per_day: int | None = None,
    epochs: int = 3,
    hosted_price: Callable[[int], float | None] | None = None,
) -> Plan:
    """Return how to train a base on data with the hardware at hand.

    Args:
        data: The size of the data set.
        base: The base model, from `find_base`.
        hardware: The machine, from `find_hardware`.
        per_day: Questions a day, for the pay-back.
        epochs: Passes over the data.
        hosted_price: Takes the trained tokens of the run and returns dollars, or None when no
            price is known.
    """
    length = _length(data.longest)
    memory: dict[Technique, MemoryEstimate] = {}
    for technique in _TECHNIQUES:
        batch_size = 2 if technique == "qlora" else 4
        memory[technique] = estimate_memory(
            base.shape,
            technique,
            batch_size=batch_size,
            max_length=length,
            weight_bytes=2.0 if hardware.gpu else 4.0,
        )
    technique, fits, reasons = _choose(memory, hardware, base)
    config = _settings(technique, base, hardware, length, epochs, data)
    steps = -(-data.rows * config.epochs // (config.batch_size * config.accumulation))
    tokens = data.tokens * epochs
    seconds = seconds_of(
        base.shape, data.tokens * config.epochs, hardware, is_adapter=technique != "full"
    )
    if steps < _FEW_STEPS and base.name != "scratch":
        reasons.append(
            f"so few steps ({steps}) change little; 30 to 100 change a model without making it"
            " forget, and more rows are better than more epochs"
        )
    return Plan(
        base=base.name,
        technique=technique,
        fits=fits,
        config=config,
        memory=memory,
        hardware=hardware,
        steps=steps,
        seconds=round(seconds, 1),
        hosted_cost=hosted_price(tokens) if hosted_price is not None else None,
        payback=payback(per_day) if per_day is not None else None,
        licence=base.licence,
        reasons=tuple(reasons),
        hints=_hints(technique, data, hardware, fits, seconds),
    )


def _choose(
    memory: dict[Technique, MemoryEstimate], hardware: Hardware, base: PlannedBase
) -> tuple[Technique, bool, list[str]]:
    gpu = hardware.gpu
    if base.name == "scratch":
        need = memory["full"].total_gb
        said = f"a model made from nothing trains all its weights, in about {need:.1f} GB; no GPU"
        return "full", need <= hardware.memory_gb * _SAFE, [f"{said} needed"]
    if gpu is None:
        room, place = hardware.memory_gb * _SAFE, f"{hardware.memory_gb:.0f} GB of main memory"
        # Four bits need a GPU's kernels, so without one there is LoRA or nothing.
        need = memory["lora"].total_gb
        fits = need <= room
        said = "fits" if fits else "does not fit"
        reasons = [f"no GPU: LoRA on the CPU takes about {need:.1f} GB and {said} {place}"]
        if not fits:
            reasons.append(
                f"take a smaller base, or train on a machine with a GPU and bring the GGUF file:"
                f" {_CORE_GB:.0f} GB are enough to run the core and a small model"
            )
        return "lora", fits, reasons
    room = gpu.memory_gb * _SAFE
    place = f"{gpu.memory_gb:.0f} GB of {gpu.name}"
    reasons: list[str] = []
    for technique in ("lora", "qlora"):
        need = memory[technique].total_gb
        if need <= room:
            reasons.append(f"{technique} takes about {need:.1f} GB and fits the {place}")
            if technique == "lora" and memory["full"].total_gb <= room:
                reasons.append(
                    "full training would fit too, and gains little on a few thousand rows while"
                    " it forgets more"
                )
            return technique, True, reasons
        reasons.append(f"{technique} takes about {need:.1f} GB, too much for the {place}")
    reasons.append(f"take a smaller base than {base.name}, shorter rows, or a larger GPU")
    return "qlora", False, reasons


def _settings(
    technique: Technique,
    base: PlannedBase,
    hardware: Hardware,
    length: int,
    epochs: int,
    data: DataSize,
) -> TrainConfig:
    if base.name == "scratch":
        return TrainConfig(epochs=max(epochs, TrainConfig().epochs), max_length=length)
    has_gpu = hardware.gpu is not None
    # A small set forgets less at a low rank.
    rank = 8 if data.rows < 200 else 16
    changes: dict[str, object] = (
        {} if technique == "full" else {"lora": {"rank": rank, "alpha": 16}}
    )
    return default_config(
        technique,
        base.folder or base.name,
        epochs=epochs,
        max_length=length,
        gradient_checkpointing=True,
        validation=0.1 if data.rows >= 50 else 0.0,
        patience=3 if data.rows >= 50 else 0,
        device="auto" if has_gpu else "cpu",
        threads=max(1, hardware.cores) if not has_gpu else 1,
        **changes,
    )


def _length(longest: int) -> int:
    """Return a maximal length that cuts no row, with room for the template, in steps of 64."""
    return min(8192, max(64, -(-(longest + longest // 4) // 64) * 64))


def _hints(
    technique: Technique, data: DataSize, hardware: Hardware, fits: bool, seconds: float
) -> tuple[str, ...]:
    hints = ["try settings on a tenth of the rows first (--steps 30), then train once on all"]
    if technique != "qlora" and hardware.gpu is not None:
        hints.append("QLoRA is the cheapest for prototypes: a third of the memory, some speed lost")
    if data.rows and data.longest > 4 * data.tokens / data.rows:
        hints.append(
            f"the longest row has {data.longest} tokens, the mean {data.tokens // data.rows}: a row"
            " costs memory by its length, so shorten or split the longest"
        )
    if seconds > 3600 or not fits:
        hints.append(
            "interruptible (spot) machines cost a third or less: set save_every, and go on with"
            " --resume after they are taken away"
        )
    hints.append("one run with several changes in its data costs less than a run for each")
    return tuple(hints)
