"""The settings that reach TRL's trainers."""

import json
from pathlib import Path

import pytest

from finetune.evaluate import evaluate
from finetune.questions import read_questions, training_rows
from finetune.train import TrainResult, dpo_config, train

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
