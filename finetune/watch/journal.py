"""Reads a wiki's answers and ratings out of the journal, from where the last reading ended."""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from finetune.watch.observed import Answered, Rated, stream_name
from swarm.events import Noted
from swarm.store import Database
from swarm.store.journal import decode_row
from swarm.store.run_query import json_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import sqlalchemy
    from pydantic import JsonValue

__all__ = ["Place", "read_answers", "read_ratings"]

_TOPIC = "wiki.answer"
_RATINGS_AT_ONCE, _ANSWERS_AT_ONCE = 500, 1000


class Place(NamedTuple):
    """The last event that was read."""

    at: float = 0.0
    session_id: str = ""
    seq: int = 0


async def read_ratings(
    database: Database, wiki_name: str, after: int, *, project: str | None = None
) -> tuple[list[Rated], int | None]:
    """Return some ratings that came after an earlier one, oldest first.

    A run counts once, with its first rating, or the last of those that are read together: who
    rates an answer a hundred times has one voice. A rating counts for each model of the wiki
    that answered in the run.

    Args:
        database: The journal's database.
        wiki_name: The wiki.
        after: The number of the last one that was read; 0 reads from the beginning.
        project: Only of conversations of this project; `""` stands for no project.

    Returns:
        The ratings, and the number of the last one; None when there are no more.

    Raises:
        StoreError: The journal cannot be read.
    """
    import sqlalchemy as sa

    feedback, field = database.tables.feedback, json_field(database)
    given, earlier = feedback.alias("given"), feedback.alias("earlier")
    rating = field(given.c.payload, "rating")
    counted = (
        sa.select(earlier.c.id)
        .where(
            earlier.c.run_id == given.c.run_id,
            earlier.c.id <= after,
            field(earlier.c.payload, "rating").is_not(None),
        )
        .exists()
    )
    query = (
        sa.select(given, counted.label("is_counted"))
        .where(given.c.id > after, rating.is_not(None))
        .order_by(given.c.id)
        .limit(_RATINGS_AT_ONCE)
    )

    def read(connection: "sqlalchemy.Connection") -> tuple[list[Rated], int | None]:
        rows = connection.execute(query).all()
        if not rows:
            return [], None
        newest = {row.run_id: row for row in rows if not row.is_counted}
        streams = _streams(connection, database, wiki_name, project, list(newest))
        ratings = [
            Rated(stream, int(json.loads(row.payload)["rating"]), row.at, client_id)
            for row in sorted(newest.values(), key=lambda row: row.id)
            for stream, client_id in streams.get(row.run_id, {}).items()
        ]
        return ratings, int(rows[-1].id)

    return await database.run(read)


async def read_answers(
    database: Database, wiki_name: str, after: Place, *, project: str | None = None
) -> tuple[list[Answered], Place | None]:
    """Return some answers that came after an earlier one, oldest first.

    Args:
        database: The journal's database.
        wiki_name: The wiki.
        after: The last one that was read.
        project: Only of conversations of this project; `""` stands for no project.

    Returns:
        The answers, and the place of the last event; None when there are no more.

    Raises:
        StoreError: The journal cannot be read.
    """
    import sqlalchemy as sa

    events, field = database.tables.events, json_field(database)
    place = sa.tuple_(events.c.at, events.c.session_id, events.c.seq)
    query = (
        sa.select(events)
        .where(
            events.c.kind == "noted",
            events.c.at >= after.at,
            place > sa.tuple_(sa.literal(after.at), sa.literal(after[1]), sa.literal(after[2])),
            field(events.c.payload, "topic") == _TOPIC,
            *_of_project(database, project),
        )
        .order_by(events.c.at, events.c.session_id, events.c.seq)
        .limit(_ANSWERS_AT_ONCE)
    )
    rows = await database.run(lambda connection: connection.execute(query).all())
    if not rows:
        return [], None
    last = rows[-1]
    answers = [
        Answered(
            stream=_stream(data),
            question=str(data.get("question", "")),
            text=str(data.get("text", "")),
            confidence=confidence if isinstance(confidence, int | float) else None,
            is_calibrated=data.get("is_calibrated") is True,
        )
        for _, _, data in _answers(rows, wiki_name)
        for confidence in [data.get("confidence")]
    ]
    return answers, Place(last.at, last.session_id, last.seq)


def _streams(
    connection: "sqlalchemy.Connection",
    database: Database,
    wiki_name: str,
    project: str | None,
    run_ids: list[str],
) -> dict[str, dict[str, str]]:
    """Return for each run the streams of a wiki that answered in it, with the run's client."""
    import sqlalchemy as sa

    events, field = database.tables.events, json_field(database)
    query = (
        sa.select(events)
        .where(
            events.c.kind == "noted",
            field(events.c.payload, "run_id").in_(run_ids),
            field(events.c.payload, "topic") == _TOPIC,
            *_of_project(database, project),
        )
        .order_by(events.c.at, events.c.seq)
    )
    found: dict[str, dict[str, str]] = {}
    for run_id, session_id, data in _answers(connection.execute(query).all(), wiki_name):
        client_id = session_id.partition("/")[2]
        found.setdefault(run_id, {})[_stream(data)] = client_id
    return found


def _of_project(database: Database, project: str | None) -> "list[sqlalchemy.ColumnElement[bool]]":
    """Return the conditions under which an event's conversation belongs to a project."""
    import sqlalchemy as sa

    if project is None:
        return []
    events = database.tables.events
    opened = events.alias("opened")
    named = sa.func.coalesce(json_field(database)(opened.c.payload, "project"), "")
    # In the same statement, so that a conversation that begins meanwhile is not passed over.
    of_session = opened.c.session_id == events.c.session_id
    return [sa.select(opened).where(of_session, opened.c.seq == 1, named == project).exists()]


def _answers(rows: Any, wiki_name: str) -> "Iterator[tuple[str, str, Mapping[str, JsonValue]]]":
    for row in rows:
        event = decode_row(row.kind, row.payload)
        if isinstance(event, Noted) and event.data.get("wiki_name") == wiki_name:
            yield event.run_id or "", row.session_id, event.data


def _stream(data: "Mapping[str, JsonValue]") -> str:
    model = str(data.get("model", "unknown"))
    return stream_name(model, is_fallback=data.get("is_fallback") is True)
