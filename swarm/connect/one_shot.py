"""`complete`: one message to a client's conversation, which is opened for it and closed again."""

from pydantic import JsonValue

from swarm.connect.opening import open_as
from swarm.connect.places import held_places, take_place
from swarm.errors import SessionError
from swarm.host import Host, current_host, use_host
from swarm.runtime.ids import check_client_id

__all__ = ["complete"]


async def complete(
    content: str,
    client_id: str,
    swarm_name: str,
    payload: JsonValue = None,
    *,
    host: Host | None = None,
) -> str:
    """Send one message and return the answer; the conversation goes on with the next call.

    The calls of one client queue up in the order they came, whichever their swarms are; those of
    different clients run at the same time. Inside an open `Host` they share it, which is faster.

    Args:
        content: What the client says.
        client_id: Whose conversation.
        swarm_name: With which swarm.
        payload: JSON that tools and callbacks may read.
        host: The host; the one that is open when absent.

    Raises:
        InvalidIdError: No client can be called that.
        SessionError: The conversation is open elsewhere, or a tool of it called this.
        TurnError: No answer within the deadline, or a callback failed.
        ProviderError: The model failed.
        StoreError: The journal failed; the message is not accepted.
    """
    host = host or current_host()
    key = (id(host), check_client_id(client_id))
    held = held_places(key)
    if any(place.swarm_name == swarm_name for place in held):
        raise SessionError(
            f"complete: the code that calls it serves client {client_id!r} in swarm"
            f" {swarm_name!r}, and would wait for itself; use `execute` instead"
        )
    if held:
        # Another swarm, asked for a client whose place in the queue the caller has already.
        return await _complete(content, client_id, swarm_name, payload, host)
    async with take_place(key, swarm_name):
        return await _complete(content, client_id, swarm_name, payload, host)


async def _complete(
    content: str, client_id: str, swarm_name: str, payload: JsonValue, host: Host | None
) -> str:
    async with use_host(host) as used, open_as("complete", client_id, swarm_name, used) as session:
        return await session.complete(content, payload=payload)
