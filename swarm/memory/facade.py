"""`State`, `Compute` and their shared twins: what tools and programs call.

They find the client's memory by its live session, so they work in a tool, in a task that a tool
started, and from outside of any turn. Twins differ only in how they find whose memory is meant.
`Storage` stands in `swarm.memory.shelf`.
"""

from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec

from pydantic import JsonValue

from swarm.memory.owner import Found, find_owner, listed_memory, shared_memory
from swarm.memory.states import Change

__all__ = ["Compute", "ComputeVerbs", "SharedCompute", "SharedState", "State", "StateVerbs"]

Whose = ParamSpec("Whose")
"""What a call says, besides the name, about whose memory it means."""


class StateVerbs(Generic[Whose]):
    """The verbs of states.

    Raises:
        UnknownNameError: No such state, or no such agent in the client's swarm.
        MemoryNotListedError: The agent does not list the state.
        DeclarationError: A state of clients was asked for as a shared one.
        SessionError: The client has no live session, or no host is open.
        InvalidIdError: No client can be called that.
        MemoryCallbackError: `get_state` or the like, `get_default` or a middleware failed.
        StoreError: The database failed; the value is unchanged.
    """

    def __init__(self, find: Callable[Concatenate[str, Whose], Found]) -> None:
        self._find = find

    async def get(self, state_name: str, *args: Whose.args, **whose: Whose.kwargs) -> JsonValue:
        """Return a copy of the value."""
        found = self._find(state_name, *args, **whose)
        return await found.memory.states.get(state_name, found.owner)

    async def set(
        self, state_name: str, value: Change | object, *args: Whose.args, **whose: Whose.kwargs
    ) -> JsonValue:
        """Replace the value; return the new one once it is durable.

        Args:
            state_name: Which state.
            value: JSON, or a function, plain or async, that makes the new value of the old one.
                Changes of one state queue up: a function sees the value that the change before
                it made. Where another process changes a shared state meanwhile, the function is
                called again.
            args: Nothing.
            whose: Of a client's state, `client_id` and the `agent_name` that lists it.

        Raises:
            NotJsonError: The new value is not JSON.
            MemoryCallbackError: A middleware failed; the value is unchanged.
        """
        found = self._find(state_name, *args, **whose)
        return await found.memory.states.set(state_name, value, found.owner)

    async def clear(self, state_name: str, *args: Whose.args, **whose: Whose.kwargs) -> None:
        """Go back to the default."""
        found = self._find(state_name, *args, **whose)
        await found.memory.states.clear(state_name, found.owner)


class ComputeVerbs(Generic[Whose]):
    """The verbs of computed values.

    Raises:
        UnknownNameError: No such compute.
        DeclarationError: A compute of clients was asked for as a shared one.
        SessionError: The client has no live session, or no host is open.
        InvalidIdError: No client can be called that.
    """

    def __init__(self, find: Callable[Concatenate[str, Whose], Found]) -> None:
        self._find = find

    async def get(self, compute_name: str, *args: Whose.args, **whose: Whose.kwargs) -> JsonValue:
        """Return the value, computed now if it is too old or a state it depends on changed.

        Raises:
            MemoryCallbackError: A function of the declaration failed; nothing is remembered.
            NotJsonError: The value is not JSON.
            DeclarationError: Computes wait for each other.
        """
        found = self._find(compute_name, *args, **whose)
        return await found.memory.computes.get(compute_name, found.owner)

    async def update(self, compute_name: str, *args: Whose.args, **whose: Whose.kwargs) -> None:
        """Discard the value, so that the next `get` computes it."""
        found = self._find(compute_name, *args, **whose)
        await found.memory.computes.update(compute_name, found.owner)


def _listed_state(state_name: str, *, client_id: str, agent_name: str) -> Found:
    return listed_memory("state", state_name, client_id, agent_name)


def _shared_state(state_name: str) -> Found:
    return shared_memory("state", state_name)


def _client_compute(compute_name: str, *, client_id: str) -> Found:
    return find_owner(client_id)


def _shared_compute(compute_name: str) -> Found:
    return shared_memory("compute", compute_name)


State = StateVerbs(_listed_state)
"""The states that an agent lists."""
SharedState = StateVerbs(_shared_state)
"""The states that are shared, from anywhere inside a turn or an open host."""
Compute = ComputeVerbs(_client_compute)
"""Computed values of a client; shared ones too."""
SharedCompute = ComputeVerbs(_shared_compute)
"""The computed values that are shared, from anywhere inside a turn or an open host."""
