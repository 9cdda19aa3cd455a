"""Whose memory a call means: found by the client's live session, checked against the agent."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from swarm.errors import DeclarationError, SessionError, UnknownNameError
from swarm.memory.cells import CellKey
from swarm.memory.errors import MemoryNotListedError
from swarm.memory.specs import COMPUTES, STATES, STORAGES
from swarm.registry import Kind
from swarm.runtime import find_live
from swarm.runtime.ids import check_client_id

if TYPE_CHECKING:
    from swarm.memory.memory import Memory

__all__ = ["EVERYBODY", "Found", "Owner", "find_owner", "listed_memory", "shared_memory"]


class Owner(NamedTuple):
    """A client in a swarm."""

    swarm_name: str
    client_id: str

    def key(self, kind: str, name: str) -> CellKey:
        """Return the key of a thing of this owner."""
        return CellKey(kind, name, self.swarm_name, self.client_id)


EVERYBODY = Owner("", "")
"""The owner of what is shared."""


class Found(NamedTuple):
    """A client's memory."""

    memory: "Memory"
    owner: Owner


def find_owner(client_id: str) -> Found:
    """Return the memory that a client's live session uses, and who the client is in it.

    Raises:
        InvalidIdError: No client can be called that.
        SessionError: The client has no live session, or several and no turn is running.
    """
    session = find_live(check_client_id(client_id))
    if session.plan.memory is None:
        raise SessionError(f"session {session.id!r} has no memory; open it with a host")
    return Found(session.plan.memory, Owner(session.plan.spec.swarm_name, session.client_id))


def listed_memory(
    kind: Literal["state", "storage"], name: str, client_id: str, agent_name: str
) -> Found:
    """Return a client's memory for something that an agent lists.

    Raises:
        InvalidIdError: No client can be called that.
        SessionError: The client has no live session, or several and no turn is running.
        UnknownNameError: The swarm has no such agent.
        MemoryNotListedError: The agent does not list it; names the nearest that it lists.
    """
    found = find_owner(client_id)
    agents = find_live(client_id).plan.agents
    if agent_name not in agents:
        raise UnknownNameError("agent", agent_name, list(agents))
    spec = agents[agent_name].spec
    listed = tuple(spec.states if kind == "state" else spec.storages)
    if name not in listed:
        raise MemoryNotListedError(kind, name, listed, client_id=client_id, agent_name=agent_name)
    return found


def shared_memory(kind: Literal["state", "storage", "compute"], name: str) -> Found:
    """Return the memory for something that is shared, which belongs to everybody.

    Raises:
        SessionError: No turn is running and no host is open.
        UnknownNameError: Nothing declares it.
        DeclarationError: It belongs to clients.
    """
    memory = _current_memory()
    kinds: dict[str, Kind[Any]] = {"state": STATES, "storage": STORAGES, "compute": COMPUTES}
    if not memory.catalog.registry(kinds[kind]).get(name).shared:
        facade = kind.title()
        raise DeclarationError(f"{kind} {name!r} is not shared; use {facade}, with a client id")
    return Found(memory, EVERYBODY)


def _current_memory() -> "Memory":
    from swarm.host import open_host  # the host imports this package

    host = open_host("shared memory")
    return host.memory.for_catalog(host.declarations)
