"""`train` and `evaluate`: a model from a file of questions and answers, and how good it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json, say

if TYPE_CHECKING:
    from pydantic import JsonValue

    from finetune import EvaluationReport, TrainConfig, TrainResult

__all__ = ["RunArgument", "evaluate", "train"]

_STEPS = 240
"""Steps of 32 rows in which a model from scratch learns its answers."""
_UNLEARNT = 0.5
"""Mean loss per token above which a model answers mostly nonsense."""

RunArgument = Annotated[Path, typer.Argument(help="A run folder.", show_default=False)]


@command
def train(
    data: Annotated[
        Path,
        typer.Argument(help="Questions (.yaml), or SFT or DPO rows (.jsonl).", show_default=False),
    ],
    output: Annotated[
        Path | None, typer.Option(help="The run folder; the next one in HOME/runs else.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="sft imitates, dpo prefers, none makes an untrained base.")
    ] = "sft",
    base: Annotated[
        str, typer.Option(help="A model folder or run folder to start from, or scratch.")
    ] = "scratch",
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", min=1)] = None,
    rehearsal: Annotated[
        Path | None, typer.Option(help="For dpo: rows whose answers must not change.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file with further fields of TrainConfig.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", min=0)] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model in a child process."""
    import anyio

    fields: dict[str, Any] = {"method": method, "base": base, "epochs": epochs, "seed": seed}
    if epochs is None and config is None and method == "sft":
        fields["epochs"] = _epochs(len(_rows(data, held_out=False)))
    settings = _config({k: v for k, v in fields.items() if v is not None}, config)
    run_dir = output or _next_run(resolve_home(home))
    result = anyio.run(_train, settings, data, run_dir, rehearsal)
    if as_json:
        print_json(result)
        return
    loss = f", loss {result.loss:.4f}" if result.loss is not None else ""
    done(
        f"{result.run_dir}: {result.rows} rows, {result.steps} steps, "
        f"{result.parameters / 1e6:.2f} M weights, {result.seconds:.0f} s{loss}"
    )
    done(f"manifest sha256 {result.manifest_sha256[:12]}, model sha256 {result.model_sha256[:12]}")
    if result.loss is not None and result.loss > _UNLEARNT and method == "sft":
        say("warning: the loss is high, it has not learnt its answers; give it more --epochs")
    say(f"next: wikiswarm evaluate {result.run_dir} {data}")


@command
def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            help="A run folder, or a reference such as registry/pharma@live.", show_default=False
        ),
    ],
    data: Annotated[
        Path, typer.Argument(help="Questions (.yaml) or SFT rows (.jsonl).", show_default=False)
    ],
    held_out: Annotated[
        bool, typer.Option(help="Ask the held-out phrasings of a questions file.")
    ] = False,
    minimum: Annotated[
        float, typer.Option(help="Fail below this share of exact answers.", min=0, max=1)
    ] = 0.0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model every question and count the exactly right answers."""
    import anyio

    report = anyio.run(_evaluate, model, data, held_out, resolve_home(home))
    if as_json:
        print_json(report)
    else:
        for miss in report.misses:
            say(f"  {miss.question!r}: {miss.answer!r}, not {miss.expected!r}")
        done(
            f"{model}: {report.exact} of {report.rows} answers exactly right "
            f"({report.accuracy:.1%}, {report.seconds:.1f} s)"
        )
    if report.accuracy < minimum:
        say(f"error: {report.accuracy:.1%} is below --minimum {minimum:.1%}")
        raise typer.Exit(1)


async def _train(
    settings: "TrainConfig", data: Path, run_dir: Path, rehearsal: Path | None
) -> "TrainResult":
    from bindings.cli.progress import progress_bar
    from finetune import TrainProgress
    from finetune import train as train_model

    with progress_bar("training") as advance:

        def shown(report: TrainProgress) -> None:
            advance(report.step, report.total_steps, f"loss {report.loss:.3f}")

        return await train_model(
            settings, data=data, output_dir=run_dir, rehearsal=rehearsal, on_progress=shown
        )


async def _evaluate(model: str, data: Path, held_out: bool, home: Path) -> "EvaluationReport":
    import anyio.to_thread

    from bindings.cli.progress import progress_bar
    from finetune import evaluate as evaluate_folder
    from finetune.evaluate import EvaluationProgress
    from finetune.evaluate.served import evaluate_reference

    part = "held_out" if held_out else "train"
    rows = await anyio.to_thread.run_sync(_rows, data, held_out)
    with progress_bar("asking") as advance:

        def shown(report: EvaluationProgress) -> None:
            advance(report.rows, report.total_rows, "")

        if ("/" in model or ":" in model) and not await anyio.Path(model).exists():
            return await evaluate_reference(
                model, rows, home=home, output_dir=home / "evaluations", on_progress=shown
            )
        output = Path(model) / "evaluations" / part
        return await evaluate_folder(
            Path(model), rows, output_dir=output, system=_system(Path(model)), on_progress=shown
        )


def _config(fields: dict[str, Any], file: Path | None) -> "TrainConfig":
    from pydantic import ValidationError

    from finetune import TrainConfig
    from finetune.train import dpo_config
    from swarm.errors import DataError

    try:
        if file is None and fields["method"] == "dpo":
            usual = dpo_config(Path(fields["base"])).model_dump()
            return TrainConfig.model_validate({**usual, **fields})
        if file is None:
            return TrainConfig(**fields)
        given = TrainConfig.model_validate_json(file.read_bytes())
        return TrainConfig.model_validate({**given.model_dump(), **fields})
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from None
    except ValidationError as wrong:
        found = "; ".join(
            ": ".join(filter(None, (".".join(map(str, error["loc"])), error["msg"])))
            for error in wrong.errors()
        )
        raise DataError(f"the training configuration is wrong: {found}") from None


def _epochs(rows: int) -> int:
    """Return passes enough to learn a file by heart, which takes small ones many."""
    return min(600, max(18, -(-_STEPS * 32 // max(rows, 1))))


def _rows(data: Path, held_out: bool) -> "list[dict[str, JsonValue]]":
    from finetune import held_out_rows, read_questions
    from finetune.train.rows import read_data
    from swarm.errors import DataError

    if not held_out:
        return read_data(data)
    if data.suffix not in (".yaml", ".yml"):
        raise DataError(f"{data}: only a questions file (.yaml) has held-out phrasings")
    return held_out_rows(read_questions(data))


def _next_run(home: Path) -> Path:
    runs = home / "runs"
    taken = [int(p.name) for p in runs.iterdir() if p.name.isdigit()] if runs.is_dir() else []
    return runs / str(max(taken, default=0) + 1)


def _system(run: Path) -> str | None:
    """Return the system message that a run was trained with."""
    from pydantic import ValidationError

    from finetune import TrainConfig

    try:
        return TrainConfig.model_validate_json((run / "config.json").read_bytes()).system
    except (OSError, ValidationError):
        # A model folder of another origin has a config.json of another kind.
        return None
