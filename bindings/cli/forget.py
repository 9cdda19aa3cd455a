"""`forget`: a client's data out of the journal and the candidates."""

from typing import TYPE_CHECKING, Annotated

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
    from finetune.forget import ForgetReport
    from swarm.store import Database

__all__ = ["forget"]


@command
def forget(
    client: Annotated[str, typer.Argument(help="The client's id.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do it, and do not only report.")] = False,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a client's conversations, feedback, memory and candidates; without --yes, only report.

    Frozen dataset versions and models that hold something of the client are named and not changed.
    """
    folder = resolve_home(home)

    async def run(database: "Database") -> "ForgetReport":
        from finetune.forget import forget as forget_client

        return await forget_client(
            database, client, home=folder, project=resolve_project(project), is_trial=not yes
        )

    found = with_database(folder, run, store)
    if as_json:
        print_json({"is_done": yes, **found.model_dump(mode="json")})
        return
    verb = "removed" if yes else "would remove"
    rows = ", ".join(f"{count} of {table}" for table, count in sorted(found.rows.items()))
    done(
        f"{verb} {counted(found.sessions, 'session')} with {counted(found.runs, 'run')}"
        + (f": {rows}" if rows else "")
    )
    for name in found.datasets:
        done(f"dataset version {name} holds rows of the client")
    for name in found.models:
        done(f"model {name} was trained on such a version")
    for path in found.files:
        done(f"{path} names the client; the file beside it holds its rows")
    for path in found.damaged:
        say(f"warning: {path} cannot be read, so it may hold rows of the client")
    if not yes:
        say("hint: nothing was changed; add --yes to do it")
