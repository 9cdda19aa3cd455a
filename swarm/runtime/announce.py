"""Telling a program what a session does: the callbacks of its agents and of its swarm.

A session without any asks nobody. Observers never change anything; see `observe`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from swarm.messages import ToolCall
from swarm.runtime.calling import observe

if TYPE_CHECKING:
    from swarm.callbacks import AgentCallbacks, SwarmCallbacks
    from swarm.runtime.session import Session

__all__ = ["Announcer"]


class Announcer:
    """Tells the observers of one session."""

    __slots__ = ("_session",)

    def __init__(self, session: "Session") -> None:
        self._session = session

    async def opened(self) -> None:
        """The session is open."""
        if (swarm := self._swarm) is not None:
            await observe(swarm.on_init, *self._swarm_names)
        for name, plan in self._session.plan.agents.items():
            if plan.spec.callbacks is not None:
                await observe(plan.spec.callbacks.on_init, self._session.client_id, name)

    async def closed(self) -> None:
        """The session is closed."""
        for name, plan in self._session.plan.agents.items():
            if plan.spec.callbacks is not None:
                await observe(plan.spec.callbacks.on_dispose, self._session.client_id, name)
        if (swarm := self._swarm) is not None:
            await observe(swarm.on_dispose, *self._swarm_names)

    async def executing(self, content: str, mode: str) -> None:
        """The active agent is about to answer a message."""
        if (swarm := self._swarm) is not None:
            await observe(swarm.on_execute, *self._swarm_names, content, mode)
        if (agent := self._agent) is not None:
            await observe(agent.on_execute, *self._agent_names, content, mode)
            await observe(agent.on_user_message, *self._agent_names, content)

    async def running(self, content: str) -> None:
        """The active agent is about to answer a message that is not kept."""
        if (swarm := self._swarm) is not None:
            await observe(swarm.on_run, *self._swarm_names, content)
        if (agent := self._agent) is not None:
            await observe(agent.on_run, *self._agent_names, content)

    async def committed(self, role: str, content: str) -> None:
        """A message joined the history."""
        if (agent := self._agent) is not None:
            await observe(getattr(agent, f"on_{role}_message", None), *self._agent_names, content)

    async def flushed(self) -> None:
        """The history before now is hidden."""
        if (agent := self._agent) is not None:
            await observe(agent.on_flush, *self._agent_names)

    async def tools_requested(self, calls: Sequence[ToolCall]) -> None:
        """The model asks for tools."""
        if (agent := self._agent) is not None:
            await observe(agent.on_tool_request, *self._agent_names, tuple(calls))

    async def tools_ended(self, agent_name: str, calls: Sequence[ToolCall]) -> None:
        """All calls of one model answer have ended."""
        if (agent := self._callbacks(agent_name)) is not None:
            names = (self._session.client_id, agent_name)
            await observe(agent.on_after_tool_calls, *names, tuple(calls))

    async def tool_output(
        self, agent_name: str, tool_id: str, content: str, *, is_error: bool
    ) -> None:
        """A tool call has its output."""
        if (agent := self._callbacks(agent_name)) is not None:
            names = (self._session.client_id, agent_name)
            await observe(agent.on_tool_output, *names, tool_id, content)
            if is_error:
                await observe(agent.on_tool_error, *names, tool_id, content)

    async def resurrecting(self, mode: str, reason: str) -> None:
        """A bad model output is being mended."""
        if (agent := self._agent) is not None:
            await observe(agent.on_resurrect, *self._agent_names, mode, reason)

    async def answered(self, content: str) -> None:
        """The agent has answered."""
        if (agent := self._agent) is not None:
            await observe(agent.on_assistant_message, *self._agent_names, content)
            await observe(agent.on_output, *self._agent_names, content)

    async def emitted(self, content: str) -> None:
        """A text goes out to the client."""
        if (swarm := self._swarm) is not None:
            await observe(swarm.on_emit, *self._swarm_names, content)

    async def agent_changed(self, agent_name: str) -> None:
        """Another agent has taken over."""
        if (swarm := self._swarm) is not None:
            await observe(swarm.on_agent_changed, *self._swarm_names, agent_name)

    @property
    def _swarm(self) -> "SwarmCallbacks | None":
        return self._session.plan.spec.callbacks

    @property
    def _agent(self) -> "AgentCallbacks | None":
        return self._callbacks(self._session.agent_name)

    def _callbacks(self, agent_name: str) -> "AgentCallbacks | None":
        return self._session.plan.agents[agent_name].spec.callbacks

    @property
    def _swarm_names(self) -> tuple[str, str]:
        return self._session.client_id, self._session.plan.spec.swarm_name

    @property
    def _agent_names(self) -> tuple[str, str]:
        return self._session.client_id, self._session.agent_name
