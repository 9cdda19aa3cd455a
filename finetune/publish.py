"""From a finished run to a version in the model registry.

The run is packaged as GGUF with its Modelfile, and registered with the hashes of its data and
of every file. Nothing is promoted here.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import anyio.to_thread
from pydantic import JsonValue, ValidationError

from finetune.package import Quantisation, package_gguf, write_modelfile
from finetune.train import Manifest
from swarm.errors import DataError
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
) -> ModelVersion:
    """Package a run and register it as the next version of a model.

    Args:
        run_dir: A finished training run.
        name: The model's name in the registry.
        registry: Where it goes.
        quantisation: How the weights are stored.
        metrics: How good the model is, such as the exact match of its evaluations.
        licence: The licence of the weights.

    Raises:
        InvalidIdError: The name may not be used.
        DataError: The folder is no finished run.
        PackagingError: No converter knows the model.
        StoreError: A file cannot be written.
    """
    # Packaging may take minutes, so what can be refused is refused before.
    check_name(name, "model")
    manifest = await anyio.to_thread.run_sync(_read_manifest, run_dir)
    system, base = manifest.config.get("system"), manifest.config.get("base")
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        # The name that the registry gives weights, which the Modelfile must say.
        path = Path(folder) / "weights.gguf"
        gguf = await package_gguf(run_dir, path, quantisation=quantisation)

        def register() -> ModelVersion:
            written_for = system if isinstance(system, str) else None
            modelfile = write_modelfile(run_dir, gguf.path, system=written_for)
            return registry.register(
                name,
                weights=gguf.path,
                base_model=base if isinstance(base, str) else None,
                dataset_sha256=manifest.inputs.get("data.jsonl"),
                training={"config": manifest.config, "quantisation": quantisation},
                metrics=metrics,
                licence=licence,
                files={"Modelfile": modelfile, "training.json": run_dir / "manifest.json"},
            )

        return await anyio.to_thread.run_sync(register)


def _read_manifest(run_dir: Path) -> Manifest:
    path = run_dir / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"{run_dir} is no finished training run: {path.name}: {error.strerror}; make one"
            " with: wikiswarm train"
        ) from None
    except ValidationError:
        raise DataError(f"{path} is damaged; train again") from None
