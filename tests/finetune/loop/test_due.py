"""Which wikis are due, and a round that something else starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from finetune.loop import LoopResult, due_wikis, loop_starter
from finetune.loop.folder import RunFolder
from swarm.errors import UnknownNameError
from tests.finetune.loop.conftest import Shop
from tests.finetune.loop.shop import begin_again, catalog_of, shop_wiki, write_shop
from wiki import WikiSpec


@pytest.mark.requirement("S1-17", "S0-40")
def test_a_wiki_is_due_by_its_schedule_and_when_its_round_is_unfinished(shop: Shop) -> None:
    other = WikiSpec(wiki_name="other", model="registry/other@live")
    new = shop_wiki(every="1 day").model_copy(update={"wiki_name": "new"})
    catalog = catalog_of(shop_wiki(every="7 days"), other, new)
    began = datetime.strptime(shop.first.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    def due(after: timedelta) -> dict[str, bool]:
        found = due_wikis(catalog, home=shop.home, now=began + after)
        return {one.wiki: one.is_due for one in found}

    assert due(timedelta(days=6)) == {"pharma": False, "new": True}
    assert due(timedelta(days=7, minutes=1)) == {"pharma": True, "new": True}
    begin_again(shop.home, "gate")
    assert due(timedelta(days=1)) == {"pharma": True, "new": True}
    pharma = due_wikis(catalog, home=shop.home)[0]
    assert pharma.is_unfinished and pharma.last is not None


@pytest.mark.requirement("S0-40")
@pytest.mark.parametrize(
    ("every", "before", "after"),
    [
        ("90 days", "2027-02-22", "2027-02-24"),
        ("0 3 1 1,4,7,10 *", "2026-12-31", "2027-01-02"),
    ],
)
def test_a_wiki_may_be_due_each_quarter(
    tmp_path: Path, every: str, before: str, after: str
) -> None:
    began = datetime(2026, 11, 25, 2, 15, tzinfo=UTC)
    run = RunFolder.begin(tmp_path, "pharma", began)
    result = {"wiki": "pharma", "name": run.path.name, "run_dir": run.path, "stages": ()}
    result |= {"outcome": "refused", "reasons": (), "finished_at": began}
    run.finish(LoopResult.model_validate(result))

    def is_due(day: str) -> bool:
        now = datetime.fromisoformat(day).replace(tzinfo=UTC)
        (found,) = due_wikis(catalog_of(shop_wiki(every=every)), home=tmp_path, now=now)
        return found.is_due

    assert (is_due(before), is_due(after)) == (False, True)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_round_is_started_from_plain_and_from_async_programs(
    tmp_path: Path, is_async: bool
) -> None:
    folder = write_shop(tmp_path / "shop")
    results: list[LoopResult] = []
    start = loop_starter(
        catalog_of(shop_wiki(minimum_new_rows=100)),
        home=folder / "home",
        beside=folder,
        on_result=results.append,
    )

    async def watch() -> None:
        start("pharma")

    if is_async:
        anyio.run(watch)
    else:
        start("pharma")
    assert [result.outcome for result in results] == ["not_enough_data"]
    assert "minimum_new_rows is 100" in results[0].reasons[0]
    with pytest.raises(UnknownNameError):
        start("pharmacy")
