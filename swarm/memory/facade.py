"""`State`, `Compute` and their shared twins: what tools and programs call.

They find the client's memory by its live session, so they work in a tool, in a task that a tool
started, and from outside of any turn. `Storage` stands in `swarm.memory.shelf`.
"""

from pydantic import JsonValue

from swarm.memory.owner import EVERYBODY, find_owner, listed_memory, shared_memory
from swarm.memory.states import Change

__all__ = ["Compute", "SharedCompute", "SharedState", "State"]


class State:
    """The states that an agent lists.

    Raises:
        UnknownNameError: No such agent in the client's swarm.
        MemoryNotListedError: The agent does not list the state.
        SessionError: The client has no live session.
        InvalidIdError: No client can be called that.
        StoreError: The database failed; the value is unchanged.
    """

    @staticmethod
    async def get(state_name: str, *, client_id: str, agent_name: str) -> JsonValue:
        """Return a copy of the value.

        Raises:
            MemoryCallbackError: `on_read` or `get_default` failed.
        """
        found = listed_memory("state", state_name, client_id, agent_name)
        return await found.memory.states.get(state_name, found.owner)

    @staticmethod
    async def set(
        state_name: str, value: Change | object, *, client_id: str, agent_name: str
    ) -> JsonValue:
        """Replace the value; return the new one once it is durable.

        Args:
            state_name: Which state.
            value: JSON, or a function, plain or async, that makes the new value of the old one.
                Changes of one state queue up: a function sees the value that the change before
                it made. Where another process changes a shared state meanwhile, the function is
                called again.
            client_id: Whose.
            agent_name: The agent that lists the state.

        Raises:
            NotJsonError: The new value is not JSON.
            MemoryCallbackError: A middleware or `on_write` failed; the value is unchanged.
        """
        found = listed_memory("state", state_name, client_id, agent_name)
        return await found.memory.states.set(state_name, value, found.owner)

    @staticmethod
    async def clear(state_name: str, *, client_id: str, agent_name: str) -> None:
        """Go back to the default."""
        found = listed_memory("state", state_name, client_id, agent_name)
        await found.memory.states.clear(state_name, found.owner)


class SharedState:
    """The states that are shared, from anywhere inside a turn or an open host.

    Raises:
        UnknownNameError: No such state.
        DeclarationError: The state belongs to clients.
        SessionError: No host is open.
    """

    @staticmethod
    async def get(state_name: str) -> JsonValue:
        """Return a copy of the value; see `State.get`."""
        return await shared_memory("state", state_name).states.get(state_name, EVERYBODY)

    @staticmethod
    async def set(state_name: str, value: Change | object) -> JsonValue:
        """Replace the value, or change it by a function of the old one; see `State.set`."""
        return await shared_memory("state", state_name).states.set(state_name, value, EVERYBODY)

    @staticmethod
    async def clear(state_name: str) -> None:
        """Go back to the default."""
        await shared_memory("state", state_name).states.clear(state_name, EVERYBODY)


class Compute:
    """Computed values of a client; shared ones too.

    Raises:
        UnknownNameError: No such compute.
        SessionError: The client has no live session.
        InvalidIdError: No client can be called that.
    """

    @staticmethod
    async def get(compute_name: str, *, client_id: str) -> JsonValue:
        """Return the value, computed now if it is too old or a state it depends on changed.

        Raises:
            MemoryCallbackError: A function of the declaration failed; nothing is remembered.
            NotJsonError: The value is not JSON.
            DeclarationError: Computes wait for each other.
        """
        found = find_owner(client_id)
        return await found.memory.computes.get(compute_name, found.owner)

    @staticmethod
    async def update(compute_name: str, *, client_id: str) -> None:
        """Discard the value, so that the next `get` computes it."""
        found = find_owner(client_id)
        await found.memory.computes.update(compute_name, found.owner)


class SharedCompute:
    """The computed values that are shared, from anywhere inside a turn or an open host.

    Raises:
        UnknownNameError: No such compute.
        DeclarationError: The compute belongs to clients.
        SessionError: No host is open.
    """

    @staticmethod
    async def get(compute_name: str) -> JsonValue:
        """Return the value; see `Compute.get`."""
        return await shared_memory("compute", compute_name).computes.get(compute_name, EVERYBODY)

    @staticmethod
    async def update(compute_name: str) -> None:
        """Discard the value, so that the next `get` computes it."""
        await shared_memory("compute", compute_name).computes.update(compute_name, EVERYBODY)
