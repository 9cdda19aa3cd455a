"""What can go wrong between a client and its session."""

from swarm.errors import CallbackError, SessionError

__all__ = ["ClientLiveError", "ConnectorError", "NoConnectorError", "PipelineError"]


class NoConnectorError(SessionError):
    """Something was to be pushed to a client whose session nobody listens to."""

    code = "no_connector"
    rpc_code = -32063
    hint = "open the session with make_connection"

    def __init__(self, client_id: str, swarm_name: str) -> None:
        self.client_id, self.swarm_name = client_id, swarm_name
        super().__init__(
            f"the session of client {client_id!r} in swarm {swarm_name!r} has no connector;"
            f" {self.hint}"
        )


class ConnectorError(CallbackError):
    """A connector failed; what it should have delivered is in `data`.

    An answer that could not be delivered is in the history all the same.
    """

    code = "connector_error"
    rpc_code = -32064

    def __init__(
        self, function: str, reason: str, *, data: str, client_id: str, agent_name: str
    ) -> None:
        self.data = data
        super().__init__(function, reason, client_id=client_id, agent_name=agent_name)


class ClientLiveError(SessionError):
    """Something needs a client id of its own, and this one has a live session."""

    code = "client_live"
    rpc_code = -32065

    def __init__(self, client_id: str, swarm_name: str) -> None:
        self.client_id, self.swarm_name = client_id, swarm_name
        super().__init__(
            f"client {client_id!r} is live in swarm {swarm_name!r}; a fork needs a client id"
            " of its own"
        )


class PipelineError(CallbackError):
    """The function of a pipeline raised; the error is the cause."""

    code = "pipeline_error"
    rpc_code = -32066

    def __init__(
        self, pipeline_name: str, function: str, reason: str, *, client_id: str, agent_name: str
    ) -> None:
        self.pipeline_name = pipeline_name
        super().__init__(function, reason, client_id=client_id, agent_name=agent_name)
