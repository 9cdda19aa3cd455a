"""`notify`: a text for the client, outside of any answer."""

from swarm.connect.errors import NoConnectorError
from swarm.runtime.directory import find_live
from swarm.runtime.session import Session

__all__ = ["notify", "notify_force"]


async def notify(content: str, client_id: str, agent_name: str) -> None:
    """Push a text to the client of a connection; nothing of it is kept in the history.

    Does nothing when another agent has taken over since.

    Raises:
        NoConnectorError: The session was not opened by `make_connection`.
        ConnectorError: The connector failed.
        SessionError: The client has no live session, or several and no turn is running.
    """
    session = find_live(client_id)
    if session.agent_name == agent_name:
        await _push(session, content)


async def notify_force(content: str, client_id: str) -> None:
    """Push a text to the client of a connection, whichever agent is active.

    Raises:
        NoConnectorError: The session was not opened by `make_connection`.
        ConnectorError: The connector failed.
        SessionError: The client has no live session, or several and no turn is running.
    """
    await _push(find_live(client_id), content)


async def _push(session: Session, content: str) -> None:
    if session.connector is None:
        raise NoConnectorError(session.client_id, session.plan.spec.swarm_name)
    await session.connector(content, session.agent_name)
