"""The files for LLaMA-Factory say what the run says."""

import json
from pathlib import Path

import pytest
import yaml

from finetune.train import LoraShape, TrainConfig, default_config
from finetune.train.llamafactory import write_llamafactory
from swarm.errors import DataError


@pytest.mark.requirement("S2-16")
def test_a_run_becomes_a_config_a_dataset_and_a_command(facts_file: Path, tmp_path: Path) -> None:
    config = default_config("qlora", "qwen2.5-7b", system="Be brief.", validation=0.1, steps=60)
    files = write_llamafactory(config, facts_file, tmp_path / "lf")
    assert files.command == ("llamafactory-cli", "train", "train.yaml")
    written = yaml.safe_load(files.config.read_text())
    expected = {
        "model_name_or_path": "Qwen/Qwen2.5-7B-Instruct", "template": "qwen", "stage": "sft",
        "do_train": True, "finetuning_type": "lora", "lora_rank": 16, "lora_alpha": 16,
        "lora_target": "all", "quantization_bit": 4, "dataset": "wiki", "dataset_dir": ".",
        "learning_rate": 2e-4, "per_device_train_batch_size": 2, "num_train_epochs": 3,
        "gradient_accumulation_steps": 8, "max_steps": 60, "val_size": 0.1, "bf16": True,
        "warmup_ratio": 0.03, "packing": False, "report_to": "none",
    }  # fmt: skip
    assert {key: written.get(key) for key in expected} == expected
    info = json.loads(files.dataset_info.read_text())["wiki"]
    rows = [
        json.loads(line)
        for line in (files.config.parent / info["file_name"]).read_text().splitlines()
    ]
    assert len(rows) == 12
    column, tags = info["columns"]["messages"], info["tags"]
    assert [m[tags["role_tag"]] for m in rows[0][column]] == ["system", "user", "assistant"]
    assert rows[0][column][0][tags["content_tag"]] == "Be brief."


@pytest.mark.requirement("S2-16", "S2-33")
@pytest.mark.parametrize(("method", "loss"), [("dpo", "sigmoid"), ("orpo", "orpo")])
def test_preferences_are_ranked_rows(method: str, loss: str, tmp_path: Path) -> None:
    data = tmp_path / "dpo.jsonl"
    row = {
        "input": {"messages": [{"role": "user", "content": "Hello?"}]},
        "preferred_output": [{"role": "assistant", "content": "Hello!"}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    data.write_text(json.dumps(row))
    config = TrainConfig.model_validate(
        {"method": method, "base": "my/base", "lora": LoraShape(targets=("q_proj", "v_proj"))}
    )
    files = write_llamafactory(config, data, tmp_path / "lf", template="llama3")
    written = yaml.safe_load(files.config.read_text())
    assert (written["stage"], written["pref_loss"], written["pref_beta"]) == ("dpo", loss, 0.1)
    assert written["lora_target"] == "q_proj,v_proj"
    info = json.loads(files.dataset_info.read_text())["wiki"]
    assert info["ranking"] is True
    ranked = json.loads(files.data.read_text())
    assert ranked[info["columns"]["chosen"]] == {"role": "assistant", "content": "Hello!"}
    assert ranked[info["columns"]["rejected"]]["content"] == "No."


def test_what_cannot_be_said_there_is_refused(facts_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set base"):
        write_llamafactory(TrainConfig(), facts_file, tmp_path / "lf")
    with pytest.raises(DataError, match="name its chat template"):
        write_llamafactory(TrainConfig(base="my/base"), facts_file, tmp_path / "lf")
    assert not (tmp_path / "lf").exists()
