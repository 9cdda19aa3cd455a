"""Runs that are killed, stopped early, or measured while they train."""

import json
import os
import signal
from pathlib import Path

import pytest

from finetune.train import TrainConfig, TrainingError, TrainProgress, TrainResult, train
from finetune.train.checkpoint import CHECKPOINTS, cut_metrics, last_checkpoint, mark_checkpoint
from swarm.errors import DataError


def _kill(run: Path) -> None:
    """Kill the training process of a run, as the system would."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"finetune.train.worker" in words and str(run).encode() in words:
            os.kill(int(path.parent.name), signal.SIGKILL)


@pytest.mark.anyio
@pytest.mark.requirement("S2-28")
async def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    trained_run: TrainResult, tiny_config: TrainConfig, facts_file: Path, tmp_path: Path
) -> None:
    config = tiny_config.model_copy(update={"save_every": 40})
    run = tmp_path / "run"

    def killing(report: TrainProgress) -> None:
        if report.step == 70:
            _kill(run)

    with pytest.raises(TrainingError, match="code -9"):
        await train(config, data=facts_file, output_dir=run, on_progress=killing)
    assert not (run / "manifest.json").exists() and not (run / "model").exists()
    with pytest.raises(DataError, match="is not empty"):
        await train(config, data=facts_file, output_dir=run)
    other = config.model_copy(update={"seed": 8})
    with pytest.raises(DataError, match=r"config\.json differs"):
        await train(other, data=facts_file, output_dir=run, resume=True)

    steps: list[int] = []
    result = await train(
        config,
        data=facts_file,
        output_dir=run,
        resume=True,
        on_progress=lambda report: steps.append(report.step),
    )
    assert result.resumed_from == 40
    assert steps == list(range(41, trained_run.steps + 1))
    assert result.model_sha256 == trained_run.model_sha256
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines[:-1]] == list(range(1, trained_run.steps + 1))
    assert not (run / CHECKPOINTS).exists()
    with pytest.raises(DataError, match="finished run"):
        await train(config, data=facts_file, output_dir=run, resume=True)


@pytest.mark.anyio
@pytest.mark.requirement("S2-28")
@pytest.mark.requirement("S2-18")
async def test_training_stops_early_and_keeps_its_best_weights(
    tiny_config: TrainConfig, facts_file: Path, tmp_path: Path
) -> None:
    # Twelve rows learnt by heart: soon the three that were kept out are answered ever worse.
    config = tiny_config.model_copy(
        update={
            "validation": 0.25, "evaluate_every": 5, "patience": 2, "augment": False,
            "batch_size": 9, "epochs": 400,
        }
    )  # fmt: skip
    reports: list[TrainProgress] = []
    run = tmp_path / "run"
    result = await train(config, data=facts_file, output_dir=run, on_progress=reports.append)
    losses = {r.step: r.eval_loss for r in reports if r.eval_loss is not None}
    assert result.stopped_early and result.steps < reports[0].total_steps
    best = min(losses, key=lambda step: losses[step] or 0)
    assert (result.best_step, result.best_loss) == (best, losses[best])
    assert best <= result.steps - 2 * 5
    assert result.rows == 9
    assert len((run / "validation.jsonl").read_text().splitlines()) == 3
    manifest = json.loads((run / "manifest.json").read_text())
    assert set(manifest["inputs"]) == {"data.jsonl", "validation.jsonl"}
    last = reports[-2]
    assert last.eta_seconds is not None and last.tokens_per_second and last.memory_mb
    assert last.learning_rate is not None and 0 < last.learning_rate <= config.learning_rate


def test_half_a_checkpoint_does_not_count(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        folder = tmp_path / CHECKPOINTS / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"weights")
        if step < 30:
            mark_checkpoint(folder, step=step)
    assert last_checkpoint(tmp_path) == tmp_path / CHECKPOINTS / "checkpoint-20"
    assert not (tmp_path / CHECKPOINTS / "checkpoint-30").exists()
    assert last_checkpoint(tmp_path / "elsewhere") is None


def test_reports_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    cut_metrics(path, step=2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'
