"""Adapters (PEFT): which base they belong to, and the model that both make together.

Merged into another base of the same shape, an adapter gives nonsense without any error. So its
folder names its base by the hash of the base's weights, and nothing is merged without it.
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.package.converter import PackagingError
from finetune.train.child import ChildError, check_installed, run_child
from finetune.train.files import model_folder, sha256_file
from swarm.errors import DataError, StoreError
from swarm.files import sync_folder, write_atomically

__all__ = ["BASE_NAME", "AdapterBase", "MergeError", "merge_adapter", "seal_adapter"]

BASE_NAME = "base.json"
"""The file in an adapter's folder that names its base."""

_CONFIG_NAME = "adapter_config.json"
_LOG_NAME = "merge.log"


class MergeError(ChildError):
    """The merging process failed; `tail` holds the last lines of its log."""

    code = "merge_error"
    rpc_code = -32077
    what = "merging the adapter"


class AdapterBase(BaseModel):
    """The base that an adapter was trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    format: Literal[1] = 1
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The hash of the names and the content of the base's files of weights."""


def seal_adapter(adapter: Path, base: Path) -> Path:
    """Write down which base an adapter was trained on and return the file.

    Args:
        adapter: The folder that PEFT saved the adapter in.
        base: The run folder or model folder that it was trained on.

    Raises:
        DataError: There is no adapter, or no model.
        StoreError: The file cannot be written.
    """
    _check_adapter(adapter)
    sealed = AdapterBase(weights_sha256=_weights_hash(model_folder(base)))
    path = adapter / BASE_NAME
    try:
        write_atomically(path, sealed.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    return path


async def merge_adapter(adapter: Path, base: Path, output: Path, *, threads: int = 1) -> Path:
    """Merge an adapter into its base and return the folder of the whole model.

    The folder holds the model in safetensors and the tokenizer. PEFT does it in a child process.

    Args:
        adapter: A folder that `seal_adapter` has seen.
        base: The run folder or model folder that the adapter was trained on.
        output: The folder to make; it must not exist, and appears once it is complete.
        threads: CPU threads.

    Raises:
        DataError: There is no adapter, no model, or the output exists.
        PackagingError: The adapter does not say what its base is, or it is another one.
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
            await to_thread.run_sync(_write_job, work, adapter, source)
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
    _check_adapter(adapter)
    folder = model_folder(base)
    path = adapter / BASE_NAME
    try:
        sealed = AdapterBase.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise PackagingError(
            f"{adapter} does not say which base it was trained on ({BASE_NAME}); merged into "
            "another one it gives nonsense. If you know it, call seal_adapter(adapter, base)"
        ) from None
    except (OSError, ValidationError):
        raise PackagingError(f"{path} is damaged; train the adapter again") from None
    found = _weights_hash(folder)
    if found != sealed.weights_sha256:
        raise PackagingError(
            f"{adapter} was trained on weights {sealed.weights_sha256[:12]}, and {base} has "
            f"{found[:12]}; merge it into the base that it was trained on"
        )
    return folder


def _write_job(work: Path, adapter: Path, base: Path) -> None:
    job = {"adapter": str(adapter.resolve()), "base": str(base.resolve())}
    write_atomically(work / "job.json", json.dumps(job))


def _check_adapter(adapter: Path) -> None:
    names = (_CONFIG_NAME, "adapter_model.safetensors")
    missing = [name for name in names if not (adapter / name).is_file()]
    if missing:
        raise DataError(f"{adapter}: no adapter here; {' and '.join(missing)} not found")


def _weights_hash(folder: Path) -> str:
    names = sorted(path.name for path in folder.glob("*.safetensors"))
    listed = "".join(f"{name} {sha256_file(folder / name)}\n" for name in names)
    return hashlib.sha256(listed.encode()).hexdigest()


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
