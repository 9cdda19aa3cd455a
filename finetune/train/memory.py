"""How much memory a training takes: an estimate from the sizes of the model and of a step.

    weights      16 bits each, 32 on a CPU; QLoRA: 4.127 bits in linear layers, 16 in embeddings
                 (Dettmers et al., QLoRA, 2023, section 3: NF4 with double quantisation)
    trained      16 bytes for each trained weight: itself, its gradient and Adam's two moments in
                 32 bits (Rajbhandari et al., ZeRO, 2020, section 3.1)
    activations  34 bytes for each token, layer and unit of width, without the attention scores,
                 which fused attention never holds; with gradient checkpointing 2 bytes, and one
                 layer in full (Korthikanti et al., 2022, sections 4 and 5)
    logits       10 bytes for each token and entry of the vocabulary: 16 bits, their copy in 32 bits
                 and its gradient
    overhead     1 GB: the libraries, and memory that is held but not used

A real run differs by its kernels; Unsloth needs less, since it never holds the logits.
"""

from pydantic import BaseModel, ConfigDict

from finetune.train.catalogue import WeightShape
from finetune.train.defaults import Technique

__all__ = ["MemoryEstimate", "estimate_memory", "lora_weights"]

_FOUR_BIT = 4.127 / 8
_TRAINED = 16
_ACTIVATIONS = 34
_CHECKPOINTED = 2
_LOGITS = 10
_OVERHEAD = 1e9


class MemoryEstimate(BaseModel):
    """Where the memory of a training goes, in 10^9 bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    weights_gb: float
    """The frozen weights; none in full training."""
    trained_gb: float
    """Trained weights, gradients and optimizer."""
    activations_gb: float
    """What a step keeps for its way back, logits included."""
    overhead_gb: float
    total_gb: float


def lora_weights(shape: WeightShape, rank: int) -> int:
    """Return the weights of an adapter on all linear layers."""
    kv = shape.hidden // shape.heads * shape.kv_heads
    ends = (
        2 * (shape.hidden + shape.hidden)  # query and output
        + 2 * (shape.hidden + kv)  # key and value
        + 3 * (shape.hidden + shape.ffn)  # gate, up and down
    )
    return rank * shape.layers * ends


def estimate_memory(
    shape: WeightShape,
    technique: Technique,
    *,
    rank: int = 16,
    batch_size: int = 4,
    max_length: int = 2048,
    checkpointing: bool = True,
    weight_bytes: float = 2.0,
) -> MemoryEstimate:
    """Return the memory that a training step takes at its peak.

    Args:
        shape: The base model.
        technique: How it is trained.
        rank: Rank of the adapter; not used by full training.
        batch_size: Rows computed at once.
        max_length: Tokens of the longest row.
        checkpointing: Whether activations are computed again in place of being kept.
        weight_bytes: Bytes of a frozen weight that is not held in four bits; 4 on a CPU.
    """
    embeddings = shape.vocab * shape.hidden * (1 if shape.tied else 2)
    linear = max(0, shape.parameters - embeddings)
    if technique == "full":
        weights, trained = 0.0, shape.parameters
    else:
        each = _FOUR_BIT if technique == "qlora" else weight_bytes
        weights, trained = linear * each + embeddings * weight_bytes, lora_weights(shape, rank)
    tokens = batch_size * max_length
    layer = float(_ACTIVATIONS * tokens * shape.hidden)
    kept = _CHECKPOINTED * tokens * shape.hidden * shape.layers + layer
    activations = (kept if checkpointing else layer * shape.layers) + _LOGITS * tokens * shape.vocab
    parts = {
        "weights_gb": weights,
        "trained_gb": float(_TRAINED * trained),
        "activations_gb": activations,
        "overhead_gb": _OVERHEAD,
    }
    rounded = {name: round(value / 1e9, 2) for name, value in parts.items()}
    return MemoryEstimate(**rounded, total_gb=round(sum(parts.values()) / 1e9, 2))
