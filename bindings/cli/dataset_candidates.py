"""`dataset candidates`: captured rows that wait, and what is decided about them."""

import getpass
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from bindings.cli.options import (
    HomeOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    resolve_home,
    resolve_project,
)
from bindings.cli.output import command, counted, done, print_json, print_table, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from finetune.dataset.candidates import Candidate, Candidates
    from swarm.store import Database

__all__ = ["accept", "app", "apply", "list_candidates", "reject"]

Result = TypeVar("Result")

app = typer.Typer(help="Captured rows that wait for a decision.", no_args_is_help=True)

_STATES = ("candidate", "accepted", "rejected")

_Ids = Annotated[list[str], typer.Argument(help="Ids, or beginnings of them.", show_default=False)]
_By = Annotated[str | None, typer.Option(help="Who says so; the system's user else.")]
_Reason = Annotated[str | None, typer.Option(help="Why.")]


@app.command("list")
@command
def list_candidates(
    state: Annotated[
        str | None, typer.Option(help="candidate, accepted or rejected; all else.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List rows, oldest first."""
    if state is not None and state not in _STATES:
        say(f"error: --state is one of {', '.join(_STATES)}")
        raise typer.Exit(2)

    async def read(found: "Candidates") -> "list[Candidate]":
        chosen: Any = state
        return await found.list(state=chosen, project=resolve_project(project), limit=limit)

    rows = _with_candidates(home, store, read)
    if as_json:
        print_json([_described(row) for row in rows])
        return
    print_table(
        ("id", "state", "kind", "at", "agent", "rating", "decided by", "row"),
        [
            (
                one["id"],
                one["state"],
                one["kind"],
                time.strftime("%Y-%m-%d", time.localtime(one["provenance"].get("at", 0))),
                one["provenance"].get("agent_name", ""),
                one["provenance"].get("rating", ""),
                one["decided_by"] or "",
                _short(one["messages"]),
            )
            for one in map(_described, rows)
        ],
    )
    if not rows:
        say("no candidates; gather some with: wikiswarm dataset collect --quarantine")


@app.command("accept")
@command
def accept(
    ids: _Ids,
    by: _By = None,
    reason: _Reason = None,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Let rows into dataset versions."""
    _decide("accepted", ids, by, reason, home, store)


@app.command("reject")
@command
def reject(
    ids: _Ids,
    by: _By = None,
    reason: _Reason = None,
    home: HomeOption = None,
    store: StoreOption = None,
) -> None:
    """Keep rows out of dataset versions."""
    _decide("rejected", ids, by, reason, home, store)


@app.command("apply")
@command
def apply(
    rules: Annotated[Path, typer.Argument(help="A YAML file of rules.", show_default=False)],
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let rules decide about the rows that wait."""
    from finetune.dataset.acceptance import AcceptanceRules, apply_rules

    known = AcceptanceRules.read(rules)

    async def decide(found: "Candidates") -> dict[str, int]:
        return await apply_rules(found, known, project=resolve_project(project))

    counts = _with_candidates(home, store, decide)
    if as_json:
        print_json(counts)
        return
    for name, count in counts.items():
        done(f"{name}: {counted(count, 'row')}")
    if not counts:
        say("no rule fits a row that waits")


def _decide(
    state: Literal["accepted", "rejected"],
    ids: list[str],
    by: str | None,
    reason: str | None,
    home: Path | None,
    store: str | None,
) -> None:
    async def decide(found: "Candidates") -> int:
        decided = found.accept if state == "accepted" else found.reject
        return await decided(ids, by=by or getpass.getuser(), reason=reason)

    done(f"{state} {counted(_with_candidates(home, store, decide), 'row')}")


def _with_candidates(
    home: Path | None,
    store: str | None,
    work: "Callable[[Candidates], Awaitable[Result]]",
) -> Result:
    async def run(database: "Database") -> Result:
        from finetune.dataset.candidates import Candidates

        return await work(Candidates(database))

    return with_database(resolve_home(home), run, store)


def _described(one: "Candidate") -> dict[str, Any]:
    from finetune.dataset.rules import plain_text
    from finetune.dataset.sample import messages_of

    return {
        "id": one.id,
        "state": one.state,
        "kind": one.kind,
        "added_at": one.added_at,
        "decided_at": one.decided_at,
        "decided_by": one.decided_by,
        "reason": one.reason,
        "provenance": one.sample.provenance.model_dump(mode="json"),
        "messages": [
            {"role": message.role, "content": plain_text(message.content)}
            for message in messages_of(one.sample.row)
        ],
    }


def _short(messages: list[dict[str, str]]) -> str:
    texts = [m["content"] for m in messages if m["role"] in ("user", "assistant") and m["content"]]
    line = " → ".join(" ".join(text.split())[:40] for text in texts[-2:])
    return line
