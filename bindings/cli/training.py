"""`train`: a model from a file of questions and answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bindings.cli import hosted
from bindings.cli.options import HomeOption, JsonOption, next_run, resolve_home
from bindings.cli.output import command, done, print_json, say

if TYPE_CHECKING:
    from finetune import TrainConfig, TrainResult

__all__ = ["RunArgument", "train"]

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
    backend: Annotated[
        Literal["local", "openai", "cohere"],
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

    if backend != "local":
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
    from finetune.train.rows import read_data

    fields: dict[str, Any] = {"method": method, "base": base, "epochs": epochs, "seed": seed}
    if epochs is None and config is None and method == "sft":
        fields["epochs"] = _epochs(len(read_data(data)))
    settings = _config({k: v for k, v in fields.items() if v is not None}, config)
    run_dir = output or next_run(resolve_home(home))
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
