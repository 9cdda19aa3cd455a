"""`jobs`: fine-tuning jobs at providers, also those that another command began."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bindings.cli.hosted import NameOption, finished, follow_job
from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json, print_table, say

if TYPE_CHECKING:
    from finetune.train.hosted import HostAddress, HostedEvent, HostedJob, RunRecord

__all__ = [
    "BackendOption",
    "BaseUrlOption",
    "Job",
    "KeyVariableOption",
    "app",
    "cancel",
    "list_jobs",
    "show",
    "wait",
]

app = typer.Typer(help="Fine-tuning jobs at providers.", no_args_is_help=True)

Job = Annotated[str, typer.Argument(help="A job's id, or a run folder.", show_default=False)]

BackendOption = Annotated[
    Literal["openai", "cohere"] | None,
    typer.Option(help="Ask this provider, also for jobs that were begun elsewhere."),
]
BaseUrlOption = Annotated[
    str | None, typer.Option(help="The address of a host that speaks the same API.")
]
KeyVariableOption = Annotated[
    str | None, typer.Option(help="The variable with the key for --base-url.")
]


@app.command("list")
@command
def list_jobs(
    backend: BackendOption = None,
    base_url: BaseUrlOption = None,
    api_key_env: KeyVariableOption = None,
    limit: Annotated[int, typer.Option(help="The most jobs of a provider.", min=1)] = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the jobs of this home as they were last seen, or those of a provider."""
    from finetune.train.hosted import run_records

    found: list[tuple[str, HostedJob]] = []
    if backend is None:
        for folder, record in run_records(resolve_home(home) / "runs"):
            if record.job is not None:
                found.append((folder.name, record.job))
    else:
        address = _address(backend, base_url, api_key_env)
        found = [("", job) for job in _jobs_at(address, limit)]
    if as_json:
        print_json([{"run": run or None, **job.model_dump(mode="json")} for run, job in found])
        return
    print_table(("job", "status", "done", "base", "model", "run"), [_row(*one) for one in found])
    tokens = sum(job.trained_tokens or 0 for _, job in found)
    if tokens:
        say(f"{tokens:,} tokens trained in {len(found)} job{'s' if len(found) != 1 else ''}")
    if not found:
        say("no jobs yet; begin one with: wikiswarm train DATA --backend openai --base MODEL")


@app.command("show")
@command
def show(
    job: Job,
    backend: BackendOption = None,
    base_url: BaseUrlOption = None,
    api_key_env: KeyVariableOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a job as it is now: its state, its log and its checkpoints."""
    import anyio

    from finetune.train.hosted import HostedCheckpoint, Pace, look, open_host
    from finetune.train.hosted.job import measured

    run, address = _known(job, backend, base_url, api_key_env, home)

    async def ask() -> "tuple[HostedJob, Sequence[HostedEvent], Sequence[HostedCheckpoint]]":
        async with open_host(address) as host:
            if run is not None:
                record, events = await look(host, *run, _pace())
                assert record.job is not None
                known = record.job
            else:
                events = await host.events(job, frozenset())
                known = measured(await host.get(job), events)
            return known, events, await host.checkpoints(known.id)

    def _pace() -> Pace:
        return Pace(patience=30.0)  # a person waits

    known, events, checkpoints = anyio.run(ask)
    if as_json:
        print_json({"job": known, "events": events, "checkpoints": checkpoints})
        return
    for event in events:
        done(f"{event.at:%Y-%m-%d %H:%M:%S} {event.level}: {event.message}")
    for point in checkpoints:
        done(f"checkpoint at step {point.step}: {point.model}")
    done(f"{known.id}: {known.status}{_progress(known)}, {known.model}")
    if known.estimated_finish is not None:
        done(f"should end at {known.estimated_finish.astimezone():%Y-%m-%d %H:%M}")
    if known.error is not None:
        done(f"error: {known.error}")
    if known.reference is not None:
        done(known.reference)


@app.command("wait")
@command
def wait(
    job: Job, name: NameOption = None, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Wait for a job of this home, and register its model under a name."""
    folder = resolve_home(home)
    run_dir, _ = _find(job, folder)
    finished(follow_job(run_dir), name, folder, as_json=as_json)


@app.command("cancel")
@command
def cancel(
    job: Job,
    backend: BackendOption = None,
    base_url: BaseUrlOption = None,
    api_key_env: KeyVariableOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a job; what it trained until then is billed."""
    import anyio

    from finetune.train.hosted import open_host
    from finetune.train.hosted.record import write_record

    run, address = _known(job, backend, base_url, api_key_env, home)

    async def stop() -> "HostedJob":
        job_id = run[1].job.id if run is not None and run[1].job is not None else job
        async with open_host(address) as host:
            return await host.cancel(job_id)

    stopped = anyio.run(stop)
    if run is not None:
        write_record(run[0], run[1].model_copy(update={"job": stopped}))
    if as_json:
        print_json(stopped)
    else:
        done(f"{stopped.id}: {stopped.status}")


def _address(
    backend: Literal["openai", "cohere"], base_url: str | None, api_key_env: str | None
) -> "HostAddress":
    from finetune.train.hosted import HostAddress

    return HostAddress(backend, base_url, api_key_env)


def _known(
    job: str,
    backend: Literal["openai", "cohere"] | None,
    base_url: str | None,
    api_key_env: str | None,
    home: Path | None,
) -> "tuple[tuple[Path, RunRecord] | None, HostAddress]":
    """Return the run of a job of this home and where it is; the run is None with a backend."""
    if backend is not None:
        return None, _address(backend, base_url, api_key_env)
    run = _find(job, resolve_home(home))
    return run, run[1].address


def _jobs_at(address: "HostAddress", limit: int) -> "Sequence[HostedJob]":
    import anyio

    from finetune.train.hosted import open_host

    async def ask() -> "Sequence[HostedJob]":
        async with open_host(address) as host:
            return await host.jobs(limit)

    return anyio.run(ask)


def _find(job: str, home: Path) -> "tuple[Path, RunRecord]":
    """Return the run of a job's id, of a run folder, or of its number in the home."""
    from finetune.train.hosted import read_record, run_records
    from swarm.errors import DataError, UnknownNameError

    runs = list(run_records(home / "runs"))
    for folder, record in runs:
        if record.job is not None and record.job.id == job:
            return folder, record
    for folder in (Path(job), home / "runs" / job):
        if (folder / "job.json").is_file():
            record = read_record(folder)
            if record.job is None:
                raise DataError(f"{folder}: no job was created; run the command again")
            return folder, record
    known = [record.job.id for _, record in runs if record.job is not None]
    raise UnknownNameError("job of this home", job, known)


def _row(run: str, job: "HostedJob") -> tuple[str, ...]:
    done_so_far = f"{job.progress:g} %" if job.progress is not None else "-"
    return (job.id, job.status, done_so_far, job.model, job.reference or "-", run or "-")


def _progress(job: "HostedJob") -> str:
    return f" ({job.progress:g} %)" if job.progress is not None and not job.has_ended else ""
