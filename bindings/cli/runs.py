"""`runs` and `feedback`: what happened, and what people thought of it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bindings.cli.options import (
    HomeOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    refuse_early_options,
    resolve_home,
    resolve_project,
    resolve_store,
)
from bindings.cli.output import command, done, print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from swarm import Usage
    from swarm.events import TurnStatus
    from swarm.store import Database, Run

__all__ = ["app", "checked_status", "default", "feedback", "list_runs", "show_run", "with_database"]

Result = TypeVar("Result")

app = typer.Typer(help="What happened: one run for each message.", invoke_without_command=True)


@app.callback()
def default(
    context: typer.Context,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs when no command is given."""
    if context.invoked_subcommand is None:
        list_runs(home=home, store=store, as_json=as_json)
        return
    refuse_early_options(context, "runs")


@app.command("list")
@command
def list_runs(
    agent: Annotated[str | None, typer.Option(help="Only runs of this agent.")] = None,
    status: Annotated[
        str | None, typer.Option(help="answered, failed or interrupted.", metavar="STATUS")
    ] = None,
    min_rating: Annotated[
        int | None, typer.Option(help="Only runs that people rated so, or better.", min=1, max=5)
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, the newest first."""

    async def read(database: "Database") -> "list[Run]":
        from swarm.store import list_runs as read_runs

        return await read_runs(
            database,
            agent_name=agent,
            status=checked_status(status),
            min_rating=min_rating,
            project=resolve_project(project),
            limit=limit,
        )

    runs = with_database(resolve_home(home), read, store)
    if as_json:
        print_json(runs)
        return
    rows = [
        (
            run.run_id,
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started_at)),
            run.agent_name,
            run.status or "unfinished",
            f"{run.seconds:.2f} s",
            _cost(run.usage),
            _short(run.question),
            _short(run.answer or (run.failure.message if run.failure else "")),
        )
        for run in runs
    ]
    print_table(("run", "at", "agent", "status", "took", "cost", "question", "answer"), rows)
    if not runs:
        say("no runs yet; talk to a swarm with: wikiswarm chat FILE")


@app.command("show")
@command
def show_run(
    run: Annotated[str, typer.Argument(help="The run's id, or its beginning.")],
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything that one run did."""

    async def read(database: "Database") -> "tuple[Run, list[Any]]":
        from swarm.store import find_run

        return await find_run(database, run, project=resolve_project(None))

    found, events = with_database(resolve_home(home), read, store)
    if as_json:
        print_json({"run": found, "events": [row.event for row in events]})
        return
    done(f"run      {found.run_id}  ({found.status or 'unfinished'}, {found.seconds:.2f} s)")
    done(f"session  {found.session_id}")
    if found.usage.tokens:
        done(f"usage    {_usage(found.usage)}")
    for row in events:
        event = row.event
        message = getattr(event, "message", None)
        if message is not None:
            for call in message.tool_calls:
                done(f"  {message.role:<9} calls {call.name}({call.arguments})")
            if message.content:
                done(f"  {message.role:<9} {message.content}")
        elif event.kind == "noted":
            done(f"  note      {event.topic}: {_short(str(dict(event.data)), 200)}")
        elif event.kind == "agent_changed":
            done(f"  hand-off  {event.from_agent} to {event.to_agent}")
    if found.failure is not None:
        done(f"  failed    {found.failure.code}: {found.failure.message}")


@command
def feedback(
    run: Annotated[str, typer.Argument(help="The run's id, or its beginning.")],
    rating: Annotated[int | None, typer.Option(help="1 is bad, 5 is good.", min=1, max=5)] = None,
    correct: Annotated[str | None, typer.Option(help="What the answer should have been.")] = None,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Rate a run, correct its answer, or both."""
    if rating is None and not (correct and correct.strip()):
        say("error: give --rating, --correct, or both")
        raise typer.Exit(2)

    async def write(database: "Database") -> str:
        from swarm.store import Feedback, add_feedback, find_run

        found, _ = await find_run(database, run, project=resolve_project(None))
        text = correct.encode(errors="replace").decode() if correct else None
        given = Feedback(run_id=found.run_id, rating=rating, correct=text)
        await add_feedback(database, given)
        return found.run_id

    done(f"kept feedback on run {with_database(resolve_home(home), write, store)}")


def checked_status(status: str | None) -> "TurnStatus | None":
    """Return a status as it was typed, or end the program when there is none of that name."""
    from typing import get_args

    from swarm.events import TurnStatus

    known: tuple[TurnStatus, ...] = get_args(TurnStatus)
    found: TurnStatus | None = next(
        (known[at] for at, one in enumerate(known) if one == status), None
    )
    if status is not None and found is None:
        say(f"error: --status is one of {', '.join(known)}")
        raise typer.Exit(2)
    return found


def with_database(
    home: Path, work: "Callable[[Database], Awaitable[Result]]", store: str | None = None
) -> Result:
    """Open the journal of a home, or the store that a URL names, and do something with it."""
    import anyio

    from swarm.store import open_database

    async def run() -> Result:
        database = open_database(home, resolve_store(store))
        try:
            return await work(database)
        finally:
            database.close()

    return anyio.run(run)


def _usage(usage: "Usage") -> str:
    """Return tokens and their cost, with what the cost is not for."""
    counted = f"{usage.input_tokens} tokens in, {usage.output_tokens} out"
    if usage.known_cost is not None:
        return f"{counted}, {_dollars(usage.known_cost)}"
    if not usage.priced_tokens:
        return f"{counted}, cost unknown"
    return f"{counted}, {_dollars(usage.cost)} and {usage.unpriced_tokens} tokens without a price"


def _cost(usage: "Usage") -> str:
    """Return what all the tokens cost, or nothing where that is not known."""
    cost = usage.known_cost if usage.tokens else None
    return "" if cost is None else _dollars(cost)


def _dollars(cost: float) -> str:
    return f"${cost:.2f}" if cost >= 1 or not cost else f"${cost:.2g}"


def _short(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
