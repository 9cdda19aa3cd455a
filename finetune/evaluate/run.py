"""Asks a local model the questions of a data set, and measures answers and loss.

The model runs in a child process (`finetune.evaluate.worker`); nothing heavy is imported here.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from anyio import CancelScope, to_thread
from pydantic import BaseModel, ConfigDict, JsonValue

from finetune.evaluate.match import exact_match
from finetune.evaluate.metrics import measure
from finetune.evaluate.prompts import last_question, prompts_sha256
from finetune.evaluate.report import EvaluationReport
from finetune.evaluate.row import RowResult, write_results
from finetune.train.child import ChildError, check_installed, run_child
from finetune.train.files import model_folder, sha256_file
from finetune.train.rows import dump_rows, read_chats
from swarm.errors import StoreError
from swarm.files import write_atomically

__all__ = ["EvaluationError", "EvaluationProgress", "evaluate"]


class EvaluationError(ChildError):
    """The evaluation process failed; `tail` holds the last lines of its log."""

    code = "evaluation_error"
    rpc_code = -32072
    what = "evaluation"


class EvaluationProgress(BaseModel):
    """One report of a running evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rows: int
    """Rows answered."""
    total_rows: int
    """Rows of the whole evaluation."""
    seconds: float
    """Seconds since the process started."""


class _Batch(BaseModel):
    """What the process reports of the rows it answered."""

    answers: dict[int, str]
    losses: dict[int, tuple[float, int]]
    """Sum of the loss and number of tokens."""
    seconds: float


async def evaluate(
    model: Path,
    rows: Sequence[dict[str, JsonValue]],
    *,
    output_dir: Path,
    system: str | None = None,
    batch_size: int = 64,
    max_new_tokens: int = 64,
    threads: int = 1,
    on_progress: Callable[[EvaluationProgress], None] | None = None,
) -> EvaluationReport:
    """Ask a model every row and return how good its answers are, and how likely the expected ones.

    The folder gets results.jsonl (one line per row, in order), report.json and log.txt.

    Args:
        model: A run folder or a Hugging Face model folder.
        rows: SFT rows; the last message is the expected answer, the ones before it the question.
        output_dir: Where the files go; an older report in it is replaced.
        system: System message for rows that have none; the one the model was trained with.
        batch_size: Rows answered together.
        max_new_tokens: Where an answer that does not end is cut.
        threads: CPU threads.
        on_progress: Called after every batch.

    Raises:
        MissingExtraError: The training libraries are not installed.
        DataError: There is no model, or a row is not a text conversation with an answer.
        EvaluationError: The process failed.
        StoreError: The folder cannot be written.
    """
    check_installed("torch", "transformers")
    folder = await to_thread.run_sync(model_folder, model)
    chats = read_chats(list(rows), source="rows")
    job: dict[str, JsonValue] = {
        "model": str(folder.resolve()),
        "system": system,
        "batch_size": batch_size,
        "max_new_tokens": max_new_tokens,
        "threads": threads,
    }
    answers: dict[int, str] = {}
    losses: dict[int, tuple[float, int]] = {}

    def progressed(report: dict[str, JsonValue]) -> None:
        batch = _Batch.model_validate(report)
        answers.update(batch.answers)
        losses.update(batch.losses)
        if on_progress is not None:
            on_progress(
                EvaluationProgress(rows=len(answers), total_rows=len(chats), seconds=batch.seconds)
            )

    try:
        work = await to_thread.run_sync(_prepare, output_dir, rows, job)
        try:
            done = await run_child(
                "finetune.evaluate.worker",
                work,
                log=output_dir / "log.txt",
                threads=threads,
                on_report=progressed,
                error=EvaluationError,
            )
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(shutil.rmtree, work, True)
        results = [
            RowResult(
                row=number,
                question=last_question(chat),
                expected=chat[-1]["content"],
                answer=answers[number - 1],
                exact=exact_match(chat[-1]["content"], answers[number - 1]),
                loss=losses[number - 1][0],
                tokens=losses[number - 1][1],
            )
            for number, chat in enumerate(chats, start=1)
        ]
        done["prompts_sha256"] = prompts_sha256(chats, system)
        return await to_thread.run_sync(_report, results, folder, output_dir, done)
    except OSError as error:
        raise StoreError(f"{output_dir}: {error.strerror or error}") from error


def _prepare(
    output_dir: Path, rows: Sequence[dict[str, JsonValue]], job: dict[str, JsonValue]
) -> Path:
    output_dir.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=output_dir, prefix=".work-"))
    (work / "rows.jsonl").write_text(dump_rows(list(rows)), encoding="utf-8")
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return work


def _report(
    results: list[RowResult], folder: Path, output_dir: Path, done: dict[str, JsonValue]
) -> EvaluationReport:
    exact = sum(result.exact for result in results)
    write_results(output_dir / "results.jsonl", results)
    report = EvaluationReport.model_validate(
        {
            "model_sha256": sha256_file(next(iter(sorted(folder.glob("*.safetensors"))))),
            "rows": len(results),
            "exact": exact,
            "accuracy": round(exact / len(results), 6),
            "results": output_dir / "results.jsonl",
            "misses": [result for result in results if not result.exact][:10],
            "metrics": measure(results),
            **done,
        }
    )
    write_atomically(output_dir / "report.json", report.model_dump_json(indent=2) + "\n")
    return report
