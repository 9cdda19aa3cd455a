"""llama.cpp's quantiser, where it is installed: for k-quants, and for those that only it has.

Looked for in this order: the program that WIKISWARM_LLAMA_QUANTIZE names, `llama-quantize` on PATH,
the one in LLAMA_CPP_DIR, the Python package `llama_cpp` (extra `quantize`). It runs in a process of
its own, because native code may crash.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import anyio

from finetune.package.converter import PackagingError, Quantisation

__all__ = ["LlamaQuantiser", "find_quantiser", "quantiser_missing"]

_PROGRAM = "llama-quantize"
_VARIABLE = "WIKISWARM_LLAMA_QUANTIZE"
_TAIL_LINES = 12
# Run by Python with source, target and the name of the file type.
_BY_PACKAGE = """
import ctypes, sys
import llama_cpp
source, target, kind = sys.argv[1:]
settings = llama_cpp.llama_model_quantize_default_params()
settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
settings.nthread = 0
sys.exit(llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(settings)))
"""


class LlamaQuantiser(NamedTuple):
    """A quantiser that is installed."""

    name: str
    """`llama-quantize` or `llama_cpp`."""
    command: tuple[str, ...]
    """The program and its first arguments; source, target and type follow."""

    async def quantise(self, source: Path, target: Path, quantisation: Quantisation) -> None:
        """Write a GGUF file with fewer bits.

        Args:
            source: A GGUF file, best f16 or f32.
            target: The file to write.
            quantisation: How its weights are stored.

        Raises:
            PackagingError: The quantiser failed; its last lines are in the message.
        """
        command = [*self.command, str(source), str(target), quantisation.upper()]
        done = await anyio.run_process(command, check=False)
        if done.returncode != 0 or not await anyio.Path(target).is_file():
            lines = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()
            shown = "".join(f"\n  | {line}" for line in lines[-_TAIL_LINES:])
            raise PackagingError(f"{self.name} ended with code {done.returncode}:{shown}")


def find_quantiser(folder: Path | None = None) -> LlamaQuantiser | None:
    """Return the quantiser of llama.cpp that is installed, or None.

    Args:
        folder: A llama.cpp checkout; by default the one that LLAMA_CPP_DIR names.

    Raises:
        PackagingError: WIKISWARM_LLAMA_QUANTIZE names no program.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise PackagingError(f"{_VARIABLE} names {named}, which is no program")
        return LlamaQuantiser(_PROGRAM, (found,))
    if found := shutil.which(_PROGRAM):
        return LlamaQuantiser(_PROGRAM, (found,))
    checkout = folder or (Path(place) if (place := os.environ.get("LLAMA_CPP_DIR")) else None)
    for place in (checkout, checkout / "build" / "bin") if checkout else ():
        if found := shutil.which(str(place / _PROGRAM)):
            return LlamaQuantiser(_PROGRAM, (found,))
    if importlib.util.find_spec("llama_cpp") is not None:
        return LlamaQuantiser("llama_cpp", (sys.executable, "-P", "-c", _BY_PACKAGE))
    return None


def quantiser_missing(quantisation: Quantisation) -> PackagingError:
    """Return the error that names both ways to get a quantiser."""
    return PackagingError(
        f"{quantisation} needs llama.cpp's quantiser: put {_PROGRAM} on PATH or name it in "
        f"{_VARIABLE}, or run: pip install 'wikiswarm[quantize]'"
    )
