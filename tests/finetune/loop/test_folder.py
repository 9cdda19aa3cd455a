"""Folders of rounds: their order, links, damage, and files of other versions."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from finetune.loop import LoopResult, due_wikis, run_loop
from finetune.loop.folder import RunFolder, past_rounds, unfinished_round
from swarm.errors import DataError
from tests.finetune.loop.shop import catalog_of, shop_wiki, write_shop

NOW = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)


def ended(home: Path, at: datetime) -> RunFolder:
    """Leave a round that ended at once."""
    run = RunFolder.begin(home, "pharma", at)
    result = {"wiki": "pharma", "name": run.path.name, "run_dir": run.path, "stages": ()}
    result |= {"outcome": "refused", "reasons": (), "finished_at": at}
    run.finish(LoopResult.model_validate(result))
    return run


def test_rounds_are_in_their_order_although_the_clock_is_set_back(tmp_path: Path) -> None:
    first, again = ended(tmp_path, NOW), ended(tmp_path, NOW)
    back = RunFolder.begin(tmp_path, "pharma", NOW - timedelta(days=400))
    assert [run.path for run in past_rounds(tmp_path, "pharma")] == [
        back.path, again.path, first.path,
    ]  # fmt: skip
    # It is the one that a call goes on with, and keeps its own time.
    unfinished = unfinished_round(tmp_path, "pharma")
    assert unfinished is not None and unfinished.path == back.path
    known = back.read()
    assert known is not None and known.name == back.path.name
    assert known.started_at == NOW - timedelta(days=400)


@pytest.mark.requirement("S1-17")
def test_a_round_of_a_clock_that_was_wrong_does_not_stop_the_schedule(tmp_path: Path) -> None:
    ended(tmp_path, NOW + timedelta(days=3650))
    catalog = catalog_of(shop_wiki(every="7 days"))
    assert due_wikis(catalog, home=tmp_path, now=NOW)[0].is_due
    ended(tmp_path, NOW)
    (due,) = due_wikis(catalog, home=tmp_path, now=NOW + timedelta(hours=1))
    assert not due.is_due and due.next == NOW + timedelta(days=7)


@pytest.mark.requirement("S1-17")
def test_who_looks_each_week_at_the_same_second_misses_no_round(tmp_path: Path) -> None:
    ended(tmp_path, NOW + timedelta(seconds=3))  # the look was at NOW
    catalog = catalog_of(shop_wiki(every="7 days"))
    assert due_wikis(catalog, home=tmp_path, now=NOW + timedelta(days=7))[0].is_due


def test_links_and_files_are_no_rounds(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    parent = tmp_path / "home" / "loops" / "pharma"
    parent.mkdir(parents=True)
    (parent / "20991231T000000Z").symlink_to(elsewhere)
    (parent / "20991230T000000Z").write_text("no folder", encoding="utf-8")
    assert past_rounds(tmp_path / "home", "pharma") == []
    run = RunFolder.begin(tmp_path / "home", "pharma", NOW)
    assert [one.path for one in past_rounds(tmp_path / "home", "pharma")] == [run.path]
    assert list(elsewhere.iterdir()) == []
    assert run.path.stat().st_mode & 0o077 == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"format": 2, "wiki": "pharma"}', "is of another version of wikiswarm; .* with --fresh"),
        ('{"format": 1, "wi', "is damaged; remove it, .* or begin anew with --fresh"),
        ("[" * 100_000, "is damaged"),
    ],
)
async def test_a_round_that_cannot_be_read_is_named_and_stops_no_other(
    tmp_path: Path, text: str, reason: str
) -> None:
    folder = write_shop(tmp_path / "shop")
    home, wiki = folder / "home", shop_wiki(minimum_new_rows=100, every="7 days")
    run = RunFolder.begin(home, "pharma", datetime.now(UTC))
    (run.path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"run\.json {reason}"):
        await run_loop(wiki, home=home, beside=folder)
    other = wiki.model_copy(update={"wiki_name": "other"})
    due = due_wikis(catalog_of(wiki, other), home=home)
    assert [(one.wiki, one.is_due) for one in due] == [("pharma", True), ("other", True)]
    fresh = await run_loop(wiki, home=home, beside=folder, fresh=True)
    assert fresh.outcome == "not_enough_data" and fresh.run_dir != run.path
    # Whoever comes next finds an ended round.
    assert not due_wikis(catalog_of(wiki), home=home)[0].is_due


@pytest.mark.anyio
async def test_a_stage_of_another_version_is_named(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    run = RunFolder.begin(folder / "home", "pharma", datetime.now(UTC))
    later = {"format": 2, "stage": "collect"}
    (run.path / "collect.json").write_text(json.dumps(later), encoding="utf-8")
    with pytest.raises(DataError, match=r"collect\.json is of another version of wikiswarm"):
        await run_loop(shop_wiki(), home=folder / "home", beside=folder)
