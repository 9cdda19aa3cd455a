"""What turns a Hugging Face model folder into a GGUF file: the contract, not an implementation.

`finetune.package.gguf` implements it here in Python, `finetune.package.llama_cpp` with llama.cpp.
"""

from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from swarm.errors import SwarmError

__all__ = ["Converter", "GgufFile", "PackagingError", "Quantisation"]

Quantisation = Literal["f32", "f16", "q8_0", "q5_0", "q4_0"]
"""How weights are stored; names as llama.cpp has them."""


class PackagingError(SwarmError):
    """A model cannot be packaged; the message says what would do it."""

    code = "packaging_error"
    rpc_code = -32073


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


class Converter(Protocol):
    """Writes GGUF files."""

    @property
    def name(self) -> str:
        """Return the name that `GgufFile.converter` carries."""
        ...

    async def convert(self, model_dir: Path, output: Path, quantisation: Quantisation) -> None:
        """Write the model of a Hugging Face folder to a file that does not exist yet.

        Raises:
            PackagingError: The model is of a kind that this converter does not know.
        """
        ...
