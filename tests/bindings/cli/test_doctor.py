"""`doctor`."""

from datetime import date
from pathlib import Path

import pytest

from bindings.cli.doctor import prices_finding
from swarm.completions.prices import shipped_date
from tests.bindings.cli.conftest import Wikiswarm

DOCUMENT = """\
completions:
  old: {{model: {old}}}
  new: {{model: openai/some-model, fallback: [{retired}]}}
wikis:
  pharma: {{model: {tuned}, fallback: offline}}
agents:
  seller: {{completion: old}}
swarms:
  shop: {{agent_list: [seller], default_agent: seller}}
"""


def test_a_machine_is_described(wikiswarm: Wikiswarm, home: Path) -> None:
    output = wikiswarm("doctor")
    assert f"ok\thome\t{home} can be written" in output.lines
    assert any(line.startswith("ok\textra gguf\txllamacpp ") for line in output.lines)
    assert "missing\textra unsloth\tpip install 'wikiswarm[unsloth]'" in output.lines
    assert any(line.startswith("missing\tOPENAI_API_KEY\t") for line in output.lines)
    findings = wikiswarm("doctor", "--json").json
    assert {"verdict", "subject", "detail"} == set(findings[0])


def test_a_key_is_seen_and_not_shown(wikiswarm: Wikiswarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-shop")
    output = wikiswarm("doctor")
    assert "ok\tOPENAI_API_KEY\tis set" in output.lines
    assert "sk-of-the-shop" not in output.out + output.err


def test_models_that_are_being_retired_are_flagged(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    names = {"old": "openai/gpt-4", "retired": "openai/o4-mini", "tuned": "openai/ft:gpt-4o:a::b"}
    path.write_text(DOCUMENT.format(**names), encoding="utf-8")
    findings = wikiswarm("doctor", path, "--json").json
    flagged = {f["subject"]: f["detail"] for f in findings if f["verdict"] == "warning"}
    assert flagged["completion old"] == "openai/gpt-4: retired 2026-10-23"
    assert flagged["completion new"].startswith("openai/o4-mini: retired")
    assert flagged["wiki pharma"].startswith("openai/ft:gpt-4o:a::b: retires 2027-01-14")
    assert {"openai fine-tuning", "cohere fine-tuning"} <= set(flagged)


def test_a_model_that_stays_is_not_flagged(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    names = {"old": "openai/gpt-5", "retired": "ollama/gpt-4", "tuned": "openai/gpt-4000"}
    path.write_text(DOCUMENT.format(**names), encoding="utf-8")
    subjects = {f["subject"] for f in wikiswarm("doctor", path, "--json").json}
    assert not subjects & {"completion old", "completion new", "wiki pharma"}
    assert str(path) in subjects


def test_a_document_with_problems_ends_with_1_and_a_bad_home_with_3(
    wikiswarm: Wikiswarm, tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("agents: {seller: {completion: none}}\n", encoding="utf-8")
    output = wikiswarm("doctor", path, code=1)
    assert f"{path}:1:" in output.out
    assert wikiswarm("doctor", tmp_path / "none.yaml", code=1).err == "1 problem\n"
    output = wikiswarm("doctor", path, "--home", path, code=3)
    assert output.err == "2 problems\n"


def test_the_age_of_the_prices_is_told(
    wikiswarm: Wikiswarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {f["subject"]: f for f in wikiswarm("doctor", "--json").json}
    assert found["prices"]["verdict"] in ("ok", "warning")
    assert f"read in {shipped_date()}" in found["prices"]["detail"]
    assert "WIKISWARM_PRICES" not in found
    assert prices_finding(48, "2026-11", date(2027, 4, 30)).verdict == "ok"
    old = prices_finding(48, "2026-11", date(2027, 5, 1))
    assert (old.verdict, "181 days ago" in old.detail) == ("warning", True)
    own = tmp_path / "prices.yaml"
    own.write_text("openai/any: {input: 1, output: 2}\n", encoding="utf-8")
    monkeypatch.setenv("WIKISWARM_PRICES", str(own))
    found = {f["subject"]: f for f in wikiswarm("doctor", "--json").json}
    assert found["WIKISWARM_PRICES"]["detail"] == f"{own}: 1 models"
    own.write_text("openai/any: {input: 1}\n", encoding="utf-8")
    assert "output: Field required" in wikiswarm("doctor", code=3).out


def test_what_functions_in_node_need_is_told(
    wikiswarm: Wikiswarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "swarm.yaml"
    path.write_text("tools: {one: {call: own.ts#one}, two: {call: own.ts#two}}", encoding="utf-8")
    (tmp_path / "own.ts").write_text("", encoding="utf-8")
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v20.1.0\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("WIKISWARM_NODE", str(node))
    said = wikiswarm("doctor", path, code=3)
    (line,) = [line for line in said.lines if "own.ts" in line]
    assert line.startswith("error\town.ts\town.ts needs tsx, which is not installed; run: npm ins")
    loader = tmp_path / "node_modules" / "tsx"
    loader.mkdir(parents=True)
    (loader / "package.json").write_text('{"exports": {".": "./x.mjs"}}', encoding="utf-8")
    (loader / "x.mjs").write_text("", encoding="utf-8")
    (line,) = [line for line in wikiswarm("doctor", path, code=3).lines if "own.ts" in line]
    assert "needs the npm package wikiswarm, which is not installed; run: npm install" in line
