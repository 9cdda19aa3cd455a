"""GGUF by llama.cpp's own converter, for architectures that the built-in writer does not know.

The checkout is the user's: `LLAMA_CPP_DIR` names it, nothing is downloaded or built.
"""

import os
import sys
from pathlib import Path

import anyio

from finetune.package.converter import PackagingError, Quantisation
from finetune.package.quantiser import find_quantiser, quantiser_missing

__all__ = ["LlamaCppConverter"]

_SCRIPT = "convert_hf_to_gguf.py"
_DIRECT = frozenset({"f32", "f16", "q8_0"})


class LlamaCppConverter:
    """Runs `convert_hf_to_gguf.py` of a checkout, and a quantiser where one is needed."""

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
        if quantisation in _DIRECT:
            await self._run_script(model_dir, output, quantisation)
            return
        quantiser = find_quantiser(self.folder)
        if quantiser is None:
            raise quantiser_missing(quantisation)
        whole = output.with_suffix(".f16.gguf")
        try:
            await self._run_script(model_dir, whole, "f16")
            await quantiser.quantise(whole, output, quantisation)
        finally:
            whole.unlink(missing_ok=True)

    async def _run_script(self, model_dir: Path, output: Path, kind: str) -> None:
        script = [sys.executable, str(self.folder / _SCRIPT), str(model_dir)]
        await _run([*script, "--outfile", str(output), "--outtype", kind])


async def _run(command: list[str]) -> None:
    done = await anyio.run_process(command, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode("utf-8", "replace").splitlines()[-12:]
        shown = "".join(f"\n  | {line}" for line in lines)
        raise PackagingError(f"{command[1]} ended with code {done.returncode}:{shown}")
