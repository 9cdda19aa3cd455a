"""Which tensor of a model is stored how: `q4_k_m` is a mixture, with more bits where they pay."""

# gguf and numpy's dynamic dtypes are only partly typed, and they are imported where they are used.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any, NamedTuple

from finetune.package.converter import PackagingError, Quantisation
from finetune.package.kquants import BLOCK_BYTES, BLOCK_WEIGHTS, quantize_k
from swarm.errors import require

__all__ = ["FILE_TYPES", "Mixture", "add_tensor", "check_known"]

FILE_TYPES: dict[Quantisation, str] = {
    "f32": "ALL_F32",
    "f16": "MOSTLY_F16",
    "q8_0": "MOSTLY_Q8_0",
    "q6_k": "MOSTLY_Q6_K",
    "q5_k_m": "MOSTLY_Q5_K_M",
    "q5_0": "MOSTLY_Q5_0",
    "q4_k_m": "MOSTLY_Q4_K_M",
    "q4_0": "MOSTLY_Q4_0",
}
"""What the built-in writer can do, by the name that stands in the file."""

_BLOCK = 32
"""Weights that share a scale in the older formats."""
_NARROW = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""For rows that are no whole blocks of 256: the older format of a few more bits."""
_MOSTLY = {"q4_k_m": "Q4_K", "q5_k_m": "Q5_K", "q6_k": "Q6_K"}
_HALF_MAX = 65_504


class Mixture(NamedTuple):
    """What decides about a tensor, besides its name."""

    layers: int
    tied: bool
    """Whether the embedding is the output layer as well."""

    def kind(self, name: str, quantisation: Quantisation) -> str:
        """Return the type of a tensor of weights, by its name in the file."""
        is_output = name == "output.weight" or (self.tied and name == "token_embd.weight")
        if quantisation not in _MOSTLY:
            # The layers that words go in and out by keep eight bits.
            kept = name in {"output.weight", "token_embd.weight"}
            return "Q8_0" if kept else quantisation.upper()
        if is_output:
            return "Q6_K"
        if name.endswith(("attn_v.weight", "ffn_down.weight")) and self._is_sensitive(name):
            return "Q6_K"
        return _MOSTLY[quantisation]

    def _is_sensitive(self, name: str) -> bool:
        # The first and the last eighth of the layers, and every third between them.
        layer, eighth = int(name.split(".")[1]), self.layers // 8
        return layer < eighth or layer >= 7 * self.layers // 8 or (layer - eighth) % 3 == 2


def check_known(quantisation: Quantisation) -> None:
    """Make sure that the built-in writer has a quantisation.

    Raises:
        PackagingError: It has not.
    """
    if quantisation not in FILE_TYPES:
        known = ", ".join(FILE_TYPES)
        raise PackagingError(f"{quantisation} is not among {known}, which are written here")


def add_tensor(
    writer: Any, name: str, data: Any, quantisation: Quantisation, mixture: Mixture
) -> None:
    """Add a tensor to a GGUF writer.

    Args:
        writer: A `gguf.GGUFWriter`.
        name: The tensor's name in the file.
        data: Its numbers, float32.
        quantisation: Of the file.
        mixture: Of the model.

    Raises:
        PackagingError: A number is not finite, or too large for the quantisation.
    """
    gguf, numpy = require("gguf", extra="gguf"), require("numpy", extra="gguf")
    if not numpy.isfinite(data).all():
        raise PackagingError(f"{name} holds a number that is not finite; the training failed")
    if data.ndim == 1 or quantisation == "f32":
        writer.add_tensor(name, data)  # norms and biases are small and sensitive
        return
    if numpy.abs(data).max(initial=0) > _HALF_MAX:
        raise PackagingError(f"{name} has numbers beyond {_HALF_MAX}; package it as f32")
    if quantisation == "f16" or data.shape[-1] % _BLOCK:
        writer.add_tensor(name, data.astype("<f2"))
        return
    kind = mixture.kind(name, quantisation)
    if data.shape[-1] % BLOCK_WEIGHTS:
        kind = _NARROW.get(kind, kind)
    type_ = gguf.GGMLQuantizationType[kind]
    packed = quantize_k(data, kind) if kind in BLOCK_BYTES else gguf.quants.quantize(data, type_)
    writer.add_tensor(name, packed, raw_shape=packed.shape, raw_dtype=type_)
