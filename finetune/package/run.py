"""Packages a model: picks the converter, writes the file whole, and names it by its hash."""

import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import anyio
from anyio import to_thread

from finetune.package.converter import (
    Converter,
    GgufFile,
    Quantisation,
    UnknownModelError,
    parse_quantisation,
)
from finetune.package.gguf import BuiltinConverter
from finetune.package.llama_cpp import LlamaCppConverter
from finetune.package.mixture import FILE_TYPES
from finetune.package.quantiser import find_quantiser, quantiser_missing
from finetune.train.files import model_folder, sha256_file
from swarm.errors import StoreError
from swarm.files import sync_folder

__all__ = ["export_to_gguf", "package_gguf"]

_INCOMING = re.compile(r"\.gguf-([0-9]+)-")


def export_to_gguf(
    model_dir: Path | str, output_path: Path | str, quantization: str = "q4_K_M"
) -> Path:
    """Write a model as GGUF and return the file's path; for programs that are not async.

    Args:
        model_dir: A run folder or a Hugging Face model folder.
        output_path: The file to write.
        quantization: How weights are stored, in any letter case; see `Quantisation`.

    Raises:
        DataError: There is no model.
        PackagingError: No converter knows the model, or there is no such quantization.
        StoreError: The file cannot be written.
    """
    kind = parse_quantisation(quantization)

    async def export() -> GgufFile:
        return await package_gguf(Path(model_dir), Path(output_path), quantisation=kind)

    return anyio.run(export).path


async def package_gguf(
    model: Path,
    output: Path,
    *,
    quantisation: Quantisation = "q8_0",
    converter: Converter | None = None,
) -> GgufFile:
    """Write a model as GGUF and return the file with its hash.

    Without a converter the built-in one is used, and llama.cpp's for models that the built-in one
    does not know when LLAMA_CPP_DIR names a checkout. K-quants are made by llama.cpp's quantiser
    where one is installed, and by our own otherwise.

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
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        _sweep(output.parent)
        prefix = f".gguf-{os.getpid()}-"
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=prefix) as name:
            part = Path(name) / output.name
            by = await _convert(folder, part, quantisation, converter)
            sealed = await to_thread.run_sync(_seal, part, output)
    except OSError as error:
        # numpy says of a full disk only how much it wrote.
        reason = error.strerror or f"it cannot be written whole, is the disk full? ({error})"
        raise StoreError(f"{output}: {reason}") from error
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return GgufFile(
        path=output,
        sha256=sealed.sha256,
        bytes=sealed.size,
        quantisation=quantisation,
        architecture=str(config.get("model_type")),
        converter=by,
    )


async def _convert(
    folder: Path, part: Path, quantisation: Quantisation, converter: Converter | None
) -> str:
    """Write the file and return who did."""
    if converter is not None:
        await converter.convert(folder, part, quantisation)
        return converter.name
    builtin = BuiltinConverter()
    try:
        quantiser = find_quantiser() if "_k" in quantisation else None
        if quantiser is None:
            if quantisation not in FILE_TYPES:
                raise quantiser_missing(quantisation)
            await builtin.convert(folder, part, quantisation)
            return builtin.name
        whole = part.with_suffix(".f16.gguf")
        await builtin.convert(folder, whole, "f16")
        await quantiser.quantise(whole, part, quantisation)
        return f"{builtin.name}+{quantiser.name}"
    except UnknownModelError:
        if not os.environ.get("LLAMA_CPP_DIR"):
            raise
    await anyio.Path(part).unlink(missing_ok=True)
    llama_cpp = LlamaCppConverter()
    await llama_cpp.convert(folder, part, quantisation)
    return llama_cpp.name


class _Sealed(NamedTuple):
    sha256: str
    size: int


def _seal(part: Path, output: Path) -> _Sealed:
    sealed = _Sealed(sha256_file(part), part.stat().st_size)
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(part, output)
    sync_folder(output.parent)
    return sealed


def _sweep(folder: Path) -> None:
    """Remove what packaging left behind in processes that were killed."""
    for path in folder.glob(".gguf-*"):
        writer = _INCOMING.match(path.name)
        if writer and not _is_alive(int(writer[1])):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # a signal would end the process there
        return True
    with suppress(PermissionError, OverflowError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
