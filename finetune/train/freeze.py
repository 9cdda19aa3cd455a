"""The frozen start of a run: its configuration and rows, checked and written before any process.

What can be refused is refused here, where a wrong row costs no start of a training process.
"""

import random
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from finetune.dataset import check_file
from finetune.train.adapter import adapter_folder, check_adapter
from finetune.train.catalogue import base_model
from finetune.train.checkpoint import cut_metrics, last_checkpoint, step_of
from finetune.train.config import TrainConfig
from finetune.train.files import model_folder
from finetune.train.rows import RowsError, dump_rows, read_chats, read_data, read_pairs
from swarm.errors import DataError, Problem, StoreError, UnknownNameError
from swarm.files import write_atomically

__all__ = ["Inputs", "freeze"]

_Rows = list[dict[str, JsonValue]]
_PREFERENCES = ("dpo", "orpo")


class Inputs(NamedTuple):
    """The files that a run is made from."""

    data: Path
    rehearsal: Path | None = None
    validation: Path | None = None


def freeze(config: TrainConfig, inputs: Inputs, run_dir: Path, resume: bool) -> None:
    """Write the run folder's first files, or make sure that they are there already.

    Raises:
        DataError: The data cannot be trained on, the configuration contradicts itself, or the
            folder is in use by another run.
        StoreError: The folder cannot be written.
    """
    files = _files(config, inputs)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        if resume and (run_dir / "config.json").is_file():
            _check_same(files, run_dir)
            checkpoint = last_checkpoint(run_dir)
            cut_metrics(run_dir / "metrics.jsonl", step=step_of(checkpoint) if checkpoint else 0)
            return
        if any(run_dir.iterdir()):
            raise DataError(f"{run_dir} is not empty; every run needs a folder of its own")
        for name, text in files.items():
            write_atomically(run_dir / name, text)
    except OSError as error:
        raise StoreError(f"{run_dir}: {error.strerror or error}") from error


def _files(config: TrainConfig, inputs: Inputs) -> dict[str, str]:
    """Return the texts of the frozen files; config.json comes last and means that all is there."""
    _check_config(config)
    rows = _read(inputs.data, config)
    if inputs.validation is not None:
        measured = _read(inputs.validation, config)
    else:
        rows, measured = _split(rows, config)
    found = {"data.jsonl": dump_rows(rows)}
    if measured:
        found["validation.jsonl"] = dump_rows(measured)
    if inputs.rehearsal is not None:
        kept = read_data(inputs.rehearsal)
        read_chats(kept, source=str(inputs.rehearsal))
        found["rehearsal.jsonl"] = dump_rows(kept)
    if config.base != "scratch":
        base = _base(config.base)
        changes = {"base": str(Path(config.base).resolve())}
        if config.adapter is not None:
            check_adapter(Path(config.adapter), base)
            changes["adapter"] = str(adapter_folder(Path(config.adapter)).resolve())
        config = config.model_copy(update=changes)
    return {**found, "config.json": config.model_dump_json(indent=2) + "\n"}


def _base(name: str) -> Path:
    if not Path(name).exists():
        try:
            known = base_model(name)
        except UnknownNameError:
            pass
        else:
            raise DataError(
                f"{name} has to be fetched first: hf download {known.repository} --local-dir base;"
                " then set base to that folder"
            )
    return model_folder(Path(name))


def _check_config(config: TrainConfig) -> None:
    if config.method in _PREFERENCES and config.base == "scratch":
        raise DataError("preference training needs a trained base: set base to a model folder")
    if config.adapter is not None and (config.base == "scratch" or config.lora is None):
        raise DataError("an adapter goes on from its own base: set base and lora too")
    if config.quantization == "4bit" and config.base == "scratch":
        raise DataError("4-bit training (QLoRA) needs a trained base: set base to a model folder")
    if config.quantization == "4bit" and config.lora is None:
        raise DataError("weights in 4 bits cannot be trained themselves: set lora (QLoRA)")
    if config.quantization == "4bit" and config.device == "cpu":
        raise DataError(
            "4-bit training (QLoRA) needs an NVIDIA GPU: set device to auto on a machine that has"
            " one, or train without quantization"
        )
    if config.backend == "unsloth" and config.base == "scratch":
        raise DataError("the unsloth back end needs a trained base: set base to a model folder")


def _read(path: Path, config: TrainConfig) -> _Rows:
    rows = read_data(path)
    if config.method in _PREFERENCES:
        read_pairs(rows, source=str(path))
    else:
        read_chats(rows, source=str(path))
    if path.suffix == ".jsonl":
        report = check_file(path, minimum=1)
        if not report.is_ok:
            raise RowsError(
                [
                    Problem(f"{found.message} [{found.code}]", "row", str(path), found.line or None)
                    for found in report.problems
                ]
            )
    return rows


def _split(rows: _Rows, config: TrainConfig) -> tuple[_Rows, _Rows]:
    """Return the rows to train on and those to measure on, both in their order."""
    count = round(len(rows) * config.validation)
    if config.validation and not 0 < count < len(rows):
        raise DataError(
            f"validation {config.validation:g} of {len(rows)} rows leaves one side empty;"
            " add rows, or measure on a file of its own"
        )
    chosen = set(random.Random(f"validation:{config.seed}").sample(range(len(rows)), count))
    return (
        [row for at, row in enumerate(rows) if at not in chosen],
        [row for at, row in enumerate(rows) if at in chosen],
    )


def _check_same(files: dict[str, str], run_dir: Path) -> None:
    if (run_dir / "manifest.json").exists():
        raise DataError(f"{run_dir} is a finished run; there is nothing to resume")
    for name, text in files.items():
        path = run_dir / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise DataError(
                f"{path} differs from what is asked for now; resume with the same data and"
                " configuration, or start in a new folder"
            )
