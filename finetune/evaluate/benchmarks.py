"""The standard benchmarks, by lm-eval, asked of any OpenAI-compatible server.

lm-eval is the extra `lm-eval` and runs in a child process. Its own tasks download their questions;
tasks of yours may read files. Tasks that compare probabilities (mmlu,
hellaswag, truthfulqa_mc2) need a server whose `/v1/completions` gives the log-probabilities of the
prompt, as vLLM does; tasks that read an answer (gsm8k, truthfulqa_gen, mmlu_generative) run on
every chat server, the one that serves GGUF files here included.
"""

import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, cast

import anyio
from pydantic import BaseModel, ConfigDict, Field

from finetune.train.child import check_installed
from swarm.errors import DataError, ProviderOutputError
from swarm.reference import parse_reference
from wiki import ModelRegistry
from wiki.engine import start_engine

__all__ = [
    "BENCHMARKS",
    "BenchmarkScore",
    "BenchmarkSettings",
    "ModelServer",
    "lm_eval_arguments",
    "read_benchmarks",
    "require_lm_eval",
    "run_benchmarks",
    "serve_model",
]

BENCHMARKS = ("mmlu", "hellaswag", "truthfulqa_mc2")
"""Knowledge, common sense, and whether it repeats what people wrongly believe."""

_TaskName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
_TAIL = 2000


class BenchmarkSettings(BaseModel):
    """What lm-eval is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tasks: Annotated[tuple[_TaskName, ...], Field(min_length=1)] = BENCHMARKS
    kind: Literal["chat", "completions"] = "completions"
    """`chat` for tasks that read an answer, `completions` for those that compare probabilities."""
    tokenizer: str | None = None
    """The folder of the model's tokenizer, which `completions` needs."""
    task_folder: Path | None = None
    """A folder with tasks of your own, as lm-eval's YAML files."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """Questions of each task; all when absent."""
    few_shot: Annotated[int, Field(ge=0)] | None = None
    """Examples before each question; the task's own number when absent."""
    concurrency: Annotated[int, Field(gt=0)] = 4
    seed: Annotated[int, Field(ge=0)] = 0


class BenchmarkScore(BaseModel):
    """One figure of one task."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str
    metric: str
    """Such as `acc` or `exact_match`, with lm-eval's filter behind a comma where it is not none."""
    value: float
    stderr: float | None = None


class ModelServer(NamedTuple):
    """An OpenAI-compatible server with the model to ask for."""

    base_url: str
    """Such as `http://127.0.0.1:8000/v1`."""
    model: str
    api_key: str = ""


@asynccontextmanager
async def serve_model(reference: str, *, home: Path, log: Path) -> AsyncGenerator[ModelServer]:
    """Serve a GGUF file or a version of the registry for the block, to benchmarks of kind chat.

    The engine gives no log-probabilities of a prompt, so it cannot serve those of kind completions.

    Raises:
        DataError: The reference names no weights on this machine.
        CorruptedVersionError: The version is not as it was registered.
        SetupError: The engine is missing or failed.
    """
    parsed = parse_reference(reference)
    if parsed.provider == "gguf":
        weights = Path(parsed.name)
    elif parsed.provider == "registry":
        registry = ModelRegistry(home / "models")
        weights = await anyio.to_thread.run_sync(_verified_weights, registry, parsed.name)
    else:
        raise DataError(f"{reference} is not served from here; give the address of its server")
    async with await start_engine(weights, log=log) as engine:
        yield ModelServer(engine.base_url, engine.model, engine.api_key)


def lm_eval_arguments(
    server: ModelServer, settings: BenchmarkSettings, output_dir: Path
) -> list[str]:
    """Return the arguments of the program `lm_eval`; the key is not among them.

    Raises:
        DataError: The settings do not go together, or a value cannot be passed on.
    """
    is_chat = settings.kind == "chat"
    if not is_chat and settings.tokenizer is None:
        raise DataError("benchmarks of kind completions need `tokenizer`, the model's folder")
    place = "chat/completions" if is_chat else "completions"
    model_args = {
        "model": server.model,
        "base_url": f"{server.base_url.rstrip('/')}/{place}",
        "num_concurrent": str(settings.concurrency),
        "max_retries": "3",
        # Text, not token ids: the server's tokenizer is the one that counts.
        "tokenized_requests": "False",
    }
    if not is_chat:
        model_args["tokenizer"] = settings.tokenizer or ""
    for name, value in model_args.items():
        if "," in value or "=" in value:
            raise DataError(f"lm-eval cannot be given {name} {value!r}: it holds a comma or '='")
    arguments = [
        "--model",
        "local-chat-completions" if is_chat else "local-completions",
        "--model_args",
        ",".join(f"{name}={value}" for name, value in model_args.items()),
        "--tasks",
        ",".join(settings.tasks),
        "--batch_size",
        "1",
        "--seed",
        str(settings.seed),
        "--output_path",
        str(output_dir),
    ]
    if is_chat:
        arguments.append("--apply_chat_template")
    if settings.task_folder is not None:
        arguments += ["--include_path", str(settings.task_folder)]
    if settings.limit is not None:
        arguments += ["--limit", str(settings.limit)]
    if settings.few_shot is not None:
        arguments += ["--num_fewshot", str(settings.few_shot)]
    return arguments


def require_lm_eval() -> None:
    """Make sure that lm-eval is installed.

    Raises:
        MissingExtraError: It is not.
    """
    check_installed("lm_eval", extra="lm-eval")


async def run_benchmarks(
    server: ModelServer, settings: BenchmarkSettings, *, output_dir: Path
) -> tuple[BenchmarkScore, ...]:
    """Run benchmarks with lm-eval and return their figures.

    Args:
        server: The server; `serve_model` starts one for a model of this machine.
        settings: Which tasks, and how.
        output_dir: Where lm-eval's own files go.

    Raises:
        MissingExtraError: lm-eval is not installed.
        DataError: The settings do not go together.
        ProviderOutputError: lm-eval failed; the message has the end of what it said.
    """
    arguments = lm_eval_arguments(server, settings, output_dir)
    require_lm_eval()
    await anyio.Path(output_dir).mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OPENAI_API_KEY": server.api_key or "none"}
    done = await anyio.run_process(
        [sys.executable, "-P", "-m", "lm_eval", *arguments], check=False, env=environment
    )
    if done.returncode:
        tail = (done.stderr or b"").decode("utf-8", "replace")[-_TAIL:]
        if server.api_key:
            tail = tail.replace(server.api_key, "[key]")
        raise ProviderOutputError(f"it ended with {done.returncode}:\n{tail}", provider="lm-eval")
    return await anyio.to_thread.run_sync(read_benchmarks, output_dir)


def read_benchmarks(output_dir: Path) -> tuple[BenchmarkScore, ...]:
    """Return the figures of the newest results that lm-eval wrote below a folder.

    Raises:
        DataError: There are none, or the file is damaged.
    """
    files = sorted(output_dir.rglob("results_*.json"), key=lambda path: path.name)
    if not files:
        raise DataError(f"{output_dir}: lm-eval left no results here")
    try:
        results = json.loads(files[-1].read_text(encoding="utf-8"))["results"]
        tasks = cast("Mapping[str, Mapping[str, object]]", results)
        return tuple(
            score for task, values in sorted(tasks.items()) for score in _scores(task, values)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{files[-1]} holds no results of lm-eval: {error!r}") from None


def _verified_weights(registry: ModelRegistry, reference: str) -> Path:
    version = registry.get(reference)
    weights = registry.path_of_weights(str(version))
    registry.verify(version.name, version.version)
    return weights


def _scores(task: str, values: Mapping[str, object]) -> list[BenchmarkScore]:
    found: list[BenchmarkScore] = []
    for key, value in values.items():
        metric, _, kind = key.partition(",")
        is_figure = isinstance(value, int | float) and not isinstance(value, bool) and kind
        if not is_figure or metric.endswith("_stderr"):
            continue
        error = values.get(f"{metric}_stderr,{kind}")
        found.append(
            BenchmarkScore(
                task=task,
                metric=metric if kind == "none" else key,
                value=float(cast("float", value)),
                stderr=float(error) if isinstance(error, int | float) else None,
            )
        )
    return found
