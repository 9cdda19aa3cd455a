"""`models calibrate`: what the confidence of a model version is worth."""

from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.models import Reference
from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json

__all__ = ["calibrate"]


@command
def calibrate(
    reference: Reference,
    questions: Annotated[
        Path, typer.Argument(help="Questions with their answers (.yaml).", show_default=False)
    ],
    off_topic: Annotated[
        Path | None, typer.Option(help="Questions that it cannot know, one a line.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="platt or isotonic; by the number of answers else.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a version labelled questions and learn how likely its answers are right."""
    import anyio

    from finetune import held_out_rows, read_questions, training_rows
    from finetune.evaluate.confidence import calibrate as run
    from swarm.errors import DataError

    if method not in (None, "platt", "isotonic"):
        raise typer.BadParameter("platt or isotonic", param_hint="--method")
    facts = read_questions(questions)
    rows = held_out_rows(facts) + training_rows(facts)
    try:
        text = off_topic.read_text(encoding="utf-8") if off_topic else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{off_topic} cannot be read: {error}") from None
    unknown = [line.strip() for line in text.splitlines() if line.strip()]

    async def work() -> None:
        found = await run(
            f"registry/{reference}",
            rows,
            home=resolve_home(home),
            off_topic=unknown,
            method=method,
        )
        if as_json:
            print_json(found)
            return
        done(
            f"{reference}: {found.method} over {found.answers} answers, {found.right:.0%} right;"
            f" calibration error {found.ece_before:.3f}, now {found.ece_after:.3f}"
        )

    anyio.run(work)
