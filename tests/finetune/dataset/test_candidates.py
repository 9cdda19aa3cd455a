"""Candidates on each database: what waits, what was decided, and by whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from finetune.dataset.acceptance import AcceptanceRules, apply_rules
from finetune.dataset.candidates import Candidates
from finetune.dataset.sample import Sample
from swarm.errors import DataError
from swarm.store import Database, forget_client, open_database
from tests.finetune.dataset.samples import pair, sample
from tests.postgres import PostgresServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty store; None for the file in the home."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url()


@pytest.fixture
def database(tmp_path: Path, store: str | None) -> Iterator[Database]:
    """A database that nobody has used."""
    opened = open_database(tmp_path / "home", store)
    yield opened
    opened.close()


def said(run_id: str, answer: str = "Yes.", **origin: object) -> Sample:
    """Return a row of the journal."""
    return sample(f"Question {run_id}?", answer, source="journal", run_id=run_id, **origin)


async def test_rows_wait_until_somebody_decides(database: Database) -> None:
    candidates = Candidates(database)
    rows = [said("a", at=2.0, rating=5), said("b", at=1.0, client_id="ada"), pair("x", "y", "z")]
    assert await candidates.add(rows) == (3, 0, 0)
    assert await candidates.add(rows) == (0, 0, 3)
    listed = await candidates.list()
    assert [one.sample for one in listed] == [rows[2], rows[1], rows[0]]
    assert {one.state for one in listed} == {"candidate"}
    assert [one.kind for one in listed] == ["dpo", "sft", "sft"]
    first, second = listed[1], listed[2]
    assert await candidates.accept([first.id[:12]], by="grace", reason="good") == 1
    assert await candidates.reject([second.id], by="grace") == 1
    (accepted,) = await candidates.list(state="accepted")
    assert (accepted.decided_by, accepted.reason, accepted.sample) == ("grace", "good", rows[1])
    assert accepted.decided_at is not None
    with pytest.raises(DataError, match="no candidate begins"):
        await candidates.accept([first.id, "zzz"], by="grace")
    with pytest.raises(DataError, match="no candidate begins"):
        await candidates.accept([""], by="grace")
    assert len(await candidates.list(limit=2)) == 2


async def test_a_decision_stays_until_the_row_changes(database: Database) -> None:
    candidates = Candidates(database)
    await candidates.add([said("a")])
    (one,) = await candidates.list()
    await candidates.accept([one.id], by="grace")
    assert await candidates.add([said("a", rating=1)]) == (0, 0, 1)
    (same,) = await candidates.list()
    assert (same.state, same.sample.provenance.rating) == ("accepted", 1)
    assert await candidates.add([said("a", "No.", is_corrected=True)]) == (0, 1, 0)
    (changed,) = await candidates.list()
    assert (changed.id, changed.state, changed.decided_by) == (one.id, "candidate", None)


async def test_two_processes_add_and_decide_at_once(
    database: Database, tmp_path: Path, store: str | None
) -> None:
    other = open_database(tmp_path / "home", store)
    rows = [said(str(number)) for number in range(50)]
    try:
        first, second = Candidates(database), Candidates(other)
        async with anyio.create_task_group() as group:
            group.start_soon(first.add, rows)
            group.start_soon(second.add, rows)
        listed = await second.list()
        assert len(listed) == 50
        async with anyio.create_task_group() as group:
            for number, one in enumerate(listed):
                by = first if number % 2 else second
                group.start_soon(lambda c=by, i=one.id: c.accept([i], by="grace"))
        assert len(await first.list(state="accepted")) == 50
    finally:
        other.close()


RULES = """\
rules:
  - {name: bad, then: reject, when: {max_rating: 2, corrected: false}, reason: people disliked it}
  - {name: praised, then: accept, when: {min_rating: 4, agent_name: seller}}
  - {name: corrected, then: accept, when: {corrected: true}}
  - {name: old, then: reject, when: {older_than_days: 30}}
"""


async def test_rules_decide_in_their_order_and_leave_people_alone(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    now = 100 * 86_400.0
    candidates = Candidates(database)
    cases: dict[str, tuple[dict[str, Any], str, str | None]] = {
        "liked": ({"rating": 5, "agent_name": "seller"}, "accepted", "rule:praised"),
        "of another": ({"rating": 5, "agent_name": "clerk"}, "candidate", None),
        "bad": ({"rating": 1, "agent_name": "seller"}, "rejected", "rule:bad"),
        "mended": ({"rating": 1, "is_corrected": True}, "accepted", "rule:corrected"),
        "old": ({"at": 60 * 86_400.0}, "rejected", "rule:old"),
        "new": ({"at": 80 * 86_400.0}, "candidate", None),
        "unknown age": ({}, "candidate", None),
        "by hand": ({"rating": 1}, "accepted", "grace"),
    }
    await candidates.add([said(name, **origin) for name, (origin, _, _) in cases.items()])
    (hand,) = [one for one in await candidates.list() if one.sample.provenance.run_id == "by hand"]
    await candidates.accept([hand.id], by="grace")
    counts = await apply_rules(candidates, AcceptanceRules.read(path), now=now)
    assert counts == {"bad": 1, "praised": 1, "corrected": 1, "old": 1}
    found = {one.sample.provenance.run_id: one for one in await candidates.list()}
    assert {name: (one.state, one.decided_by) for name, one in found.items()} == {
        name: (state, by) for name, (_, state, by) in cases.items()
    }
    assert found["bad"].reason == "people disliked it"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [{name: a, then: accept, when: {}}]", "without a condition"),
        ("rules: [{name: a, then: allow, when: {min_rating: 4}}]", r"rules\.0\.then"),
        ("rules: [{name: a, then: accept, when: {min_ratign: 4}}]", r"when\.min_ratign"),
        ("rules: [{name: a, then: accept, when: {min_rating: 6}}]", r"when\.min_rating"),
        ("rules: [", "not YAML"),
        ("!!python/object:os.system {}", "not YAML"),
        ("- a", "rules"),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=problem):
        AcceptanceRules.read(path)


@pytest.mark.requirement("S0-43", "S0-44")
async def test_projects_are_apart_and_a_client_can_be_forgotten(database: Database) -> None:
    candidates = Candidates(database)
    await candidates.add(
        [
            said("a", client_id="ada", project="north"),
            said("a", client_id="ada", project="south"),
            said("b", client_id="bob", project="north"),
            said("c", client_id="cy"),
        ]
    )
    north = await candidates.list(project="north")
    assert [one.sample.provenance.client_id for one in north] == ["ada", "bob"]
    assert [one.sample.provenance.client_id for one in await candidates.list(project="")] == ["cy"]
    done = await forget_client(database, "ada", project="north")
    assert done.rows == {"dataset_candidates": 1}
    assert len(await candidates.list()) == 3
    done = await forget_client(database, "ada")
    assert done.rows == {"dataset_candidates": 1}
    left = {one.sample.provenance.client_id for one in await candidates.list()}
    assert left == {"bob", "cy"}
