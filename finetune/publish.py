"""From a finished run to a version in the model registry.

The run is packaged as GGUF with its Modelfile and the notice that its licence asks for, and
registered with the hashes of its data and of every file. Nothing is promoted here.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
from pydantic import JsonValue

from finetune.licence import NOTICE_NAME, find_licence, licence_of_run, notice_text
from finetune.package import (
    GgufFile,
    Quantisation,
    UnknownModelError,
    check_parity,
    package_gguf,
    read_lineage,
    write_modelfile,
)
from wiki import ModelRegistry, ModelVersion
from wiki.registry.layout import store_errors
from wiki.registry.reference import check_name

__all__ = ["BuiltRun", "build_run", "publish", "register_run"]


class BuiltRun(NamedTuple):
    """A run's files for the registry."""

    gguf: GgufFile
    modelfile: Path | None
    """None for a chat template that Ollama has no form of; it is served all the same."""


async def publish(
    run_dir: Path,
    name: str,
    registry: ModelRegistry,
    *,
    quantisation: Quantisation = "q8_0",
    metrics: Mapping[str, JsonValue] | None = None,
    licence: str | None = None,
    groups: Sequence[str] = (),
    parity_conversations: int = 500,
) -> ModelVersion:
    """Package a run and register it as the next version of a model.

    Args:
        run_dir: A finished training run.
        name: The model's name in the registry.
        registry: Where it goes.
        quantisation: How the weights are stored.
        metrics: How good the model is, such as the exact match of its evaluations.
        licence: The licence of the weights; by default that of what the run started from, where
            that is known.
        groups: The groups of workers that may load it; none for every process.
        parity_conversations: Generated conversations whose token ids must be the same in training
            and when served; 0 leaves the check out.

    Raises:
        InvalidIdError: The name may not be used.
        DataError: The folder is no finished run.
        PackagingError: No converter knows the model.
        ParityError: The server would read a conversation otherwise than the trainer did.
        MissingExtraError: The training libraries or the engine are not installed.
        EngineError: The engine does not serve the file.
        StoreError: A file cannot be written.
    """
    # Packaging may take minutes, so what can be refused is refused before.
    check_name(name, "model")
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        built = await build_run(
            run_dir,
            Path(folder),
            quantisation=quantisation,
            parity_conversations=parity_conversations,
        )
        register = partial(
            register_run,
            run_dir,
            built,
            name,
            registry,
            metrics=metrics,
            licence=licence,
            groups=groups,
        )
        return await anyio.to_thread.run_sync(register)


async def build_run(
    run_dir: Path,
    folder: Path,
    *,
    quantisation: Quantisation = "q8_0",
    parity_conversations: int = 500,
) -> BuiltRun:
    """Write a run's weights.gguf and Modelfile into a folder; see `publish`.

    Raises:
        DataError: The folder is no finished run.
        PackagingError: No converter knows the model.
        ParityError: The server would read a conversation otherwise than the trainer did.
        MissingExtraError: The training libraries or the engine are not installed.
        EngineError: The engine does not serve the file.
        StoreError: A file cannot be written.
    """
    lineage = await anyio.to_thread.run_sync(read_lineage, run_dir)
    # The name that the registry gives weights, which the Modelfile must say.
    path = folder / "weights.gguf"
    gguf = await package_gguf(run_dir, path, quantisation=quantisation)
    if parity_conversations:
        await check_parity(run_dir, path, conversations=parity_conversations)
    system = lineage.config.get("system")
    text = system if isinstance(system, str) else None
    modelfile = None
    with suppress(UnknownModelError):
        write = partial(write_modelfile, run_dir, gguf.path, system=text)
        modelfile = await anyio.to_thread.run_sync(write)
    return BuiltRun(gguf, modelfile)


def register_run(
    run_dir: Path,
    built: BuiltRun,
    name: str,
    registry: ModelRegistry,
    *,
    metrics: Mapping[str, JsonValue] | None = None,
    licence: str | None = None,
    groups: Sequence[str] = (),
    dataset_sha256: str | None = None,
    files: Mapping[str, Path] | None = None,
    notes: Mapping[str, JsonValue] | None = None,
) -> ModelVersion:
    """Register what `build_run` wrote as the next version of a model; reads and copies the files.

    Args:
        run_dir: The run.
        built: Its files.
        name: The model's name in the registry.
        registry: Where it goes.
        metrics: How good the model is.
        licence: The licence of the weights; by default that of what the run started from.
        groups: The groups of workers that may load it; none for every process.
        dataset_sha256: The hash of the training file; by default that of the run's own copy.
        files: Further files, such as a report.
        notes: What differs between equal runs.

    Raises:
        InvalidIdError: The name may not be used.
        DataError: The folder is no finished run.
        StoreError: A file cannot be written.
    """
    lineage = read_lineage(run_dir)
    kept = {"training.json": run_dir / "manifest.json", **(files or {})}
    if built.modelfile is not None:
        kept["Modelfile"] = built.modelfile
    licence = licence_of_run(run_dir) if licence is None else licence
    if text := notice_text(name, licence):
        notice = built.gguf.path.with_name(NOTICE_NAME)
        with store_errors(notice):
            notice.write_text(text, encoding="utf-8")
        kept[NOTICE_NAME] = notice
    return registry.register(
        name,
        weights=built.gguf.path,
        base_model=lineage.base,
        dataset_sha256=dataset_sha256 or lineage.dataset_sha256,
        training={
            "config": lineage.config,
            "quantisation": built.gguf.quantisation,
            "converter": built.gguf.converter,
            "wikiswarm": lineage.wikiswarm,
        },
        metrics=metrics,
        licence=None if licence is None else find_licence(licence),
        groups=groups,
        files=kept,
        notes=notes,
    )
