"""`train`: a model from a file of questions and answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bindings.cli import hosted
from bindings.cli.options import HomeOption, JsonOption, next_run, resolve_home
from bindings.cli.output import command, done, print_json, say

if TYPE_CHECKING:
    from finetune import TrainConfig, TrainResult
    from finetune.train.curve import CurveReading
    from finetune.train.freeze import Inputs

__all__ = ["RunArgument", "train"]

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
    from finetune.train.defaults import epochs_for
    from finetune.train.rows import read_data

    fields: dict[str, Any] = {"method": method, "base": base, "epochs": epochs, "seed": seed}
    fields |= {"steps": steps, "validation": val_split}
    if backend == "unsloth":
        fields["backend"] = backend
    if epochs is None and config is None and method == "sft":
        fields["epochs"] = epochs_for(len(read_data(data)))
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
