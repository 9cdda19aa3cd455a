"""The rows of the inbox: posted, found, and moved from one state to the next.

Every move names the states that it may start from and is one update, so of two processes that
move the same item only one succeeds.
"""

import os
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from swarm.errors import StoreError
from swarm.inbox.errors import UnknownItemError
from swarm.inbox.item import InboxItem, InboxKind, InboxStatus, NewItem, Reply
from swarm.inbox.tables import InboxTable
from swarm.secrets import hide

if TYPE_CHECKING:
    import sqlalchemy

    from swarm.store import Database

__all__ = ["Items"]

_DECIDED: tuple[InboxStatus, ...] = ("answered", "approved", "rejected", "done", "expired")
_MOST_IDS = 500
"""Parameters of one query; SQLite has a limit."""


class Items:
    """All items of a database."""

    def __init__(self, database: "Database", secrets: Mapping[str, str]) -> None:
        self._table = InboxTable(database)
        self._secrets = secrets

    async def post(self, new: NewItem) -> InboxItem:
        """Return the item of a key, which is new unless it was posted before."""
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> InboxItem:
            query = sa.select(table).where(table.c.key == new.key)
            for _ in range(3):  # an id may be taken, with little luck
                insert = self._table.database.insert_missing(table)
                connection.execute(insert, [self._row(new)])
                row = connection.execute(query).one_or_none()
                if row is not None:
                    return _item(row)
            raise StoreError("the inbox found no free id for a new item")

        return await self._table.run(work)

    async def posted(self, key: str) -> InboxItem | None:
        """Return the item of a key, if there is one."""
        import sqlalchemy as sa

        def work(
            connection: "sqlalchemy.Connection", table: "sqlalchemy.Table"
        ) -> InboxItem | None:
            row = connection.execute(sa.select(table).where(table.c.key == key)).one_or_none()
            return None if row is None else _item(row)

        return await self._table.run(work, is_read=True)

    async def repost(self, item: InboxItem, new: NewItem) -> InboxItem | None:
        """Let a waiting item stand for a new one; None when it was decided meanwhile."""
        payload = self._text(new.payload)
        return await self.move(
            item.id, ("waiting",), key=new.key, run_id=new.run_id, payload=payload
        )

    async def find(self, item_id: str) -> InboxItem:
        """Return an item by its id, or by the beginning of it.

        Raises:
            UnknownItemError: No item, or several, begin so.
        """
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> list[Any]:
            query = sa.select(table).where(table.c.id.startswith(item_id, autoescape=True))
            return list(connection.execute(query.limit(100)))

        rows = await self._table.run(work, is_read=True) if _may_be_id(item_id) else []
        found = [row for row in rows if row.id == item_id] or rows
        if len(found) != 1:
            raise UnknownItemError(item_id, len(found))
        return _item(found[0])

    async def select(
        self,
        *,
        kind: InboxKind | None = None,
        status: Collection[InboxStatus] = (),
        limit: int = 100,
        **columns: str | None,
    ) -> list[InboxItem]:
        """Return items, the newest first."""
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> list[InboxItem]:
            query = sa.select(table).order_by(table.c.created_at.desc(), table.c.id).limit(limit)
            for name, value in {"kind": kind, **columns}.items():
                if value is not None:
                    query = query.where(table.c[name] == value)
            if status:
                query = query.where(table.c.status.in_(list(status)))
            return [_item(row) for row in connection.execute(query)]

        return await self._table.run(work, is_read=True)

    async def unsettled(self, session_id: str) -> list[InboxItem]:
        """Return the items of a session that its conversation waits for, the oldest first."""
        import sqlalchemy as sa

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> list[InboxItem]:
            query = (
                sa.select(table)
                .where(table.c.session_id == session_id, table.c.settled_at.is_(None))
                .order_by(table.c.created_at, table.c.id)
            )
            return [_item(row) for row in connection.execute(query)]

        return await self._table.run(work, is_read=True)

    async def decided(self, ids: Collection[str]) -> list[InboxItem]:
        """Return those of some items that were decided and are not settled."""
        import sqlalchemy as sa

        known = sorted(ids)

        def work(connection: "sqlalchemy.Connection", table: "sqlalchemy.Table") -> list[InboxItem]:
            found: list[InboxItem] = []
            for start in range(0, len(known), _MOST_IDS):
                query = sa.select(table).where(
                    table.c.id.in_(known[start : start + _MOST_IDS]),
                    table.c.status.in_(_DECIDED),
                    table.c.settled_at.is_(None),
                )
                found += [_item(row) for row in connection.execute(query)]
            return found

        return await self._table.run(work, is_read=True)

    async def move(
        self,
        item_id: str,
        allowed: Collection[InboxStatus],
        *,
        reply: Mapping[str, Any] | None = None,
        is_settled: bool = False,
        **columns: object,
    ) -> InboxItem | None:
        """Change an item that is in one of the allowed states.

        Args:
            item_id: The whole id.
            allowed: The states that it may be in.
            reply: Fields of the `Reply` that change.
            is_settled: The conversation knows of it now.
            columns: What else changes.

        Returns:
            The changed item; None when it is in another state.
        """
        import sqlalchemy as sa

        def work(
            connection: "sqlalchemy.Connection", table: "sqlalchemy.Table"
        ) -> InboxItem | None:
            query = sa.select(table).where(table.c.id == item_id)
            row = connection.execute(query).one_or_none()
            if row is None or row.status not in allowed:
                return None
            values = dict(columns)
            if reply is not None:
                old = _item(row).reply or Reply()
                values["reply"] = self._text(old.model_copy(update=dict(reply)))
            if is_settled:
                values["settled_at"] = time.time()
            update = sa.update(table).where(table.c.id == item_id, table.c.status == row.status)
            if values and connection.execute(update.values(**values)).rowcount != 1:
                return None
            return _item(connection.execute(query).one())

        return await self._table.run(work)

    def _row(self, new: NewItem) -> dict[str, object]:
        return {
            **new.model_dump(exclude={"payload"}),
            "id": os.urandom(5).hex(),
            "status": "waiting",
            "payload": self._text(new.payload),
            "created_at": time.time(),
        }

    def _text(self, value: Any) -> str:
        """Return a model as JSON without the values of keys."""
        text: str = value.model_dump_json(exclude_defaults=True)
        found = {name: secret for name, secret in self._secrets.items() if secret in text}
        return hide(text, found) if found else text


def _may_be_id(text: str) -> bool:
    return bool(text) and len(text) <= 16 and text.isascii() and text.isalnum()


def _item(row: Any) -> InboxItem:
    import orjson

    fields = dict(row._mapping)  # SQLAlchemy's public name for it
    for name in ("payload", "reply"):
        fields[name] = None if fields[name] is None else orjson.loads(fields[name])
    return InboxItem.model_validate(fields)
