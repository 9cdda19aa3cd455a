"""The student learns what a teacher behind an OpenAI-shaped server said, and answers without it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from anyio.from_thread import start_blocking_portal

from finetune import read_questions
from finetune.lookup import Lookup
from swarm.testing import StubReply, StubServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "teacher"


@pytest.mark.xdist_group("trained_run")
@pytest.mark.requirement("S0-46")
def test_teacher_corpus_student_gguf_and_served_answers(home: Path) -> None:
    facts = read_questions(EXAMPLE / "handbook.yaml")
    lookup = Lookup(facts)

    def teach(request: Mapping[str, Any]) -> StubReply:
        system, asked = request["messages"]
        assert "A drill costs 3 euros a day" in system["content"]
        return StubReply(f"The handbook says: {lookup.look_up(asked['content'])}")

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(StubServer(teach)) as server,
    ):
        done = subprocess.run(
            [sys.executable, EXAMPLE / "main.py"],
            env={
                **os.environ,
                "WIKISWARM_HOME": str(home),
                "TEACHER_MODEL": "openai/any",
                "TEACHER_BASE_URL": server.base_url,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        taught = len(server.requests)
    assert done.returncode == 0, done.stderr + done.stdout
    questions = [text for fact in facts for text in fact.train]
    assert taught == len(questions)  # the student's answers ask it nothing
    lines = (home / "dataset" / "lessons.jsonl").read_bytes().splitlines()
    rows = [orjson.loads(line)["messages"] for line in lines]
    assert sorted(row[0]["content"] for row in rows) == sorted(questions)
    assert all(row[-1]["content"].startswith("The handbook says: ") for row in rows)
    assert (home / "models" / "handbook" / "1" / "weights.gguf").read_bytes()[:4] == b"GGUF"
    assert "FROM ./weights.gguf" in (home / "models" / "handbook" / "1" / "Modelfile").read_text()
    assert "served at http://127.0.0.1:" in done.stdout
