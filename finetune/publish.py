"""From a finished run to a version in the model registry.

The run is packaged as GGUF with its Modelfile and the notice that its licence asks for, and
registered with the hashes of its data and of every file. Nothing is promoted here.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import anyio.to_thread
from pydantic import JsonValue

from finetune.licence import NOTICE_NAME, find_licence, licence_of_run, notice_text
from finetune.package import (
    Quantisation,
    UnknownModelError,
    check_parity,
    package_gguf,
    read_lineage,
    write_modelfile,
)
from wiki import ModelRegistry, ModelVersion
from wiki.registry.reference import check_name

__all__ = ["publish"]


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
    lineage = await anyio.to_thread.run_sync(read_lineage, run_dir)
    system = lineage.config.get("system")
    if licence is None:
        licence = await anyio.to_thread.run_sync(licence_of_run, run_dir)
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        # The name that the registry gives weights, which the Modelfile must say.
        path = Path(folder) / "weights.gguf"
        gguf = await package_gguf(run_dir, path, quantisation=quantisation)
        if parity_conversations:
            await check_parity(run_dir, path, conversations=parity_conversations)

        def register() -> ModelVersion:
            written_for = system if isinstance(system, str) else None
            files = {"training.json": run_dir / "manifest.json"}
            # A model of another template has no Modelfile, and is served all the same.
            with suppress(UnknownModelError):
                files["Modelfile"] = write_modelfile(run_dir, gguf.path, system=written_for)
            if notice := notice_text(name, licence):
                files[NOTICE_NAME] = Path(folder) / NOTICE_NAME
                files[NOTICE_NAME].write_text(notice, encoding="utf-8")
            return registry.register(
                name,
                weights=gguf.path,
                base_model=lineage.base,
                dataset_sha256=lineage.dataset_sha256,
                training={
                    "config": lineage.config,
                    "quantisation": quantisation,
                    "converter": gguf.converter,
                    "wikiswarm": lineage.wikiswarm,
                },
                metrics=metrics,
                licence=None if licence is None else find_licence(licence),
                groups=groups,
                files=files,
            )

        return await anyio.to_thread.run_sync(register)
