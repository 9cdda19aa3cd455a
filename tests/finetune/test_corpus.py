"""The export of a corpus: what is written, what is counted, and what is refused."""

import json
from pathlib import Path

import pytest

from finetune.corpus import curate_samples, export_training_corpus
from finetune.curate.rules import RulesConfig
from finetune.dataset.detect import detect_file
from finetune.dataset.rows import encode_row
from finetune.dataset.sample import Provenance, Sample
from swarm import CompletionRequest, session
from swarm.errors import DataError, UnknownNameError
from swarm.store import Feedback, add_feedback, list_runs
from tests.finetune.dataset.samples import sample
from tests.finetune.dataset.test_round_trip import DPO_ROWS
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


def model(request: CompletionRequest) -> str:
    """Answer."""
    return f"re: {request.messages[-1].content}"


def names(folder: Path) -> list[str]:
    """Return what stands in a folder."""
    return sorted(path.name for path in folder.iterdir())


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


@pytest.mark.requirement("S0-16", "S0-17", "S0-18", "S0-19", "S0-20", "S0-42")
@pytest.mark.parametrize("name", ["openai", "alpaca", "chatml", "sharegpt"])
async def test_a_corpus_is_redacted_without_copies_and_in_any_format(
    tmp_path: Path, name: str
) -> None:
    program = Program(tmp_path / "home")
    program.agent("seller", model=model)
    program.swarm("shop")
    asked = (
        "Please send the invoice for my order to ada.lovelace@example.org as soon as you can.",
        "Please send the invoice for my order to ada.lovelace@example.org as soon as you can!",
        "Which of your kettles boils two litres of water in less than five minutes?",
    )
    async with program.host() as host:
        async with session("ada", "shop", host=host) as chat:
            for question in asked:
                await chat.complete(question)
        corpus = await export_training_corpus(
            output_path=tmp_path / "out.jsonl",
            format=name,
            deduplicate=True,
            min_quality_score=0.1,
            database=host.database,
        )
    text = corpus.path.read_text(encoding="utf-8")
    assert "lovelace" not in text
    assert "[EMAIL]" in text
    assert corpus.num_examples == len(text.splitlines())
    assert corpus.pii_redacted >= 2
    kind, rows = detect_file(corpus.path).format, corpus.num_examples
    assert (kind, rows) == (name, 3 - corpus.duplicates_removed)
    assert corpus.duplicates_removed == 1 and sum(corpus.removed.values()) == 1
    beside = ["home", "out.jsonl", "out.provenance.jsonl"]
    assert names(tmp_path) == beside


async def test_nothing_is_written_when_no_row_passes(tmp_path: Path) -> None:
    program = await talked(tmp_path / "home")
    async with program.host() as host:
        with pytest.raises(DataError, match="no run is left"):
            await export_training_corpus(
                output_path=tmp_path / "out.jsonl", min_quality_score=1.0, database=host.database
            )
    assert names(tmp_path) == ["home"]


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


def test_samples_of_both_kinds_keep_their_order_and_their_provenance() -> None:
    pair = DPO_ROWS[0]
    given = [Sample(pair, Provenance(source="journal", run_id="p"))]
    given += [sample("a?"), sample("", ""), sample("b?")]
    left, report = curate_samples(given, [RulesConfig()])
    said = [json.loads(encode_row(one.row))["messages"][0]["content"] for one in left[:-1]]
    assert said == ["a?", "b?"]
    assert left[-1] == given[0]
    assert (report.rows_in, report.rows_out) == (4, 3)
    assert curate_samples([], [RulesConfig()])[0] == []
