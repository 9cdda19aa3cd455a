"""`watch`: whether the answers of a wiki in service get worse, and what is done then."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bindings.cli.options import (
    FileArgument,
    HomeOption,
    JsonOption,
    ProjectOption,
    StoreOption,
    resolve_home,
    resolve_project,
    resolve_store,
)
from bindings.cli.output import (
    command,
    counted,
    done,
    print_json,
    print_json_line,
    print_table,
    say,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from finetune.watch import Watched
    from swarm import Catalog
    from swarm.store import Database

__all__ = ["watch"]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@command
def watch(
    file: FileArgument,
    wiki: Annotated[str | None, typer.Argument(help="Only this wiki.")] = None,
    log: Annotated[Path | None, typer.Option(help="A log of predictions to read as well.")] = None,
    every: Annotated[
        str | None, typer.Option(help="Look again and again, such as every 60s, 5m or 1h.")
    ] = None,
    until_alarm: Annotated[
        bool, typer.Option("--until-alarm", help="With --every: end at the first alarm.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write a page with pictures beside the state.")
    ] = False,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at new ratings and answers; exit 1 when something moved."""
    import anyio

    from declarative import load
    from swarm import Catalog
    from swarm.environment import read_environment
    from swarm.store import open_database

    seconds = None if every is None else _seconds(every)
    if until_alarm and seconds is None:
        say("error: --until-alarm needs --every")
        raise typer.Exit(2)
    catalog = load(file, catalog=Catalog(), environment=read_environment())
    names = _names(catalog, wiki, log)
    folder = resolve_home(home)
    tenant = resolve_project(project)
    loops: dict[str, Any] = {
        "home": folder,
        "beside": file.parent,
        "store": resolve_store(store),
        "project": tenant,
    }
    starts = {name: _loop(catalog, name, loops) for name in names}

    async def look_at_all(database: "Database") -> list["Watched"]:
        from finetune.watch import watch_wiki

        return [
            await watch_wiki(
                name, catalog, database, folder, log=log, project=tenant, start=starts[name]
            )
            for name in names
        ]

    async def run() -> bool:
        database = open_database(folder, resolve_store(store))
        try:
            while True:
                found = await look_at_all(database)
                if report:
                    _write_reports(catalog, folder, tenant, names)
                _show(found, as_json=as_json, is_line=seconds is not None)
                has_alarm = any(one.alarms for one in found)
                if seconds is None or (has_alarm and until_alarm):
                    return has_alarm
                await anyio.sleep(seconds)
        finally:
            database.close()

    if anyio.run(run):
        raise typer.Exit(1)


def _loop(catalog: "Catalog", name: str, options: dict[str, Any]) -> "Callable[[str], None] | None":
    """Return what starts a round of a wiki's loop; None for a wiki that declares none."""
    from finetune.loop import loop_starter
    from wiki import WIKIS

    if catalog.registry(WIKIS).get(name).loop is None:
        return None
    return loop_starter(
        catalog,
        **options,
        on_result=lambda result: say(f"{result.wiki}: the loop ended: {result.outcome}"),
    )


def _names(catalog: "Catalog", wiki: str | None, log: Path | None) -> list[str]:
    from swarm.errors import DeclarationError
    from wiki import WIKIS

    wikis = catalog.registry(WIKIS)
    names = [wikis.get(wiki).wiki_name] if wiki is not None else wikis.names
    if not names:
        raise DeclarationError("the document declares no wiki to watch")
    if log is not None and len(names) > 1:
        raise DeclarationError(f"name the wiki that the log is of: {', '.join(names)}")
    return names


def _write_reports(catalog: "Catalog", home: Path, project: str | None, names: list[str]) -> None:
    from finetune.watch import watch_folder, write_watch_report
    from wiki import WIKIS, WatchSpec

    for name in names:
        spec = catalog.registry(WIKIS).get(name).watch or WatchSpec()
        beside = watch_folder(home, name, project=project)
        _, page = write_watch_report(beside, name, false_alarms=spec.false_alarms)
        say(f"report: {page}")


def _show(found: list["Watched"], *, as_json: bool, is_line: bool) -> None:
    for one in found:
        for problem in one.problems:
            say(f"warning: {problem}")
    if as_json:
        if is_line:
            print_json_line(found)
        else:
            print_json(found)
        return
    for one in found:
        new = f"{counted(one.new_ratings, 'new rating')}, {counted(one.new_answers, 'new answer')}"
        say(f"{one.wiki_name}: {new}")
        for alarm in one.alarms:
            done(f"ALARM {alarm.message}")
            done(f"  {alarm.action}: {alarm.outcome}")
    if not is_line:
        rows = [
            (one.wiki_name, s.model, s.answers, s.rated, "-" if s.mean is None else f"{s.mean:.2f}")
            for one in found
            for s in one.streams
        ]
        print_table(("wiki", "model", "answers", "ratings", "mean"), rows)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(s|m|h|)", text)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if seconds <= 0:
        say(f"error: --every takes a time such as 60s, 5m or 1h, not {text!r}")
        raise typer.Exit(2)
    return seconds
