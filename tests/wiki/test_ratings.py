"""Two versions by the ratings of people, out of a journal of real conversations."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from swarm import CompletionRequest, Host, Message, session
from swarm.errors import DataError
from swarm.store import Feedback, add_feedback, list_runs
from swarm.testing import call_tool
from tests.wiki.shop import shop
from wiki import ModelRegistry
from wiki.candidate import is_in_share
from wiki.rank_test import rank_test
from wiki.ratings import RatingComparison, compare_ratings

pytestmark = pytest.mark.anyio


def answer(request: CompletionRequest) -> str:
    """Answer as any version."""
    return "4.80 euros"


def broken(request: CompletionRequest) -> str:
    """Fail as a version that crashes."""
    raise ValueError("no")


def pass_on(request: CompletionRequest) -> Message | str:
    """Ask the wiki, and repeat what it says."""
    last = request.messages[-1]
    return last.content if last.role == "tool" else call_tool("ask_pharma")


@asynccontextmanager
async def _shop(
    home: Path, candidate: str = "answer", *, share: float = 0.5
) -> AsyncGenerator[Host]:
    registry = ModelRegistry(home / "models")
    if not (home / "models" / "pharma").exists():
        for name in ("answer", candidate):
            registry.register("pharma", remote=f"python:{__name__}:{name}")
        registry.promote("pharma", 1)
        registry.alias("pharma", "candidate", 2)
    catalog = shop(pass_on, model="registry/pharma@live", candidate={"share": share})
    async with Host(catalog=catalog, home=home, environment={}) as host:
        yield host


def _clients(count: int) -> tuple[list[str], list[str]]:
    """Return as many clients who are answered by the candidate, and by the live version."""
    names = [f"client-{number}" for number in range(8 * count)]
    new = [name for name in names if is_in_share("pharma", name, 0.5)]
    return new[:count], [name for name in names if name not in new][:count]


async def _talk(host: Host, client: str, *ratings: int | None) -> None:
    """Let a client ask once for each rating, and rate the answers."""
    async with session(client, "shop", host=host) as chat:
        for _ in ratings:
            assert await chat.complete("How much?") == "4.80 euros"
    runs = [run for run in await list_runs(host.database, limit=10_000) if run.client_id == client]
    for run, rating in zip(runs[: len(ratings)], ratings, strict=True):
        if rating is not None:
            await add_feedback(host.database, Feedback(run_id=run.run_id, rating=rating))


async def _compare(host: Host, minimum: int = 8) -> RatingComparison:
    return await compare_ratings(host.database, "pharma@2", "pharma@1", minimum_clients=minimum)


@pytest.mark.requirement("S2-30")
@pytest.mark.parametrize(
    ("new", "old", "verdict"),
    [((5, 4), (2, 3), "better"), ((1, 2), (4, 3), "worse"), ((3, 4), (4, 3), "not enough data")],
)
async def test_ratings_say_which_version_people_like(
    tmp_path: Path, new: tuple[int, int], old: tuple[int, int], verdict: str
) -> None:
    ours, theirs = _clients(8)
    async with _shop(tmp_path) as host:
        for client in ours:
            await _talk(host, client, *new)
        for client in theirs:
            await _talk(host, client, *old)
        await _talk(host, "silent", None)
        found = await _compare(host)
    assert found.verdict == verdict
    assert (found.candidate.version, found.candidate.mean) == ("pharma@2", sum(new) / 2)
    assert (found.live.version, found.live.mean) == ("pharma@1", sum(old) / 2)
    assert (found.candidate.rated, found.candidate.clients) == (16, 8)
    assert found.candidate.answers + found.live.answers == 33
    assert found.is_randomised
    assert found.p_value is not None and f"p = {found.p_value:.3g}" in found.reason


@pytest.mark.requirement("S2-30")
async def test_one_loud_client_decides_nothing(tmp_path: Path) -> None:
    [loud], [other] = _clients(1)
    async with _shop(tmp_path) as host:
        await _talk(host, loud, *[5] * 12)
        await _talk(host, other, *[1] * 12)
        found = await _compare(host)
    assert found.verdict == "not enough data"
    assert found.reason == "1 clients rated pharma@2, and 8 are needed"
    assert (found.candidate.rated, found.candidate.clients) == (12, 1)


@pytest.mark.requirement("S2-30")
async def test_nothing_rated_is_not_enough(tmp_path: Path) -> None:
    async with _shop(tmp_path) as host:
        found = await _compare(host, minimum=1)
        assert found.verdict == "not enough data"
        assert (found.superiority, found.p_value, found.live.mean) == (None, None, None)
        with pytest.raises(DataError, match="with itself"):
            await compare_ratings(host.database, "pharma@1", "pharma@1")


async def test_an_answer_counts_for_the_version_that_failed(tmp_path: Path) -> None:
    ours, theirs = _clients(2)
    async with _shop(tmp_path, candidate="broken") as host:
        for client in (*ours, *theirs):
            await _talk(host, client, 3)
        found = await _compare(host)
    assert (found.candidate.answers, found.candidate.stepped_in, found.candidate.rated) == (2, 2, 2)
    assert (found.live.answers, found.live.stepped_in, found.live.rated) == (2, 0, 2)


@pytest.mark.requirement("S2-30")
async def test_ratings_from_before_the_trial_do_not_count(tmp_path: Path) -> None:
    ours, theirs = _clients(8)
    async with _shop(tmp_path) as host:
        registry = ModelRegistry(tmp_path / "models")
        registry.unalias("pharma", "candidate")
        for client in (*ours, *theirs):
            await _talk(host, client, 1)
        before = await _compare(host)
        assert (before.live.clients, before.candidate.clients) == (16, 0)
        registry.alias("pharma", "candidate", 2)
        for client in ours:
            await _talk(host, client, 5)
        for client in theirs:
            await _talk(host, client, 4)
        found = await _compare(host)
    # Nobody is left out for having rated the old version when nothing else was there.
    assert (found.both, found.candidate.clients, found.live.clients) == (0, 8, 8)
    assert (found.candidate.mean, found.live.mean, found.live.answers) == (5, 4, 8)
    assert found.verdict == "better" and found.is_randomised


@pytest.mark.requirement("S2-30")
async def test_ratings_of_an_earlier_trial_do_not_count_for_a_later_one(tmp_path: Path) -> None:
    ours, theirs = _clients(8)
    async with _shop(tmp_path) as host:
        for client in ours:
            await _talk(host, client, 5)
        for client in theirs:
            await _talk(host, client, 2)
        registry = ModelRegistry(tmp_path / "models")
        registry.promote("pharma", 2)
        registry.register("pharma", remote=f"python:{__name__}:answer")
        registry.alias("pharma", "candidate", 3)
        # The same clients as before are answered by the new candidate.
        for client in ours:
            await _talk(host, client, 1)
        for client in theirs:
            await _talk(host, client, 4)
        later = await compare_ratings(host.database, "pharma@3", "pharma@2", minimum_clients=8)
        earlier = await _compare(host)
        across = await compare_ratings(host.database, "pharma@3", "pharma@1", minimum_clients=8)
    assert (later.both, later.candidate.clients, later.live.clients) == (0, 8, 8)
    assert (later.verdict, later.candidate.mean, later.live.mean) == ("worse", 1, 4)
    assert (earlier.verdict, earlier.candidate.mean, earlier.live.mean) == ("better", 5, 2)
    # These two were never tried beside each other.
    assert not across.is_randomised


async def test_who_rated_both_counts_for_neither(tmp_path: Path) -> None:
    ours, theirs = _clients(2)
    async with _shop(tmp_path) as host:
        for client in ours:
            await _talk(host, client, 5)
        for client in theirs:
            await _talk(host, client, 2)
        assert (await _compare(host)).both == 0
    # A larger share takes clients over who were answered by the live version.
    async with _shop(tmp_path, share=0.999) as host:
        await _talk(host, theirs[0], 4)
        found = await _compare(host)
    assert (found.both, found.candidate.clients, found.live.clients) == (1, 2, 1)
    assert found.is_randomised


async def test_without_a_trial_all_answers_count_and_it_is_told(tmp_path: Path) -> None:
    async with _shop(tmp_path) as host:
        registry = ModelRegistry(tmp_path / "models")
        registry.unalias("pharma", "candidate")
        await _talk(host, "ann", 2)
        registry.promote("pharma", 2)
        await _talk(host, "bob", 4)
        found = await _compare(host)
    assert (found.candidate.mean, found.live.mean, found.is_randomised) == (4, 2, False)


def test_ranks_are_compared_as_in_the_textbook() -> None:
    # Worked by hand: ranks of the first are 1, 2.5, 4, so U = 1.5 of 9 pairs.
    found = rank_test([1, 2, 3], [2, 4, 5])
    assert found.superiority == pytest.approx(1.5 / 9)
    # Variance 9 / 12 * (7 - 6 / 30) = 5.1; z = (3 - 0.5) / sqrt(5.1) = 1.107.
    assert found.p_value == pytest.approx(0.2683, abs=1e-4)
    assert rank_test([3, 3], [3, 3, 3]) == (0.5, 1.0)
    assert rank_test([5] * 20, [1] * 20).p_value < 1e-8
    with pytest.raises(ValueError, match="both groups"):
        rank_test([], [1])


@pytest.mark.requirement("S2-30")
def test_equal_versions_differ_by_chance_as_often_as_is_said() -> None:
    draw = random.Random(3)

    def people(count: int, *, lift: float = 0) -> list[float]:
        return [min(5.0, max(1.0, round(draw.gauss(3.6 + lift, 1.2)))) for _ in range(count)]

    equal = [rank_test(people(20), people(60)).p_value for _ in range(2000)]
    # 5 % are expected, and 2000 draws spread by half a percent.
    assert sum(p <= 0.05 for p in equal) / 2000 < 0.065
    better = [rank_test(people(60, lift=0.8), people(60)).p_value for _ in range(200)]
    assert sum(p <= 0.05 for p in better) / 200 > 0.9
