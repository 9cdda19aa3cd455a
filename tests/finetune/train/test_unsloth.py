"""The unsloth back end, against a stand-in with Unsloth's signatures: it is not installed here."""

import json
import sys
from pathlib import Path

import pytest

from finetune.train import LoraShape, TrainConfig, TrainResult, train
from finetune.train.adapter import check_adapter
from finetune.train.unsloth import TARGETS, import_unsloth, load_with_unsloth
from swarm.errors import DataError, MissingExtraError, SetupError

FAKE = Path(__file__).parent / "fake_unsloth"


@pytest.mark.anyio
@pytest.mark.requirement("S2-17")
async def test_a_run_goes_through_unsloth_in_the_right_order(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls.jsonl"
    monkeypatch.setenv("FAKE_UNSLOTH_CALLS", str(calls))
    monkeypatch.setenv("PYTHONPATH", str(FAKE))
    monkeypatch.setattr(sys, "path", [str(FAKE), *sys.path])
    config = TrainConfig(
        backend="unsloth", base=str(trained_run.run_dir), lora=LoraShape(rank=8, alpha=8),
        steps=3, batch_size=4, max_length=128, gradient_checkpointing=True, augment=False,
        learning_rate=1e-4,
    )  # fmt: skip
    result = await train(config, data=facts_file, output_dir=tmp_path / "run")
    assert result.steps == 3
    found = [json.loads(line) for line in calls.read_text().splitlines()]
    assert [name for name, _ in found] == [
        "from_pretrained", "get_peft_model", "save_pretrained_merged"
    ]  # fmt: skip
    loaded, adapted, saved = (values for _, values in found)
    assert loaded["model_name"] == str(trained_run.model_dir)
    assert (loaded["load_in_4bit"], loaded["full_finetuning"]) == (False, False)
    assert loaded["max_seq_length"] == 128
    assert loaded["use_gradient_checkpointing"] == "unsloth"
    assert adapted["target_modules"] == list(TARGETS) and len(TARGETS) == 7
    assert (adapted["r"], adapted["lora_alpha"], adapted["lora_dropout"]) == (8, 8, 0.0)
    assert saved["save_method"] == "merged_16bit" and not saved["push_to_hub"]
    assert result.adapter_dir is not None
    check_adapter(result.adapter_dir, trained_run.run_dir)
    assert (result.model_dir / "tokenizer.json").is_file()


@pytest.mark.requirement("S2-17")
def test_unsloth_comes_first_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trl", sys)
    with pytest.raises(SetupError, match=r"must be imported before .*trl"):
        import_unsloth()
    for base, adapter in (("scratch", None), ("base", "adapter")):
        with pytest.raises(DataError, match="a new adapter on a base folder"):
            load_with_unsloth(TrainConfig(backend="unsloth", base=base, adapter=adapter))


@pytest.mark.anyio
async def test_without_unsloth_the_extra_is_named(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    config = TrainConfig(backend="unsloth", base=str(trained_run.run_dir), lora=LoraShape())
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[unsloth\]'"):
        await train(config, data=facts_file, output_dir=tmp_path / "run")
    with pytest.raises(DataError, match="set base"):
        await train(
            TrainConfig(lora=LoraShape(), quantization="4bit", device="auto"),
            data=facts_file,
            output_dir=tmp_path / "run",
        )
