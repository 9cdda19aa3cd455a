"""Looks at a wiki whose answers are in a journal: what they count, raise and change."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from benchmarks.watch import normal_ratings
from finetune.loop import LoopRunningError
from finetune.watch import (
    ALARM_TOPIC,
    Watched,
    log_prediction,
    read_alarms,
    watch_folder,
    watch_wiki,
)
from swarm import Catalog, Host, listen_event, use_catalog
from swarm.bus import BusEvent
from swarm.errors import DataError, InvalidIdError
from swarm.store import Database, Feedback, add_feedback, open_database
from tests.finetune.watch.journals import Turn, write_turns
from tests.postgres import PostgresServer
from wiki import ModelRegistry, WatchSpec, add_wiki

pytestmark = pytest.mark.anyio

V1, V2, V3 = (f"registry/pharma@{number}" for number in (1, 2, 3))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    """Three versions of a model; the third is live and the second was before."""
    registry = ModelRegistry(tmp_path / "models")
    for number in (1, 2, 3):
        registry.register("pharma", remote=f"vllm/pharma-{number}")
        registry.promote("pharma", number)
    return registry


def _catalog(model: str = "registry/pharma@live", **watch: Any) -> Catalog:
    with use_catalog(Catalog()) as catalog:
        add_wiki(
            wiki_name="pharma",
            model=model,
            watch=WatchSpec.model_validate({"per_client": 100_000, **watch}),
        )
    return catalog


def _turns(model: str, mean: float, count: int, *, seed: int = 1, **fields: Any) -> list[Turn]:
    given = normal_ratings(np.random.default_rng(seed), mean, 1, count)[0]
    return [Turn(model, int(rating), **fields) for rating in given]


def _log(folder: Path, turns: list[Turn]) -> Path:
    """Add turns to a log of predictions."""
    path = folder / "predictions.jsonl"
    for turn in turns:
        log_prediction(turn.question, turn.text, turn.rating, path=path)
    return path


async def _look(catalog: Catalog, database: Database, tmp_path: Path, **options: Any) -> Watched:
    return await watch_wiki("pharma", catalog, database, tmp_path, **options)


@pytest.mark.requirement("S3-19")
async def test_a_fall_of_one_version_is_told_once(database: Database, tmp_path: Path) -> None:
    catalog = _catalog(signals=False)
    await write_turns(database, _turns(V3, 4.0, 400))
    quiet = await _look(catalog, database, tmp_path)
    assert (quiet.new_ratings, quiet.new_answers, quiet.alarms) == (400, 400, ())
    await write_turns(database, _turns(V3, 3.0, 200, seed=2), client_id="ben")
    found = await _look(catalog, database, tmp_path)
    (alarm,) = found.alarms
    assert (alarm.signal, alarm.model, alarm.outcome) == ("ratings", V3, "told")
    assert alarm.before == pytest.approx(4.0, abs=0.2) and alarm.after < 3.5
    assert "ratings fell from" in alarm.message
    assert (found.new_ratings, found.streams[0].rated) == (200, 600)
    again = await _look(catalog, database, tmp_path)
    assert (again.new_ratings, again.new_answers, again.alarms) == (0, 0, ())
    assert read_alarms(watch_folder(tmp_path, "pharma")) == [alarm]


async def test_many_looks_find_what_one_look_finds(database: Database, tmp_path: Path) -> None:
    turns = [*_turns(V3, 4.0, 300), *_turns(V3, 2.8, 200, seed=3)]
    catalog = _catalog()
    alarms: list[tuple[float, int]] = []
    for index in range(0, len(turns), 37):
        await write_turns(database, turns[index : index + 37], client_id=f"c{index:03}")
        found = (await _look(catalog, database, tmp_path / "many")).alarms
        alarms += [(alarm.after, alarm.after_count) for alarm in found]
    whole = await _look(catalog, database, tmp_path / "one")
    assert [(alarm.after, alarm.after_count) for alarm in whole.alarms] == alarms
    states = [
        json.loads((watch_folder(tmp_path / name, "pharma") / "state.json").read_bytes())
        for name in ("many", "one")
    ]
    for state in states:
        del state["day"], state["voices"]
    assert states[0] == states[1]


async def test_a_worse_version_is_rolled_back_once_and_the_next_look_changes_nothing(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    catalog = _catalog(on_alarm="rollback", signals=False)
    # The new version has no history of its own; it is compared with the one before.
    await write_turns(database, _turns(V2, 4.0, 400))
    await write_turns(database, _turns(V3, 3.0, 200, seed=2), client_id="ben")
    (alarm,) = (await _look(catalog, database, tmp_path)).alarms
    assert alarm.outcome == "rolled back: pharma@2 is live again"
    assert registry.get("pharma@live").version == 2
    assert registry.history("pharma")[-1].by == "watch"
    assert (await _look(catalog, database, tmp_path)).alarms == ()
    # Late ratings of the version that is gone change nothing.
    await write_turns(database, _turns(V3, 1.0, 300, seed=4), client_id="cyd")
    late = (await _look(catalog, database, tmp_path)).alarms
    assert {one.outcome for one in late} == {f"nothing was changed: {V2} is in service, not {V3}"}
    # Nor does a fall of the version that came back lead to the one that was bad.
    await write_turns(database, _turns(V2, 1.5, 300, seed=5), client_id="dan")
    (other,) = (await _look(catalog, database, tmp_path)).alarms
    assert other.outcome == "not rolled back: pharma@3 had an alarm itself"
    assert registry.get("pharma@live").version == 2


async def test_a_new_version_is_compared_with_the_one_whose_place_it_took(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    catalog = _catalog(on_alarm="rollback", signals=False)
    for client, turns in (
        ("ann", _turns(V2, 4.0, 400)),
        ("ben", _turns(V3, 2.5, 200, seed=2)),
        ("cyd", _turns(V2, 4.0, 100, seed=3)),
    ):
        await write_turns(database, turns, client_id=client)
        await _look(catalog, database, tmp_path)
    assert registry.get("pharma@live").version == 2
    registry.register("pharma", remote="vllm/pharma-4")
    registry.promote("pharma", 4)
    # Better than the version that failed, and worse than the one that stood in for it.
    v4 = "registry/pharma@4"
    await write_turns(database, _turns(v4, 3.2, 200, seed=4), client_id="dan")
    (alarm,) = (await _look(catalog, database, tmp_path)).alarms
    assert (alarm.model, alarm.outcome) == (v4, "rolled back: pharma@2 is live again")


async def test_alarms_keep_their_numbers_when_the_state_is_removed(
    database: Database, tmp_path: Path
) -> None:
    catalog = _catalog(signals=False)
    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 2, 100, seed=2)])
    await _look(catalog, database, tmp_path)
    folder = watch_folder(tmp_path, "pharma")
    (folder / "state.json").unlink()
    with (folder / "alarms.jsonl").open("ab") as file:
        file.write(b'{"torn')
    await _look(catalog, database, tmp_path)
    assert [alarm.number for alarm in read_alarms(folder)] == [1, 2]


@pytest.mark.requirement("S3-19", "S3-20")
async def test_each_project_is_watched_by_its_own_conversations(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    catalog = _catalog(on_alarm="rollback", signals=False)
    await write_turns(database, _turns(V3, 4, 300), client_id="ann", project="north")
    await write_turns(database, _turns(V3, 2, 100, seed=2), client_id="ben", project="south")
    await write_turns(database, _turns(V3, 4, 50, seed=3), client_id="cyd")
    for project, count in (("north", 300), ("south", 100), ("", 50)):
        found = await _look(catalog, database, tmp_path, project=project)
        assert (found.new_ratings, found.new_answers, found.alarms) == (count, count, ())
    await write_turns(database, _turns(V3, 2, 100, seed=4), client_id="dan", project="north")
    (alarm,) = (await _look(catalog, database, tmp_path, project="north")).alarms
    assert alarm.outcome == "rolled back: pharma@2 is live again"
    # One project's watch does not go back to what that of another took away.
    await write_turns(database, _turns(V2, 5, 300), client_id="eve", project="south")
    await write_turns(database, _turns(V2, 1, 100), client_id="fay", project="south")
    (alarm,) = (await _look(catalog, database, tmp_path, project="south")).alarms
    assert alarm.outcome == "not rolled back: pharma@3 had an alarm itself"
    with pytest.raises(InvalidIdError, match="project"):
        await _look(catalog, database, tmp_path, project="../../north")
    assert (await _look(catalog, database, tmp_path, project="..")).new_ratings == 0


@pytest.mark.parametrize(
    ("model", "outcome"),
    [
        ("registry/pharma@3", "nothing to roll back: the wiki asks registry/pharma@3"),
        ("openai/some-model", "nothing to roll back: the wiki asks openai/some-model"),
        ("registry/absent@live", "failed: "),
    ],
)
async def test_what_cannot_be_rolled_back_is_told(
    database: Database, tmp_path: Path, registry: ModelRegistry, model: str, outcome: str
) -> None:
    catalog = _catalog(model, on_alarm="rollback", signals=False)
    answered = model.replace("absent@live", "absent@1")
    await write_turns(database, [*_turns(answered, 4, 300), *_turns(answered, 2, 100, seed=2)])
    (alarm,) = (await _look(catalog, database, tmp_path)).alarms
    assert alarm.outcome is not None and alarm.outcome.startswith(outcome)
    assert registry.get("pharma@live").version == 3


async def test_the_loop_is_started_once_for_a_version(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    catalog = _catalog(on_alarm="loop", signals=False)
    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 3, 200, seed=2)])
    started: list[str] = []
    (alarm,) = (await _look(catalog, database, tmp_path, start=started.append)).alarms
    assert (alarm.outcome, started) == ("the loop was started", ["pharma"])
    await write_turns(database, _turns(V3, 1, 300, seed=3), client_id="ben")
    (alarm,) = (await _look(catalog, database, tmp_path, start=started.append)).alarms
    assert alarm.outcome == "not started again: the loop ran for this version already"
    assert started == ["pharma"]


@pytest.mark.requirement("S3-19")
async def test_a_loop_that_fails_costs_no_alarm_and_is_tried_again(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    catalog = _catalog(on_alarm="loop", signals=False)
    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 3, 200, seed=2)])

    def fail(wiki_name: str) -> None:
        raise LoopRunningError(wiki_name, " in process 1")

    found = await _look(catalog, database, tmp_path, start=fail)
    (alarm,) = found.alarms
    assert (alarm.model, alarm.outcome) == (V3, "the loop was started")
    (problem,) = found.problems
    assert problem.startswith("pharma: the loop failed: another round of 'pharma' is running")
    await write_turns(database, _turns(V3, 1, 300, seed=3), client_id="ben")
    started: list[str] = []
    found = await _look(catalog, database, tmp_path, start=started.append)
    assert (started, found.problems) == (["pharma"], ())


async def test_without_a_loop_it_is_told_that_it_is_not_there(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 3, 200, seed=2)])
    (alarm,) = (await _look(_catalog(on_alarm="loop"), database, tmp_path)).alarms
    assert alarm.outcome is not None and "no loop is declared" in alarm.outcome


async def test_what_moves_without_ratings_is_told_in_words(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    random = np.random.default_rng(1)

    def answers(words: int, sure: float, declines: float) -> list[Turn]:
        return [
            Turn(
                V3,
                text="I am sorry, but I cannot help with that."
                if random.random() < declines
                else "word " * int(random.integers(words, words * 2)),
                confidence=float(random.uniform(sure, sure + 0.1)),
            )
            for _ in range(300)
        ]

    catalog = _catalog(on_alarm="rollback")
    await write_turns(database, answers(20, 0.85, 0.02))
    assert (await _look(catalog, database, tmp_path)).alarms == ()
    await write_turns(database, answers(60, 0.6, 0.3), client_id="ben")
    found = (await _look(catalog, database, tmp_path)).alarms
    told = {alarm.signal: alarm.message for alarm in found}
    assert set(told) == {"length", "refusals", "confidence"}
    assert "answers got longer: " in told["length"]
    assert "refusals rose from " in told["refusals"]
    assert "confidence fell from 0." in told["confidence"]
    # Only ratings are acted on unless the declaration says otherwise.
    assert {alarm.action for alarm in found} == {"report"}
    assert registry.get("pharma@live").version == 3


async def test_other_questions_are_found_by_their_vectors(
    database: Database, tmp_path: Path
) -> None:
    random = np.random.default_rng(1)

    def questions(kinds: list[str], count: int) -> list[Turn]:
        things = ["Velorin", "Dolanex", "the syrup", "the ointment", "the drops"]
        return [
            Turn(V3, question=f"{random.choice(kinds)} {random.choice(things)}?")
            for _ in range(count)
        ]

    prices = ["What does a pack cost of", "How much is", "Is there a discount on"]
    effects = ["Which side effects has", "May children take", "Is it safe to drive after"]
    catalog = _catalog(embedding="hash", window=50)
    await write_turns(database, questions(prices, 1000))
    assert (await _look(catalog, database, tmp_path)).alarms == ()
    await write_turns(database, questions(effects, 50), client_id="ben")
    (alarm,) = (await _look(catalog, database, tmp_path)).alarms
    assert alarm.signal == "questions"
    assert "other questions are asked" in alarm.message and "hash" in alarm.message
    assert alarm.after < alarm.before
    # From then on these are the usual ones.
    await write_turns(database, questions(effects, 400), client_id="cyd")
    assert (await _look(catalog, database, tmp_path)).alarms == ()


async def test_one_run_and_one_client_have_one_voice(database: Database, tmp_path: Path) -> None:
    runs = await write_turns(database, _turns(V3, 4, 300))
    await _look(_catalog(), database, tmp_path)
    for _ in range(100):
        await add_feedback(database, Feedback(run_id=runs[0], rating=1))
    again = await _look(_catalog(), database, tmp_path)
    assert (again.new_ratings, again.alarms) == (0, ())
    await write_turns(database, _turns(V3, 1, 300, seed=2), client_id="mallory")
    few = await _look(_catalog(per_client=5), database, tmp_path)
    assert (few.new_ratings, few.new_answers, few.alarms) == (5, 300, ())
    assert few.problems == (
        "295 new ratings do not count: more than 5 of one client on one day (`per_client`)",
    )


async def test_answers_of_a_fallback_are_apart(database: Database, tmp_path: Path) -> None:
    catalog = _catalog(on_alarm="rollback", signals=False)
    turns = [*_turns("openai/paid", 4, 300), *_turns("openai/paid", 2, 200, seed=2)]
    await write_turns(database, [turn._replace(is_fallback=True) for turn in turns])
    (alarm,) = (await _look(catalog, database, tmp_path)).alarms
    assert (alarm.model, alarm.outcome) == ("openai/paid (fallback)", "told")


@pytest.mark.requirement("S3-18", "S3-19")
async def test_a_log_is_read_from_where_the_last_look_ended(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    log = tmp_path / "predictions.jsonl"
    catalog = _catalog(on_alarm="rollback", signals=False)
    for turn in _turns(V3, 4.0, 300):
        log_prediction(turn.question, turn.text, turn.rating, path=log)
    with log.open("ab") as file:
        file.write(b'{"query": 1}\n{"query": "cut o')
    found = await _look(catalog, database, tmp_path, log=log)
    assert found.new_answers == 300
    assert [problem.removeprefix(str(log)) for problem in found.problems] == [
        ":301: no prediction: query: Input should be a valid string",
        ":302: the last line has no end; left for later",
    ]
    with log.open("ab") as file:
        file.write(b'ff"}\n')
    for turn in _turns(V3, 2.5, 100, seed=2):
        log_prediction(turn.question, turn.text, turn.rating, path=log)
    found = await _look(catalog, database, tmp_path, log=log)
    assert (found.new_answers, len(found.problems)) == (100, 1)
    (alarm,) = found.alarms
    assert (alarm.model, alarm.outcome) == (
        "log:predictions.jsonl",
        "rolled back: pharma@2 is live again",
    )
    log.write_bytes(b"")
    (problem,) = (await _look(catalog, database, tmp_path, log=log)).problems
    assert "shorter than it was" in problem


async def test_a_damaged_state_is_named_and_not_overwritten(
    database: Database, tmp_path: Path
) -> None:
    await _look(_catalog(), database, tmp_path)
    path = watch_folder(tmp_path, "pharma") / "state.json"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DataError, match=r"state\.json is damaged .*remove it"):
        await _look(_catalog(), database, tmp_path)
    assert len(path.read_bytes()) == 20


async def test_an_alarm_is_told_to_those_that_listen(database: Database, tmp_path: Path) -> None:
    catalog = _catalog(signals=False)
    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 2, 100, seed=2)])
    heard: list[BusEvent] = []
    told = anyio.Event()

    def hear(event: BusEvent) -> None:
        heard.append(event)
        told.set()

    with use_catalog(catalog):
        stop = listen_event("*", ALARM_TOPIC, hear)
    async with Host(catalog=catalog, home=tmp_path, environment={}):
        await _look(catalog, database, tmp_path)
        with anyio.fail_after(5):
            await told.wait()
    stop()
    (event,) = heard
    assert event.payload["signal"] == "ratings"


PROGRAM = """
import sys
from pathlib import Path
import anyio
from finetune.watch import watch_wiki
from swarm import Catalog, use_catalog
from swarm.store import open_database
from wiki import add_wiki

home = Path(sys.argv[1])
with use_catalog(Catalog()) as catalog:
    add_wiki(wiki_name="pharma", model="registry/pharma@live",
             watch={"per_client": 100000, "on_alarm": "rollback", "signals": False})
database = open_database(home)
found = anyio.run(watch_wiki, "pharma", catalog, database, home)
print(found.new_ratings, len(found.alarms))
"""


async def test_processes_that_look_at_the_same_time_count_and_act_once(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 2.5, 200, seed=2)])
    program = tmp_path / "look.py"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, str(program), str(tmp_path)]
    counts: list[list[int]] = []

    async def run() -> None:
        counts.append([int(word) for word in (await anyio.run_process(command)).stdout.split()])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        tasks.start_soon(run)
    assert sorted(counts) == [[0, 0], [500, 1]]
    assert registry.get("pharma@live").version == 2
    assert [event.action for event in registry.history("pharma")].count("rollback") == 1


async def test_a_look_that_was_cut_off_is_finished_by_the_next(
    database: Database, tmp_path: Path, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    import finetune.watch.run as run

    await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 2.5, 200, seed=2)])
    catalog = _catalog(on_alarm="rollback", signals=False)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "act", killed)
        await _look(catalog, database, tmp_path)
    assert registry.get("pharma@live").version == 3
    found = await _look(catalog, database, tmp_path)
    assert found.new_ratings == 0
    assert [alarm.outcome for alarm in found.alarms] == ["rolled back: pharma@2 is live again"]
    assert [alarm.number for alarm in read_alarms(watch_folder(tmp_path, "pharma"))] == [1]


@pytest.mark.requirement("S3-19", "S3-20")
@pytest.mark.parametrize(
    ("from_log", "is_promoted"), [(True, False), (False, False), (False, True)]
)
async def test_a_look_that_is_killed_after_its_rollback_is_not_undone_by_the_next(
    database: Database,
    tmp_path: Path,
    registry: ModelRegistry,
    monkeypatch: pytest.MonkeyPatch,
    from_log: bool,
    is_promoted: bool,
) -> None:
    import finetune.watch.run as run

    turns = [*_turns(V3, 4, 300), *_turns(V3, 2.5, 100, seed=2)]
    log = _log(tmp_path, turns) if from_log else None
    if not from_log:
        await write_turns(database, turns)
    catalog = _catalog(on_alarm="rollback", signals=False)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run, "append_alarm", killed)
        await _look(catalog, database, tmp_path, log=log)
    assert registry.get("pharma@live").version == 2
    if is_promoted:  # by a person who thinks otherwise
        registry.promote("pharma", 3)
    live = registry.get("pharma@live")
    (alarm,) = (await _look(catalog, database, tmp_path, log=log)).alarms
    assert (alarm.judged, alarm.outcome) == (V3, f"rolled back already: {live} is live")
    assert registry.get("pharma@live").version == live.version
    assert [event.action for event in registry.history("pharma")].count("rollback") == 1


@pytest.mark.requirement("S3-19", "S3-20")
async def test_two_alarms_of_a_log_in_one_look_are_about_one_version(
    database: Database, tmp_path: Path, registry: ModelRegistry
) -> None:
    catalog = _catalog(on_alarm="rollback", signals=False)
    log = _log(tmp_path, [*_turns(V3, 4, 300), *_turns(V3, 3, 100), *_turns(V3, 1, 100, seed=2)])
    alarms = (await _look(catalog, database, tmp_path, log=log)).alarms
    assert [(alarm.judged, alarm.outcome) for alarm in alarms] == [
        (V3, "rolled back: pharma@2 is live again"),
        (V3, "rolled back already: pharma@2 is live"),
    ]
    # The version that came back was not blamed, so that a later one may be rolled back to it.
    registry.register("pharma", remote="vllm/pharma-4")
    registry.promote("pharma", 4)
    _log(tmp_path, [*_turns(V3, 5, 400), *_turns(V3, 1, 100)])
    alarms = (await _look(catalog, database, tmp_path, log=log)).alarms
    assert [alarm.outcome for alarm in alarms] == ["rolled back: pharma@2 is live again"]


async def test_a_journal_on_postgresql_is_read_alike(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = open_database(tmp_path, postgres.fresh_url())
    try:
        runs = await write_turns(database, [*_turns(V3, 4, 300), *_turns(V3, 2.5, 100, seed=2)])
        found = await _look(_catalog(signals=False), database, tmp_path)
        assert (found.new_ratings, found.new_answers, len(found.alarms)) == (400, 400, 1)
        await add_feedback(database, Feedback(run_id=runs[0], rating=1))
        again = await _look(_catalog(signals=False), database, tmp_path)
        assert (again.new_ratings, again.new_answers) == (0, 0)
    finally:
        database.close()
