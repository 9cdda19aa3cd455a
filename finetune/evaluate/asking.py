"""Answers of a model, whatever it is: a run folder, a reference, or predictions in a file."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio.to_thread
from pydantic import JsonValue, ValidationError

from finetune.evaluate.metrics import measure
from finetune.evaluate.prompts import last_question
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult, read_results
from finetune.evaluate.run import EvaluationProgress, evaluate
from finetune.evaluate.served import evaluate_reference
from finetune.train.config import TrainConfig
from finetune.train.rows import read_chats
from swarm.errors import DataError
from swarm.reference import parse_reference
from wiki import ModelRegistry

__all__ = ["ask_model", "ask_questions", "is_predictions", "system_of"]


async def ask_model(
    model: str,
    rows: Sequence[dict[str, JsonValue]],
    *,
    home: Path,
    output_dir: Path,
    system: str | None = None,
    max_tokens: int = 64,
    on_progress: Callable[[EvaluationProgress], None] | None = None,
) -> EvaluationReport:
    """Ask a model every row and return how good its answers are.

    Args:
        model: A run folder or model folder, a reference such as `registry/pharma@live`, or a
            `.jsonl` file of predictions that an earlier evaluation wrote.
        rows: SFT rows; the last message is the expected answer.
        home: The folder of the state, with the model registry.
        output_dir: Where the answers go.
        system: System message for rows that have none.
        max_tokens: Where an answer that does not end is cut.
        on_progress: Called now and then.

    Raises:
        DataError: There is no such model, a row is wrong, or predictions are of other rows.
        EvaluationError: The evaluation process failed.
        ProviderError: The model failed.
        SetupError: The model lacks a key or an extra.
    """
    path = Path(model)
    if is_predictions(model):
        return await anyio.to_thread.run_sync(_predicted, path, list(rows))
    if _is_reference(model) and not await anyio.Path(path).exists():
        return await evaluate_reference(
            model,
            rows,
            home=home,
            output_dir=output_dir,
            system=system,
            max_tokens=max_tokens,
            on_progress=on_progress,
        )
    return await evaluate(
        path,
        rows,
        output_dir=output_dir,
        system=system,
        max_new_tokens=max_tokens,
        on_progress=on_progress,
    )


async def ask_questions(
    model: str, questions: Sequence[str], *, home: Path, system: str | None = None
) -> dict[str, str] | None:
    """Return a model's answer to each question, or None for predictions, which cannot be asked.

    Raises:
        DataError, EvaluationError, ProviderError, SetupError: As `ask_model`.
    """
    if not questions:
        return {}
    if is_predictions(model):
        return None
    rows: list[dict[str, JsonValue]] = [
        {
            "messages": [
                {"role": "user", "content": question},
                {"role": "assistant", "content": ""},
            ]
        }
        for question in questions
    ]
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        report = await ask_model(model, rows, home=home, output_dir=Path(folder), system=system)
        results = await anyio.to_thread.run_sync(read_results, report.results)
    return {question: result.answer for question, result in zip(questions, results, strict=True)}


def is_predictions(model: str) -> bool:
    """Tell whether a model is named by its predictions in a file."""
    return model.endswith(".jsonl")


def system_of(model: str, home: Path) -> str | None:
    """Return the system message that a model was trained with, where that is known."""
    if _is_reference(model) and not Path(model).exists():
        parsed = parse_reference(model)
        if parsed.provider != "registry":
            return None
        config = ModelRegistry(home / "models").get(parsed.name).manifest.training.get("config")
        system = config.get("system") if isinstance(config, dict) else None
        return system if isinstance(system, str) else None
    try:
        return TrainConfig.model_validate_json((Path(model) / "config.json").read_bytes()).system
    except (OSError, ValidationError):
        # A model folder of another origin has a config.json of another kind.
        return None


def _is_reference(model: str) -> bool:
    return "/" in model or ":" in model or model == "offline"


def _predicted(path: Path, rows: list[dict[str, JsonValue]]) -> EvaluationReport:
    started = time.monotonic()
    results = read_results(path)
    chats = read_chats(rows, source="rows")
    wanted = [(last_question(chat), chat[-1]["content"]) for chat in chats]
    if [(one.question, one.expected) for one in results] != wanted:
        raise DataError(f"{path} holds predictions for other rows; evaluate the model again")
    return _report(path, results, time.monotonic() - started)


def _report(path: Path, results: list[RowResult], seconds: float) -> EvaluationReport:
    exact = sum(result.exact for result in results)
    return EvaluationReport(
        model_sha256="",
        rows=len(results),
        exact=exact,
        accuracy=exact / len(results),
        seconds=seconds,
        results=path,
        misses=tuple(result for result in results if not result.exact)[:10],
        metrics=measure(results),
    )
