"""The pharmacy: its files are right, and it runs with nothing but the core installed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from declarative import check
from finetune import Question, read_questions
from finetune.questions import normalise
from swarm import Message
from swarm.testing import StubReply, StubServer, call_tool

EXAMPLE = Path(__file__).parents[2] / "examples" / "pharma"
DOCUMENT = EXAMPLE / "swarm.yaml"
EXTRAS = (
    "chromadb", "cohere", "datasets", "gguf", "litellm", "numpy", "openai", "peft", "safetensors",
    "tokenizers", "torch", "transformers", "trl", "xllamacpp",
)  # fmt: skip
COMMAND = Path(sys.executable).with_name("wikiswarm")


@pytest.fixture(scope="module")
def facts() -> tuple[Question, ...]:
    """The pharmacy's questions and answers."""
    return read_questions(EXAMPLE / "questions.yaml")


@pytest.fixture
def only_core(tmp_path: Path, home: Path) -> dict[str, str]:
    """An environment in which no library of an extra can be imported."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    program = f"import sys\nsys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
    (hidden / "sitecustomize.py").write_text(program, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(hidden), "WIKISWARM_HOME": str(home)}


def run(*command: object, env: Mapping[str, str]) -> str:
    """Run a program that must end well, and return its standard output."""
    words = [str(word) for word in command]
    result = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_extras_are_really_gone(only_core: dict[str, str]) -> None:
    program = (
        "import importlib\n"
        f"for name in {EXTRAS!r}:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError:\n"
        "        print(name)\n"
    )
    assert run(sys.executable, "-c", program, env=only_core).split() == list(EXTRAS)


def test_the_document_is_right() -> None:
    report = check(DOCUMENT, environment={})
    assert report.problems == ()
    assert {section: count for section, count in report.counts.items() if count} == {
        "completions": 1,
        "wikis": 1,
        "tools": 1,
        "agents": 1,
        "swarms": 1,
    }


@pytest.mark.requirement("S4-01", "S4-10", "S4-13", "S4-15", "S4-17")
def test_the_shop_answers_with_only_the_core(
    only_core: dict[str, str], facts: tuple[Question, ...]
) -> None:
    asked = {
        "What does Dolanex cost?": "dolanex-price",
        "Do you have something against a headache?": "dolanex-use",
        "How much is a pack of Dolanex?": "dolanex-price",
    }
    answers = {fact.id: fact.answer for fact in facts}
    messages = [word for text in asked for word in ("--message", text)]
    out = run(COMMAND, "chat", DOCUMENT, *messages, env=only_core)
    assert out.splitlines() == [answers[name] for name in asked.values()]
    listed = json.loads(run(COMMAND, "runs", "list", "--json", env=only_core))
    assert [item["question"] for item in reversed(listed)] == list(asked)
    shown = run(COMMAND, "runs", "show", listed[0]["run_id"], env=only_core)
    assert "calls find_pharma_product({})" in shown


def test_the_program_in_python_runs_with_only_the_core(only_core: dict[str, str]) -> None:
    out = run(sys.executable, EXAMPLE / "main.py", env=only_core)
    assert "Dolanex tablets help against a headache." in out
    assert "4.80 euros" in out


@pytest.mark.requirement("S4-10")
def test_the_same_document_speaks_through_a_model_server(home: Path) -> None:
    def reply(request: Mapping[str, Any]) -> StubReply | Message:
        last = request["messages"][-1]
        if last["role"] == "tool":
            return StubReply(f"As our wiki says: {last['content']}")
        return call_tool("find_pharma_product", "call_1")

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(StubServer(reply)) as server,
    ):
        env = {
            **os.environ,
            "PHARMA_MODEL": "openai/any",
            "PHARMA_BASE_URL": server.base_url,
            "WIKISWARM_HOME": str(home),
        }
        out = run(COMMAND, "chat", DOCUMENT, "-m", "What does Dolanex cost?", env=env)
    assert out == "As our wiki says: A pack of 20 Dolanex tablets costs 4.80 euros.\n"
    assert len(server.requests) == 2
    assert server.requests[0]["messages"][0]["content"].endswith(
        "To find product information call the tool find_pharma_product"
    )


@pytest.mark.requirement("S4-02")
def test_there_are_enough_facts_to_learn_from(facts: tuple[Question, ...]) -> None:
    assert len(facts) >= 60
    assert len({fact.answer for fact in facts}) == len(facts)
    for fact in facts:
        assert len(fact.train) >= 3, fact.id
        assert len(fact.held_out) >= 2, fact.id
    trained = [normalise(text) for fact in facts for text in fact.train]
    held_out = [normalise(text) for fact in facts for text in fact.held_out]
    assert len(set(trained)) == len(trained)
    assert len(set(held_out)) == len(held_out)
    assert not set(trained) & set(held_out)
