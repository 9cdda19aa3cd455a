"""Preparing, training, evaluating, merging and hosted jobs are called in one way."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from finetune import EvaluationReport
from finetune.dataset.detect import detect_file
from finetune.modes import Merged, Prepared, run_mode
from finetune.train import TrainResult
from finetune.train.hosted import HostedResult
from swarm.errors import DataError, UnknownNameError
from tests.finetune.train.hosted.conftest import write_rows
from tests.finetune.train.hosted.openai_server import KEY, open_openai_server

pytestmark = [pytest.mark.anyio, pytest.mark.requirement("S2-01")]


def raw_table(path: Path, rows: int = 40) -> Path:
    """Write a table of questions and answers, with a copy, an empty answer and an address."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer"])
        for number in range(rows):
            words = f"crate {number * 7919:x} of kind {number * 104729:o}"
            writer.writerow([f"Where is {words}?", f"On shelf {number}, beside {words}."])
        writer.writerow(["Where is crate 0 of kind 0?", "On shelf 0, beside crate 0 of kind 0."])
        writer.writerow(["Who keeps the keys?", ""])
        writer.writerow(["Who is asked?", "Write to anna.berg@example.com about any crate."])
    return path


@pytest.mark.requirement("S2-02", "S2-03")
@pytest.mark.parametrize("format", ["openai", "alpaca", "sharegpt", "completion"])
async def test_prepare_gives_two_sides_and_a_report(tmp_path: Path, format: Any) -> None:
    output = tmp_path / "prepared"
    found = await run_mode(
        "prepare", data_path=raw_table(tmp_path / "raw.csv"), output_dir=output, format=format
    )
    assert isinstance(found, Prepared)
    assert found.train.path == output / "train.jsonl"
    assert found.train.rows + found.valid.rows == found.curation.rows_out == 41
    assert found.valid.rows == pytest.approx(4, abs=2)
    detected = detect_file(found.train.path)
    assert detected.format == format
    text = found.train.path.read_text() + found.valid.path.read_text()
    assert "anna.berg" not in text and "shelf 39" in text
    assert len(text.splitlines()) == 41
    for name in ("report.md", "report.html", "report.json"):
        assert (output / name).stat().st_size > 0
    assert "valid.jsonl" in (output / "report.md").read_text()


@pytest.mark.requirement("S2-03")
async def test_train_evaluate_and_merge_share_their_arguments(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    rows = [
        {"instruction": "When do you open?", "input": "", "output": "We open at nine."},
        {"instruction": "How much is Velorin?", "input": "", "output": "Velorin costs 7.90 euros."},
    ]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given: dict[str, Any] = {"data_path": data, "model_name": trained_run.run_dir}
    trained = await run_mode(
        "train",
        **given,
        output_dir=tmp_path / "run",
        format="alpaca",
        hyperparameters={"epochs": 1, "batch_size": 2, "learning_rate": 1e-5, "device": "cpu"},
    )
    assert isinstance(trained, TrainResult)
    config = json.loads((trained.run_dir / "config.json").read_text())
    assert (config["lora"]["rank"], config["epochs"]) == (16, 1)
    report = await run_mode(
        "evaluate", **given, output_dir=tmp_path / "evaluation", format="alpaca"
    )
    assert isinstance(report, EvaluationReport)
    assert (report.exact, report.rows) == (2, 2)
    assert trained.adapter_dir is not None
    merged = await run_mode(
        "merge",
        data_path=trained.adapter_dir,
        model_name=trained_run.run_dir,
        output_dir=tmp_path / "merged",
    )
    assert isinstance(merged, Merged)
    assert (merged.model_dir / "model.safetensors").is_file()


@pytest.mark.requirement("S2-03")
async def test_openai_returns_the_job_and_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    async with open_openai_server() as fake:
        found = await run_mode(
            "openai",
            data_path=write_rows(tmp_path / "rows.jsonl"),
            model_name="gpt-4.1-mini",
            output_dir=tmp_path / "job",
            hyperparameters={"base_url": fake.base_url, "api_key_env": "SHOP_KEY", "epochs": 2},
        )
    assert isinstance(found, HostedResult)
    assert found.job.status == "completed"
    assert found.model.startswith("openai/ft:")


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"mode": "tran"}, UnknownNameError, "did you mean 'train'"),
        ({"format": "parquet"}, UnknownNameError, "no format named 'parquet'"),
        ({"technique": "dora"}, UnknownNameError, "did you mean 'lora'"),
        ({"model_name": None}, DataError, "needs model_name"),
        ({"hyperparameters": {"epochs": 0}}, DataError, "hyperparameters: epochs"),
        ({"hyperparameters": {"rnak": 8}}, DataError, "hyperparameters: rnak"),
        ({"data_path": "missing.jsonl"}, DataError, "missing.jsonl"),
    ],
)
async def test_wrong_arguments_say_which_and_what_is_right(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], text: str
) -> None:
    given: dict[str, Any] = {
        "mode": "train",
        "data_path": write_rows(tmp_path / "rows.jsonl"),
        "model_name": tmp_path,
        "output_dir": tmp_path / "run",
    }
    with pytest.raises(error, match=text):
        await run_mode(**{**given, **changes})
    assert not (tmp_path / "run").exists()
