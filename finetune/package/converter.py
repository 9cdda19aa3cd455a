"""What turns a Hugging Face model folder into a GGUF file: the contract, not an implementation.

`finetune.package.gguf` implements it here in Python, `finetune.package.llama_cpp` with llama.cpp.
"""

from pathlib import Path
from typing import Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict

from swarm.errors import SwarmError

__all__ = [
    "Converter",
    "GgufFile",
    "PackagingError",
    "Quantisation",
    "UnknownModelError",
    "parse_quantisation",
]

Quantisation = Literal[
    "f32", "f16", "q8_0", "q6_k", "q5_k_m", "q5_0", "q4_k_m", "q4_0", "q3_k_m", "q2_k"
]
"""How weights are stored; names as llama.cpp has them, the largest files first."""


class PackagingError(SwarmError):
    """A model cannot be packaged; the message says what would do it."""

    code = "packaging_error"
    rpc_code = -32073


class UnknownModelError(PackagingError):
    """A converter does not know this kind of model; another one may."""

    code = "unknown_model"
    rpc_code = -32078


class GgufFile(BaseModel):
    """A GGUF file that was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    path: Path
    """The file."""
    sha256: str
    """Its hash."""
    bytes: int
    """Its size."""
    quantisation: Quantisation
    """How its weights are stored."""
    architecture: str
    """The model type of the folder, such as `llama`."""
    converter: str
    """Which converter wrote it."""


def parse_quantisation(name: str) -> Quantisation:
    """Return the quantisation that a name in any letter case stands for.

    Raises:
        PackagingError: There is none of that name.
    """
    known: tuple[Quantisation, ...] = get_args(Quantisation)
    for quantisation in known:
        if quantisation == name.lower():
            return quantisation
    raise PackagingError(f"no quantization {name[:40]!r}; there are {', '.join(known)}")


class Converter(Protocol):
    """Writes GGUF files."""

    @property
    def name(self) -> str:
        """Return the name that `GgufFile.converter` carries."""
        ...

    async def convert(self, model_dir: Path, output: Path, quantisation: Quantisation) -> None:
        """Write the model of a Hugging Face folder to a file that does not exist yet.

        Raises:
            UnknownModelError: The model is of a kind that this converter does not know.
            PackagingError: The model is damaged, or the converter failed.
        """
        ...
