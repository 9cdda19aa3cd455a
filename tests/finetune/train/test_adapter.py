"""Adapters: kept beside the merged model, continued on their own base, refused on another."""

import json
import shutil
from pathlib import Path

import pytest

from finetune.evaluate import evaluate
from finetune.questions import read_questions, training_rows
from finetune.train import TrainResult, fine_tune_model
from finetune.train.adapter import AdapterBaseError, base_sha256, check_adapter
from swarm.errors import DataError


@pytest.mark.anyio
@pytest.mark.requirement("S2-24")
@pytest.mark.requirement("S0-29")
@pytest.mark.requirement("S0-30")
@pytest.mark.requirement("S3-15")
async def test_one_call_trains_an_adapter_on_a_base(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    result = await fine_tune_model(
        trained_run.run_dir,
        facts_file,
        tmp_path / "run",
        epochs=2,
        batch_size=6,
        learning_rate=1e-4,
        max_seq_length=128,
        quantization=None,
        lora_rank=8,
        lora_alpha=16,
    )
    assert result.duration_minutes == pytest.approx(result.seconds / 60, abs=1e-3)
    assert result.final_loss == result.loss and result.loss is not None
    assert result.model_dump()["duration_minutes"] == result.duration_minutes
    config = json.loads((result.run_dir / "config.json").read_text())
    assert config["lora"] == {"rank": 8, "alpha": 16, "dropout": 0.0, "targets": []}
    adapter = result.adapter_dir
    assert adapter is not None and adapter == result.run_dir / "adapter"
    assert check_adapter(adapter, trained_run.run_dir).base_sha256 == trained_run.model_sha256
    manifest = (result.run_dir / "manifest.json").read_text()
    assert "adapter/adapter_model.safetensors" in manifest
    for path in adapter.glob("*.json"):
        assert str(trained_run.run_dir) not in path.read_text()
    # Few steps at a low rank: what the base knew is still there.
    rows = training_rows(read_questions(facts_file))
    report = await evaluate(result.run_dir, rows, output_dir=tmp_path / "report")
    assert report.accuracy == 1.0

    # Another base of the same shape would take the adapter and answer garbage.
    other = shutil.copytree(trained_run.model_dir, tmp_path / "other")
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(AdapterBaseError, match="was trained on a base with sha256"):
        check_adapter(adapter, other)
    with pytest.raises(AdapterBaseError):
        await fine_tune_model(
            other, facts_file, tmp_path / "second", quantization=None, adapter=adapter
        )
    assert not (tmp_path / "second").exists()


def test_the_hash_of_a_base_covers_all_its_weights(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "a.safetensors").write_bytes(b"a")
    one = base_sha256(tmp_path)
    (tmp_path / "b.safetensors").write_bytes(b"b")
    two = base_sha256(tmp_path)
    (tmp_path / "b.safetensors").write_bytes(b"c")
    assert len({one, two, base_sha256(tmp_path)}) == 3
    with pytest.raises(DataError, match="no adapter here; adapter_config"):
        check_adapter(tmp_path, tmp_path)
