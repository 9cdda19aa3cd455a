"""Who is banned: in the host's database, in its memory, or in a list that the program keeps.

Nothing is remembered between two questions, so a ban counts from the next message on in every
process that uses the same database or list.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import anyio

from swarm.bus import Bus, BusEvent
from swarm.errors import DeclarationError, SessionError
from swarm.policy.errors import BanListReadOnlyError
from swarm.policy.functions import Case, Functions
from swarm.policy.tables import BanTable

if TYPE_CHECKING:
    from swarm.store import Database

__all__ = ["Bans"]

_LONGEST_WAIT = 60.0
"""Seconds that a change of an own list waits for those before it."""


class Bans:
    """The bans of all policies of a host."""

    def __init__(self, database: "Database", functions: Functions, bus: Bus) -> None:
        self._table = BanTable(database)
        self._functions = functions
        self._bus = bus
        self._fleeting: set[tuple[str, str, str]] = set()
        # Invariant: between reading an own list and keeping it, nobody of this process changes it.
        self._locks: dict[tuple[str, str], anyio.Lock] = {}

    async def find(self, cases: Sequence[Case]) -> Case | None:
        """Return the first case, of one client in one swarm, whose client is banned.

        Reads the database at most once.

        Raises:
            CallbackError: `get_banned_clients` failed.
            StoreError: The database failed.
        """
        kept = [case for case in cases if _is_kept(case)]
        found = frozenset[str]()
        if kept:
            client_id, swarm_name, _ = kept[0].names
            names = [case.policy.policy_name for case in kept]
            found = await self._table.policies_of(swarm_name, client_id, names)
        for case in cases:
            if case.policy.get_banned_clients is not None:
                is_banned = case.client_id in await self._own_list(case)
            else:
                is_banned = case.policy.policy_name in found or case.names in self._fleeting
            if is_banned:
                return case
        return None

    async def ban(self, case: Case) -> None:
        """Ban a client, durably; who is banned already stays so.

        Raises:
            BanListReadOnlyError: The list is the program's own, and cannot be changed.
            CallbackError: A function of the list failed; nothing was changed.
            StoreError: The database failed; nothing was changed.
        """
        if await self._change(case, is_banned=True):
            await self._functions.tell("on_ban_client", case.policy, *case.names)
        self._publish("ban-client", case)

    async def unban(self, case: Case) -> None:
        """Take a ban back, durably; raises what `ban` raises."""
        if await self._change(case, is_banned=False):
            await self._functions.tell("on_unban_client", case.policy, *case.names)
        self._publish("unban-client", case)

    def _publish(self, kind: str, case: Case) -> None:
        if self._bus.is_watched:
            client_id, swarm_name, policy_name = case.names
            context = {"policy_name": policy_name, "swarm_name": swarm_name}
            self._bus.publish(BusEvent("policy-bus", kind, client_id, context=context))

    async def _change(self, case: Case, *, is_banned: bool) -> bool:
        """Change whether a client is banned; returns whether it was otherwise before."""
        client_id, swarm_name, policy_name = case.names
        if case.policy.get_banned_clients is not None:
            return await self._change_own_list(case, is_banned=is_banned)
        if _is_kept(case):
            change = self._table.add if is_banned else self._table.remove
            return await change(swarm_name, client_id, policy_name)
        if (case.names in self._fleeting) == is_banned:
            return False
        (self._fleeting.add if is_banned else self._fleeting.discard)(case.names)
        return True

    async def _change_own_list(self, case: Case, *, is_banned: bool) -> bool:
        client_id, swarm_name, policy_name = case.names
        if case.policy.set_banned_clients is None:
            raise BanListReadOnlyError(policy_name)
        async with self._turn(case):
            clients = await self._own_list(case)
            if (client_id in clients) == is_banned:
                return False
            others = [client for client in clients if client != client_id]
            changed = [*others, client_id] if is_banned else others
            await self._functions.ask("set_banned_clients", case, changed, policy_name, swarm_name)
        return True

    async def _own_list(self, case: Case) -> list[str]:
        field = "get_banned_clients"
        names = (case.policy.policy_name, case.swarm.swarm_name)
        found = await self._functions.ask(field, case, *names)
        if not isinstance(found, Iterable) or isinstance(found, str | bytes):
            reason = f"it returned {type(found).__name__}; return a list of client ids"
            raise self._functions.failure(field, case, reason)
        clients = list(cast("Iterable[object]", found))  # of anything; each is checked
        for client in clients:
            if not isinstance(client, str):
                reason = f"it returned a list with {type(client).__name__}; client ids are text"
                raise self._functions.failure(field, case, reason)
        return cast("list[str]", clients)  # as was just checked

    @asynccontextmanager
    async def _turn(self, case: Case) -> AsyncGenerator[None, None]:
        """Wait until it is this change's turn with a list.

        Raises:
            DeclarationError: A function of the list asks to change the list.
            SessionError: Those before it take too long.
        """
        _, swarm_name, policy_name = case.names
        lock = self._locks.setdefault((swarm_name, policy_name), anyio.Lock())
        if lock.statistics().owner == anyio.get_current_task():
            raise DeclarationError(
                f"policy {policy_name!r}: the functions of its ban list cannot change the list"
            )
        with anyio.move_on_after(_LONGEST_WAIT) as wait:
            await lock.acquire()
        if wait.cancelled_caught:
            raise SessionError(
                f"the bans of policy {policy_name!r} are busy: a change does not end"
            )
        try:
            yield
        finally:
            lock.release()


def _is_kept(case: Case) -> bool:
    return case.policy.persist and case.policy.get_banned_clients is None
