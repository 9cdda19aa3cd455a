"""The settings that reach TRL's trainers."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from finetune.evaluate import evaluate
from finetune.questions import read_questions, training_rows
from finetune.train import TrainConfig, TrainProgress, TrainResult, dpo_config, train

CORRECTED = "Velorin costs 4.80 euros."
"""Words that the base knows: an adapter cannot learn the embedding of an unseen one."""


@pytest.mark.anyio
@pytest.mark.requirement("S2-24")
@pytest.mark.requirement("S2-33")
@pytest.mark.requirement("S4-04")
async def test_a_correction_changes_one_answer_and_no_other(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    questions = read_questions(facts_file)
    wrong = next(q for q in questions if q.id == "velorin-price")
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": text}]},
            "preferred_output": [{"role": "assistant", "content": CORRECTED}],
            "non_preferred_output": [{"role": "assistant", "content": wrong.answer}],
        }
        for text in wrong.train
    ]
    data = tmp_path / "dpo.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    config = dpo_config(trained_run.run_dir).model_copy(
        update={"epochs": 30, "batch_size": 12, "learning_rate": 4e-3}
    )
    result = await train(config, data=data, rehearsal=facts_file, output_dir=tmp_path / "run")
    expected = [
        q.model_copy(update={"answer": CORRECTED}) if q.id == wrong.id else q for q in questions
    ]
    report = await evaluate(result.run_dir, training_rows(expected), output_dir=tmp_path / "report")
    assert report.accuracy == 1.0, report.misses
    assert result.model_sha256 != trained_run.model_sha256
    assert result.parameters == trained_run.parameters
    assert not list((result.model_dir).glob("adapter*"))


@pytest.mark.anyio
@pytest.mark.requirement("S2-33")
async def test_orpo_prefers_without_a_second_model(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "input": {"messages": [{"role": "user", "content": text}]},
            "preferred_output": [{"role": "assistant", "content": CORRECTED}],
            "non_preferred_output": [{"role": "assistant", "content": "We open at nine."}],
        }
        for text in ("How much is Velorin?", "What does Velorin cost?")
    ]
    data = tmp_path / "dpo.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    config = TrainConfig(
        method="orpo", base=str(trained_run.run_dir), steps=25, batch_size=2, learning_rate=4e-3
    )
    result = await train(config, data=data, output_dir=tmp_path / "run")
    assert result.steps == 25
    wanted: list[dict[str, JsonValue]] = [
        {"messages": [*row["input"]["messages"], *row["preferred_output"]]} for row in rows
    ]
    report = await evaluate(result.run_dir, wanted, output_dir=tmp_path / "report")
    assert report.accuracy == 1.0, report.misses


@pytest.mark.anyio
async def test_two_processes_train_one_model(
    tiny_config: TrainConfig, facts_file: Path, tmp_path: Path
) -> None:
    config = tiny_config.model_copy(update={"processes": 2, "batch_size": 6, "steps": 4})
    reports: list[TrainProgress] = []
    result = await train(
        config, data=facts_file, output_dir=tmp_path / "run", on_progress=reports.append
    )
    # Every step is told once, by the first process.
    assert [report.step for report in reports] == [1, 2, 3, 4]
    assert reports[-1].loss < reports[0].loss
    assert (result.model_dir / "model.safetensors").is_file()
