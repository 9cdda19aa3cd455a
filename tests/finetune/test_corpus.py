"""The export of a corpus: what is written, what is counted, and what is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from finetune.corpus import curate_samples, export_training_corpus
from finetune.curate.rules import RulesConfig
from finetune.curate.step import Decision, Note, StepConfig, Verdict
from finetune.dataset.sample import Sample, row_id
from finetune.dataset.texts import change_texts
from swarm import CompletionRequest, session
from swarm.errors import DataError, UnknownNameError
from swarm.store import Feedback, add_feedback, list_runs
from tests.finetune.dataset.samples import sample
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


def model(request: CompletionRequest) -> str:
    """Answer."""
    return f"re: {request.messages[-1].content}"


async def talked(folder: Path, project: str | None = None, client_id: str = "ada") -> Program:
    """Return a program in which a client asked two questions."""
    program = Program(folder)
    program.agent("seller", model=model)
    program.swarm("shop")
    async with (
        program.host(project=project) as host,
        session(client_id, "shop", host=host) as chat,
    ):
        await chat.complete(f"one of {client_id}")
        await chat.complete(f"two of {client_id}")
    return program


@pytest.mark.requirement("S0-16", "S0-20")
async def test_runs_become_a_file_and_its_provenance(tmp_path: Path) -> None:
    program = await talked(tmp_path / "home")
    async with program.host() as host:
        runs = await list_runs(host.database, agent_name="seller", status="completed", limit=10)
        corpus = await export_training_corpus(
            runs=runs, output_path=tmp_path / "out.jsonl", strip_pii=False, database=host.database
        )
        assert (corpus.num_examples, corpus.duplicates_removed, corpus.pii_redacted) == (2, 0, 0)
        rows = [json.loads(line) for line in corpus.path.read_text("utf-8").splitlines()]
        assert [row["messages"][-1]["content"] for row in rows] == [
            "re: one of ada",
            "re: two of ada",
        ]
        origins = [json.loads(line) for line in corpus.provenance.read_text("utf-8").splitlines()]
        assert [origin["run_id"] for origin in origins] == [run.run_id for run in reversed(runs)]
        await add_feedback(host.database, Feedback(run_id=runs[0].run_id, rating=1))
        fewer = await export_training_corpus(
            agent_name="seller",
            output_path=tmp_path / "out.jsonl",
            strip_pii=False,
            database=host.database,
        )
        assert (fewer.num_examples, fewer.dropped) == (1, {"low_rating": 1})
        done = await fewer.archive("local", bucket=str(tmp_path / "kept"), prefix="a")
        assert [file.name for file in done.files] == ["out.jsonl"]
        with pytest.raises(DataError, match="no run is left"):
            await export_training_corpus(
                agent_name="nobody",
                output_path=tmp_path / "none.jsonl",
                strip_pii=False,
                database=host.database,
            )
    assert not (tmp_path / "none.jsonl").exists()


@pytest.mark.requirement("S0-43", "S0-44")
async def test_a_corpus_never_mixes_projects_by_itself(tmp_path: Path) -> None:
    await talked(tmp_path / "home", "north", "ada")
    program = await talked(tmp_path / "home", "south", "bob")
    out = tmp_path / "out.jsonl"
    async with program.host() as host:
        with pytest.raises(DataError, match="several projects"):
            await export_training_corpus(output_path=out, strip_pii=False, database=host.database)
        assert not out.exists()
        corpus = await export_training_corpus(
            output_path=out, project="south", strip_pii=False, database=host.database
        )
    assert corpus.num_examples == 2
    assert "ada" not in out.read_text(encoding="utf-8")
    assert "ada" not in corpus.provenance.read_text(encoding="utf-8")


async def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="format named 'alpakka'"):
        await export_training_corpus(output_path=tmp_path / "out.jsonl", format="alpakka")


class _Shout(StepConfig):
    """Puts questions in capitals."""

    step_name: ClassVar[str] = "shout"

    def build(self) -> "_Shout":
        """Return the step."""
        return self

    def judge(self, sample: Sample) -> Verdict:
        """Change a row."""
        row = change_texts(sample.row, lambda text: text.text.upper())
        return Verdict(Sample(row, sample.provenance), (Note("shouted"),))


class _Once(StepConfig):
    """Keeps the first of equal rows."""

    step_name: ClassVar[str] = "once"
    is_corpus_step: ClassVar[bool] = True

    def build(self) -> "_Once":
        """Return the step."""
        return self

    def summarise(self, samples: Sequence[Sample]) -> np.ndarray:
        """Return a number for each row."""
        return np.array([int(row_id(one.row)[:15], 16) for one in samples])

    def decide(self, summaries: np.ndarray) -> list[Decision]:
        """Return the rows that are there already."""
        _, first = np.unique(summaries, return_index=True)
        return [
            Decision(at, Note("copy"))
            for at in range(len(summaries))
            if at not in {int(one) for one in first}
        ]


def test_steps_run_over_samples_and_are_counted() -> None:
    rows = [sample("a?"), sample("A?"), sample("b?"), sample("", "")]
    left, done = curate_samples(rows, [RulesConfig(), _Shout(), _Once()])
    said = [one.row.model_dump()["messages"][0]["content"] for one in left]
    assert said == ["A?", "B?"]
    assert done.changed == {"shout": 3}
    assert done.removed["once"] == {"copy": 1}
    assert sum(done.removed["rules"].values()) == 1
