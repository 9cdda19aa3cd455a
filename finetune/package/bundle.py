"""Several GGUF files of one run at once, with Modelfiles and a manifest that says what they are.

    <folder>/pharma-q8_0.gguf, pharma-q8_0.Modelfile, pharma-q4_k_m.gguf ..., package.json

The manifest grows with each file, so that a run that was killed goes on where it stopped.
"""

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from finetune.licence import NOTICE_NAME, find_licence, licence_of_run, notice_text
from finetune.package.converter import GgufFile, Quantisation, UnknownModelError
from finetune.package.modelfile import write_modelfile
from finetune.package.run import package_gguf
from finetune.train.files import model_folder, sha256_file
from finetune.train.manifest import Manifest
from swarm.errors import DataError, StoreError
from swarm.files import write_atomically
from wiki.registry.reference import check_name

__all__ = [
    "PACKAGE_NAME",
    "Lineage",
    "Package",
    "PackagedFile",
    "code_version",
    "package_run",
    "read_lineage",
]

PACKAGE_NAME = "package.json"
"""The manifest of a package."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Lineage(_Record):
    """What a model was made from."""

    base: str | None
    """What the training started from: `scratch`, or `folder`, whose files `inputs` names."""
    dataset_sha256: str | None
    """The hash of the training data."""
    inputs: dict[str, str]
    """SHA-256 of the data and of every file of the base."""
    config: dict[str, JsonValue]
    """The settings of the training."""
    model: dict[str, str]
    """SHA-256 of every file of the trained model."""
    libraries: dict[str, str]
    """Versions of the libraries that trained it."""
    wikiswarm: str
    """The version that packaged it."""


class PackagedFile(_Record):
    """A GGUF file of a package."""

    name: str
    modelfile: str | None
    """The Modelfile's name; None where the chat template has no Ollama form."""
    sha256: str
    bytes: int
    quantisation: Quantisation
    converter: str
    """Who wrote it."""


class Package(_Record):
    """The GGUF files of one run."""

    format: Literal[1] = 1
    name: str
    lineage: Lineage
    licence: str | None = None
    """The licence of the weights; None where nobody said it."""
    notice: str | None = None
    """The file that goes with the weights to whoever gets them, where the licence asks for one."""
    files: tuple[PackagedFile, ...]
    """In the order of the quantisations that were asked for."""


async def package_run(
    run_dir: Path,
    output_dir: Path,
    *,
    name: str,
    quantisations: Sequence[Quantisation],
    licence: str | None = None,
) -> Package:
    """Write a run as GGUF in several quantisations and return what was written.

    Files that an earlier call for the same run has finished are checked by their hash and kept.

    Args:
        run_dir: A finished training run.
        output_dir: The folder of the package.
        name: What the files are called.
        quantisations: How the weights are stored, a file for each.
        licence: The licence of the weights; by default that of what the run started from, where
            that is known.

    Raises:
        InvalidIdError: The name may not be used.
        DataError: The folder is no finished run.
        PackagingError: No converter knows the model.
        StoreError: A file cannot be written.
    """
    check_name(name, "model")
    lineage = await to_thread.run_sync(read_lineage, run_dir)
    earlier = await to_thread.run_sync(_earlier, output_dir, lineage)
    licence = (
        find_licence(licence) if licence else await to_thread.run_sync(licence_of_run, run_dir)
    )
    notice = notice_text(name, licence)
    files: dict[str, PackagedFile] = {}

    def describe(listed: dict[str, PackagedFile]) -> Package:
        return Package(
            name=name,
            lineage=lineage,
            licence=licence,
            notice=None if notice is None else NOTICE_NAME,
            files=tuple(listed.values()),
        )

    for quantisation in dict.fromkeys(quantisations):
        path = output_dir / f"{name}-{quantisation}.gguf"
        known = earlier.get(path.name)
        if known is None:
            made = await package_gguf(run_dir, path, quantisation=quantisation)
            known = await to_thread.run_sync(_described, run_dir, made, lineage)
        files[path.name] = known
        # What an earlier call wrote and this one was not asked for stays listed while it stands.
        whole = describe({**earlier, **files})
        await to_thread.run_sync(_write, output_dir, whole, notice)
    return describe(files)


def code_version() -> str:
    """Return the version of wikiswarm that runs, or `unknown` where it is not installed."""
    try:
        return version("wikiswarm")
    except PackageNotFoundError:
        return "unknown"


def read_lineage(run_dir: Path) -> Lineage:
    """Return what the model of a run was made from.

    Raises:
        DataError: The folder is no finished run, or its model is not the one that was trained.
    """
    path = run_dir / "manifest.json"
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"{run_dir} is no finished training run: {path.name}: {error.strerror}; make one"
            " with: wikiswarm train"
        ) from None
    except ValidationError:
        raise DataError(f"{path} is damaged; train again") from None
    folder = model_folder(run_dir)
    for name, digest in manifest.outputs.items():
        file = run_dir / name
        if not file.is_file() or sha256_file(file) != digest:
            raise DataError(f"{file} is not what the training wrote; train again")
    base = manifest.config.get("base")
    return Lineage(
        base=base if isinstance(base, str) else None,
        dataset_sha256=manifest.inputs.get("data.jsonl"),
        inputs=manifest.inputs,
        config=manifest.config,
        model={n.removeprefix(f"{folder.name}/"): d for n, d in manifest.outputs.items()},
        libraries=manifest.libraries,
        wikiswarm=code_version(),
    )


def _earlier(output_dir: Path, lineage: Lineage) -> dict[str, PackagedFile]:
    """Return the files of an earlier call that are whole and of the same run, by name."""
    try:
        package = Package.model_validate_json((output_dir / PACKAGE_NAME).read_bytes())
    except (OSError, ValidationError):
        return {}
    if package.lineage != lineage:
        return {}
    return {file.name: file for file in package.files if _is_whole(output_dir, file)}


def _is_whole(folder: Path, file: PackagedFile) -> bool:
    if Path(file.name).name != file.name:  # a manifest that somebody wrote names no other folder
        return False
    path = folder / file.name
    has_modelfile = file.modelfile is None or (folder / Path(file.modelfile).name).is_file()
    return path.is_file() and has_modelfile and sha256_file(path) == file.sha256


def _described(run_dir: Path, made: GgufFile, lineage: Lineage) -> PackagedFile:
    system = lineage.config.get("system")
    text = system if isinstance(system, str) else None
    try:
        named = f"{made.path.stem}.Modelfile"
        modelfile = write_modelfile(run_dir, made.path, system=text, name=named).name
    except UnknownModelError:
        modelfile = None
    return PackagedFile(
        name=made.path.name,
        modelfile=modelfile,
        sha256=made.sha256,
        bytes=made.bytes,
        quantisation=made.quantisation,
        converter=made.converter,
    )


def _write(folder: Path, package: Package, notice: str | None) -> None:
    path = folder / PACKAGE_NAME
    text = json.dumps(package.model_dump(mode="json"), indent=1, sort_keys=True)
    try:
        if notice is not None:
            write_atomically(folder / NOTICE_NAME, notice)
        write_atomically(path, text + "\n")
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
