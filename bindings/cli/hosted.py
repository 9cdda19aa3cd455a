"""`train --backend openai|cohere`: a job at a provider, from the cost to the registered model."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from bindings.cli.models import open_registry
from bindings.cli.options import next_run
from bindings.cli.output import done, print_json, say

if TYPE_CHECKING:
    from finetune.train.hosted import HostedConfig, HostedJob, HostedResult

__all__ = [
    "BaseUrlOption",
    "ForceOption",
    "KeyVariableOption",
    "MaxCostOption",
    "MetadataOption",
    "NameOption",
    "SuffixOption",
    "ValidationOption",
    "YesOption",
    "finished",
    "follow_job",
    "train_hosted",
]

BaseUrlOption = Annotated[
    str | None, typer.Option(help="Hosted: the address of a host that speaks the same API.")
]
KeyVariableOption = Annotated[
    str | None, typer.Option(help="Hosted: the variable with the key for --base-url.")
]
SuffixOption = Annotated[str | None, typer.Option(help="Hosted: becomes part of the model's name.")]
MetadataOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Hosted: kept with the job, such as version=1.2."),
]
ValidationOption = Annotated[Path | None, typer.Option(help="Rows to measure the model on.")]
MaxCostOption = Annotated[
    float | None, typer.Option(help="Hosted: the most it may cost, in US dollars.", min=0)
]
YesOption = Annotated[bool, typer.Option("--yes", help="Hosted: accept whatever it costs.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Hosted: train a base although it retires soon.")
]
NameOption = Annotated[
    str | None, typer.Option(help="Hosted: register the model under this name when it is done.")
]


def train_hosted(
    data: Path,
    fields: Mapping[str, Any],
    *,
    config: Path | None,
    metadata: Sequence[str],
    output: Path | None,
    home: Path,
    validation: Path | None,
    max_cost: float | None,
    accepts: bool,
    force: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Create a job, or go on with the one that an interrupted command left, and wait for it."""
    import anyio

    from finetune.train.hosted import submit

    settings = _settings({**fields, "metadata": _pairs(metadata)}, config)
    run_dir, is_new = _run_folder(settings, data, validation, output, home)
    if is_new:
        _ask_for_the_cost(run_dir, home, max_cost=max_cost, accepts=accepts)

    async def create() -> str:
        record = await submit(
            settings,
            data=data,
            output_dir=run_dir,
            validation=validation,
            max_cost=max_cost,
            force=force,
        )
        assert record.job is not None
        return record.job.id

    job_id = anyio.run(create)
    say(f"job {job_id} in {run_dir}; it runs on without this command: wikiswarm jobs wait {job_id}")
    finished(follow_job(run_dir), name, home, as_json=as_json)


def follow_job(run_dir: Path) -> "HostedResult":
    """Wait for a job with a bar, and return its model."""
    import anyio

    from bindings.cli.progress import progress_bar
    from finetune.train.hosted import follow

    with progress_bar("training") as advance:

        def shown(job: "HostedJob") -> None:
            finish = job.estimated_finish
            remark = f"until about {finish.astimezone():%Y-%m-%d %H:%M}" if finish else ""
            advance(round(job.progress or 0), 100, f"{job.status} {remark}".strip())

        async def wait() -> "HostedResult":
            return await follow(run_dir, on_progress=shown)

        return anyio.run(wait)


def finished(result: "HostedResult", name: str | None, home: Path, *, as_json: bool) -> None:
    """Register a finished model where a name is given, and say what there is."""
    from finetune.train.hosted import advice, read_events, read_record, register_hosted

    version = None
    if name is not None:
        version = register_hosted(result.run_dir, name, open_registry(home))
    if as_json:
        print_json(
            {
                "run": str(result.run_dir),
                "job": result.job,
                "model": result.model,
                "dollars": result.dollars,
                "version": str(version) if version is not None else None,
            }
        )
        return
    for sentence in advice(read_record(result.run_dir), read_events(result.run_dir)):
        say(f"hint: {sentence}")
    tokens = result.job.trained_tokens
    billed = f", {tokens:,} tokens trained" if tokens is not None else ""
    cost = f", about ${result.dollars:,.2f}" if result.dollars is not None else ""
    done(f"{result.model}{billed}{cost}")
    if version is not None:
        done(f"{version} is registered")
        say(f"next: wikiswarm evaluate registry/{version} QUESTIONS")
        say(f"then: wikiswarm models promote {version}")
    else:
        say(f"next: wikiswarm jobs wait {result.job.id} --name NAME registers it")


def _settings(fields: Mapping[str, Any], file: Path | None) -> "HostedConfig":
    import json

    from pydantic import ValidationError

    from finetune.train.hosted import HostedConfig
    from swarm.errors import DataError

    given = {name: value for name, value in fields.items() if value not in (None, {})}
    try:
        known: Any = json.loads(file.read_bytes()) if file is not None else {}
        if not isinstance(known, dict):
            raise DataError(f"{file}: expected an object")
        merged = {**cast("dict[str, Any]", known), **given}
        if "model" not in merged:
            say("error: name the provider's model with --base")
            raise typer.Exit(2)
        return HostedConfig.model_validate(merged)
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from None
    except ValidationError as wrong:
        found = "; ".join(
            ": ".join(filter(None, (".".join(map(str, error["loc"])), error["msg"])))
            for error in wrong.errors(include_input=False, include_url=False)
        )
        raise DataError(f"the configuration of the job is wrong: {found}") from None
    except ValueError as wrong:
        raise DataError(f"{file} is not JSON: {wrong}") from None


def _pairs(metadata: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in metadata:
        key, equals, value = pair.partition("=")
        if not equals:
            say(f"error: write --metadata as KEY=VALUE, not {pair!r}")
            raise typer.Exit(2)
        pairs[key] = value
    return pairs


def _run_folder(
    settings: "HostedConfig", data: Path, validation: Path | None, output: Path | None, home: Path
) -> tuple[Path, bool]:
    """Return the run folder, frozen, and whether no job was asked for in it yet."""
    from finetune.train.hosted import find_unfinished
    from finetune.train.hosted.record import freeze
    from swarm.errors import StoreError
    from swarm.locks import folder_lock

    runs = home / "runs"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        # Invariant: of two equal commands at the same time, the second finds the first's folder.
        with folder_lock(runs):
            found = output or find_unfinished(runs, settings, data, validation) or next_run(home)
            record = freeze(settings, data, validation, found)
    except OSError as error:
        raise StoreError(f"{runs}: {error.strerror or error}") from None
    if record.job is not None or record.was_asked_for:
        say(f"going on with {found}")
        return found, False
    return found, True


def _ask_for_the_cost(run_dir: Path, home: Path, *, max_cost: float | None, accepts: bool) -> None:
    from finetune.train.hosted import CostLimitError, read_record, run_records, same_training

    record = read_record(run_dir)
    known = same_training(run_records(home / "runs"), record)
    if known is not None and known[1].job is not None:
        say(f"hint: {known[0]} has trained the same; its model is {known[1].job.reference}")
    say(f"estimate: {record.estimate}")
    if accepts or max_cost is not None:
        return
    if not sys.stdin.isatty():
        raise CostLimitError("nobody accepted the cost; add --yes, or --max-cost DOLLARS")
    if not typer.confirm("Create the job?", err=True):
        raise typer.Exit(1)
