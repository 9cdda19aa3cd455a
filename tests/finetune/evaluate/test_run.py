"""Evaluation of a trained model in a child process."""

# transformers and torch ship no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from finetune.evaluate import EvaluationError, EvaluationReport, RowResult, evaluate
from finetune.evaluate.row import read_results
from finetune.questions import held_out_rows, read_questions, training_rows
from finetune.train import TrainResult
from swarm.errors import DataError


@pytest.mark.anyio
@pytest.mark.requirement("S2-21")
@pytest.mark.requirement("S4-01")
async def test_training_is_what_makes_the_answers_right(
    trained_run: TrainResult,
    trained_report: EvaluationReport,
    untrained_run: TrainResult,
    facts_file: Path,
    tmp_path: Path,
) -> None:
    questions = read_questions(facts_file)
    rows = training_rows(questions) + held_out_rows(questions)
    assert untrained_run.steps == 0
    before = await evaluate(untrained_run.run_dir, rows, output_dir=tmp_path / "before")
    after = trained_report
    assert before.exact == 0
    assert after.rows == 16
    results = [
        RowResult.model_validate_json(line) for line in after.results.read_text().splitlines()
    ]
    assert [r.row for r in results] == list(range(1, 17))
    assert all(r.exact for r in results[:12]), after.misses
    assert sum(r.exact for r in results[12:]) >= 3, after.misses
    assert after.exact == sum(r.exact for r in results)
    folder = after.results.parent
    stored = (folder / "report.json").read_text()
    assert EvaluationReport.model_validate_json(stored) == after
    assert after.model_sha256 == trained_run.model_sha256
    assert before.metrics is not None and after.metrics is not None
    # A model that knows nothing hesitates among all 400 tokens of its vocabulary.
    assert 200 < (before.metrics.perplexity or 0) < 800
    assert 1 <= (after.metrics.perplexity or 0) < 3
    assert (after.metrics.exact, after.metrics.rows) == (after.exact / 16, 16)
    assert before.prompts_sha256 == after.prompts_sha256
    assert before.rendered_sha256 == after.rendered_sha256
    names = {path.name for path in folder.iterdir()}
    assert names == {"log.txt", "report.json", "results.jsonl"}


@pytest.mark.anyio
@pytest.mark.requirement("S2-20")
async def test_the_loss_is_the_one_that_transformers_computes(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    chats: list[list[dict[str, str]]] = [
        [
            {"role": "user", "content": "When do you open?"},
            {"role": "assistant", "content": "We open at nine."},
            {"role": "user", "content": "How much is Velorin, and where are you to be found?"},
            {"role": "assistant", "content": "Velorin costs 4.80 euros."},
        ],
        [
            {"role": "user", "content": "Where?"},
            {"role": "assistant", "content": "Nowhere."},
        ],
    ]
    rows: list[dict[str, JsonValue]] = [{"messages": [dict(m) for m in chat]} for chat in chats]
    report = await evaluate(trained_run.run_dir, rows, output_dir=tmp_path, system="Be brief.")
    results = read_results(report.results)
    folder = trained_run.run_dir / "model"
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    for chat, result in zip(chats, results, strict=True):
        prompt = [{"role": "system", "content": "Be brief."}, *chat[:-1]]
        text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        asked = tokenizer(text, add_special_tokens=False)["input_ids"]
        answer = tokenizer(chat[-1]["content"] + "<|im_end|>", add_special_tokens=False)
        ids = torch.tensor([asked + answer["input_ids"]])
        labels = torch.tensor([[-100] * len(asked) + answer["input_ids"]])
        with torch.no_grad():
            mean = float(model(input_ids=ids, labels=labels).loss)
        assert result.tokens == len(answer["input_ids"])
        assert (result.loss or 0) / len(answer["input_ids"]) == pytest.approx(mean, rel=1e-4)


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
