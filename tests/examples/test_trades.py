"""The examples for five trades are right, answer with the core alone, and keep their promises."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from declarative import check
from finetune import Question, read_questions
from finetune.curate import Pipeline, curate
from finetune.lookup import Lookup
from finetune.questions import normalise

TRADES = Path(__file__).parents[2] / "examples" / "trades"
NAMES = ("legal", "healthcare", "maintenance", "finance", "support")
COMMAND = Path(sys.executable).with_name("wikiswarm")

pytestmark = pytest.mark.requirement("S0-47")


def run(*words: object, home: Path) -> str:
    """Run a command that must end well, and return its standard output."""
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        env={
            **os.environ,
            "WIKISWARM_HOME": str(home),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def facts_of(trade: str) -> tuple[Question, ...]:
    return read_questions(TRADES / trade / "questions.yaml")


def test_the_readme_names_every_trade() -> None:
    folders = {path.name for path in TRADES.iterdir() if path.is_dir()}
    assert folders == set(NAMES)
    readme = (TRADES / "README.md").read_text(encoding="utf-8")
    assert all(f"[{name}]({name})" in readme for name in NAMES)


@pytest.mark.parametrize("trade", NAMES)
def test_document_questions_and_curation_are_right(trade: str) -> None:
    assert check(TRADES / trade / "swarm.yaml", environment={}).problems == ()
    assert Pipeline.read(TRADES / trade / "curate.yaml").row_steps
    facts = facts_of(trade)
    texts = [normalise(text) for fact in facts for text in (*fact.train, *fact.held_out)]
    assert len(set(texts)) == len(texts)
    lookup = Lookup(facts)
    for fact in facts:
        assert {lookup.look_up(text) for text in (*fact.train, *fact.held_out)} == {fact.answer}


@pytest.mark.parametrize("trade", NAMES)
def test_it_answers_without_a_model(trade: str, home: Path) -> None:
    facts = facts_of(trade)
    asked = [fact.held_out[0] for fact in facts]
    messages = [word for text in asked for word in ("--message", text)]
    out = run("chat", TRADES / trade / "swarm.yaml", *messages, home=home)
    assert out.splitlines() == [fact.answer for fact in facts]


def test_an_emergency_never_reaches_a_model(home: Path) -> None:
    messages = ["--message", "I can't breathe", "--message", "My father had a STROKE?"]
    out = run("chat", TRADES / "healthcare" / "swarm.yaml", *messages, home=home)
    assert out.count("call your emergency number now") == 2
    assert json.loads(run("runs", "list", "--json", home=home)) == []


def test_the_service_book_answers_from_its_dates(home: Path) -> None:
    asked = ["--message", "When was pump 7 serviced last?"]
    out = run("chat", TRADES / "maintenance" / "swarm.yaml", *asked, home=home)
    assert out == "Pump 7 was last serviced on 2025-11-03.\n"


def test_a_large_payment_waits_for_a_person(home: Path) -> None:
    out = run(
        "chat", TRADES / "finance" / "swarm.yaml", "--message", "Please pay me back", home=home
    )
    assert "are paid with the next salary" not in out
    (item,) = json.loads(run("inbox", "--json", home=home))
    assert item["status"] == "waiting"
    # The message names no amount; the person reads what would be paid.
    assert json.loads(item["payload"]["call"]["arguments"]) == {"euros": 250.0}
    run("inbox", "approve", item["id"], home=home)


def test_no_patient_is_in_what_is_trained_on(home: Path, tmp_path: Path) -> None:
    fact = facts_of("healthcare")[0]
    mine = "Until when can I cancel? Call me on +1 415 555 0132 or write to anna.berg@example.com"
    document = TRADES / "healthcare" / "swarm.yaml"
    for client, text in (("anna", fact.held_out[0]), ("bert", mine)):
        run("chat", document, "--client", client, "--message", text, home=home)
    assert "2 rows" in run("dataset", "collect", "--output", tmp_path / "dataset", home=home)
    report = curate(
        [tmp_path / "dataset" / "sft.jsonl"],
        tmp_path / "curated",
        pipeline=Pipeline.read(TRADES / "healthcare" / "curate.yaml"),
    )
    assert (report.rows_in, report.rows_out) == (2, 1)
    kept = (tmp_path / "curated" / "sft.jsonl").read_text(encoding="utf-8")
    assert "415 555" not in kept
    assert fact.answer in kept
