"""Packages a model: picks the converter, writes the file whole, and names it by its hash."""

import json
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from anyio import to_thread

from finetune.package.converter import Converter, GgufFile, PackagingError, Quantisation
from finetune.package.gguf import BuiltinConverter
from finetune.package.llama_cpp import LlamaCppConverter
from finetune.train.files import model_folder, sha256_file
from swarm.errors import StoreError

__all__ = ["package_gguf"]


async def package_gguf(
    model: Path,
    output: Path,
    *,
    quantisation: Quantisation = "q8_0",
    converter: Converter | None = None,
) -> GgufFile:
    """Write a model as GGUF and return the file with its hash.

    Without a converter the built-in one is used, and llama.cpp's for models that the built-in one
    does not know when LLAMA_CPP_DIR names a checkout.

    Args:
        model: A run folder or a Hugging Face model folder.
        output: The file to write; an older one is replaced once the new one is complete.
        quantisation: How weights are stored.
        converter: Another way to write the file.

    Raises:
        DataError: There is no model.
        PackagingError: No converter knows the model.
        StoreError: The file cannot be written.
    """
    folder = await to_thread.run_sync(model_folder, model)
    chosen: Converter = converter or BuiltinConverter()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".gguf-") as name:
            part = Path(name) / output.name
            try:
                await chosen.convert(folder, part, quantisation)
            except PackagingError:
                if converter is not None or not os.environ.get("LLAMA_CPP_DIR"):
                    raise
                part.unlink(missing_ok=True)
                chosen = LlamaCppConverter()
                await chosen.convert(folder, part, quantisation)
            sealed = await to_thread.run_sync(_seal, part, output)
    except OSError as error:
        raise StoreError(f"{output}: {error.strerror or error}") from error
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return GgufFile(
        path=output,
        sha256=sealed.sha256,
        bytes=sealed.size,
        quantisation=quantisation,
        architecture=str(config.get("model_type")),
        converter=chosen.name,
    )


class _Sealed(NamedTuple):
    sha256: str
    size: int


def _seal(part: Path, output: Path) -> _Sealed:
    sealed = _Sealed(sha256_file(part), part.stat().st_size)
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(part, output)
    return sealed
