"""Verbs that programs call and Python code finds on its host: the inbox, and the documentation."""

from typing import Literal

from declarative.describe import describe as describe_catalog
from swarm import Inbox, InboxItem, current_catalog, current_host
from swarm.errors import SessionError
from swarm.inbox import InboxKind, InboxStatus

__all__ = ["describe", "inbox_approve", "inbox_list", "inbox_reject", "inbox_reply", "inbox_show"]


async def describe(format: Literal["markdown", "mermaid", "schema"] = "markdown") -> str:
    """Return the documentation of everything that is declared; see `declarative.describe`."""
    return describe_catalog(current_catalog(), format)


async def inbox_list(
    kind: InboxKind | None = None,
    status: InboxStatus | None = None,
    swarm_name: str | None = None,
    client_id: str | None = None,
    agent_name: str | None = None,
    limit: int = 100,
) -> list[InboxItem]:
    """Return what waits for people, and what did, the newest first; see `Inbox.list`."""
    return await _inbox().list(
        kind=kind,
        status=() if status is None else status,
        swarm_name=swarm_name,
        client_id=client_id,
        agent_name=agent_name,
        limit=limit,
    )


async def inbox_show(item_id: str) -> InboxItem:
    """Return an item of the inbox by its id, or the beginning of it; see `Inbox.show`."""
    return await _inbox().show(item_id)


async def inbox_reply(item_id: str, text: str, by: str = "") -> InboxItem:
    """Answer a question in the inbox; see `Inbox.reply`."""
    return await _inbox().reply(item_id, text, by=by)


async def inbox_approve(item_id: str, by: str = "", reason: str = "") -> InboxItem:
    """Agree to a tool call that waits in the inbox; see `Inbox.approve`."""
    return await _inbox().approve(item_id, by=by, reason=reason)


async def inbox_reject(item_id: str, by: str = "", reason: str = "") -> InboxItem:
    """Refuse a tool call that waits in the inbox; see `Inbox.reject`."""
    return await _inbox().reject(item_id, by=by, reason=reason)


def _inbox() -> Inbox:
    host = current_host()
    if host is None:
        raise SessionError("no host is open; the inbox needs one")
    return host.inbox
