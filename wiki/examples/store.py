"""Where examples are kept: a table beside the journal, filled from what people said of answers.

Each row names its client, whose wish to be forgotten removes it. A rating that is taken back
removes the row as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swarm.events import Noted, SessionOpened
from swarm.policy.redaction import Redactor
from swarm.secrets import secrets_of
from swarm.store import Database, Feedback
from swarm.store.journal import decode_row
from wiki.examples.guard import acceptable, clean

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["MOST", "MOST_OF_CLIENT", "Example", "ExampleStore", "forget_examples"]

MOST, MOST_OF_CLIENT = 1000, 100
"""Examples of one wiki in one swarm, and of one client among them; the oldest go first."""

_GOOD = 4
_AT_ONCE = 50
_CURSOR = "wiki_examples.feedback"
_NO_MODELS = frozenset({"documents", "offline"})
"""What answered without a model is nothing to learn from."""


_Row = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Example:
    """A question with a good answer."""

    run_id: str
    project: str
    """Empty where the conversation belongs to none."""
    swarm_name: str
    client_id: str
    question: str
    answer: str


class ExampleStore:
    """The examples in a database."""

    def __init__(self, database: Database, environment: Mapping[str, str] | None = None) -> None:
        """Use a database.

        Args:
            database: The journal's.
            environment: Holds the keys that no example may hold.
        """
        self._database = database
        self._redact = Redactor(("secret", "iban", "card", "email"), secrets_of(environment or {}))
        self._table: sqlalchemy.Table | None = None

    async def learn(self) -> int:
        """Take in feedback that came since the last time; returns how much of it there was.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy.exc

        table = await self._open()
        count = 0
        while True:
            try:
                some = await self._database.run(lambda c: self._learn(c, table))
            except sqlalchemy.exc.IntegrityError:
                # Another process takes in the same feedback at this moment.
                return count
            count += some
            if some < _AT_ONCE:
                return count

    async def version(self, wiki_name: str) -> tuple[object, ...]:
        """Return a value that changes whenever the examples of a wiki do."""
        import sqlalchemy as sa

        table = await self._open()
        query = sa.select(sa.func.count(), sa.func.max(table.c.number)).where(
            table.c.wiki_name == wiki_name
        )
        return tuple(await self._database.run(lambda c: c.execute(query).one()))

    async def list(self, wiki_name: str) -> tuple[Example, ...]:
        """Return the examples of a wiki in all swarms, the newest first.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy as sa

        table = await self._open()
        query = (
            sa.select(table)
            .where(table.c.wiki_name == wiki_name)
            .order_by(table.c.number.desc(), table.c.position)
        )
        rows = await self._database.run(lambda c: c.execute(query).all())
        return tuple(
            Example(
                row.run_id,
                row.project,
                row.swarm_name,
                row.client_id,
                row.question,
                row.answer,
            )
            for row in rows
        )

    async def forget(self, client_id: str) -> int:
        """Remove the examples that came from a client; returns how many there were.

        Raises:
            StoreError: The database failed.
        """
        import sqlalchemy as sa

        table = await self._open()
        delete = sa.delete(table).where(table.c.client_id == client_id)
        return await self._database.run(lambda c: c.execute(delete).rowcount)

    async def _open(self) -> "sqlalchemy.Table":
        if self._table is None:
            import sqlalchemy as sa

            metadata = sa.MetaData()
            table = sa.Table(
                "wiki_examples",
                metadata,
                sa.Column("run_id", sa.String(32), primary_key=True),
                sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
                # The feedback that made it, so that newer examples have higher numbers.
                sa.Column("number", sa.Integer, nullable=False),
                sa.Column("wiki_name", sa.String(64), nullable=False, index=True),
                sa.Column("project", sa.String(256), nullable=False),
                sa.Column("swarm_name", sa.String(64), nullable=False),
                sa.Column("client_id", sa.String(256), nullable=False, index=True),
                sa.Column("question", sa.Text, nullable=False),
                sa.Column("answer", sa.Text, nullable=False),
            )
            await self._database.create_tables(metadata)
            self._table = table
        return self._table

    def _learn(self, connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> int:
        import sqlalchemy as sa

        feedback, meta = self._database.tables.feedback, self._database.tables.meta
        found = connection.execute(sa.select(meta.c.value).where(meta.c.key == _CURSOR)).scalar()
        query = sa.select(feedback).where(feedback.c.id > int(found or 0)).order_by(feedback.c.id)
        new = connection.execute(query.limit(_AT_ONCE)).all()
        if not new:
            return 0
        touched: set[tuple[str, str, str]] = set()
        for run_id, number in {row.run_id: row.id for row in new}.items():
            connection.execute(sa.delete(table).where(table.c.run_id == run_id))
            rows = _rows(connection, self._database, run_id, self._redact)
            if rows:
                connection.execute(sa.insert(table), [{**row, "number": number} for row in rows])
            touched |= {
                (str(row["wiki_name"]), str(row["project"]), str(row["swarm_name"])) for row in rows
            }
        for wiki_name, project, swarm_name in touched:
            _trim(connection, table, wiki_name, project, swarm_name)
        if found is None:
            connection.execute(sa.insert(meta), {"key": _CURSOR, "value": str(new[-1].id)})
        else:
            moved = sa.update(meta).where(meta.c.key == _CURSOR).values(value=str(new[-1].id))
            connection.execute(moved)
        return len(new)


async def forget_examples(database: Database, client_id: str) -> int:
    """Remove the examples that came from a client, in all wikis; returns how many there were.

    Raises:
        StoreError: The database failed.
    """
    return await ExampleStore(database).forget(client_id)


def _rows(
    connection: "sqlalchemy.Connection",
    database: Database,
    run_id: str,
    redact: Callable[[str], str],
) -> list[_Row]:
    """Return the examples of one run: what its wikis were asked, if people liked the answer."""
    import sqlalchemy as sa

    feedback, events = database.tables.feedback, database.tables.events
    said = connection.execute(
        sa.select(feedback).where(feedback.c.run_id == run_id).order_by(feedback.c.id)
    ).all()
    merged: dict[str, object] = {}
    for row in said:
        merged |= Feedback.model_validate_json(
            f'{{"run_id": "", {row.payload.strip()[1:]}'
        ).model_dump(exclude={"run_id", "at"}, exclude_none=True)
    rating, correct = merged.get("rating"), merged.get("correct")
    is_good = isinstance(rating, int) and rating >= _GOOD
    if not is_good and correct is None:
        return []
    noted = connection.execute(
        sa.select(events)
        .where(events.c.kind == "noted", events.c.payload.contains(run_id, autoescape=True))
        .order_by(events.c.at, events.c.seq)
    ).all()
    asked = [
        (row.session_id, event.data)
        for row in noted
        if isinstance(event := decode_row(row.kind, row.payload), Noted)
        and event.topic == "wiki.answer"
        and event.run_id == run_id
    ]
    if correct is not None and len(asked) > 1:
        # A person corrects the answer of the turn; which question it belongs to nobody knows.
        return []
    found: list[_Row] = []
    for position, (session_id, data) in enumerate(asked):
        swarm_name, _, client_id = session_id.partition("/")
        question = clean(str(data.get("question", "")), redact)
        answer = clean(str(correct if correct is not None else data.get("text", "")), redact)
        if not acceptable(question, answer) or data.get("model") in _NO_MODELS:
            continue
        found.append(
            {
                "run_id": run_id,
                "position": position,
                "wiki_name": str(data.get("wiki_name", "")),
                "project": _project(connection, database, session_id),
                "swarm_name": swarm_name,
                "client_id": client_id,
                "question": question,
                "answer": answer,
            }
        )
    return found


def _project(connection: "sqlalchemy.Connection", database: Database, session_id: str) -> str:
    """Return the project of a session, which its first event names."""
    import sqlalchemy as sa

    events = database.tables.events
    query = sa.select(events).where(events.c.session_id == session_id, events.c.seq == 1)
    row = connection.execute(query).first()
    event = None if row is None else decode_row(row.kind, row.payload)
    return (event.project or "") if isinstance(event, SessionOpened) else ""


def _trim(
    connection: "sqlalchemy.Connection",
    table: "sqlalchemy.Table",
    wiki_name: str,
    project: str,
    swarm_name: str,
) -> None:
    """Remove the oldest examples of a client beyond its share, then those of all beyond theirs."""
    import sqlalchemy as sa

    own = (
        table.c.wiki_name == wiki_name,
        table.c.project == project,
        table.c.swarm_name == swarm_name,
    )
    newest = (
        sa.select(table.c.run_id, table.c.client_id)
        .where(*own)
        .order_by(table.c.number.desc(), table.c.position)
    )
    kept: dict[str, int] = {}
    removed: list[str] = []
    total = 0
    for run_id, client_id in connection.execute(newest).all():
        kept[client_id] = kept.get(client_id, 0) + 1
        if kept[client_id] > MOST_OF_CLIENT or total >= MOST:
            removed.append(run_id)
        else:
            total += 1
    if removed:
        connection.execute(sa.delete(table).where(*own, table.c.run_id.in_(removed)))
