"""The k-quants of GGUF (q4_K, q5_K, q6_K) in numpy: packs weights, needs no compiler.

A block holds 256 weights. Its sub-blocks have small whole numbers for scales (and minima), which
the block's own two floats scale once more. The format is llama.cpp's; the search for good scales is
written here: for each sub-block a few scales are tried, the weights rounded, the scale fitted to
what they were rounded to by least squares, and the best kept. Reading is the business of `gguf`.
"""

# numpy's dynamic dtypes are only partly typed, and it is imported where it is used.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any, NamedTuple

from swarm.errors import require

__all__ = ["BLOCK_BYTES", "BLOCK_WEIGHTS", "quantize_k"]

BLOCK_WEIGHTS = 256
"""Weights of a block; a row holds whole blocks."""
BLOCK_BYTES = {"Q4_K": 144, "Q5_K": 176, "Q6_K": 210}
"""Bytes of a block by the kind."""

_AT_ONCE = 2048
"""Blocks that are worked on together: half a million weights, some 40 MB of memory."""
_TRIED = 17
_FITS = 2
_SIX_BITS = 63


class _Fit(NamedTuple):
    """Scale and minimum of each sub-block: a weight is `scale * code - minimum`."""

    scale: Any
    minimum: Any


def quantize_k(weights: Any, kind: str) -> Any:
    """Return rows of weights as rows of packed bytes.

    Args:
        weights: Finite numbers, float32; the last axis is a multiple of 256.
        kind: `Q4_K`, `Q5_K` or `Q6_K`.

    Raises:
        ValueError: The last axis is no multiple of 256, or a weight is not finite.
        MissingExtraError: numpy is not installed.
    """
    numpy = require("numpy", extra="gguf")
    if weights.shape[-1] % BLOCK_WEIGHTS:
        raise ValueError(f"rows of {weights.shape[-1]} weights are no whole blocks of 256")
    if not numpy.isfinite(weights).all():
        raise ValueError("a weight is not finite")
    blocks = weights.reshape(-1, BLOCK_WEIGHTS)
    packed = numpy.empty((len(blocks), BLOCK_BYTES[kind]), dtype=numpy.uint8)
    for start in range(0, len(blocks), _AT_ONCE):
        part = numpy.ascontiguousarray(blocks[start : start + _AT_ONCE], dtype=numpy.float32)
        if kind == "Q6_K":
            packed[start : start + _AT_ONCE] = _pack_six_bits(numpy, part)
        else:
            bits = 4 if kind == "Q4_K" else 5
            packed[start : start + _AT_ONCE] = _pack_with_minimum(numpy, part, bits)
    return packed.reshape(*weights.shape[:-1], -1)


def _pack_with_minimum(numpy: Any, blocks: Any, bits: int) -> Any:
    """Pack as q4_K or q5_K: eight sub-blocks of 32, each with a scale and a minimum."""
    count, top = len(blocks), 2**bits - 1
    x = blocks.reshape(count, 8, 32)
    fit = _fit_with_minimum(numpy, x, top)
    factors = numpy.stack(
        [fit.scale.max(axis=1) / _SIX_BITS, fit.minimum.max(axis=1) / _SIX_BITS], axis=1
    )
    halves = _halves(numpy, factors)
    small = _small_numbers(numpy, fit, halves)
    codes = _codes_with_minimum(numpy, x, small, halves, top)
    error = _error_with_minimum(numpy, x, small, halves, codes)
    for _ in range(_FITS):
        # With the codes and small numbers as they are, better factors of the whole block.
        ours = small.scale[:, :, None] * codes
        theirs = numpy.broadcast_to(small.minimum[:, :, None], ours.shape)
        new = _two_by_two(numpy, ours.reshape(count, -1), theirs.reshape(count, -1), blocks)
        new_halves = _halves(numpy, numpy.where(new > 0, new, factors))
        new_small = _small_numbers(numpy, fit, new_halves)
        new_codes = _codes_with_minimum(numpy, x, new_small, new_halves, top)
        new_error = _error_with_minimum(numpy, x, new_small, new_halves, new_codes)
        better = new_error < error
        halves = numpy.where(better[:, None], new_halves, halves)
        small = _Fit(
            numpy.where(better[:, None], new_small.scale, small.scale),
            numpy.where(better[:, None], new_small.minimum, small.minimum),
        )
        codes = numpy.where(better[:, None, None], new_codes, codes)
        error = numpy.where(better, new_error, error)
    parts = [halves.view(numpy.uint8).reshape(count, 4), _pack_scales(numpy, small)]
    whole = codes.astype(numpy.uint8)
    if bits == 5:
        # The fifth bits: bit k of byte i is that of weight i in sub-block k.
        shifts = numpy.arange(8, dtype=numpy.uint8)[None, :, None]
        parts.append(((whole >> 4) << shifts).sum(axis=1, dtype=numpy.uint8))
    low = whole & 0x0F
    parts.append((low[:, 0::2] | (low[:, 1::2] << 4)).reshape(count, 128))
    return numpy.concatenate(parts, axis=1)


def _fit_with_minimum(numpy: Any, x: Any, top: int) -> _Fit:
    """Return the scale and the minimum, neither below 0, that round each sub-block best."""
    low = numpy.minimum(x.min(axis=2), 0)
    reach = numpy.maximum(x.max(axis=2) - low, 0)
    best_scale, best_minimum = reach / top, -low
    best = numpy.full(low.shape, numpy.inf, dtype=numpy.float32)
    for step in numpy.linspace(-0.12 * top, 0.12 * top, _TRIED):
        scale = reach / (top + step)
        codes = numpy.clip(numpy.rint(_divided(numpy, x - low[..., None], scale)), 0, top)
        new = _two_by_two(numpy, codes, numpy.ones_like(codes), x)
        scale, minimum = new[..., 0], new[..., 1]
        # Without a minimum, which cannot be negative, the scale is another one.
        alone = _ratio(numpy, (codes * x).sum(axis=2), (codes * codes).sum(axis=2))
        scale = numpy.where(minimum < 0, alone, scale)
        minimum = numpy.maximum(minimum, 0)
        error = numpy.square(scale[..., None] * codes - minimum[..., None] - x).sum(axis=2)
        better = (error < best) & (scale > 0) & numpy.isfinite(error)
        best_scale = numpy.where(better, scale, best_scale)
        best_minimum = numpy.where(better, minimum, best_minimum)
        best = numpy.where(better, error, best)
    return _Fit(best_scale, best_minimum)


def _two_by_two(numpy: Any, a: Any, b: Any, x: Any) -> Any:
    """Return p and q, on a new last axis, for which `p * a - q * b` is nearest to x."""
    aa, bb = (a * a).sum(axis=-1), (b * b).sum(axis=-1)
    ab, ax, bx = (a * b).sum(axis=-1), (a * x).sum(axis=-1), (b * x).sum(axis=-1)
    determinant = aa * bb - ab * ab
    p = _ratio(numpy, bb * ax - ab * bx, determinant)
    q = _ratio(numpy, ab * ax - aa * bx, determinant)
    return numpy.stack([p, q], axis=-1)


def _small_numbers(numpy: Any, fit: _Fit, halves: Any) -> _Fit:
    """Return scales and minima as six bits."""
    factors = halves.astype(numpy.float32)
    return _Fit(
        *(
            numpy.clip(numpy.rint(_divided(numpy, values, factors[:, at])), 0, _SIX_BITS)
            for at, values in enumerate(fit)
        )
    )


def _codes_with_minimum(numpy: Any, x: Any, small: _Fit, halves: Any, top: int) -> Any:
    factors = halves.astype(numpy.float32)
    scale, minimum = factors[:, :1] * small.scale, factors[:, 1:] * small.minimum
    return numpy.clip(numpy.rint(_divided(numpy, x + minimum[..., None], scale)), 0, top)


def _error_with_minimum(numpy: Any, x: Any, small: _Fit, halves: Any, codes: Any) -> Any:
    factors = halves.astype(numpy.float32)
    scale, minimum = factors[:, :1] * small.scale, factors[:, 1:] * small.minimum
    return numpy.square(scale[..., None] * codes - minimum[..., None] - x).sum(axis=(1, 2))


def _pack_scales(numpy: Any, small: _Fit) -> Any:
    """Return the eight scales and eight minima, six bits each, in twelve bytes."""
    scale, minimum = small.scale.astype(numpy.uint8), small.minimum.astype(numpy.uint8)
    return numpy.concatenate(
        [
            scale[:, :4] | ((scale[:, 4:] >> 4) << 6),
            minimum[:, :4] | ((minimum[:, 4:] >> 4) << 6),
            (scale[:, 4:] & 0x0F) | ((minimum[:, 4:] & 0x0F) << 4),
        ],
        axis=1,
    )


def _pack_six_bits(numpy: Any, blocks: Any) -> Any:
    """Pack as q6_K: sixteen sub-blocks of 16, each with a signed scale of eight bits."""
    count = len(blocks)
    x = blocks.reshape(count, 16, 16)
    scale = _fit_signed(numpy, x)
    at = numpy.abs(scale).argmax(axis=1)[:, None]
    # The largest scale becomes -128, the one that has most room.
    half = _halves(numpy, numpy.take_along_axis(scale, at, axis=1) / -128)
    factor = half.astype(numpy.float32)
    small = numpy.clip(numpy.rint(_divided(numpy, scale, factor[:, 0])), -128, 127)
    codes = numpy.clip(numpy.rint(_divided(numpy, x, factor * small)), -32, 31)
    whole = (codes.reshape(count, 2, 4, 32) + 32).astype(numpy.uint8)
    low, high = whole & 0x0F, whole >> 4
    shifts = (2 * numpy.arange(4, dtype=numpy.uint8))[None, None, :, None]
    return numpy.concatenate(
        [
            (low[:, :, :2] | (low[:, :, 2:] << 4)).reshape(count, 128),
            (high << shifts).sum(axis=2, dtype=numpy.uint8).reshape(count, 64),
            small.astype(numpy.int8).view(numpy.uint8),
            half.view(numpy.uint8),
        ],
        axis=1,
    )


def _fit_signed(numpy: Any, x: Any) -> Any:
    """Return the scale, of either sign, that rounds each sub-block best to -32 ... 31."""
    at = numpy.abs(x).argmax(axis=2)[..., None]
    largest = numpy.take_along_axis(x, at, axis=2)[..., 0]
    best_scale = largest / -32
    best = numpy.full(largest.shape, numpy.inf, dtype=numpy.float32)
    for divisor in numpy.linspace(-33.5, -29.5, _TRIED):
        codes = numpy.clip(numpy.rint(_divided(numpy, x, largest / divisor)), -32, 31)
        scale = _ratio(numpy, (codes * x).sum(axis=2), (codes * codes).sum(axis=2))
        error = numpy.square(scale[..., None] * codes - x).sum(axis=2)
        better = error < best
        best_scale = numpy.where(better, scale, best_scale)
        best = numpy.where(better, error, best)
    return best_scale


def _halves(numpy: Any, factors: Any) -> Any:
    """Return factors as 16-bit floats, rounded away from 0.

    Rounded towards it, the largest small number would not reach, and tiny weights would vanish.
    """
    halves = factors.astype(numpy.float16)
    short = numpy.abs(halves.astype(numpy.float32)) < numpy.abs(factors)
    further = numpy.copysign(numpy.float16(numpy.inf), factors.astype(numpy.float16))
    return numpy.where(short, numpy.nextafter(halves, further), halves)


def _divided(numpy: Any, values: Any, scale: Any) -> Any:
    """Return values by their sub-block's scale; 0 where the scale is 0."""
    return _ratio(numpy, values, scale[..., None])


def _ratio(numpy: Any, above: Any, below: Any) -> Any:
    below = numpy.broadcast_to(below, above.shape)
    with numpy.errstate(over="ignore"):
        found = numpy.divide(above, below, out=numpy.zeros_like(above), where=below != 0)
    return numpy.nan_to_num(found, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
