"""The inbox as people use it: look, reply, approve, reject; from any process on the database."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from swarm.inbox.errors import AlreadyDecidedError, WrongDecisionError
from swarm.inbox.item import OPEN, InboxItem, InboxKind, InboxStatus
from swarm.inbox.items import Items

if TYPE_CHECKING:
    from swarm.store import Database

__all__ = ["Inbox", "clean_text"]


class Inbox:
    """The questions and calls that wait for people, and those that did.

    A host has one as `host.inbox`; a program without sessions makes its own of a database. A
    decision is durable when its method returns. The session that asked learns of it at once in
    the same process, within half a second in another one, else when it is opened next.
    """

    def __init__(self, database: "Database", *, secrets: Mapping[str, str] | None = None) -> None:
        """Use the inbox of a database.

        Args:
            database: The journal's database.
            secrets: Keys by their variables, which are never written.
        """
        self.items = Items(database, secrets or {})
        """The rows, for the sessions that post them."""
        self.on_decision: Callable[[InboxItem], None] | None = None
        """Hears of the decisions that are made through this object."""

    async def list(
        self,
        *,
        kind: InboxKind | None = None,
        status: InboxStatus | Collection[InboxStatus] = (),
        swarm_name: str | None = None,
        client_id: str | None = None,
        agent_name: str | None = None,
        limit: int = 100,
    ) -> list[InboxItem]:
        """Return items, the newest first; without filters, whatever their state.

        Raises:
            StoreError: The database failed.
        """
        return await self.items.select(
            kind=kind,
            status=(status,) if isinstance(status, str) else status,
            limit=limit,
            swarm_name=swarm_name,
            client_id=client_id,
            agent_name=agent_name,
        )

    async def show(self, item_id: str) -> InboxItem:
        """Return an item by its id, or by the beginning of it.

        Raises:
            UnknownItemError: No item, or several, begin so.
            StoreError: The database failed.
        """
        return await self.items.find(item_id)

    async def reply(self, item_id: str, text: str, *, by: str = "") -> InboxItem:
        """Answer a question.

        Args:
            item_id: The item.
            text: The answer, as the user will see it.
            by: Who answers, for the record.

        Raises:
            AlreadyDecidedError: Somebody has answered it.
            WrongDecisionError: It is no question, or the text is empty.
            UnknownItemError: No item, or several, begin so.
            StoreError: The database failed.
        """
        text = clean_text(text)
        item = await self.items.find(item_id)
        if item.kind != "question":
            raise WrongDecisionError(f"{item.id} is a tool call; approve or reject it")
        return await self._decide(item, "answered", by, text=text)

    async def approve(self, item_id: str, *, by: str = "", reason: str = "") -> InboxItem:
        """Agree to a tool call, which then runs in the session that asked.

        A call whose outcome is unknown runs once more.

        Raises:
            AlreadyDecidedError: Somebody has decided.
            WrongDecisionError: It is a question.
            UnknownItemError: No item, or several, begin so.
            StoreError: The database failed.
        """
        return await self._judge(item_id, "approved", by, reason)

    async def reject(self, item_id: str, *, by: str = "", reason: str = "") -> InboxItem:
        """Refuse a tool call; the agent is told the reason.

        Raises:
            AlreadyDecidedError: Somebody has decided.
            WrongDecisionError: It is a question.
            UnknownItemError: No item, or several, begin so.
            StoreError: The database failed.
        """
        return await self._judge(item_id, "rejected", by, reason)

    async def _judge(self, item_id: str, status: InboxStatus, by: str, reason: str) -> InboxItem:
        item = await self.items.find(item_id)
        if item.kind != "approval":
            raise WrongDecisionError(f"{item.id} is a question; reply to it")
        return await self._decide(item, status, by, reason=_printable(reason))

    async def _decide(
        self, item: InboxItem, status: InboxStatus, by: str, **reply: str
    ) -> InboxItem:
        decided = await self.items.move(
            item.id,
            OPEN,
            reply=reply,
            status=status,
            decided_at=time.time(),
            decided_by=_printable(by)[:256].strip() or None,
        )
        if decided is None:
            now = await self.items.find(item.id)
            raise AlreadyDecidedError(now.id, now.status, now.decided_by)
        if self.on_decision is not None:
            self.on_decision(decided)
        return decided


def clean_text(text: object) -> str:
    """Return the text of a reply as a store can keep it.

    Raises:
        WrongDecisionError: It is no text, or says nothing.
    """
    if not isinstance(text, str) or not text.strip():
        raise WrongDecisionError("a reply is a text that is not empty")
    return text.encode(errors="replace").decode()


def _printable(text: str) -> str:
    """Return a note without control characters, which PostgreSQL does not take either."""
    text = text.encode(errors="replace").decode()
    return "".join(c if c.isprintable() else " " for c in text)
