"""Telling a program what a session does: through callbacks, and through the bus.

A session that nobody listens to makes none of this. Observers never change anything; see
`observe`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from swarm.events import Event, InstructionAdded, MessageAdded, TurnStarted
from swarm.fields import Callback
from swarm.functions import observe
from swarm.messages import Message, ToolCall
from swarm.runtime.telling import call_fields, tell, tell_commit, tell_message

if TYPE_CHECKING:
    from swarm.callbacks import AgentCallbacks, SwarmCallbacks
    from swarm.runtime.session import Session

__all__ = ["Announcer"]


class Announcer:
    """Tells the observers and the listeners of one session."""

    __slots__ = ("_session",)

    def __init__(self, session: "Session") -> None:
        self._session = session

    async def opened(self) -> None:
        """The session is open."""
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_init)
        for name, plan in self._session.plan.agents.items():
            if plan.spec.callbacks is not None:
                await self._tell_agent(plan.spec.callbacks.on_init, name)

    async def connected(self) -> None:
        """The client has a connection, to which answers are pushed."""
        tell(self._session, "session-bus", "connect")
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_connect)

    async def closed(self) -> None:
        """The session is closed."""
        for name, plan in self._session.plan.agents.items():
            if plan.spec.callbacks is not None:
                await self._tell_agent(plan.spec.callbacks.on_dispose, name)
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_dispose)

    async def executing(self, content: str, mode: str) -> None:
        """The active agent is about to answer a message."""
        tell(self._session, "swarm-bus", "get-agent", None, self._agent_field)
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_execute, content, mode)
        if (agent := self._agent) is not None:
            await self._tell_agent(agent.on_execute, self._active, content, mode)
            await self._tell_agent(agent.on_user_message, self._active, content)

    def nested(self, kind: Literal["begin", "end"], content: str) -> None:
        """A message that a tool writes is about to be answered, or was."""
        tell(self._session, "execution-bus", f"commit-execution-{kind}", {"content": content})

    async def running(self, content: str) -> None:
        """The active agent is about to answer a message that is not kept."""
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_run, content)
        if (agent := self._agent) is not None:
            await self._tell_agent(agent.on_run, self._active, content)

    def ran(self, content: str, result: str) -> None:
        """The active agent has answered a message that is not kept."""
        for bus in ("agent-bus", "session-bus"):
            tell(self._session, bus, "run", {"content": content}, {"result": result})

    def pushed(self, event: Event) -> None:
        """Something was recorded; where it is a message, that is in the history."""
        if isinstance(event, TurnStarted | MessageAdded | InstructionAdded):
            tell_message(self._session, event.message, is_added=True)

    def popped(self, messages: Sequence[Message]) -> None:
        """Messages left the history: their turn has failed."""
        for message in messages:
            tell_message(self._session, message, is_added=False)

    async def committed(self, message: Message) -> None:
        """A program put a message into the history."""
        content, said = message.content, {"content": message.content}
        if message.role == "user":
            tell_commit(self._session, "commit-user-message", {**said, "mode": message.mode})
        elif not message.tool_calls and message.role != "tool":
            tell_commit(self._session, f"commit-{message.role}-message", said)
        if (agent := self._agent) is not None and not message.tool_calls:
            observer = getattr(agent, f"on_{message.role}_message", None)
            await self._tell_agent(observer, self._active, content)

    async def flushed(self) -> None:
        """The history before now is hidden."""
        tell_commit(self._session, "commit-flush", {})
        if (agent := self._agent) is not None:
            await self._tell_agent(agent.on_flush, self._active)

    def stopped(self) -> None:
        """Tool calls that have not started are skipped."""
        tell_commit(self._session, "commit-stop-tools", {})

    def cancelled(self) -> None:
        """The running turn, if any, ends without an answer."""
        tell(self._session, "agent-bus", "commit-cancel-output")
        tell(self._session, "swarm-bus", "cancel-output")

    async def tools_requested(self, calls: Sequence[ToolCall]) -> None:
        """Somebody asks for tools: the model, or the program in its place."""
        request = [call_fields(call) for call in calls]
        tell_commit(self._session, "commit-tool-request", {"request": request})
        if (agent := self._agent) is not None:
            await self._tell_agent(agent.on_tool_request, self._active, tuple(calls))

    async def tools_ended(self, agent_name: str, calls: Sequence[ToolCall]) -> None:
        """All calls of one model answer have ended."""
        if (agent := self._callbacks(agent_name)) is not None:
            await self._tell_agent(agent.on_after_tool_calls, agent_name, tuple(calls))

    async def tool_output(
        self, agent_name: str, tool_id: str, content: str, *, is_error: bool
    ) -> None:
        """A tool call has its output."""
        said = {"tool_id": tool_id, "content": content}
        tell_commit(self._session, "commit-tool-output", said, agent_name=agent_name)
        if (agent := self._callbacks(agent_name)) is not None:
            await self._tell_agent(agent.on_tool_output, agent_name, tool_id, content)
            if is_error:
                await self._tell_agent(agent.on_tool_error, agent_name, tool_id, content)

    async def resurrecting(self, mode: str, reason: str) -> None:
        """A bad model output is being mended."""
        if (agent := self._agent) is not None:
            await self._tell_agent(agent.on_resurrect, self._active, mode, reason)

    async def answered(self, message: Message, result: str) -> None:
        """The turn of a message has its answer."""
        mode, output = {"mode": message.mode}, {"result": result}
        tell(self._session, "agent-bus", "emit-output", mode, output)
        tell(self._session, "swarm-bus", "wait-for-output", None, {**self._agent_field, **output})
        asked = {"content": message.content, **mode}
        tell(self._session, "session-bus", "execute", asked, output)
        if (agent := self._agent) is not None:
            await self._tell_agent(agent.on_assistant_message, self._active, result)
            await self._tell_agent(agent.on_output, self._active, result)

    def failed(self, message: Message, code: str) -> None:
        """The turn of a message has no answer."""
        asked = {"content": message.content, "mode": message.mode}
        tell(self._session, "session-bus", "execute", asked, {"error": code})

    async def emitted(self, content: str) -> None:
        """A text of the program goes out to the client."""
        tell(self._session, "session-bus", "emit", {"content": content})
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_emit, content)

    async def agent_changed(self, previous: str, agent_name: str) -> None:
        """Another agent has taken over."""
        taken = {"agent_name": agent_name}
        tell(self._session, "agent-bus", "commit-agent-change", taken, agent_name=previous)
        tell(self._session, "swarm-bus", "set-agent-name", taken)
        tell(self._session, "swarm-bus", "set-agent-ref", taken)
        if (swarm := self._swarm) is not None:
            await self._tell_swarm(swarm.on_agent_changed, agent_name)

    def named(self) -> None:
        """Somebody asked for the name of the active agent."""
        tell(self._session, "swarm-bus", "get-agent-name", None, self._agent_field)

    def judged(
        self, direction: Literal["input", "output"], text: str, result: str, *, is_valid: bool
    ) -> None:
        """The policies have judged a text."""
        output = {"is_valid": is_valid, "text": result}
        tell(self._session, "policy-bus", f"validate-{direction}", {"text": text}, output)

    async def _tell_swarm(self, function: Callback | None, *told: object) -> None:
        name = self._session.plan.spec.swarm_name
        await observe(function, self._session.client_id, name, *told, place=f"swarm {name!r}")

    async def _tell_agent(self, function: Callback | None, agent_name: str, *told: object) -> None:
        names = (self._session.client_id, agent_name)
        await observe(function, *names, *told, place=f"agent {agent_name!r}")

    @property
    def _active(self) -> str:
        return self._session.agent_name

    @property
    def _swarm(self) -> "SwarmCallbacks | None":
        return self._session.plan.spec.callbacks

    @property
    def _agent(self) -> "AgentCallbacks | None":
        return self._callbacks(self._active)

    def _callbacks(self, agent_name: str) -> "AgentCallbacks | None":
        return self._session.plan.agents[agent_name].spec.callbacks

    @property
    def _agent_field(self) -> dict[str, str]:
        return {"agent_name": self._active}
