"""An adapter (PEFT) and its base as one model.

Which base an adapter belongs to is the business of `finetune.train.adapter`.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from anyio import to_thread

from finetune.train.adapter import adapter_folder, check_adapter
from finetune.train.child import ChildError, check_installed, run_child
from finetune.train.files import model_folder
from swarm.errors import DataError, StoreError
from swarm.files import sync_folder, write_atomically

__all__ = ["MergeError", "merge_adapter"]

_LOG_NAME = "merge.log"


class MergeError(ChildError):
    """The merging process failed; `tail` holds the last lines of its log."""

    code = "merge_error"
    rpc_code = -32077
    what = "merging the adapter"


async def merge_adapter(adapter: Path, base: Path, output: Path, *, threads: int = 1) -> Path:
    """Merge an adapter into its base and return the folder of the whole model.

    The folder holds the model in safetensors and the tokenizer. PEFT does it in a child process.

    Args:
        adapter: The folder of an adapter, of a LoRA run or of one of its checkpoints. One from
            elsewhere is told its base by `seal_adapter` first.
        base: The run folder or model folder that the adapter was trained on.
        output: The folder to make; it must not exist, and appears once it is complete.
        threads: CPU threads.

    Raises:
        DataError: There is no adapter, no model, the adapter does not say what its base is, or
            the output exists.
        AdapterBaseError: The adapter was trained on another base.
        MissingExtraError: The training libraries are not installed.
        MergeError: PEFT refused the adapter.
        StoreError: The folder cannot be written.
    """
    check_installed("torch", "transformers", "peft")
    source = await to_thread.run_sync(_checked_base, adapter, base, output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".merge-") as name:
            work = Path(name)
            await to_thread.run_sync(_write_job, work, adapter_folder(adapter), source)
            # Beside the output: it is read when merging failed, and the work folder is gone then.
            log = output.with_name(f"{output.name}.{_LOG_NAME}")
            await run_child(
                "finetune.package.merge_worker",
                work,
                log=log,
                threads=threads,
                on_report=lambda _: None,
                error=MergeError,
            )
            log.unlink(missing_ok=True)
            await to_thread.run_sync(_show, work / "model", output)
    except OSError as error:
        raise StoreError(f"{output}: {error.strerror or error}") from error
    return output


def _checked_base(adapter: Path, base: Path, output: Path) -> Path:
    if output.exists():
        raise DataError(f"{output} exists; name a folder that does not")
    check_adapter(adapter, base)
    return model_folder(base)


def _write_job(work: Path, adapter: Path, base: Path) -> None:
    job = {"adapter": str(adapter.resolve()), "base": str(base.resolve())}
    write_atomically(work / "job.json", json.dumps(job))


def _show(model: Path, output: Path) -> None:
    for path in model.iterdir():
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
    try:
        model.rename(output)
    except OSError:
        shutil.rmtree(model, ignore_errors=True)
        raise
    sync_folder(output.parent)
