"""Runs that cannot go on: each ends in one error that names the fix, and leaves no model."""

import json
from pathlib import Path

import pytest

from finetune.train import LoraShape, ModelShape, TrainConfig, TrainingError, TrainResult, train
from finetune.train.failure import (
    TrainingStopped,
    check_loss,
    is_out_of_memory,
    no_gpu,
    out_of_memory,
)
from swarm.errors import DataError


@pytest.mark.anyio
@pytest.mark.requirement("S2-31")
async def test_a_loss_that_is_no_number_stops_the_run(
    tiny_config: TrainConfig, facts_file: Path, tmp_path: Path
) -> None:
    wild = tiny_config.model_copy(update={"learning_rate": 1e25, "warmup": 0.0})
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) at step \d+; lower learning_"):
        await train(wild, data=facts_file, output_dir=tmp_path / "run")
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert len(lines) < 5
    assert not (tmp_path / "run" / "model").exists()
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.anyio
@pytest.mark.requirement("S2-31")
async def test_a_model_that_does_not_fit_says_what_to_lower(
    facts_file: Path, tmp_path: Path
) -> None:
    huge = TrainConfig(shape=ModelShape(hidden=64, heads=2, kv_heads=1, ffn=1 << 40))
    with pytest.raises(TrainingError, match="out of memory; in this order, try: batch_size 16"):
        await train(huge, data=facts_file, output_dir=tmp_path / "run")


@pytest.mark.requirement("S2-31")
def test_what_helps_against_a_full_memory_depends_on_the_run() -> None:
    small = TrainConfig(
        batch_size=1, gradient_checkpointing=True, max_length=64, lora=LoraShape(),
        quantization="4bit",
    )  # fmt: skip
    assert str(out_of_memory(small)) == "out of memory; in this order, try: a smaller base model"
    lora = small.model_copy(update={"quantization": "none"})
    assert "QLoRA" in str(out_of_memory(lora))
    assert "lora in place of full" in str(out_of_memory(lora.model_copy(update={"lora": None})))
    assert is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    with pytest.raises(TrainingStopped, match="try 2e-04"):
        check_loss(float("inf"), step=3, config=TrainConfig())
    check_loss(4.2, step=3, config=TrainConfig())
    assert "nvidia-smi" in str(no_gpu("QLoRA"))


@pytest.mark.anyio
@pytest.mark.requirement("S2-14")
async def test_four_bits_without_a_gpu_are_refused(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    config = TrainConfig(base=str(trained_run.run_dir), lora=LoraShape(), quantization="4bit")
    with pytest.raises(DataError, match="needs an NVIDIA GPU"):
        await train(config, data=facts_file, output_dir=tmp_path / "cpu")
    with pytest.raises(DataError, match="set lora"):
        full = config.model_copy(update={"lora": None})
        await train(full, data=facts_file, output_dir=tmp_path / "full")
    assert not (tmp_path / "cpu").exists() and not (tmp_path / "full").exists()


@pytest.mark.anyio
async def test_a_dataset_that_fails_its_check_starts_no_process(tmp_path: Path) -> None:
    data = tmp_path / "sft.jsonl"
    user = {"role": "user", "content": "Hello?"}
    rows = [
        {"messages": [user, {"role": "assistant", "content": "Hello!"}]},
        {"messages": [user, {"role": "assistant", "content": ""}]},
    ]
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(DataError) as caught:
        await train(TrainConfig(), data=data, output_dir=tmp_path / "run")
    assert f"{data}:2" in str(caught.value)
    assert not (tmp_path / "run").exists()
