"""The messages of the protocol "swarm wire 1", and nothing that acts on them.

JSON-RPC 2.0, full duplex: a program, which owns functions, and the core, which owns everything
else. What declarations and verbs look like follows from the core's own classes (`shapes`); which
method takes which of these stands in `methods`. docs/protocol.md explains all of it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from bindings.rpc.shapes import CallbackRef, Wire

__all__ = [
    "PROTOCOL",
    "AckParams",
    "BusEventParams",
    "Call",
    "CallbackInvokeParams",
    "CallbackNotifyParams",
    "CallbackReleaseParams",
    "CallbackResult",
    "CancelParams",
    "Capabilities",
    "CatalogGetParams",
    "CatalogName",
    "CatalogResult",
    "CoreInfo",
    "DeclareResult",
    "Empty",
    "ErrorData",
    "FunctionCallParams",
    "InitializeParams",
    "InitializeResult",
    "Issue",
    "Limits",
    "LogParams",
    "OverrideParams",
    "OverrideResult",
    "ProgramInfo",
    "ProgressParams",
    "RestoreParams",
    "Resume",
    "SessionChangedParams",
    "SessionCompleteParams",
    "SessionName",
    "SessionOpenParams",
    "SubscribeParams",
    "SubscribeResult",
    "UnsubscribeParams",
    "WireMode",
]

PROTOCOL = 1
"""The version; only a change that an older program cannot live with raises it."""

WireMode = Literal["session", "scheduled", "rate", "connection", "complete", "scope"]
"""How a session treats messages; see `swarm.session`, `swarm.make_connection`, `swarm.complete`
and `swarm.fork`."""

_Name = Annotated[str, Field(min_length=1, max_length=512)]


class Empty(Wire):
    """Nothing."""


class ProgramInfo(Wire):
    """Who connects; it stands in logs."""

    name: str = "program"
    version: str = ""
    language: str = ""
    """Such as `typescript`."""
    runtime: str = ""
    """Such as `node 20.20.2`."""


class Capabilities(Wire):
    """What a side can do beyond version 1; unknown names are ignored."""

    streaming: bool = True
    """Wants `$/progress` for a `session/complete` with a `progressToken`."""
    resume: bool = False
    """Sends and reads `$/ack`, and comes back after a lost connection."""
    log: bool = False
    """Wants the core's warnings as `log`."""


class Resume(Wire):
    """A connection that was lost and is to go on."""

    connection_id: str
    received: Annotated[int, Field(ge=0)]
    """How many frames of the core arrived on it, over all its life."""


class InitializeParams(Wire):
    """The first message of a program."""

    protocol: int
    """The newest version that the program speaks."""
    min_protocol: int | None = None
    """The oldest one; the same when absent."""
    program: ProgramInfo = ProgramInfo()
    capabilities: Capabilities = Capabilities()
    token: str | None = None
    """For a WebSocket whose client cannot set headers."""
    resume: Resume | None = None


class CoreInfo(Wire):
    """Who answers."""

    name: str
    version: str


class Limits(Wire):
    """What the core holds the connection to."""

    max_message_bytes: int
    """A longer frame ends the connection."""
    max_in_flight: int
    """Requests of the program that may be under way; one more is refused at once."""
    resume_window_ms: int
    """How long a lost connection is kept; 0 where it is not."""


class InitializeResult(Wire):
    """The core's answer to `initialize`."""

    protocol: int
    """The version that both speak from now on."""
    core: CoreInfo
    connection_id: str
    capabilities: Capabilities
    limits: Limits
    received: int
    """How many frames of the program arrived on this connection; 0 on a new one."""


class ErrorData(Wire):
    """`data` of every error."""

    kind: str
    """The stable code of the error class; `errors` in the schema lists them all."""
    retryable: bool = False
    """The same request may succeed later."""
    hint: str | None = None
    details: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """The attributes of the error, such as `clientId`."""
    error_id: str | None = None
    """Names the error on this connection. A program that throws the error on from a callback sends
    it back, and the core raises what it raised before."""
    stack: str | None = None
    """Where a function of the program threw."""


class Issue(Wire):
    """One thing that is wrong with a declaration."""

    kind: str
    """Such as `tool`."""
    name: str
    """Of the declaration."""
    path: str
    """Where, such as `tools.find_pharma_product.timeout`."""
    message: str
    hint: str | None = None


class DeclareResult(Wire):
    """What was declared, or everything that is wrong; then nothing was."""

    declared: list[str]
    """As `kind:name`, in order."""
    issues: list[Issue]


class CatalogName(Wire):
    """A declared name."""

    kind: _Name
    name: _Name


class CatalogGetParams(Wire):
    """Which declarations to return; all of them when absent."""

    kind: _Name | None = None
    name: _Name | None = None


class CatalogResult(Wire):
    """Declarations, as `catalog/declare` takes them; functions of Python are missing in them."""

    declarations: list[dict[str, JsonValue]]


class OverrideParams(Wire):
    """Fields of a declaration to change until `catalog/restore`."""

    kind: _Name
    name: _Name
    fields: dict[str, JsonValue]


class OverrideResult(Wire):
    """Names the change."""

    override_id: str


class RestoreParams(Wire):
    """Which change to take back."""

    override_id: str


class SessionName(Wire):
    """A conversation of a client with a swarm."""

    client_id: str
    swarm_name: str


class SessionOpenParams(SessionName):
    """Opens a session; it belongs to the connection and closes with it."""

    mode: WireMode = "session"
    delay: Annotated[float, Field(ge=0)] | None = None
    """Seconds, for `scheduled` and `rate`; their own default when absent."""
    connector: CallbackRef | None = None
    """Gets each answer and notification, as `{data, agentName, clientId}`; for `connection`, also
    with a `flow`."""
    flow: Literal["scheduled", "rate"] | None = None
    """How a `connection` treats messages that come fast."""


class SessionCompleteParams(SessionName):
    """A message to an open session; the messages of one session are answered in order."""

    content: str
    payload: JsonValue = None
    progress_token: str | int | None = None
    """What happens in the turn is then sent as `$/progress` with this token; for the modes
    `session` and `scope`."""


class Call(Wire):
    """Where a function of the program is called from."""

    call_id: str
    """Requests that the function makes carry it as `_meta.callId`."""
    client_id: str | None = None
    agent_name: str | None = None
    run_id: str | None = None
    """The turn."""
    deadline_ms: int | None = None
    """Milliseconds until the core stops waiting."""


class CallbackInvokeParams(Wire):
    """Calls a function of the program."""

    callback: str
    args: list[Any]
    call: Call


class CallbackResult(Wire):
    """What a function returned; null where it returned nothing."""

    value: Any = None


class CallbackNotifyParams(Wire):
    """Tells an observer of the program; nobody waits for it."""

    callback: str
    args: list[Any]


class CallbackReleaseParams(Wire):
    """Functions that the core will not call any more."""

    callbacks: list[str]


class FunctionCallParams(Wire):
    """Calls a function of the core that it passed to a callback as `{"$function": id}`."""

    function: str
    args: list[JsonValue] = Field(default_factory=list[JsonValue])


class SubscribeParams(Wire):
    """Which events to send."""

    client_id: str = "*"
    bus: str
    """A bus, such as `session-bus`, or a topic of the program's own."""
    once: bool = False


class SubscribeResult(Wire):
    """Names the subscription."""

    subscription_id: str


class UnsubscribeParams(Wire):
    """Which subscription to end."""

    subscription_id: str


class BusEventParams(Wire):
    """Something happened in a session."""

    seq: int
    """Counts the events of the connection from 1; a gap says that some were dropped."""
    subscription_id: str
    bus: str
    type: str
    client_id: str
    input: dict[str, Any]
    output: dict[str, Any]
    context: dict[str, str]
    at: float
    """Seconds since the epoch."""


class ProgressParams(Wire):
    """A piece of what happens in a turn."""

    token: str | int
    value: dict[str, Any]
    """`type` is `textDelta`, `toolStarted`, `toolFinished` or `handedOff`."""


class LogParams(Wire):
    """A line for the program's log."""

    level: Literal["debug", "info", "warning", "error"]
    logger: str
    message: str


class SessionChangedParams(Wire):
    """How a session is now; sent before the answer to the request that changed it."""

    client_id: str
    swarm_name: str
    is_open: bool
    agent_name: str
    route: list[str]
    """The agents that the running turn has been with."""
    mode: str


class CancelParams(Wire):
    """Which request its sender does not need any more; it is answered nevertheless."""

    id: str | int


class AckParams(Wire):
    """How many frames of the other side have arrived, over all the connection's life."""

    received: Annotated[int, Field(ge=0)]
