"""The desk of a host: where its sessions ask people, and where the answers come back.

It implements `Approvals` and `People` of `swarm.runtime.guard`, and makes the completions of
operators.
"""

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from pydantic import JsonValue

from swarm.context import ToolContext
from swarm.errors import SwarmError
from swarm.inbox.inbox import Inbox
from swarm.inbox.item import InboxItem, InboxStatus
from swarm.inbox.later import deliver_reply, run_approved, tell_outcome, until_idle
from swarm.inbox.operator import OperatorCompletion
from swarm.inbox.questions import approval_item, same_call
from swarm.inbox.watch import Watch
from swarm.messages import ToolCall
from swarm.runtime.guard import Approval
from swarm.runtime.session import Session
from swarm.specs import AgentSpec, ToolSpec

if TYPE_CHECKING:
    from swarm.store import Database

__all__ = ["Desk"]

_CLOSING = 10.0
"""Seconds that a call which a person approved may go on while its session closes."""

_TOLD: tuple[InboxStatus, ...] = ("rejected", "done", "expired")
"""What the agent is told of a call that was decided after its turn."""

_log = logging.getLogger("wikiswarm")


@dataclass(slots=True, eq=False)
class _Attached:
    """A live session."""

    session: Session
    # Invariant: what was decided for a session is done one by one, in the order it was asked.
    order: anyio.Lock = field(default_factory=anyio.Lock)
    scopes: list[anyio.CancelScope] = field(default_factory=list[anyio.CancelScope])
    talk: anyio.CancelScope | None = None
    """What a session that closes need not wait for: turns, but not a call that has begun."""


class Desk:
    """One for all sessions of a host."""

    def __init__(self, database: "Database", *, secrets: Mapping[str, str] | None = None) -> None:
        self.inbox = Inbox(database, secrets=secrets)
        self._items = self.inbox.items
        self._watch = Watch(self._items, self._decided)
        self.inbox.on_decision = self._watch.tell
        self._attached: dict[str, _Attached] = {}

    def operator(self, spec: AgentSpec) -> OperatorCompletion:
        """Return the completion of an agent whose answers a person writes."""
        return OperatorCompletion(spec, self.inbox, self._watch)

    async def ask(
        self,
        session: Session,
        spec: ToolSpec,
        call: ToolCall,
        arguments: Mapping[str, JsonValue],
        context: ToolContext,
    ) -> Approval:
        """Keep a call, and wait for a person as long as its tool says; see `Approvals.ask`."""
        await session.flush()  # whoever is asked may rely on the turn being on disk
        item = await self._post(session, spec, call, context.agent_name)
        with self._watch.waiting(item) as waiter:
            if item.status == "waiting":
                with anyio.move_on_after(spec.approval_wait):
                    item = await waiter.decided()
            # The decision is this turn's, even one that came in the last moment.
            return await self._take(item.id)

    async def finish(self, approval_id: str, output: str | None, *, is_error: bool) -> None:
        """Keep what an approved call gave; see `Approvals.finish`."""
        is_known = output is not None
        await self._items.move(
            approval_id,
            ("running",),
            status="done" if is_known else "unknown",
            reply={"output": output, "is_error": is_error},
            # The turn's own history has the output.
            is_settled=is_known,
        )

    async def attach(self, session: Session) -> None:
        """Do what was decided while the session was closed; see `People.attach`."""
        self._attached[session.id] = _Attached(session)
        self._watch.open_session(session.id)
        for item in await self._items.unsettled(session.id):
            self._watch.add(item)
            if item.status == "running":
                # The lease is ours, so whoever began it is gone.
                await self._items.move(item.id, ("running",), status="unknown")
                _log.warning(
                    "session %r: nobody knows what the call %s did; look, then approve it to run"
                    " it again, or reject it: wikiswarm inbox show %s",
                    session.id, item.payload.call.name if item.payload.call else "", item.id,
                )  # fmt: skip
        await self._settle_all(session.id)

    async def detach(self, session: Session) -> None:
        """Stop listening for a session; see `People.detach`."""
        attached = self._attached.get(session.id)
        if attached is None or attached.session is not session:
            return  # closed before, and another one has the conversation by now
        del self._attached[session.id]
        was_asked = self._watch.close_session(session.id)
        if attached.talk is not None:
            attached.talk.cancel()
        with anyio.move_on_after(_CLOSING, shield=True):
            async with attached.order:
                if was_asked:
                    await self._settle_replies(session)
                return
        for scope in attached.scopes:
            scope.cancel()
        with anyio.move_on_after(_CLOSING, shield=True):
            async with attached.order:
                return

    async def aclose(self) -> None:
        """Stop waiting for people; what is open stays in the inbox."""
        await self._watch.aclose()

    async def _post(
        self, session: Session, spec: ToolSpec, call: ToolCall, agent_name: str
    ) -> InboxItem:
        run_id = session.turn.run_id if session.turn is not None else ""
        waiting = await self._items.select(
            kind="approval", status=("waiting",), session_id=session.id, agent_name=agent_name
        )
        for item in waiting:
            # A model that is asked whether it is done by now calls again, and means the same call.
            if item.run_id != run_id and same_call(item.payload.call, call):
                return item
        new = approval_item(session, run_id, agent_name, call, spec.description)
        return await self._items.post(new)

    async def _take(self, item_id: str) -> Approval:
        begun = await self._items.move(
            item_id, ("approved",), status="running", reply={"was_begun": True}
        )
        if begun is not None:
            return Approval("approved", item_id, _reason(begun))
        refused = await self._items.move(item_id, ("rejected",), is_settled=True)
        if refused is not None:
            return Approval("rejected", item_id, _reason(refused))
        item = await self._items.find(item_id)
        if item.status in ("waiting", "approved"):
            return Approval("waiting", item_id)
        return Approval("rejected", item_id, f"it was begun before and is {item.status} now")

    async def _decided(self, item: InboxItem) -> None:
        await self._settle_all(item.session_id)

    async def _settle_all(self, session_id: str) -> None:
        """Bring everything that was decided for a session to its conversation."""
        attached = self._attached.get(session_id)
        if attached is None or attached.order.locked():
            return  # whoever holds the lock looks once more before it lets go
        with anyio.CancelScope() as scope:
            attached.scopes.append(scope)
            try:
                async with attached.order:
                    await self._settle_each(attached)
            finally:
                attached.scopes.remove(scope)

    async def _settle_each(self, attached: _Attached) -> None:
        seen: set[tuple[str, str]] = set()
        session = attached.session
        while True:
            found = [
                item
                for item in await self._items.unsettled(session.id)
                if item.status in (*_TOLD, "answered", "approved")
                and (item.id, item.status) not in seen
                and not self._watch.is_awaited(item.id)
            ]
            if not found or self._attached.get(session.id) is not attached:
                return
            item = found[0]
            seen.add((item.id, item.status))
            try:
                await self._settle(attached, item)
            except SwarmError as error:
                _log.warning("session %r: %s stays open: %s", session.id, item.id, error)

    async def _settle_replies(self, session: Session) -> None:
        """Note which replies the conversation has by now."""
        try:
            for item in await self._items.unsettled(session.id):
                if item.status == "answered":
                    await deliver_reply(session, self._items, item)
        except SwarmError as error:
            _log.warning("session %r: a reply stays open: %s", session.id, error)

    async def _settle(self, attached: _Attached, item: InboxItem) -> None:
        session = attached.session
        if item.status == "answered":
            if await deliver_reply(session, self._items, item):
                self._watch.remove(item.id)
            return
        if item.status == "approved":
            # No other turn may be running while a tool of this session does.
            with _talking(attached) as scope:
                await until_idle(session)
            if scope.cancelled_caught:
                return
            ran = await run_approved(session, self._items, item)
            if ran is None or ran.status == "unknown":
                return
            item = ran
        if item.status in _TOLD and self._attached.get(session.id) is attached:
            with _talking(attached):
                await tell_outcome(session, self._items, item)
                self._watch.remove(item.id)


@contextmanager
def _talking(attached: _Attached) -> Generator[anyio.CancelScope, None, None]:
    """Do something that ends at once when the session closes."""
    with anyio.CancelScope() as attached.talk:
        try:
            yield attached.talk
        finally:
            attached.talk = None


def _reason(item: InboxItem) -> str:
    return item.reply.reason if item.reply else ""
