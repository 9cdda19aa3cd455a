"""`train`, `evaluate` and `package`, with the model that the whole test run shares."""

import json
import shutil
from pathlib import Path

import pytest

from finetune import TrainConfig, TrainResult
from tests.bindings.cli.conftest import Wikiswarm

ANSWER = "Velorin costs 7.90 euros."
DOCUMENT = """\
completions: {model: {model: offline}}
wikis: {facts: {model: registry/facts@live}}
tools: {find: {wiki: facts, examples: [How much is Velorin?]}}
agents: {seller: {completion: model, tools: [find], wiki_list: [facts]}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""


@pytest.fixture
def run(trained_run: TrainResult, tmp_path: Path) -> Path:
    """A copy of the trained run, which a test may change."""
    return Path(shutil.copytree(trained_run.run_dir, tmp_path / "run"))


def test_a_model_is_made(
    wikiswarm: Wikiswarm, facts_file: Path, tiny_config: TrainConfig, tmp_path: Path, home: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text(tiny_config.model_dump_json(), encoding="utf-8")
    output = wikiswarm("train", facts_file, "--method", "none", "--config", config, "--seed", 9)
    run = home / "runs" / "1"
    assert output.lines[0].startswith(f"{run}: 12 rows, 0 steps, 0.10 M weights, ")
    assert output.err.splitlines()[-1] == f"next: wikiswarm evaluate {run} {facts_file}"
    frozen = TrainConfig.model_validate_json((run / "config.json").read_bytes())
    # What the command line says comes before the file.
    assert frozen == tiny_config.model_copy(update={"method": "none", "seed": 9})


@pytest.mark.requirement("S4-01", "S4-10", "S3-20", "S3-26", "S0-35", "S3-06")
def test_a_run_is_evaluated_packaged_and_asked(
    wikiswarm: Wikiswarm, run: Path, facts_file: Path, tmp_path: Path, home: Path
) -> None:
    report = wikiswarm("evaluate", run, facts_file, "--held-out", "--minimum", "0.5", "--json").json
    assert (report["rows"], report["exact"] >= 2) == (4, True)
    packaged = wikiswarm("package", run, "--name", "facts", "--quantization", "F16")
    assert packaged.out.startswith("facts@1: ")
    assert packaged.err == "next: wikiswarm models promote facts@1\n"
    version = wikiswarm("package", run, "--name", "facts", "--promote", "--json").json
    assert version["manifest"]["metrics"] == {"exact_held_out": report["accuracy"]}
    assert version["aliases"] == ["live"]
    served = wikiswarm("evaluate", "registry/facts@live", facts_file)
    assert "registry/facts@live: 12 of 12 answers exactly right (100.0%, " in served.out
    [answers] = (home / "evaluations").glob("*.jsonl")
    assert ANSWER in answers.read_text(encoding="utf-8")
    path = tmp_path / "facts.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    answer = wikiswarm("ask", path, "facts", "How much is Velorin?", "--json").json
    assert (answer["text"], answer["model"], answer["version"]) == (ANSWER, "registry/facts@2", 2)
    assert answer["confidence"] > 0.5
    assert wikiswarm("chat", path, "-m", "How much is Velorin?").out == f"{ANSWER}\n"
    wikiswarm("dataset", "collect", "--wiki", "facts", "--output", "data")
    [row] = Path("data/sft.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(row)["messages"][-1]["content"] == ANSWER


def test_a_model_below_the_minimum_fails(wikiswarm: Wikiswarm, facts_file: Path) -> None:
    model = "python:tests.bindings.cli.answers:no"
    output = wikiswarm("evaluate", model, facts_file)
    assert f"{model}: 0 of 12 answers exactly right (0.0%" in output.out
    assert output.err.count(": 'No.', not ") == 10
    failed = wikiswarm("evaluate", model, facts_file, "--minimum", "0.5", code=1)
    assert failed.err.splitlines()[-1] == "error: 0.0% is below --minimum 50.0%"


def test_a_hosted_model_without_a_key_is_one_line(wikiswarm: Wikiswarm, facts_file: Path) -> None:
    output = wikiswarm("evaluate", "openai/any", facts_file, code=3)
    assert "set OPENAI_API_KEY" in output.err
    assert output.err.count("\n") == 1
