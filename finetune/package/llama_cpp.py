"""GGUF by llama.cpp's own converter, for architectures that the built-in writer does not know.

The checkout is the user's: `LLAMA_CPP_DIR` names it, nothing is downloaded or built.
"""

import os
import sys
from pathlib import Path

import anyio

from finetune.package.converter import PackagingError, Quantisation

__all__ = ["LlamaCppConverter"]

_SCRIPT = "convert_hf_to_gguf.py"
_DIRECT = frozenset({"f32", "f16", "q8_0"})


class LlamaCppConverter:
    """Runs `convert_hf_to_gguf.py` (and `llama-quantize` where it is needed) of a checkout."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a checkout.

        Args:
            folder: The checkout; by default the one that LLAMA_CPP_DIR names.

        Raises:
            PackagingError: There is no checkout.
        """
        named = folder or Path(os.environ.get("LLAMA_CPP_DIR") or ".")
        if folder is None and not os.environ.get("LLAMA_CPP_DIR"):
            raise PackagingError("LLAMA_CPP_DIR is not set; set it to a llama.cpp checkout")
        if not (named / _SCRIPT).is_file():
            raise PackagingError(f"{named}: no {_SCRIPT} here; is it a llama.cpp checkout?")
        self.folder = named.resolve()

    @property
    def name(self) -> str:
        """Return `llama.cpp`."""
        return "llama.cpp"

    async def convert(self, model_dir: Path, output: Path, quantisation: Quantisation) -> None:
        """Write a model to a GGUF file.

        Raises:
            PackagingError: The converter failed; its last lines are in the message.
        """
        first = quantisation if quantisation in _DIRECT else "f16"
        source = output if first == quantisation else output.with_suffix(".f16.gguf")
        script = [sys.executable, str(self.folder / _SCRIPT), str(model_dir)]
        try:
            await _run([*script, "--outfile", str(source), "--outtype", first])
            if source != output:
                await _run([self._quantiser(), str(source), str(output), quantisation.upper()])
        finally:
            if source != output:
                source.unlink(missing_ok=True)

    def _quantiser(self) -> str:
        for place in (self.folder, self.folder / "build" / "bin"):
            if (place / "llama-quantize").is_file():
                return str(place / "llama-quantize")
        raise PackagingError(
            f"{self.folder}: llama-quantize is not built; build it, or package as f16 or q8_0"
        )


async def _run(command: list[str]) -> None:
    done = await anyio.run_process(command, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()[-12:]
        shown = "".join(f"\n  | {line}" for line in lines)
        raise PackagingError(f"{command[1]} ended with code {done.returncode}:{shown}")
