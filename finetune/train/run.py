"""Starts training runs: one frozen folder, one child process, one result.

Nothing heavy is imported here; the work is in `finetune.train.worker`.
"""

import json
from collections.abc import Callable
from pathlib import Path

from anyio import to_thread
from pydantic import JsonValue

from finetune.train.adapter import base_sha256
from finetune.train.child import ChildError, check_installed, run_child
from finetune.train.config import TrainConfig, TrainProgress, TrainResult
from finetune.train.files import sha256_file
from finetune.train.freeze import Inputs, freeze
from finetune.train.launch import launch_arguments
from finetune.train.manifest import make_manifest, manifest_text
from swarm.errors import StoreError
from swarm.files import write_atomically

__all__ = ["TrainingError", "train"]


class TrainingError(ChildError):
    """The training process failed; `tail` holds the last lines of its log."""

    code = "training_error"
    rpc_code = -32071
    what = "training"


async def train(
    config: TrainConfig,
    *,
    data: Path,
    output_dir: Path,
    rehearsal: Path | None = None,
    validation: Path | None = None,
    resume: bool = False,
    on_progress: Callable[[TrainProgress], None] | None = None,
) -> TrainResult:
    """Train a model in a child process and return where it is.

    The run folder gets config.json, data.jsonl and log.txt before the start, metrics.jsonl while it
    runs, model/ and at the very end manifest.json: a folder without it is an unfinished run.
    Cancelling the call kills the child.

    Args:
        config: What to train and how.
        data: OpenAI SFT or DPO rows (`.jsonl`), or a questions file (`.yaml`).
        output_dir: The run folder; new or empty.
        rehearsal: For `dpo`: SFT rows or a questions file whose answers must not change.
        validation: Rows to measure the training on, in place of `config.validation`.
        resume: Go on from the last checkpoint of this folder's unfinished run, which must have
            had the same configuration and data. Without one it starts from its first step.
        on_progress: Called with every reported step and measurement.

    Raises:
        MissingExtraError: The training libraries are not installed.
        DataError: The data cannot be trained on, or the run folder is in use.
        TrainingError: The child failed.
        StoreError: The run folder cannot be written.
    """
    check_installed("torch", "transformers", "trl", "peft", "datasets", "tokenizers")
    if config.backend == "unsloth":
        check_installed("unsloth", extra="unsloth")
    if config.track == "wandb":
        check_installed("wandb", extra="wandb")
    if config.processes > 1:
        check_installed("accelerate")
    inputs = Inputs(data, rehearsal, validation)
    await to_thread.run_sync(freeze, config, inputs, output_dir, resume)
    last: TrainProgress | None = None
    try:
        with (output_dir / "metrics.jsonl").open("a", encoding="utf-8") as metrics:

            def progressed(report: dict[str, JsonValue]) -> None:
                nonlocal last
                last = TrainProgress.model_validate(report)
                metrics.write(last.model_dump_json() + "\n")
                metrics.flush()
                if on_progress is not None:
                    on_progress(last)

            done = await run_child(
                "finetune.train.worker",
                output_dir,
                log=output_dir / "log.txt",
                threads=config.threads,
                on_report=progressed,
                error=TrainingError,
                launcher=launch_arguments(config),
            )
            metrics.write(json.dumps({"done": done}) + "\n")
        await to_thread.run_sync(_finish, config, output_dir)
        model_sha256 = await to_thread.run_sync(base_sha256, output_dir)
    except OSError as error:
        raise StoreError(f"{output_dir}: {error.strerror or error}") from error
    return TrainResult.model_validate(
        {
            "run_dir": output_dir,
            "model_dir": output_dir / "model",
            "manifest_sha256": sha256_file(output_dir / "manifest.json"),
            "model_sha256": model_sha256,
            "steps": last.step if last else 0,
            "loss": last.loss if last else None,
            "adapter_dir": output_dir / "adapter" if (output_dir / "adapter").is_dir() else None,
            **done,
        }
    )


def _finish(config: TrainConfig, run_dir: Path) -> None:
    manifest = make_manifest(config, run_dir)
    write_atomically(run_dir / "manifest.json", manifest_text(manifest))
