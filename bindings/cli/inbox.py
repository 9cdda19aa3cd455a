"""`inbox`: the questions and tool calls that wait for a person, and what the person says."""

import getpass
import time
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bindings.cli.options import (
    HomeOption,
    JsonOption,
    StoreOption,
    refuse_early_options,
    resolve_home,
)
from bindings.cli.output import command, done, print_json, print_table, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from swarm.inbox import Inbox, InboxItem
    from swarm.store import Database

__all__ = ["app", "approve", "default", "list_items", "reject", "reply", "show"]

Result = TypeVar("Result")

app = typer.Typer(help="What waits for a person.", invoke_without_command=True)

_Item = Annotated[
    str, typer.Argument(metavar="ID", help="The item's id, or its beginning.", show_default=False)
]
_By = Annotated[str | None, typer.Option("--by", help="Who decides; else your account's name.")]


@app.callback()
def default(
    context: typer.Context,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits when no command is given."""
    if context.invoked_subcommand is None:
        list_items(home=home, store=store, as_json=as_json)
        return
    refuse_early_options(context, "inbox")


@app.command("list")
@command
def list_items(
    is_all: Annotated[bool, typer.Option("--all", help="Also what is decided.")] = False,
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    client: Annotated[str | None, typer.Option(help="Only of this client.")] = None,
    swarm: Annotated[str | None, typer.Option(help="Only of this swarm.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a person, the newest first."""

    async def read(inbox: "Inbox") -> "list[InboxItem]":
        from swarm.inbox.item import OPEN

        return await inbox.list(
            status=() if is_all else OPEN,
            agent_name=agent,
            client_id=client,
            swarm_name=swarm,
            limit=limit,
        )

    items = _with_inbox(home, store, read)
    if as_json:
        print_json(items)
        return
    rows = [
        (
            item.id,
            _time(item.created_at),
            item.kind,
            item.status,
            item.agent_name,
            item.client_id,
            _short(item.call_text or item.payload.text),
        )
        for item in items
    ]
    print_table(("item", "at", "kind", "status", "agent", "client", "asks"), rows)
    if not items:
        say("nothing is here" if is_all else "nothing waits for a person")


@app.command("show")
@command
def show(
    item: _Item,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an item with the conversation that led to it."""
    found = _with_inbox(home, store, lambda inbox: inbox.show(item))
    if as_json:
        print_json(found)
        return
    by = f" by {found.decided_by}" if found.decided_by else ""
    done(f"item     {found.id}  ({found.kind}, {found.status}{by})")
    done(f"session  {found.session_id}, agent {found.agent_name}, run {found.run_id}")
    done(f"at       {_time(found.created_at)}")
    for message in found.payload.view:
        done(f"  {message.role:<9} {message.content}")
    if found.kind == "question":
        done(f"asks     {found.payload.text}")
    else:
        about = f"  ({found.payload.description})" if found.payload.description else ""
        done(f"wants    {found.call_text}{about}")
    if found.reply is not None:
        for label, text in (
            ("reply", found.reply.text),
            ("reason", found.reply.reason),
            ("output", found.reply.output),
        ):
            if text:
                done(f"{label:<9}{text}")


@app.command("reply")
@command
def reply(
    item: _Item,
    text: Annotated[str, typer.Argument(help="The answer, as the user will see it.")],
    by: _By = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question."""
    _decide(home, store, as_json, lambda inbox: inbox.reply(item, text, by=_who(by)))


@app.command("approve")
@command
def approve(
    item: _Item,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    by: _By = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Agree to a tool call, which then runs."""
    _decide(home, store, as_json, lambda inbox: inbox.approve(item, by=_who(by), reason=reason))


@app.command("reject")
@command
def reject(
    item: _Item,
    reason: Annotated[str, typer.Option(help="Why; the agent is told.")] = "",
    by: _By = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refuse a tool call."""
    _decide(home, store, as_json, lambda inbox: inbox.reject(item, by=_who(by), reason=reason))


def _decide(
    home: "Path | None",
    store: str | None,
    as_json: bool,
    decide: "Callable[[Inbox], Awaitable[InboxItem]]",
) -> None:
    item = _with_inbox(home, store, decide)
    if as_json:
        print_json(item)
    else:
        done(f"{item.id} is {item.status}")


def _with_inbox(
    home: "Path | None", store: str | None, work: "Callable[[Inbox], Awaitable[Result]]"
) -> Result:
    from swarm.environment import read_environment
    from swarm.inbox import Inbox
    from swarm.secrets import secrets_of

    async def use(database: "Database") -> Result:
        return await work(Inbox(database, secrets=secrets_of(read_environment())))

    return with_database(resolve_home(home), use, store)


def _who(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # an account without a name
        return ""


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _short(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
