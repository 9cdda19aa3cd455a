"""The table of tensor types, held against the library that writes the files."""

from gguf.constants import GGML_QUANT_SIZES

from wiki.engine.tensor_types import TENSOR_TYPES


def test_the_sizes_are_those_of_the_library() -> None:
    known = {int(kind): tuple(size) for kind, size in GGML_QUANT_SIZES.items()}
    ours = {number: tuple(block) for number, block in TENSOR_TYPES.items()}
    # A later library may know types that are not served here yet.
    assert {number: known.get(number) for number in ours} == ours
