"""`loop`: a wiki's next version, from its rows to the registry, if it is better."""

import sys
from contextlib import ExitStack
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
from bindings.cli.output import command, done, fail, print_json, say
from bindings.cli.progress import Advance, progress_bar

if TYPE_CHECKING:
    from pydantic import JsonValue

    from finetune.loop import LoopPlan, LoopResult, StageReport
    from swarm import Catalog
    from wiki import WikiSpec

__all__ = ["loop"]


@command
def loop(
    file: FileArgument,
    wiki: Annotated[
        str | None, typer.Argument(help="The wiki; the only one with a loop else.")
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Run every wiki whose schedule says so, for cron.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the plan: rows, memory, time, cost.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Promote a better version without asking.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Train with nothing new, or where the machine looks small."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew although a round is unfinished.")
    ] = False,
    project: ProjectOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the next version of a wiki and promote it if it is better; exit 1 if it is not."""
    if due and (wiki is not None or force or fresh):
        say("error: --due chooses the wikis itself; leave out WIKI, --force and --fresh")
        raise typer.Exit(2)
    catalog = _load(file)
    options: dict[str, Any] = {
        "home": resolve_home(home),
        "beside": file.parent,
        "store": resolve_store(store),
        "project": resolve_project(project),
    }
    if dry_run:
        wikis = None if due else [_wiki(catalog, wiki, file)]
        _plan(catalog, wikis, options, as_json)
        return
    if due:
        _run_due(catalog, options, yes=yes, as_json=as_json)
        return
    chosen = _wiki(catalog, wiki, file)
    result = _run(chosen, options, yes=yes, force=force, fresh=fresh, as_json=as_json)
    if as_json:
        print_json(result)
    else:
        _show(result)
    if not result.is_better:
        raise typer.Exit(1)


def _run_due(catalog: "Catalog", options: dict[str, Any], *, yes: bool, as_json: bool) -> None:
    """Run what is due; one wiki that fails keeps no other one from its round."""
    from finetune.loop import LoopRunningError, due_wikis
    from swarm.errors import SwarmError
    from wiki import WIKIS

    results: list[LoopResult] = []
    worst = 0
    waiting = due_wikis(catalog, home=options["home"])
    for one in (one for one in waiting if one.is_due):
        try:
            spec = catalog.registry(WIKIS).get(one.wiki)
            result = _run(spec, options, yes=yes, force=False, fresh=False, as_json=as_json)
        except LoopRunningError as error:
            say(str(error))  # somebody is at it; a schedule that looks often is no failure
            continue
        except SwarmError as error:
            say(f"{one.wiki}:")
            worst = max(worst, fail(error))
            continue
        results.append(result)
        if not as_json:
            _show(result)
        if result.outcome == "refused":
            worst = max(worst, 1)
    if as_json:
        print_json(results)
    elif not any(one.is_due for one in waiting):
        coming = [f"{one.wiki} at {one.next:%Y-%m-%d %H:%M} UTC" for one in waiting]
        say(f"nothing is due; {', '.join(coming) or 'no wiki has a schedule (loop.every)'}")
    if worst:
        raise typer.Exit(worst)


def _run(
    wiki: "WikiSpec", options: dict[str, Any], *, yes: bool, force: bool, fresh: bool, as_json: bool
) -> "LoopResult":
    from functools import partial

    import anyio

    from finetune.loop import run_loop

    with _Bars() as bars:

        def finished(report: "StageReport") -> None:
            bars.close()
            if not as_json:
                done(_line(report))

        def confirm(text: str) -> bool:
            bars.close()
            if yes:
                return True
            return sys.stdin.isatty() and typer.confirm(f"{text}\nPromote it?", err=True)

        work = partial(
            run_loop,
            wiki,
            **options,
            confirm=confirm,
            force=force,
            fresh=fresh,
            on_progress=bars.tell,
            on_stage=finished,
        )
        return anyio.run(work)


class _Bars:
    """A bar for the stage that works."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._title = ""
        self._advance: Advance | None = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(self, stage: str, count: int, total: int | None, remark: str) -> None:
        if self._advance is None or stage != self._title:
            self.close()
            self._title = stage
            self._advance = self._stack.enter_context(progress_bar(stage))
        if total is not None:
            self._advance(count, total, remark)

    def close(self) -> None:
        self._stack.close()
        self._advance = None


def _line(report: "StageReport") -> str:
    figures = ", ".join(_figures(report.outputs))
    state = "kept" if report.state == "kept" else f"{report.seconds:.1f} s"
    return f"{report.stage:<9} {state:>8}  {figures}".rstrip()


def _figures(outputs: "dict[str, JsonValue]") -> list[str]:
    """Return what people want to see of a stage's outputs."""
    shown: list[str] = []
    for name, value in outputs.items():
        if isinstance(value, dict) and "accuracy" in value:
            shown.append(f"{name} {value['exact']} of {value['rows']} exact")
        elif name == "rows" and isinstance(value, dict):
            shown += [f"{source} {count}" for source, count in value.items() if count]
        elif name in ("dataset", "sha256"):
            shown.append(f"{name} {str(value)[:12]}")
        elif isinstance(value, str | int | float) and not name.endswith(("_sha256", "training")):
            shown.append(f"{name.replace('_', ' ')} {value}")
    return shown


def _show(result: "LoopResult") -> None:
    if result.duties is not None:
        for line in result.duties.lines():
            say(line)
    done(f"{result.wiki}: {result.text()}")
    if (report := result.run_dir / "gate" / "report.html").is_file():
        say(f"report: {report}")
    if result.hint is not None and result.is_better:
        say(f"hint: {result.hint}")
    if result.outcome == "waiting":
        say(f"next: wikiswarm models promote {result.version}")
    elif result.outcome == "promoted" and result.before is not None:
        name = str(result.version).partition("@")[0]
        say(f"back to {result.before}: wikiswarm models rollback {name}")


def _plan(
    catalog: "Catalog",
    chosen: "list[WikiSpec] | None",
    options: dict[str, Any],
    as_json: bool,
) -> None:
    """Print the plans of the chosen wikis; of all that are due when None are."""
    from functools import partial

    import anyio

    from finetune.loop import due_wikis, plan_loop
    from wiki import WIKIS

    waiting = due_wikis(catalog, home=options["home"]) if chosen is None else ()
    due = [catalog.registry(WIKIS).get(one.wiki) for one in waiting if one.is_due]
    plans = [anyio.run(partial(plan_loop, one, **options)) for one in chosen or due]
    if as_json:
        print_json(plans if chosen is None else plans[0])
        return
    for plan in plans:
        _show_plan(plan)
    if not plans:
        say("nothing is due")


def _show_plan(plan: "LoopPlan") -> None:
    going_on = f", going on with {plan.resumes}" if plan.resumes else ""
    done(f"{plan.wiki}: {plan.model}, live {plan.live or 'nothing yet'}{going_on}")
    if plan.finished:
        done(f"  finished: {', '.join(plan.finished)}")
    if plan.hint is not None:
        say(f"hint: {plan.hint}")
    done(f"  stages: {', '.join(plan.stages)}; then promote: {plan.promote}")
    rows = ", ".join(f"{count} {source}" for source, count in plan.sources.items() if count)
    done(
        f"  rows: {rows or 'none'}; {plan.removed} left out by the curation;"
        f" {plan.train_rows} to train, {plan.held_out_rows} held out"
    )
    if plan.train_rows:
        few = "" if plan.is_enough else ", too few for a training (minimum_new_rows)"
        done(f"  new: {plan.new_rows} rows{few}")
    few = "" if plan.test_rows >= plan.minimum_test_rows else ", too few to decide"
    done(f"  test: {plan.test_rows} questions of at least {plan.minimum_test_rows}{few}")
    if plan.training is not None and plan.config is not None:
        technique = "lora" if plan.config.lora else "full"
        memory = plan.training.memory["qlora" if plan.config.quantization == "4bit" else technique]
        done(
            f"  training: {plan.training.base}, {plan.steps} steps, about"
            f" {memory.total_gb:.1f} GB of memory and {_duration(plan.training.seconds)}"
            " (right to a factor of three)"
        )
    if plan.cost is not None:
        done(f"  training: {plan.cost}")
    done(f"  disk: about {plan.disk_needed / 1e9:.1f} GB of {plan.disk_free / 1e9:.1f} GB free")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _load(file: Path) -> "Catalog":
    from declarative import load
    from swarm import Catalog
    from swarm.environment import read_environment

    return load(file, catalog=Catalog(), environment=read_environment())


def _wiki(catalog: "Catalog", name: str | None, file: Path) -> "WikiSpec":
    from wiki import WIKIS

    known = catalog.registry(WIKIS)
    if name is not None:
        return known.get(name)
    found = [wiki for wiki in known if wiki.loop is not None]
    if len(found) != 1:
        names = ", ".join(wiki.wiki_name for wiki in found)
        none = "no wiki has a `loop`; say under one what it learns from"
        say(f"error: {file}: {f'name the WIKI, one of {names}' if found else none}")
        raise typer.Exit(2)
    return found[0]
