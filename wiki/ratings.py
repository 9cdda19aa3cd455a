"""What people thought of two versions of a model, by the ratings in the journal.

A person who likes or dislikes everything counts once: ratings are first averaged for each client,
and clients are what is compared. An answer counts for the version whose turn it was, so a version
that often needs its fallback does not look better for it.

Where the two were tried beside each other, only the answers of those trials count: who was answered
by which version was chance then, and what people thought of the live one before is of other times.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from swarm.errors import DataError
from swarm.events import Noted
from swarm.store import Database, read_feedback, session_ids
from swarm.store.journal import decode_row
from wiki.rank_test import RankTest, rank_test

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["RatedVersion", "RatingComparison", "RatingVerdict", "compare_ratings"]

RatingVerdict = Literal["better", "worse", "not enough data"]
"""What can be said of the first version, beyond chance."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class RatedVersion(_Record):
    """What people thought of one version."""

    version: str
    """Such as `pharma@3`."""
    answers: int
    """Its answers in conversations that count, rated or not."""
    stepped_in: int
    """How many of them were given by the live version, when this one failed, or by the fallback."""
    rated: int
    """Runs with such an answer that somebody rated."""
    clients: int
    """Who rated them."""
    mean: float | None
    """The mean over these clients of their mean rating, from 1 to 5; None without a rating."""


class RatingComparison(_Record):
    """Two versions by the ratings of people."""

    candidate: RatedVersion
    live: RatedVersion
    verdict: RatingVerdict
    """Whether the candidate is better."""
    reason: str
    """Why, with the figures."""
    superiority: float | None
    """How likely a client of the candidate is more content than one of the live version, ties
    counted half; None without ratings of both."""
    p_value: float | None
    """How often chance alone gives such a difference."""
    both: int
    """Clients who rated both versions; they are not counted."""
    is_randomised: bool
    """Whether a hash decided who was answered by which version: only answers of trials of the two
    count then. Otherwise all answers do, and whatever else was different between the two, such as
    the week, may be the cause."""


@dataclass(slots=True)
class _Tally:
    answers: int = 0
    stepped_in: int = 0
    runs: dict[str, str] = field(default_factory=dict[str, str])
    """The client of each run that was rated."""

    def take(self, other: "_Tally") -> None:
        """Count what another tally counted."""
        self.answers += other.answers
        self.stepped_in += other.stepped_in
        self.runs.update(other.runs)


_Tallies = dict[str, _Tally]
"""By version."""


async def compare_ratings(
    database: Database,
    candidate: str,
    live: str,
    *,
    wiki_name: str | None = None,
    project: str | None = None,
    confidence: float = 0.95,
    minimum_clients: int = 20,
) -> RatingComparison:
    """Compare what people thought of two versions of a model.

    Look when enough people have rated, and not after every rating: who looks often enough finds a
    difference that is none.

    Args:
        database: The journal's database.
        candidate: The version that should be better, such as `pharma@3`.
        live: The version that it is compared with.
        wiki_name: Only answers of this wiki.
        project: Only conversations of this project; `""` stands for no project.
        confidence: With 0.95, chance alone gives a verdict once in 20 times.
        minimum_clients: Fewer clients for one of the versions decide nothing.

    Raises:
        DataError: The two are the same version.
        StoreError: The journal cannot be read.
    """
    if candidate == live:
        raise DataError(f"{candidate} cannot be compared with itself")
    sessions = None if project is None else set(await session_ids(database, project=project))
    ratings = {
        run_id: feedback.rating
        for run_id, feedback in (await read_feedback(database)).items()
        if feedback.rating is not None
    }

    def read(connection: "sqlalchemy.Connection") -> tuple[_Tallies, _Tallies]:
        versions = candidate, live
        return _count(connection, database, versions, ratings, wiki_name, sessions)

    everything, trials = await database.run(read)
    tallies = trials if _has_both(trials) else everything
    new, old = tallies[candidate], tallies[live]
    # A run that asked both versions tells of neither.
    shared = new.runs.keys() & old.runs.keys()
    ours, theirs = _by_client(new.runs, ratings, shared), _by_client(old.runs, ratings, shared)
    both = ours.keys() & theirs.keys()
    ours, theirs = _without(ours, both), _without(theirs, both)
    rated = _rated(candidate, new, ours), _rated(live, old, theirs)
    found = rank_test(_means(ours), _means(theirs)) if ours and theirs else None
    verdict, reason = _judge(rated[0], rated[1], found, confidence, minimum_clients)
    return RatingComparison(
        candidate=rated[0],
        live=rated[1],
        verdict=verdict,
        reason=reason,
        superiority=None if found is None else found.superiority,
        p_value=None if found is None else found.p_value,
        both=len(both),
        is_randomised=_has_both(trials),
    )


def _count(
    connection: "sqlalchemy.Connection",
    database: Database,
    versions: tuple[str, str],
    ratings: Collection[str],
    wiki_name: str | None,
    sessions: Collection[str] | None,
) -> "tuple[_Tallies, _Tallies]":
    """Count all answers of two versions, and those of their trials."""
    import sqlalchemy as sa

    events = database.tables.events
    query = (
        sa.select(events)
        .where(events.c.kind == "noted")
        .order_by(events.c.at, events.c.session_id, events.c.seq)
    )
    models = {version.rpartition("@")[0] for version in versions}
    everything, trials, trial = (_tallies(versions) for _ in range(3))
    tried: set[str] = set()
    # Read in portions: a journal may be larger than the memory.
    for row in connection.execution_options(yield_per=1000).execute(query):
        event = decode_row(row.kind, row.payload)
        if not isinstance(event, Noted) or event.topic != "wiki.answer":
            continue
        data = event.data
        assigned, model = data.get("assigned"), data.get("model")
        version = str(assigned or model).removeprefix("registry/")
        is_meant = wiki_name is None or data.get("wiki_name") == wiki_name
        if not is_meant or event.run_id is None:
            continue
        is_tried = assigned is not None and models == {version.rpartition("@")[0]}
        if is_tried and len(tried | {version}) > 2:
            # A trial is of two versions: with a third one, another trial began.
            _close(trial, trials)
            trial, tried = _tallies(versions), set[str]()
        if is_tried:
            tried.add(version)
        if version not in versions or (sessions is not None and row.session_id not in sessions):
            continue
        one = _Tally(1, stepped_in=assigned not in (None, model))
        if event.run_id in ratings:
            one.runs[event.run_id] = row.session_id.partition("/")[2]
        everything[version].take(one)
        if is_tried:
            trial[version].take(one)
    _close(trial, trials)
    return everything, trials


def _tallies(versions: tuple[str, str]) -> _Tallies:
    return {version: _Tally() for version in versions}


def _has_both(tallies: _Tallies) -> bool:
    return all(tally.answers for tally in tallies.values())


def _close(trial: _Tallies, trials: _Tallies) -> None:
    """Add a trial to those of the two versions, if it was of them."""
    if _has_both(trial):
        for version, tally in trial.items():
            trials[version].take(tally)


def _by_client(
    runs: Mapping[str, str], ratings: Mapping[str, int], left_out: Collection[str]
) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for run_id, client_id in runs.items():
        if run_id not in left_out:
            found[client_id].append(ratings[run_id])
    return found


def _without(clients: Mapping[str, list[int]], left_out: Collection[str]) -> dict[str, list[int]]:
    return {client: given for client, given in clients.items() if client not in left_out}


def _means(clients: Mapping[str, list[int]]) -> list[float]:
    return [sum(given) / len(given) for given in clients.values()]


def _rated(version: str, tally: _Tally, clients: Mapping[str, list[int]]) -> RatedVersion:
    means = _means(clients)
    return RatedVersion(
        version=version,
        answers=tally.answers,
        stepped_in=tally.stepped_in,
        rated=sum(map(len, clients.values())),
        clients=len(clients),
        mean=sum(means) / len(means) if means else None,
    )


def _judge(
    candidate: RatedVersion,
    live: RatedVersion,
    found: RankTest | None,
    confidence: float,
    minimum: int,
) -> tuple[RatingVerdict, str]:
    for side in (candidate, live):
        if found is None or side.clients < minimum:
            return "not enough data", (
                f"{side.clients} clients rated {side.version}, and {max(minimum, 1)} are needed"
            )
    assert found is not None
    figures = (
        f"a client of {candidate.version} is the more content one in {found.superiority:.0%} of all"
        f" pairs, and chance alone would do that with p = {found.p_value:.3g}"
    )
    if found.p_value > 1 - confidence:
        return "not enough data", figures
    return ("better" if found.superiority > 0.5 else "worse"), figures
