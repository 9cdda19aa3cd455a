"""Forgetting a client over journal, candidates, dataset versions and models."""

import json
from pathlib import Path

import pytest

from finetune import collect
from finetune.dataset.candidates import Candidates
from finetune.dataset.split import split_samples
from finetune.dataset.versions import freeze
from finetune.forget import FORGOTTEN_LOG, forget
from swarm import CompletionRequest, session
from swarm.store import list_runs
from tests.swarm.program import Program
from wiki.registry import ModelRegistry

pytestmark = pytest.mark.anyio


def model(request: CompletionRequest) -> str:
    """Answer."""
    return f"I heard: {request.messages[-1].content}"


async def test_what_holds_a_client_is_emptied_or_named(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.agent("seller", model=model)
    program.swarm("shop")
    for client_id in ("ada", "bob", "cy"):
        async with program.host() as host, session(client_id, "shop", host=host) as chat:
            await chat.complete(f"I am {client_id}, and this is private")
    async with program.host() as host:
        database = host.database
        samples = (await collect(database)).samples
        await Candidates(database).add(samples)
        parted = split_samples(samples, valid=0.34)
        every = freeze(tmp_path / "datasets", parted.train, parted.valid)
        without = [s for s in samples if s.provenance.client_id != "ada"]
        other = freeze(tmp_path / "datasets", without, [])
        registry = ModelRegistry(tmp_path / "models")
        for made in (every, other):
            registry.register(
                "shop",
                remote="openai/ft:any",
                dataset_sha256=made.manifest.file("train.jsonl").sha256,
            )
        trial = await forget(database, "ada", home=tmp_path, is_trial=True)
        assert len(await list_runs(database)) == 3
        assert not (tmp_path / FORGOTTEN_LOG).exists()
        done = await forget(database, "ada", home=tmp_path)
        assert done == trial
        assert (done.sessions, done.runs, done.rows["dataset_candidates"]) == (1, 1, 1)
        assert done.datasets == (every.id,)
        assert done.models == ("shop@1",)
        assert [run.client_id for run in await list_runs(database)] == ["cy", "bob"]
        left = await Candidates(database).list()
        assert sorted(str(one.sample.provenance.client_id) for one in left) == ["bob", "cy"]
    lines = (tmp_path / FORGOTTEN_LOG).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["begun", "done"]
    assert not any("ada" in line or "private" in line for line in lines)
    assert json.loads(lines[1])["datasets"] == [every.id]


async def test_a_damaged_version_may_hold_something(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.agent("seller", model=model)
    program.swarm("shop")
    async with program.host() as host, session("ada", "shop", host=host) as chat:
        await chat.complete("Hi")
        found = await collect(host.database)
        made = freeze(tmp_path / "datasets", found.samples, [])
        origins = made.path / "provenance.jsonl"
        origins.chmod(0o644)
        origins.write_text("{", encoding="utf-8")
    async with program.host() as host:
        report = await forget(host.database, "ada", home=tmp_path, is_trial=True)
    assert (report.datasets, report.damaged) == ((), (made.path,))
