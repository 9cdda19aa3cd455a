"""`dataset split`: rows into those to train on and those held out, frozen as a version."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bindings.cli.options import (
    HomeOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    resolve_home,
    resolve_project,
)
from bindings.cli.output import command, counted, done, print_json, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from finetune.dataset.sample import Sample
    from swarm.store import Database

__all__ = ["split"]


@command
def split(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of rows.", show_default=False)
    ] = None,
    accepted: Annotated[
        bool, typer.Option("--accepted", help="Take the accepted candidates in place of files.")
    ] = False,
    kind: Annotated[str, typer.Option(help="Of candidates: sft or dpo.")] = "sft",
    valid: Annotated[float, typer.Option(help="The part that is held out.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Decides who is held out.")] = 0,
    similarity: Annotated[
        float, typer.Option(help="Rows that overlap by so much stay together.", min=0.1, max=1)
    ] = 0.7,
    output: Annotated[
        Path | None, typer.Option(help="Folder of versions; HOME/datasets else.")
    ] = None,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Split rows, about 90 to 10 and label by label, and freeze both sides as a dataset version."""
    from finetune.dataset.split import split_samples
    from finetune.dataset.versions import freeze

    if accepted == bool(files) or kind not in ("sft", "dpo"):
        say("error: give files, or --accepted with --kind sft or dpo")
        raise typer.Exit(2)
    folder = resolve_home(home)
    samples, removed = (
        _accepted(folder, store, kind, resolve_project(project)) if accepted else _read(files or [])
    )
    parted = split_samples(samples, valid=valid, seed=seed, similarity=similarity)
    version = freeze(
        output or folder / "datasets",
        parted.train,
        parted.valid,
        removed=removed,
        config={"split": {"valid": valid, "seed": seed, "similarity": similarity}},
    )
    if as_json:
        print_json(
            {"id": version.id, "path": version.path, "manifest": version.manifest}
            | {"groups": parted.groups}
        )
        return
    done(f"{version.path}")
    done(f"train.jsonl: {counted(version.manifest.train_rows, 'row')}")
    done(f"valid.jsonl: {counted(version.manifest.valid_rows, 'row')}")
    done(f"in {counted(parted.groups, 'group')} of rows that stay together")


def _read(files: list[Path]) -> "tuple[list[Sample], list[Any]]":
    """Return the rows of files, the first of equal ones, and what was left out."""
    from finetune.dataset.sample_file import read_samples

    return _once([sample for file in files for sample in read_samples(file)])


def _accepted(
    folder: Path, store: str | None, kind: str, project: str | None
) -> "tuple[list[Sample], list[Any]]":
    from swarm.errors import DataError

    async def read(database: "Database") -> Any:
        from finetune.dataset.candidates import Candidates

        return await Candidates(database).list(project=project)

    every = [one for one in with_database(folder, read, store) if one.kind == kind]
    chosen = [one for one in every if one.state == "accepted"]
    projects = {one.sample.provenance.project or "" for one in chosen}
    if project is None and len(projects) > 1:
        error = DataError(f"the accepted rows belong to {len(projects)} projects")
        error.hint = "name the one whose rows may be in this version, with --project"
        raise error
    if not chosen:
        error = DataError("no candidate is accepted")
        error.hint = "wikiswarm dataset candidates list"
        raise error
    from finetune.dataset.version import Removed

    samples, removed = _once([one.sample for one in chosen])
    removed += [
        Removed(id=one.sample.id, step="quarantine", code=one.state, detail=one.reason or "")
        for one in every
        if one.state == "rejected"
    ]
    return samples, removed


def _once(samples: "list[Sample]") -> "tuple[list[Sample], list[Any]]":
    from finetune.dataset.version import Removed

    seen: set[str] = set()
    kept: list[Sample] = []
    removed: list[Any] = []
    for sample in samples:
        if (name := sample.id) in seen:
            removed.append(Removed(id=name, step="split", code="duplicate_row"))
        else:
            seen.add(name)
            kept.append(sample)
    return kept, removed
