"""One way to call every stage: `run_mode("prepare" | "train" | "evaluate" | "merge" | "openai")`.

All modes take the same inputs and each returns its own result. This is the short way; the functions
that it calls have more to set.
"""

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, overload

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.curate import curate
from finetune.curate.report import CurationReport
from finetune.dataset.check import check_file
from finetune.dataset.convert import convert_file
from finetune.dataset.read import read_rows
from finetune.dataset.report import DatasetReport
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.split import split_samples
from finetune.dataset.write import WrittenFile, write_rows
from finetune.evaluate import EvaluationReport, evaluate
from finetune.package.adapter import merge_adapter
from finetune.train import TrainResult, train
from finetune.train.defaults import Technique, default_config
from finetune.train.hosted import HostedConfig, HostedResult, train_hosted
from finetune.train.rows import read_data
from swarm.errors import DataError, StoreError, UnknownNameError
from swarm.files import write_atomically

__all__ = ["DataFormat", "Merged", "Mode", "Prepared", "run_mode"]

Mode: TypeAlias = Literal["prepare", "train", "evaluate", "merge", "openai"]
DataFormat: TypeAlias = Literal["alpaca", "sharegpt", "openai", "completion"]

_Config = TypeVar("_Config", bound=BaseModel)

_MODES = ("prepare", "train", "evaluate", "merge", "openai")
_FORMATS = ("alpaca", "sharegpt", "openai", "completion")
_TECHNIQUES = ("lora", "qlora", "full")


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Prepared(_Result):
    """Rows that were converted, curated, checked and split."""

    train: WrittenFile
    """`train.jsonl`, in the format that was asked for."""
    valid: WrittenFile
    """`valid.jsonl`, about a tenth."""
    curation: CurationReport
    report: DatasetReport
    """What the rows are like; also written as `report.md`, `report.html` and `report.json`."""


class Merged(_Result):
    """An adapter and its base as one model."""

    model_dir: Path
    """A Hugging Face folder, to be packaged or trained further."""


@overload
async def run_mode(
    mode: Literal["prepare"],
    *,
    data_path: Path | str,
    output_dir: Path | str,
    model_name: Path | str | None = None,
    format: DataFormat = "openai",
    technique: Technique = "lora",
    hyperparameters: Mapping[str, Any] | None = None,
) -> Prepared: ...
@overload
async def run_mode(
    mode: Literal["train"],
    *,
    data_path: Path | str,
    output_dir: Path | str,
    model_name: Path | str | None,
    format: DataFormat = "openai",
    technique: Technique = "lora",
    hyperparameters: Mapping[str, Any] | None = None,
) -> TrainResult: ...
@overload
async def run_mode(
    mode: Literal["evaluate"],
    *,
    data_path: Path | str,
    output_dir: Path | str,
    model_name: Path | str | None,
    format: DataFormat = "openai",
    technique: Technique = "lora",
    hyperparameters: Mapping[str, Any] | None = None,
) -> EvaluationReport: ...
@overload
async def run_mode(
    mode: Literal["merge"],
    *,
    data_path: Path | str,
    output_dir: Path | str,
    model_name: Path | str | None,
    format: DataFormat = "openai",
    technique: Technique = "lora",
    hyperparameters: Mapping[str, Any] | None = None,
) -> Merged: ...
@overload
async def run_mode(
    mode: Literal["openai"],
    *,
    data_path: Path | str,
    output_dir: Path | str,
    model_name: Path | str | None,
    format: DataFormat = "openai",
    technique: Technique = "lora",
    hyperparameters: Mapping[str, Any] | None = None,
) -> HostedResult: ...
async def run_mode(
    mode: Mode,
    *,
    data_path: Path | str,
    output_dir: Path | str,
    model_name: Path | str | None = None,
    format: DataFormat = "openai",
    technique: Technique = "lora",
    hyperparameters: Mapping[str, Any] | None = None,
) -> Prepared | TrainResult | EvaluationReport | Merged | HostedResult:
    """Run one stage and return its result.

    | mode | reads | returns |
    |---|---|---|
    | `prepare` | raw data of any kind that is known | `Prepared`: the two sides, statistics |
    | `train` | rows | `TrainResult`: run folder, metrics, checkpoints |
    | `evaluate` | rows | `EvaluationReport` |
    | `merge` | the adapter's folder, or its run's | `Merged` |
    | `openai` | rows | `HostedResult`: the job, and the model's reference |

    Args:
        mode: The stage.
        data_path: What it reads.
        output_dir: Where its files go.
        model_name: The base model's folder; for `openai` its name there. `prepare` needs none.
        format: `prepare` writes it, the others read it.
        technique: How `train` changes the base.
        hyperparameters: Fields of `TrainConfig`, of `HostedConfig` or of `evaluate` to set.

    Raises:
        UnknownNameError: There is no such mode, format or technique.
        DataError: The data, the model or a hyperparameter cannot be used.
        WikiswarmError: What the stage itself raises, such as TrainingError.
    """
    _known("mode", mode, _MODES)
    _known("format", format, _FORMATS)
    _known("technique", technique, _TECHNIQUES)
    source, output, settings = Path(data_path), Path(output_dir), dict(hyperparameters or {})
    if mode == "prepare":
        return await to_thread.run_sync(_prepare, source, output, format)
    if model_name is None:
        raise DataError(f"mode {mode!r} needs model_name, the base model")
    if mode == "merge":
        return Merged(model_dir=await merge_adapter(source, Path(model_name), output))
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        rows = await to_thread.run_sync(_openai_rows, source, Path(folder), format)
        if mode == "evaluate":
            asked = await to_thread.run_sync(read_data, rows)
            return await evaluate(Path(model_name), asked, output_dir=output, **settings)
        if mode == "train":
            config = _configured(
                partial(default_config, technique, model_name), {"device": "auto", **settings}
            )
            return await train(config, data=rows, output_dir=output)
        hosted = _configured(partial(HostedConfig, model=str(model_name)), settings)
        return await train_hosted(hosted, data=rows, output_dir=output)


def _configured(make: Callable[..., _Config], settings: Mapping[str, Any]) -> _Config:
    try:
        return make(**settings)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        raise DataError(f"hyperparameters: {place}: {wrong['msg']}") from None
    except TypeError as error:
        raise DataError(f"hyperparameters: {error}") from None


def _prepare(source: Path, output: Path, format: DataFormat) -> Prepared:
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        rows = Path(folder) / source.with_suffix(".jsonl").name
        convert_file(source, rows, to="openai")
        curation = curate([rows], output / "curation")
    kept = output / "curation" / "sft.jsonl"
    if not kept.is_file():
        raise DataError(f"{source}: no row is left; {kept.with_name('removed.jsonl')} says why")
    parted = split_samples([Sample(row, Provenance()) for row in read_rows(kept)])
    train_file = _write_side(output / "train.jsonl", parted.train, format)
    valid_file = _write_side(output / "valid.jsonl", parted.valid, format)
    report = check_file(kept, minimum=1)
    today = datetime.now(UTC).date().isoformat()
    files, copies = (train_file, valid_file), curation.duplicates_removed
    try:
        write_atomically(
            output / "report.md",
            report.markdown(date=today, outputs=files, duplicates_removed=copies),
        )
        write_atomically(
            output / "report.html",
            report.html(date=today, outputs=files, duplicates_removed=copies),
        )
        write_atomically(output / "report.json", report.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise StoreError(f"{output}: {error.strerror or error}") from error
    return Prepared(train=train_file, valid=valid_file, curation=curation, report=report)


def _write_side(path: Path, samples: Sequence[Sample], format: DataFormat) -> WrittenFile:
    rows = [sample.row for sample in samples]
    if format == "openai":
        return write_rows(path, rows)
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        plain = write_rows(Path(folder) / path.name, rows).path
        convert_file(plain, path, to=format, from_="openai", on_bad="stop")
    content = path.read_bytes()
    return WrittenFile(
        path=path, rows=len(rows), bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def _openai_rows(source: Path, folder: Path, format: DataFormat) -> Path:
    """Return a file of OpenAI rows: the source itself, or what it is converted to."""
    if format == "openai" or source.suffix in (".yaml", ".yml"):
        return source
    target = folder / "rows.jsonl"
    convert_file(source, target, to="openai", from_=format, on_bad="stop")
    return target


def _known(what: str, given: str, names: tuple[str, ...]) -> None:
    if given not in names:
        raise UnknownNameError(what, given, names)
