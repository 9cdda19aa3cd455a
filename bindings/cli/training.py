"""`train`, `evaluate` and `package`: a model from a file of questions and answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bindings.cli import hosted
from bindings.cli.models import open_registry
from bindings.cli.options import HomeOption, JsonOption, next_run, resolve_home
from bindings.cli.output import command, done, print_json, say

if TYPE_CHECKING:
    from pydantic import JsonValue

    from finetune import EvaluationReport, TrainConfig, TrainResult
    from finetune.train.curve import CurveReading
    from finetune.train.freeze import Inputs

__all__ = ["RunArgument", "evaluate", "package", "train"]

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
        str, typer.Option(help="sft imitates, dpo and orpo prefer, none makes an untrained base.")
    ] = "sft",
    base: Annotated[
        str, typer.Option(help="A model folder or run folder to start from, or scratch.")
    ] = "scratch",
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", min=1)] = None,
    steps: Annotated[int | None, typer.Option(help="End after so many steps.", min=1)] = None,
    val_split: Annotated[
        float | None, typer.Option(help="Share of the rows to measure on.", min=0, max=0.9)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run in --output.")
    ] = False,
    rehearsal: Annotated[
        Path | None, typer.Option(help="For dpo: rows whose answers must not change.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="JSON file with further fields of TrainConfig.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", min=0)] = None,
    backend: Annotated[
        Literal["local", "unsloth", "llamafactory", "openai", "cohere"],
        typer.Option(help="This machine, or a provider, with its model as --base."),
    ] = "local",
    base_url: hosted.BaseUrlOption = None,
    api_key_env: hosted.KeyVariableOption = None,
    suffix: hosted.SuffixOption = None,
    metadata: hosted.MetadataOption = None,
    validation: hosted.ValidationOption = None,
    max_cost: hosted.MaxCostOption = None,
    accepts: hosted.YesOption = False,
    force: hosted.ForceOption = False,
    name: hosted.NameOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model, in a child process or at a provider."""
    import anyio

    from finetune.train.freeze import Inputs

    if backend in ("openai", "cohere"):
        asked = {"backend": backend, "model": base if base != "scratch" else None}
        asked |= {"method": method, "epochs": epochs, "seed": seed, "suffix": suffix}
        hosted.train_hosted(
            data,
            {**asked, "base_url": base_url, "api_key_env": api_key_env},
            config=config,
            metadata=metadata or (),
            output=output,
            home=resolve_home(home),
            validation=validation,
            max_cost=max_cost,
            accepts=accepts,
            force=force,
            name=name,
            as_json=as_json,
        )
        return
    fields: dict[str, Any] = {"method": method, "base": base, "epochs": epochs, "seed": seed}
    fields |= {"steps": steps, "validation": val_split}
    if backend == "unsloth":
        fields["backend"] = backend
    if epochs is None and config is None and method == "sft":
        fields["epochs"] = _epochs(len(_rows(data, held_out=False)))
    settings = _config({k: v for k, v in fields.items() if v is not None}, config)
    if resume and output is None:
        say("error: name the run to go on with: --output")
        raise typer.Exit(2)
    run_dir = output or next_run(resolve_home(home))
    if backend == "llamafactory":
        _write_llamafactory(settings, data, run_dir, as_json)
        return
    files = Inputs(data, rehearsal, validation)
    result = anyio.run(_train, settings, files, run_dir, resume)
    reading = _report(run_dir)
    if as_json:
        print_json(result)
        return
    loss = f", loss {result.loss:.4f}" if result.loss is not None else ""
    done(
        f"{result.run_dir}: {result.rows} rows, {result.steps} steps, "
        f"{result.parameters / 1e6:.2f} M weights, {result.seconds:.0f} s{loss}"
    )
    done(f"manifest sha256 {result.manifest_sha256[:12]}, model sha256 {result.model_sha256[:12]}")
    if result.adapter_dir is not None:
        done(f"adapter: {result.adapter_dir}")
    if result.loss is not None:
        done(f"curve: {reading.verdict}; {reading.reason}")
        if reading.verdict != "healthy":
            say(f"hint: {reading.fix}")
    done(f"report: {run_dir / 'report.html'}")
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


@command
def package(
    run: RunArgument,
    name: Annotated[str, typer.Option(help="The model's name in the registry.")],
    quantization: Annotated[
        str, typer.Option(help="f16, q8_0, q5_0 or q4_0; smaller is less exact.")
    ] = "q8_0",
    promote: Annotated[bool, typer.Option(help="Put the version into service.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run as GGUF and register it as the next version of a model."""
    import anyio
    from pydantic import TypeAdapter, ValidationError

    from finetune import publish
    from finetune.package import Quantisation

    try:
        kind = TypeAdapter[Quantisation](Quantisation).validate_python(quantization.lower())
    except ValidationError:
        say(f"error: no quantization {quantization!r}; see: wikiswarm package --help")
        raise typer.Exit(2) from None
    registry = open_registry(home)

    async def work() -> Any:
        metrics = await anyio.to_thread.run_sync(_metrics, run)
        return await publish(run, name, registry, quantisation=kind, metrics=metrics)

    version = anyio.run(work)
    if promote:
        registry.promote(version.name, version.version)
        version = registry.get(str(version))
    if not version.manifest.metrics:
        say(f"warning: {run} was never evaluated; see: wikiswarm evaluate {run} QUESTIONS")
    elif not any(version.manifest.metrics.values()):
        say("warning: not one of its answers was exactly right in its evaluation")
    if as_json:
        print_json(version)
        return
    size = sum(file.size for file in version.manifest.files) / 1e6
    done(f"{version}: {size:.1f} MB, sha256 {version.manifest.sha256[:12]}, {version.path}")
    if promote:
        done(f"{version} is live")
    else:
        say(f"next: wikiswarm models promote {version}")


async def _train(
    settings: "TrainConfig", files: "Inputs", run_dir: Path, resume: bool
) -> "TrainResult":
    from bindings.cli.progress import progress_bar
    from finetune import TrainProgress
    from finetune import train as train_model

    with progress_bar("training") as advance:

        def shown(report: TrainProgress) -> None:
            advance(report.step, report.total_steps, f"loss {report.loss:.3f}")

        return await train_model(
            settings,
            data=files.data,
            output_dir=run_dir,
            rehearsal=files.rehearsal,
            validation=files.validation,
            resume=resume,
            on_progress=shown,
        )


def _report(run_dir: Path) -> "CurveReading":
    """Write the report of a run and return what its curve says."""
    from finetune.train.report import read_run, write_report

    write_report(run_dir)
    return read_run(run_dir).reading


def _write_llamafactory(settings: "TrainConfig", data: Path, folder: Path, as_json: bool) -> None:
    from finetune.train.llamafactory import write_llamafactory

    files = write_llamafactory(settings, data, folder)
    if as_json:
        print_json(files._asdict())
        return
    done(f"{files.config}, {files.dataset_info.name}, {files.data.name}")
    say(f"next: cd {folder} && {' '.join(files.command)}")


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
        if file is None and fields["method"] in ("dpo", "orpo"):
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


def _metrics(run: Path) -> "dict[str, JsonValue]":
    """Return what the evaluations of a run found, by the part that was asked."""
    from pydantic import ValidationError

    from finetune import EvaluationReport
    from swarm.errors import DataError

    found: dict[str, JsonValue] = {}
    for part in ("train", "held_out"):
        report = run / "evaluations" / part / "report.json"
        if report.is_file():
            try:
                known = EvaluationReport.model_validate_json(report.read_bytes())
            except ValidationError:
                raise DataError(f"{report} is damaged; evaluate again") from None
            found[f"exact_{part}"] = known.accuracy
    return found


def _system(run: Path) -> str | None:
    """Return the system message that a run was trained with."""
    from pydantic import ValidationError

    from finetune import TrainConfig

    try:
        return TrainConfig.model_validate_json((run / "config.json").read_bytes()).system
    except (OSError, ValidationError):
        # A model folder of another origin has a config.json of another kind.
        return None
