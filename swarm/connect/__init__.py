"""How clients reach a swarm: connections, one-shot calls, chats, background runs, pipelines.

Everything here stands on `swarm.session` and adds no rule to a turn. Errors reach the caller as
classes of `swarm.errors`; nothing is swallowed, and whatever waits ends with its session.
"""

from swarm.connect.agent import Agent
from swarm.connect.chat import Chat
from swarm.connect.clock import Clock
from swarm.connect.connection import OutgoingMessage, Push, Send, make_connection
from swarm.connect.disposal import AutoDispose, dispose_connection, make_auto_dispose
from swarm.connect.errors import (
    ClientLiveError,
    ConnectorError,
    NoConnectorError,
    PipelineError,
)
from swarm.connect.isolation import fork, scope
from swarm.connect.one_shot import complete
from swarm.connect.pipelines import start_pipeline
from swarm.connect.presence import get_online, is_online, mark_offline, mark_online
from swarm.connect.pushing import notify, notify_force
from swarm.connect.rate import RateSession
from swarm.connect.scheduled import ScheduledSession
from swarm.connect.spec import (
    PIPELINES,
    PipelineCallbacks,
    PipelineSpec,
    add_pipeline,
    get_pipeline,
    override_pipeline,
)

__all__ = [
    "PIPELINES",
    "Agent",
    "AutoDispose",
    "Chat",
    "ClientLiveError",
    "Clock",
    "ConnectorError",
    "NoConnectorError",
    "OutgoingMessage",
    "PipelineCallbacks",
    "PipelineError",
    "PipelineSpec",
    "Push",
    "RateSession",
    "ScheduledSession",
    "Send",
    "add_pipeline",
    "complete",
    "dispose_connection",
    "fork",
    "get_online",
    "get_pipeline",
    "is_online",
    "make_auto_dispose",
    "make_connection",
    "mark_offline",
    "mark_online",
    "notify",
    "notify_force",
    "override_pipeline",
    "scope",
    "start_pipeline",
]
