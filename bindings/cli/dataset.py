"""`dataset`: training files from captured conversations, and whether files are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli import dataset_check
from bindings.cli.dataset_curate import curate
from bindings.cli.options import HomeOption, JsonOption, StoreOption, resolve_home
from bindings.cli.output import command, done, print_json, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from finetune import Collection
    from swarm.store import Database

__all__ = ["app", "collect"]

app = typer.Typer(help="Training files.", no_args_is_help=True)
app.command("curate")(curate)
dataset_check.register(app)


@app.command("collect")
@command
def collect(
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
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write training files from the captured conversations."""
    from finetune.dataset import write_rows

    folder = resolve_home(home)

    async def read(database: "Database") -> "Collection":
        from finetune import collect as collect_segments

        return await collect_segments(
            database, wiki_name=wiki, agent_name=agent, min_rating=min_rating
        )

    found = with_database(folder, read, store)
    target = output or folder / "dataset"
    files = [
        write_rows(target / "sft.jsonl", found.sft_rows),
        write_rows(target / "dpo.jsonl", found.dpo_rows),
    ]
    if as_json:
        print_json(
            {
                "files": files,
                "dropped": found.dropped,
            }
        )
        return
    for file in files:
        done(f"{file.path}: {_count(file.rows, 'row')}, sha256 {file.sha256[:12]}")
    if found.dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.dropped.items())
        say(f"dropped: {reasons}")
    say("hint: read the rows before you train on them; people write private things")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
