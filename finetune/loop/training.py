"""The stages that make a model: trained here or at a provider, then written as what is served."""

import json
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from pydantic import JsonValue, ValidationError

from finetune.dataset.version import DatasetVersion
from finetune.dataset.versions import verify
from finetune.loop.folder import digest
from finetune.loop.freezing import training_settings
from finetune.loop.round import SEED, Round, StageOutput
from finetune.package import PackagingError, Quantisation, parse_quantisation, read_lineage
from finetune.publish import BuiltRun, build_run
from finetune.train import TrainConfig, TrainProgress, default_config, train
from finetune.train.defaults import epochs_for
from finetune.train.files import sha256_file
from finetune.train.hosted import HostedConfig, HostedJob, dated_suffix, train_hosted
from swarm.errors import DataError, DeclarationError

__all__ = [
    "hosted_config",
    "package_model",
    "package_settings",
    "quantisation_of",
    "train_config",
    "train_folder",
    "train_model",
    "train_settings",
]

_CHECKPOINTS = 8
"""A killed training loses at most such a part of its steps, and never fewer than `_FEWEST`."""
_FEWEST = 25
_OWN = ("backend", "base", "method", "lora", "quantization", "adapter")
"""Settings that other fields of the loop decide."""


def train_config(round: Round, rows: int) -> TrainConfig:
    """Return the settings of a training on this machine.

    Raises:
        DeclarationError: The declaration's `train` holds what a training does not know.
    """
    spec, given = round.spec, dict(round.spec.train)
    where = f"wikis.{round.wiki.wiki_name}.loop.train"
    if taken := [name for name in _OWN if name in given]:
        raise DeclarationError(f"{where}.{taken[0]} is decided by the loop; leave it out")
    usual: dict[str, Any] = {"system": round.wiki.system, "seed": SEED, "backend": spec.backend}
    base = round.base_folder
    try:
        if base is None:
            usual["epochs"] = epochs_for(rows)
            made = TrainConfig.model_validate({**usual, **given})
        else:
            made = default_config(spec.technique, base, **{**usual, **given})
    except ValidationError as wrong:
        found = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join((where, *map(str, found["loc"])))
        raise DeclarationError(f"{place}: {found['msg']}") from None
    if made.save_every:
        return made
    steps = made.steps or -(-rows * made.epochs // (made.batch_size * made.accumulation))
    return made.model_copy(update={"save_every": max(_FEWEST, steps // _CHECKPOINTS)})


def hosted_config(round: Round) -> HostedConfig:
    """Return the settings of a training at a provider, its model named by the round's time.

    Raises:
        DeclarationError: The declaration's `train` holds what a job does not know.
    """
    started = round.run.read()
    at = started.started_at if started is not None else None
    given: dict[str, Any] = {
        "suffix": dated_suffix(round.wiki.wiki_name, at),
        **round.spec.train,
        "backend": round.spec.backend,
        "model": round.spec.base,
    }
    try:
        return HostedConfig.model_validate(given)
    except ValidationError as wrong:
        found = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join((f"wikis.{round.wiki.wiki_name}.loop.train", *map(str, found["loc"])))
        raise DeclarationError(f"{place}: {found['msg']}") from None


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
    folder = train_folder(round)
    config = train_config(round, frozen.manifest.train_rows)
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


def quantisation_of(round: Round) -> Quantisation:
    """Return how the weights are stored.

    Raises:
        DeclarationError: There is no such way.
    """
    try:
        return parse_quantisation(round.spec.quantization)
    except PackagingError as unknown:
        where = f"wikis.{round.wiki.wiki_name}.loop.quantization"
        raise DeclarationError(f"{where}: {unknown}") from None


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
