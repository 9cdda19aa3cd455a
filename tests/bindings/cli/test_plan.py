"""`plan`, and what `train` says and writes besides the model."""

import json
from pathlib import Path

import pytest
import yaml

from finetune import TrainConfig, TrainResult
from finetune.train import LoraShape
from tests.bindings.cli.conftest import Wikiswarm


@pytest.mark.requirement("S2-14", "S3-03", "S3-04", "S3-24")
def test_a_plan_says_what_to_do_and_why(
    wikiswarm: Wikiswarm, facts_file: Path, tmp_path: Path
) -> None:
    output = wikiswarm(
        "plan", facts_file, "--base", "llama-3.1-8b", "--trouble", "facts", "--per-day", 2000,
        "--hosted-model", "gpt-4o-mini",
    )  # fmt: skip
    lines = output.out.splitlines()
    assert lines[0].startswith("advice: retrieval; facts that are invented")
    assert lines[1].startswith("llama-3.1-8b: ")
    assert "settings: rank 8, alpha 16, learning rate 0.0002" in output.out
    assert "hosted: about $0.0" in output.out
    assert "a local model pays for itself after 5.6 days" in output.out
    assert "Built with Llama" in output.out
    found = wikiswarm("plan", facts_file, "--base", "scratch", "--json").json
    assert found["plan"]["base"] == "scratch" and found["advice"] is None
    TrainConfig.model_validate(found["plan"]["config"])
    assert found["plan"]["technique"] == "full"
    settings = tmp_path / "settings.json"
    wikiswarm("plan", facts_file, "--base", "qwen2.5-0.5b", "--output", settings)
    assert TrainConfig.model_validate_json(settings.read_bytes()).lora == LoraShape(
        rank=8, alpha=16
    )
    missing = wikiswarm("train", facts_file, "--config", settings, "--base", "qwen2.5-0.5b", code=1)
    assert "hf download Qwen/Qwen2.5-0.5B-Instruct" in missing.err
    wrong = wikiswarm("plan", facts_file, "--base", "llama-3.1-9b", code=1)
    assert "did you mean 'llama-3.1-8b'" in wrong.err


@pytest.mark.requirement("S3-01", "S3-02")
def test_the_bases_are_listed(wikiswarm: Wikiswarm, facts_file: Path) -> None:
    rows = [line.split("\t") for line in wikiswarm("plan").out.splitlines()]
    assert all(len(row) == 6 and row[2].endswith("GB") for row in rows)
    assert "gemma-2-9b" in [row[0] for row in rows]
    code = wikiswarm("plan", "--use-case", "code", "--json").json
    assert [model["name"] for model in code["models"]] == ["qwen2.5-coder-7b"]
    chosen = wikiswarm("plan", facts_file, "--use-case", "rag", "--json").json
    assert chosen["plan"]["base"] == "mistral-7b"


@pytest.mark.requirement("S3-05", "S2-18", "S3-12")
def test_training_for_some_steps_leaves_a_report(
    wikiswarm: Wikiswarm, trained_run: TrainResult, facts_file: Path, tmp_path: Path, home: Path
) -> None:
    config = tmp_path / "config.json"
    settings = TrainConfig(lora=LoraShape(rank=4), learning_rate=1e-4, batch_size=4, epochs=9)
    config.write_text(settings.model_dump_json(), encoding="utf-8")
    arguments = (
        "train", facts_file, "--base", trained_run.run_dir, "--config", config,
        "--steps", 8, "--val-split", "0.25",
    )  # fmt: skip
    output = wikiswarm(*arguments)
    run = home / "runs" / "1"
    assert output.lines[0].startswith(f"{run}: 9 rows, 8 steps, ")
    assert f"adapter: {run / 'adapter'}" in output.lines
    assert any(line.startswith("curve: ") for line in output.lines)
    assert output.lines[-1] == f"report: {run / 'report.html'}"
    assert "| validation | 0.25 | changed |" in (run / "report.md").read_text(encoding="utf-8")
    again = wikiswarm(*arguments, "--output", run, "--resume", code=1)
    assert "is a finished run" in again.err
    assert "--output" in wikiswarm("train", facts_file, "--resume", code=2).err


@pytest.mark.requirement("S2-16")
def test_files_for_llamafactory_are_written(
    wikiswarm: Wikiswarm, facts_file: Path, home: Path
) -> None:
    output = wikiswarm("train", facts_file, "--backend", "llamafactory", "--base", "qwen2.5-0.5b")
    folder = home / "runs" / "1"
    assert output.err == f"next: cd {folder} && llamafactory-cli train train.yaml\n"
    written = yaml.safe_load((folder / "train.yaml").read_text(encoding="utf-8"))
    assert written["model_name_or_path"] == "Qwen/Qwen2.5-0.5B-Instruct"
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert (folder / info["wiki"]["file_name"]).is_file()
