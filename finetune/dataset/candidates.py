"""Candidates: captured rows wait here until a rule or a person accepts them.

They lie in the journal's database, so several processes may add and decide, a killed one leaves
nothing half done, and forgetting a client takes them along in the same transaction.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from finetune.dataset.lines import Line
from finetune.dataset.rows import DatasetKind, SftRow
from finetune.dataset.sample import Sample
from finetune.dataset.sample_file import encode_sample, parse_sample
from swarm.errors import DataError, StoreError
from swarm.store import Database

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["Added", "Candidate", "CandidateState", "Candidates"]

CandidateState = Literal["candidate", "accepted", "rejected"]
"""Whether a row waits, may enter a dataset version, or may not."""

_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row, and what was decided about it."""

    id: str
    state: CandidateState
    sample: Sample
    added_at: float
    """Seconds since 1970."""
    decided_at: float | None = None
    decided_by: str | None = None
    """A person, or `rule:` and the rule's name."""
    reason: str | None = None

    @property
    def kind(self) -> DatasetKind:
        """Whether it is a supervised row or a preference."""
        return "sft" if isinstance(self.sample.row, SftRow) else "dpo"


class Added(NamedTuple):
    """What became of samples that were added."""

    new: int
    changed: int
    """Known ones whose row changed, such as by a correction; they wait again."""
    known: int


class Candidates:
    """The candidates of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table: sqlalchemy.Table | None = None

    async def add(self, samples: Iterable[Sample]) -> Added:
        """Let samples wait for a decision; all of them, or none when it fails.

        A run that is added again keeps its decision unless its row has changed.

        Raises:
            StoreError: The database failed.
            ValueError: A sample cannot be written as JSON.
        """
        import sqlalchemy as sa

        rows = {row["id"]: row for row in map(_row, samples)}

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> Added:
            known: dict[str, str] = {}
            for some in _parts(list(rows)):
                query = sa.select(table.c.id, table.c.row_id).where(table.c.id.in_(some))
                known |= {row.id: row.row_id for row in connection.execute(query)}
            fresh = [row for name, row in rows.items() if name not in known]
            if fresh:
                # Another process may have added the same run since it was looked up.
                connection.execute(self._database.insert_missing(table), fresh)
            changed = 0
            for name, row_id in known.items():
                row = rows[name]
                values = {key: row[key] for key in ("payload", "rating", "is_corrected")}
                if row["row_id"] != row_id:
                    changed += 1
                    values |= {
                        "row_id": row["row_id"],
                        "state": "candidate",
                        "decided_at": None,
                        "decided_by": None,
                        "reason": None,
                    }
                connection.execute(sa.update(table).where(table.c.id == name).values(values))
            return Added(len(fresh), changed, len(known) - changed)

        return await self._run(work)

    async def list(
        self,
        *,
        state: CandidateState | None = None,
        project: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> "list[Candidate]":
        """Return candidates in the order they were said.

        Args:
            state: Only those in this state.
            project: Only those of this project, or of these; `""` stands for no project.
            limit: At most so many.

        Raises:
            StoreError: The database failed, or holds a row that cannot be read.
        """
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> list[Any]:
            query = sa.select(table).order_by(table.c.at, table.c.added_at, table.c.id)
            if state is not None:
                query = query.where(table.c.state == state)
            if project is not None:
                names = [project] if isinstance(project, str) else list(project)
                query = query.where(table.c.project.in_(names))
            if limit is not None:
                query = query.limit(limit)
            return list(connection.execute(query).all())

        return [_candidate(row) for row in await self._run(work)]

    async def accept(self, ids: Sequence[str], *, by: str, reason: str | None = None) -> int:
        """Let rows into dataset versions; return how many there were.

        Args:
            ids: Ids, or beginnings that only one candidate has.
            by: Who says so.
            reason: Why.

        Raises:
            DataError: No candidate, or several, begin so; nothing is decided.
            StoreError: The database failed.
        """
        return await self.decide(dict.fromkeys(ids, "accepted"), by=by, reason=reason)

    async def reject(self, ids: Sequence[str], *, by: str, reason: str | None = None) -> int:
        """Keep rows out of dataset versions; see `accept`.

        Raises:
            DataError: No candidate, or several, begin so; nothing is decided.
            StoreError: The database failed.
        """
        return await self.decide(dict.fromkeys(ids, "rejected"), by=by, reason=reason)

    async def decide(
        self,
        states: "dict[str, CandidateState]",
        *,
        by: str,
        reason: str | None = None,
        if_waiting: bool = False,
    ) -> int:
        """Decide about several candidates in one transaction; return how many were decided.

        Args:
            states: The new states by id, or beginning of an id.
            by: Who says so: a person, or `rule:` and a name.
            reason: Why.
            if_waiting: Leave those alone that somebody has decided about.

        Raises:
            DataError: No candidate, or several, begin so; nothing is decided.
            StoreError: The database failed.
        """
        import sqlalchemy as sa

        now = time.time()

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> int:
            count = 0
            for beginning, state in states.items():
                found = _whole_id(connection, table, beginning)
                update = sa.update(table).where(table.c.id == found)
                if if_waiting:
                    update = update.where(table.c.state == "candidate")
                values = {"state": state, "decided_at": now, "decided_by": by, "reason": reason}
                count += connection.execute(update.values(values)).rowcount
            return count

        return await self._run(work)

    async def _run(self, work: Any) -> Any:
        import anyio

        # A decision that was begun is written down, whoever stops waiting meanwhile.
        with anyio.CancelScope(shield=True):
            table = self._table
            if table is None:
                table = _table()
                await self._database.create_tables(table.metadata)
                self._table = table
            return await self._database.run(lambda connection: work(connection, table))


def _whole_id(
    connection: "sqlalchemy.Connection", table: "sqlalchemy.Table", beginning: str
) -> str:
    import sqlalchemy as sa

    is_id = beginning.isascii() and beginning.isalnum()
    query = sa.select(table.c.id).where(table.c.id.startswith(beginning, autoescape=True)).limit(2)
    found = list(connection.scalars(query)) if is_id else []
    if len(found) != 1:
        problem = "several candidates begin" if found else "no candidate begins"
        raise DataError(
            f"{problem} with {beginning[:40]!r}; see: wikiswarm dataset candidates list"
        )
    return found[0]


def _row(sample: Sample) -> dict[str, Any]:
    origin = sample.provenance
    row_id = sample.id
    kind = "sft" if isinstance(sample.row, SftRow) else "dpo"
    # A run has one row of each kind, whatever people correct in it later.
    own = f"run\0{origin.run_id}" if origin.run_id is not None else f"row\0{row_id}"
    key = "\0".join((origin.source, origin.project or "", kind, own))
    return {
        "id": hashlib.blake2b(key.encode(), digest_size=12).hexdigest(),
        "row_id": row_id,
        "project": origin.project or "",
        "client_id": origin.client_id,
        "author": origin.author,
        "rating": origin.rating,
        "is_corrected": bool(origin.is_corrected),
        "at": origin.at or 0.0,
        "payload": encode_sample(sample).decode(),
        "state": "candidate",
        "added_at": time.time(),
    }


def _candidate(row: Any) -> Candidate:
    sample = parse_sample(Line(0, row.payload))
    if not isinstance(sample, Sample):
        raise StoreError(f"candidate {row.id} cannot be read: {sample[0]}")
    return Candidate(
        id=row.id,
        state=row.state,
        sample=sample,
        added_at=row.added_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[first : first + _TOGETHER] for first in range(0, len(names), _TOGETHER)]


def _table() -> "sqlalchemy.Table":
    import sqlalchemy as sa

    return sa.Table(
        "dataset_candidates",
        sa.MetaData(),
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("row_id", sa.String(32), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(256), nullable=True, index=True),
        sa.Column("author", sa.String(256), nullable=True),
        sa.Column("rating", sa.Integer, nullable=True),
        sa.Column("is_corrected", sa.Boolean, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.Column("decided_at", sa.Double, nullable=True),
        sa.Column("decided_by", sa.String(256), nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Index("dataset_candidates_state", "state", "project"),
    )
