"""`dataset collect`: rows from captured conversations, or from what other tools recorded."""

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
    resolve_store,
)
from bindings.cli.output import command, counted, done, print_json, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.dataset.candidates import Added
    from finetune.dataset.sample import Sample
    from swarm.store import Database

__all__ = ["collect"]

_SOURCES = ("journal", "langfuse", "otel")


@command
def collect(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of --from.", show_default=False)
    ] = None,
    source: Annotated[
        str, typer.Option("--from", help="journal, langfuse or otel.", metavar="SOURCE")
    ] = "journal",
    output: Annotated[
        Path | None, typer.Option(help="Folder for sft.jsonl and dpo.jsonl; HOME/dataset else.")
    ] = None,
    wiki: Annotated[
        str | None, typer.Option(help="Collect what this wiki was asked, not the conversations.")
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Only turns of this agent.")] = None,
    min_rating: Annotated[
        int, typer.Option(help="Drop turns rated lower, unless corrected.", min=1, max=5)
    ] = 3,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Let the rows wait for a decision; no files.")
    ] = False,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write training files from the captured conversations, or those of another tool."""
    if source not in _SOURCES or (source != "journal") != bool(files):
        say(f"error: --from is one of {', '.join(_SOURCES)}; all but journal need files")
        raise typer.Exit(2)
    folder, owner = resolve_home(home), resolve_project(project)
    if source == "journal":
        samples, dropped = _captured(folder, store, wiki, agent, min_rating, owner)
    else:
        samples, dropped = _imported(files or [], source, owner)
    if quarantine:
        _quarantine(folder, store, samples, dropped, as_json=as_json)
        return
    written = _write(output or folder / "dataset", samples)
    if as_json:
        print_json({"files": written, "dropped": dropped})
        return
    for file in written:
        done(f"{file.path}: {counted(file.rows, 'row')}, sha256 {file.sha256[:12]}")
    _say_dropped(dropped)
    say("hint: read the rows before you train on them; people write private things")


def _captured(
    folder: Path,
    store: str | None,
    wiki: str | None,
    agent: str | None,
    min_rating: int,
    project: str | None,
) -> "tuple[Sequence[Sample], dict[str, int]]":
    async def read(database: "Database") -> Any:
        from finetune import collect as collect_segments

        return await collect_segments(
            database,
            wiki_name=wiki,
            agent_name=agent,
            min_rating=min_rating,
            project=project,
        )

    found = with_database(folder, read, store)
    return found.samples, dict(found.dropped)


def _imported(
    files: list[Path], source: str, project: str | None
) -> "tuple[list[Sample], dict[str, int]]":
    from collections import Counter

    from finetune.importers import import_traces

    samples: list[Sample] = []
    dropped: Counter[str] = Counter()
    for file in files:
        found = import_traces(
            file, "langfuse" if source == "langfuse" else "otel", project=project or None
        )
        samples += found.samples
        dropped.update(found.skipped)
        if found.inferred_tools:
            rows = counted(found.inferred_tools, "row")
            say(f"{file}: the tools of {rows} are known by their calls only, without schemas")
    return samples, dict(dropped)


def _write(target: Path, samples: "Sequence[Sample]") -> list[Any]:
    from finetune.dataset.rows import SftRow
    from finetune.dataset.write import write_lines, write_rows

    files: list[Any] = []
    for kind in ("sft", "dpo"):
        own = [s for s in samples if isinstance(s.row, SftRow) == (kind == "sft")]
        files.append(write_rows(target / f"{kind}.jsonl", (s.row for s in own)))
        write_lines(
            target / f"{kind}.provenance.jsonl",
            (s.provenance.model_dump(mode="json") for s in own),
        )
    return files


def _quarantine(
    folder: Path,
    store: str | None,
    samples: "Sequence[Sample]",
    dropped: dict[str, int],
    *,
    as_json: bool,
) -> None:
    async def add(database: "Database") -> "Added":
        from finetune.dataset.candidates import Candidates

        return await Candidates(database).add(samples)

    added = with_database(folder, add, resolve_store(store))
    if as_json:
        print_json({**added._asdict(), "dropped": dropped})
        return
    done(
        f"{counted(added.new, 'new candidate')}, {added.changed} changed,"
        f" {added.known} known before"
    )
    _say_dropped(dropped)


def _say_dropped(dropped: dict[str, int]) -> None:
    if dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))
        say(f"dropped: {reasons}")
