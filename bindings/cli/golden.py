"""`golden` and `benchmark`: sets of questions for every version, and the standard benchmarks."""

from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json, print_table, say

__all__ = ["add", "app", "benchmark", "list_sets"]

app = typer.Typer(
    help="Golden sets: questions that every version is evaluated on.", no_args_is_help=True
)


@app.command("add")
@command
def add(
    name: Annotated[str, typer.Argument(help="The set's name.", show_default=False)],
    data: Annotated[
        Path, typer.Argument(help="Questions (.yaml) or SFT rows (.jsonl).", show_default=False)
    ],
    held_out: Annotated[
        bool, typer.Option(help="Take the held-out phrasings of a questions file.")
    ] = False,
    replace: Annotated[bool, typer.Option(help="Change a set that is kept already.")] = False,
    home: HomeOption = None,
) -> None:
    """Keep the questions of a file under a name."""
    from bindings.cli.questions import read_asked
    from finetune.evaluate import GoldenSets

    folder = resolve_home(home)
    rows = read_asked(folder, data=data, held_out=held_out).rows
    kept = GoldenSets(folder / "golden").add(name, rows, replace=replace)
    done(f"{kept.name}: {kept.rows} rows, sha256 {kept.sha256[:12]}")
    say(f"next: wikiswarm evaluate MODEL --golden {kept.name}")


@app.command("list")
@command
def list_sets(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the golden sets."""
    from finetune.evaluate import GoldenSets

    kept = GoldenSets(resolve_home(home) / "golden").list()
    if as_json:
        print_json(kept)
        return
    print_table(("name", "rows", "sha256"), [(k.name, k.rows, k.sha256[:12]) for k in kept])
    if not kept:
        say("no golden sets yet; keep one with: wikiswarm golden add")


@command
def benchmark(
    model: Annotated[
        str,
        typer.Argument(
            help="registry/NAME@ALIAS or gguf/FILE; with --base-url, the server's name for it.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder of the results.", show_default=False)],
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="A task of lm-eval; may be given again. mmlu, hellaswag, truthfulqa_mc2 else."
        ),
    ] = None,
    chat: Annotated[
        bool, typer.Option(help="For tasks that read an answer, such as gsm8k.")
    ] = False,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder of the model's tokenizer; needed without --chat.")
    ] = None,
    task_folder: Annotated[
        Path | None, typer.Option(help="Folder with tasks of your own, lm-eval's YAML files.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Questions of each task.", min=1)] = None,
    few_shot: Annotated[
        int | None, typer.Option(help="Examples before each question.", min=0)
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server, up to /v1.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(help="The environment variable with the server's key.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run standard benchmarks with lm-eval, the extra of that name."""
    import anyio

    from finetune.evaluate.benchmarks import (
        BENCHMARKS,
        BenchmarkScore,
        BenchmarkSettings,
        ModelServer,
        require_lm_eval,
        run_benchmarks,
        serve_model,
    )

    if base_url is None and not chat:
        raise typer.BadParameter(
            "models served from here give no log-probabilities of a prompt: choose tasks that read"
            " an answer with --chat --task NAME, or name a server such as vLLM with --base-url"
        )
    require_lm_eval()
    settings = BenchmarkSettings(
        tasks=tuple(task) if task else BENCHMARKS,
        kind="chat" if chat else "completions",
        tokenizer=tokenizer,
        task_folder=task_folder,
        limit=limit,
        few_shot=few_shot,
    )

    async def work() -> tuple[BenchmarkScore, ...]:
        if base_url is not None:
            server = ModelServer(base_url, model, _key(key_env))
            return await run_benchmarks(server, settings, output_dir=output)
        log = output / "engine.log"
        async with serve_model(model, home=resolve_home(home), log=log) as server:
            return await run_benchmarks(server, settings, output_dir=output)

    scores = anyio.run(work)
    if as_json:
        print_json(scores)
        return
    rows = [
        (
            one.task,
            one.metric,
            f"{one.value:.4f}",
            "" if one.stderr is None else f"{one.stderr:.4f}",
        )
        for one in scores
    ]
    print_table(("task", "figure", "value", "standard error"), rows)


def _key(variable: str | None) -> str:
    from swarm.environment import read_environment
    from swarm.errors import MissingKeyError

    if variable is None:
        return ""
    key = read_environment().get(variable)
    if not key:
        raise MissingKeyError(variable, "the server of the benchmark")
    return key
