"""The command tree."""

import contextlib
import io
import os
import sys
import threading
from typing import Annotated

import typer

from bindings.cli import (
    calibrate,
    chat,
    costs,
    dataset,
    describe,
    discover,
    doctor,
    evaluation,
    forget,
    gate,
    golden,
    inbox,
    jobs,
    loop,
    mcp,
    models,
    outline,
    package,
    plan,
    ratings,
    run,
    runs,
    serve,
    serve_model,
    training,
    watch,
)

__all__ = ["app", "main", "root"]


def _version(is_asked: bool) -> None:
    if is_asked:
        import importlib.metadata

        try:
            print(importlib.metadata.version("wikiswarm"))
        except importlib.metadata.PackageNotFoundError:
            print("unknown: it runs from a folder and is not installed")
        raise typer.Exit


app = typer.Typer(
    name="wikiswarm",
    help="A swarm of agents whose knowledge lives in fine-tuned models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("check")(describe.check)
app.command("describe")(describe.describe)
app.command("chat")(chat.chat)
app.command("ask")(chat.ask)
app.command("outline")(outline.outline)
app.add_typer(runs.app, name="runs")
app.command("feedback")(runs.feedback)
app.command("costs")(costs.costs)
app.add_typer(inbox.app, name="inbox")
app.add_typer(dataset.app, name="dataset")
app.command("forget")(forget.forget)
app.command("plan")(plan.plan)
app.command("train")(training.train)
app.command("evaluate")(evaluation.evaluate)
app.command("gate")(gate.gate)
app.add_typer(golden.app, name="golden")
app.command("benchmark")(golden.benchmark)
models.app.command("calibrate")(calibrate.calibrate)
models.app.command("compare")(ratings.compare)
models.app.command("serve")(serve_model.serve_model)
app.command("loop")(loop.loop)
app.add_typer(jobs.app, name="jobs")
app.command("package")(package.package)
app.add_typer(models.app, name="models")
app.add_typer(mcp.app, name="mcp")
app.command("run", context_settings=run.PASS_ON)(run.run)
app.command("serve")(serve.serve)
app.command("watch")(watch.watch)
app.command("discover")(discover.discover)
app.command("doctor")(doctor.doctor)


@app.callback()
def root(
    is_asked: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """A swarm of agents whose knowledge lives in fine-tuned models."""


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdin, sys.stdout):
        # Bytes or characters that the terminal's encoding does not know end no conversation.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    finally:
        own = threading.main_thread()
        if any(t is not own and not t.daemon for t in threading.enumerate()):
            _leave()


def _leave() -> None:
    """End the process although a tool that was given up still runs in a thread of its own."""
    ended = sys.exc_info()[1]
    code = ended.code if isinstance(ended, SystemExit) else int(ended is not None)
    if ended is not None and not isinstance(ended, SystemExit):
        sys.excepthook(type(ended), ended, ended.__traceback__)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main()
