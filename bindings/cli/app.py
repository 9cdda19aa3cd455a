"""The command tree."""

import io
import sys

import typer

from bindings.cli import chat, dataset, describe, doctor, mcp, models, runs, serve, training

__all__ = ["app", "main"]

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
app.add_typer(runs.app, name="runs")
app.command("feedback")(runs.feedback)
app.add_typer(dataset.app, name="dataset")
app.command("train")(training.train)
app.command("evaluate")(training.evaluate)
app.command("package")(training.package)
app.add_typer(models.app, name="models")
app.add_typer(mcp.app, name="mcp")
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdin, sys.stdout):
        # Bytes or characters that the terminal's encoding does not know end no conversation.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
