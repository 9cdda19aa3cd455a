"""The stages that make a model: trained here or at a provider, then written as what is served."""

import json
import shutil
from pathlib import Path

import anyio
from anyio import to_thread
from pydantic import JsonValue

from finetune.dataset.version import DatasetVersion
from finetune.dataset.versions import verify
from finetune.loop.folder import digest, store_errors
from finetune.loop.freezing import training_settings
from finetune.loop.preflight import check_size
from finetune.loop.round import Round, StageOutput
from finetune.loop.settings import hosted_config, quantisation_of, train_config
from finetune.package import read_lineage
from finetune.publish import BuiltRun, build_run
from finetune.train import TrainConfig, TrainProgress, train
from finetune.train.bases import measure_data
from finetune.train.files import sha256_file
from finetune.train.hosted import HostedJob, train_hosted
from finetune.train.plan import DataSize
from swarm.errors import DataError

__all__ = [
    "package_model",
    "package_settings",
    "train_folder",
    "train_model",
    "train_settings",
]


def train_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the model depends on beside the rows."""
    return training_settings(round)


def train_folder(round: Round) -> Path:
    """Return the run folder of the round's training; other settings or rows have another one."""
    named = digest({"rows": round.output("freeze", "train_sha256"), **training_settings(round)})
    return round.path(f"train-{named[:12]}")


async def train_model(round: Round) -> StageOutput:
    """Train on the frozen rows; an interrupted training goes on from its last checkpoint."""
    frozen = await to_thread.run_sync(
        verify, round.home / "datasets", round.output("freeze", "dataset")
    )
    if round.is_hosted:
        return await _train_hosted(round, frozen)
    await to_thread.run_sync(_check_size, round, frozen.train)
    folder = train_folder(round)
    config = train_config(round, frozen.manifest.train_rows)
    await to_thread.run_sync(_remove_others, folder, config)
    if not await anyio.Path(folder / "manifest.json").is_file():

        def told(report: TrainProgress) -> None:
            round.tell("train", report.step, report.total_steps, f"loss {report.loss:.3f}")

        await train(config, data=frozen.train, output_dir=folder, resume=True, on_progress=told)
    # Whoever trained it, an earlier call that was killed included, it is what was asked for.
    lineage = await to_thread.run_sync(read_lineage, folder)
    values: dict[str, JsonValue] = {
        "run": folder.name,
        "base": lineage.base,
        "seed": config.seed,
        "manifest_sha256": sha256_file(folder / "manifest.json"),
        **_figures(folder),
    }
    return StageOutput(values, (folder / "manifest.json",))


def _check_size(round: Round, data: Path) -> None:
    rows, tokens, longest = measure_data(data)
    check_size(round, DataSize(rows=rows, tokens=tokens, longest=longest))


async def _train_hosted(round: Round, frozen: DatasetVersion) -> StageOutput:
    folder = train_folder(round)
    config = hosted_config(round)

    def told(job: HostedJob) -> None:
        round.tell("train", int(job.progress or 0), 100, job.status)

    valid = frozen.valid if frozen.manifest.valid_rows else None
    result = await train_hosted(
        config,
        data=frozen.train,
        output_dir=folder,
        validation=valid,
        max_cost=round.spec.max_cost,
        on_progress=told,
    )
    values: dict[str, JsonValue] = {
        "run": folder.name,
        "base": config.model,
        "model": result.model,
        "job": result.job.id,
        "dollars": result.dollars,
    }
    return StageOutput(values, (folder / "manifest.json",))


def package_settings(round: Round) -> dict[str, JsonValue]:
    """Return what the served file depends on beside the model."""
    return {"quantization": None if round.is_hosted else quantisation_of(round)}


async def package_model(round: Round) -> StageOutput:
    """Write the model as the file that will be served; a hosted model has none."""
    if round.is_hosted:
        return StageOutput({"weights": None, "modelfile": None})
    folder = round.path("package")
    run_dir = round.path(round.output("train", "run"))
    built: BuiltRun = await build_run(run_dir, folder, quantisation=quantisation_of(round))
    files = (built.gguf.path, *([built.modelfile] if built.modelfile else []))
    values: dict[str, JsonValue] = {
        "weights": built.gguf.path.relative_to(round.run.path).as_posix(),
        "modelfile": built.modelfile.name if built.modelfile else None,
        "gguf": built.gguf.model_dump(mode="json", exclude={"path"}),
    }
    return StageOutput(values, files)


def _remove_others(folder: Path, config: TrainConfig) -> None:
    """Remove a training with other settings, such as one of an older version of this code."""
    path = folder / "config.json"
    if path.is_file() and path.read_text("utf-8") != config.model_dump_json(indent=2) + "\n":
        with store_errors(folder):
            shutil.rmtree(folder)


def _figures(folder: Path) -> dict[str, JsonValue]:
    """Return what a finished training reported last."""
    found: dict[str, JsonValue] = {}
    path = folder / "metrics.jsonl"
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    for line in lines:
        found |= {name: line[name] for name in ("step", "loss") if line.get(name) is not None}
        done: dict[str, JsonValue] = line.get("done") or {}
        found |= {name: done[name] for name in ("rows",) if name in done}
    return found
