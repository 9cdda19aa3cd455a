"""`evaluate` beside another model, `gate`, `golden` and `benchmark`."""

import importlib.util
import json
from pathlib import Path

import pytest

from finetune.evaluate.row import read_results
from tests.bindings.cli.conftest import Wikiswarm
from tests.finetune.evaluate import models

BETTER = "python:tests.finetune.evaluate.models:better"
WEAKER = "python:tests.finetune.evaluate.models:weaker"
LEAKING = "python:tests.finetune.evaluate.models:leaking"
JUDGE = "python:tests.finetune.evaluate.judges:honest"


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    """Eighty questions."""
    path = tmp_path / "test.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in models.rows()), encoding="utf-8")
    return path


@pytest.mark.requirement("S3-06", "S2-21")
def test_predictions_of_a_test_set_are_written(
    wikiswarm: Wikiswarm, rows_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "predictions.jsonl"
    output = wikiswarm("evaluate", BETTER, "--test-set", rows_file, "--predictions", path)
    assert f"{BETTER}: 72 of 80 answers exactly right (90.0%, " in output.lines[0]
    assert "ROUGE-L 0.9" in output.lines[1]
    results = read_results(path)
    assert (len(results), sum(one.exact for one in results)) == (80, 72)
    # What was written can be evaluated in place of the model.
    again = wikiswarm("evaluate", path, rows_file, "--json").json
    assert (again["exact"], again["metrics"]["exact"]) == (72, 0.9)


@pytest.mark.requirement("S3-07")
def test_a_judge_scores_a_model_alone(wikiswarm: Wikiswarm, rows_file: Path) -> None:
    output = wikiswarm("evaluate", BETTER, rows_file, "--judge", JUDGE)
    assert output.lines[-1] == f"{JUDGE} gives 4.80 of 5, above 4.0"


@pytest.mark.requirement("S3-07")
def test_a_judge_that_people_do_not_agree_with_is_refused(
    wikiswarm: Wikiswarm, rows_file: Path, tmp_path: Path
) -> None:
    ratings = tmp_path / "ratings.jsonl"
    line = {"question": "q", "expected": "right", "answer": "wrong", "rating": 5}
    ratings.write_text(f"{json.dumps(line)}\n" * 20, encoding="utf-8")
    output = wikiswarm(
        "evaluate", BETTER, rows_file, "--judge", JUDGE, "--ratings", ratings, code=1
    )
    assert "is refused: its weighted kappa with people is 0.00" in output.err


@pytest.mark.requirement("S2-19", "S2-23", "S2-30")
def test_two_models_are_compared_in_one_report(
    wikiswarm: Wikiswarm, rows_file: Path, tmp_path: Path
) -> None:
    page, sheet = tmp_path / "report.html", tmp_path / "sheet.jsonl"
    output = wikiswarm(
        *("evaluate", BETTER, rows_file, "--against", WEAKER),
        *("--report", page, "--write-sheet", sheet),
    )
    assert "exact: 0.6625 -> 0.9000 (+0.2375)" in output.lines
    assert "maths: " in output.out
    assert "promote (80 questions)" in output.lines
    assert "<h2>Side by side</h2>" in page.read_text(encoding="utf-8")
    assert f"{sheet}: 29 rows" in output.err
    scores = {"mmlu": {"acc,none": 0.25}}
    for side in ("live", "candidate"):
        (tmp_path / side).mkdir()
        results = tmp_path / side / "results_1.json"
        results.write_text(json.dumps({"results": scores}), encoding="utf-8")
    again = wikiswarm(
        *("evaluate", BETTER, rows_file, "--against", WEAKER, "--read-sheet", sheet),
        *("--benchmarks", tmp_path / "live", tmp_path / "candidate", "--no-general", "--json"),
    ).json
    assert [one["delta"] for one in again["benchmarks"]] == [0.0]
    # Each comparison has a folder of its own.
    assert again["candidate"]["report"]["results"].split("/")[-3:-1] == ["2", "candidate"]
    assert again["people"] == {"wins": 0, "losses": 0, "ties": 0, "open": 29}
    assert again["areas"] == []


@pytest.mark.requirement("S1-31")
def test_the_gate_promotes_by_its_exit_code(
    wikiswarm: Wikiswarm, rows_file: Path, tmp_path: Path
) -> None:
    found = wikiswarm("gate", BETTER, WEAKER, rows_file, "--json").json
    assert (found["decision"], found["rows"]) == ("promote", 80)
    equal = wikiswarm("gate", WEAKER, WEAKER, rows_file, code=1)
    assert equal.lines[0] == "refuse (80 questions)"
    few = wikiswarm("gate", BETTER, WEAKER, rows_file, "--minimum-rows", 81, code=1)
    assert few.lines[0] == "not enough data (80 questions)"
    judged = wikiswarm(
        "gate", BETTER, WEAKER, rows_file, "--metric", "judge", "--judge", JUDGE, "--json"
    ).json
    assert [one["metric"] for one in judged["metrics"]] == ["judge", "token_f1"]
    probes = tmp_path / "probes.yaml"
    probes.write_text("canaries: [{secret: orchid-4417-tango}]", encoding="utf-8")
    leaked = wikiswarm("gate", LEAKING, WEAKER, rows_file, "--probes", probes, code=1)
    assert "probe canary" in leaked.lines[1]
    assert "4417" not in leaked.out + leaked.err


@pytest.mark.requirement("S3-27")
def test_a_golden_set_serves_every_evaluation(
    wikiswarm: Wikiswarm, facts_file: Path, rows_file: Path
) -> None:
    kept = wikiswarm("golden", "add", "products", rows_file)
    assert kept.out.startswith("products: 80 rows, sha256 ")
    wikiswarm("golden", "add", "facts", facts_file, "--held-out")
    assert [one["rows"] for one in wikiswarm("golden", "list", "--json").json] == [4, 80]
    output = wikiswarm("evaluate", BETTER, "--golden", "products")
    assert "72 of 80 answers" in output.out
    assert (
        "did you mean 'products'"
        in wikiswarm("evaluate", BETTER, "--golden", "product", code=1).err
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("evaluate X", "name one of DATA, --test-set and --golden"),
        ("evaluate X FILE --test-set FILE", "name one of DATA, --test-set and --golden"),
        ("evaluate X FILE --report r.md", "--report needs --against"),
        ("gate X X FILE --metric bleu", "no figure 'bleu'"),
        ("gate X X FILE --metric judge", "--metric judge needs --judge MODEL"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_asked(
    wikiswarm: Wikiswarm, rows_file: Path, words: str, message: str
) -> None:
    given = {"X": "python:nowhere:nothing", "FILE": str(rows_file)}
    output = wikiswarm(*(given.get(word, word) for word in words.split()), code=2)
    assert message in output.err


@pytest.mark.requirement("S2-22")
@pytest.mark.skipif(importlib.util.find_spec("lm_eval") is not None, reason="it is installed")
def test_benchmarks_need_lm_eval(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    words = ("benchmark", "registry/any@live", "--chat", "--output", tmp_path / "b")
    output = wikiswarm(*words, code=3)
    assert "pip install 'wikiswarm[lm-eval]'" in output.err
    assert output.err.count("\n") == 1


@pytest.mark.requirement("S2-22")
def test_probabilities_of_a_prompt_are_not_asked_of_the_engine(
    wikiswarm: Wikiswarm, tmp_path: Path
) -> None:
    output = wikiswarm("benchmark", "registry/any@live", "--output", tmp_path / "b", code=2)
    assert "--chat" in output.err
    assert not (tmp_path / "b").exists()
