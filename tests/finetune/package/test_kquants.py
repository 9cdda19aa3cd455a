"""Our k-quants, read back by `gguf`: how far weights are from what they were."""

# gguf and numpy's dynamic dtypes are only partly typed.
# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from collections.abc import Callable
from typing import Any

import gguf
import numpy as np
import pytest

from finetune.package.kquants import BLOCK_BYTES, quantize_k

_KINDS = ("Q4_K", "Q5_K", "Q6_K")
# Root mean square error by that of the weights, on normal weights: what llama.cpp's own quantisers
# (llama-cpp-python 0.3.36, no importance matrix) leave. `make test-quantize` measures both.
_MOST = {"Q4_K": 0.0713, "Q5_K": 0.0361, "Q6_K": 0.0177}
# With as many bits, a weight of the older formats is this far off.
_OLDER = {"Q4_K": "Q4_0", "Q5_K": "Q5_0"}


def _back(packed: np.ndarray, kind: str) -> np.ndarray:
    return gguf.quants.dequantize(packed, gguf.GGMLQuantizationType[kind])


def _error(weights: np.ndarray, packed: np.ndarray, kind: str) -> float:
    difference = _back(packed, kind) - weights
    return float(np.sqrt(np.square(difference).mean() / np.square(weights).mean()))


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.02, shape).astype(np.float32)


@pytest.mark.requirement("S2-25")
@pytest.mark.parametrize("kind", _KINDS)
def test_normal_weights_come_back_within_the_error_of_the_format(kind: str) -> None:
    weights = _normal(64, 1024)
    packed = quantize_k(weights, kind)
    assert packed.shape == (64, 4 * BLOCK_BYTES[kind])
    assert packed.dtype == np.uint8
    error = _error(weights, packed, kind)
    assert error < _MOST[kind]
    if older := _OLDER.get(kind):
        plain = gguf.quants.quantize(weights, gguf.GGMLQuantizationType[older])
        assert error < 0.9 * _error(weights, plain, older)


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.abs(x) + 1,
        lambda x: -np.abs(x) - 1,
        lambda x: x**3 * 1e4,
        lambda x: x * 1e-3,
        lambda x: x * 1e4,
        lambda x: np.where(np.arange(x.shape[-1]) % 64 == 7, x * 50, x),
        lambda x: np.where(np.arange(x.shape[-1]) % 64 < 32, x, 0),
        lambda x: np.full_like(x, 0.25),
    ],
    ids=["above", "below", "heavy", "small", "large", "outliers", "half-zero", "constant"],
)
def test_no_weight_is_further_off_than_a_step(
    kind: str, make: Callable[[np.ndarray], np.ndarray]
) -> None:
    weights = make(_normal(8, 512)).astype(np.float32)
    off = np.abs(_back(quantize_k(weights, kind), kind) - weights).reshape(-1, 256).max(axis=1)
    blocks = weights.reshape(-1, 256)
    reach = np.maximum(blocks.max(axis=1), 0) - np.minimum(blocks.min(axis=1), 0)
    # Rounding takes half a step, clipping at most one more, the six bits of scale and minimum one.
    steps = {"Q4_K": 15, "Q5_K": 31, "Q6_K": 31}[kind]
    assert (off <= 2.5 * reach / steps).all()


@pytest.mark.parametrize("kind", _KINDS)
def test_zeros_stay_zero_and_weights_too_small_for_the_format_do_no_harm(kind: str) -> None:
    zeros = np.zeros((2, 256), dtype=np.float32)
    assert not _back(quantize_k(zeros, kind), kind).any()
    for size in (1e-4, 1e-6, 1e-9, 1e-30):
        weights = _normal(4, 256) * np.float32(size)
        assert np.abs(_back(quantize_k(weights, kind), kind) - weights).max() <= max(
            2 * np.abs(weights).max() / 15, 1e-6
        )


@pytest.mark.parametrize("kind", _KINDS)
def test_many_blocks_are_packed_as_each_alone(kind: str) -> None:
    weights = _normal(2050, 256)
    packed = quantize_k(weights, kind)
    for row in (0, 2047, 2048, 2049):
        alone: Any = quantize_k(weights[row : row + 1], kind)
        assert np.array_equal(packed[row : row + 1], alone)


def test_what_cannot_be_packed_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole blocks"):
        quantize_k(_normal(2, 255), "Q4_K")
    for wrong in (np.nan, np.inf, -np.inf):
        weights = _normal(2, 256)
        weights[1, 3] = wrong
        with pytest.raises(ValueError, match="not finite"):
            quantize_k(weights, "Q6_K")
