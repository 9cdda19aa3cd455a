"""Evaluation of a trained model in a child process."""

from pathlib import Path

import pytest

from finetune.evaluate import EvaluationError, EvaluationReport, RowResult, evaluate
from finetune.questions import held_out_rows, read_questions, training_rows
from finetune.train import TrainConfig, TrainResult, train
from swarm.errors import DataError


@pytest.mark.anyio
@pytest.mark.requirement("S2-21")
@pytest.mark.requirement("S4-01")
async def test_training_is_what_makes_the_answers_right(
    trained_run: TrainResult, facts_file: Path, tiny_config: TrainConfig, tmp_path: Path
) -> None:
    questions = read_questions(facts_file)
    rows = training_rows(questions) + held_out_rows(questions)
    config = tiny_config.model_copy(update={"method": "none"})
    untrained = await train(config, data=facts_file, output_dir=tmp_path / "untrained")
    assert untrained.steps == 0
    before = await evaluate(untrained.run_dir, rows, output_dir=tmp_path / "before")
    after = await evaluate(trained_run.run_dir, rows, output_dir=tmp_path / "after", batch_size=5)
    assert before.exact == 0
    assert after.rows == 16
    results = [
        RowResult.model_validate_json(line) for line in after.results.read_text().splitlines()
    ]
    assert [r.row for r in results] == list(range(1, 17))
    assert all(r.exact for r in results[:12]), after.misses
    assert sum(r.exact for r in results[12:]) >= 3, after.misses
    assert after.exact == sum(r.exact for r in results)
    stored = (tmp_path / "after" / "report.json").read_text()
    assert EvaluationReport.model_validate_json(stored) == after
    assert after.model_sha256 == trained_run.model_sha256
    names = {path.name for path in (tmp_path / "after").iterdir()}
    assert names == {"log.txt", "report.json", "results.jsonl"}


@pytest.mark.anyio
async def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no model here"):
        await evaluate(tmp_path, [], output_dir=tmp_path / "report")


@pytest.mark.anyio
async def test_a_broken_model_is_an_error_with_the_log(facts_file: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_bytes(b"these are no weights")
    rows = training_rows(read_questions(facts_file))
    with pytest.raises(EvaluationError) as caught:
        await evaluate(tmp_path, rows, output_dir=tmp_path / "report")
    assert caught.value.tail
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"log.txt"}
