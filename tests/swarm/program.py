"""A small swarm program of a test: agents with scripted models, and its journal."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from swarm import (
    Catalog,
    Host,
    Message,
    Session,
    ToolCall,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.runtime import StoredEvent
from swarm.store import Run, list_runs, read_session
from swarm.testing import ScriptedCompletion

__all__ = ["Program", "call_tools", "output_of"]

Tool = Callable[..., Any]


class Program:
    """A catalog of its own, with one scripted model for each agent."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store: str | None = None
        """The URL of its journal; a file in the home when absent."""
        self.catalog = Catalog()

    def tool(self, call: Tool, /, **fields: Any) -> str:
        """Declare a function as a tool."""
        with use_catalog(self.catalog):
            if not fields:
                add_tool(call)
                return call.__name__
            return add_tool(tool_name=call.__name__, call=call, **fields)

    def agent(
        self,
        name: str = "seller",
        steps: Sequence[Any] = (),
        *,
        model: Tool | None = None,
        tools: Sequence[Tool | str] = (),
        timeout: float = 60.0,
        **fields: Any,
    ) -> ScriptedCompletion:
        """Declare an agent whose model plays the steps, or is a function; returns the script."""
        script = ScriptedCompletion(steps)
        names = [tool if isinstance(tool, str) else self.tool(tool) for tool in tools]
        with use_catalog(self.catalog):
            add_completion(
                completion_name=f"{name}_model",
                get_completion=model or script,
                timeout=timeout,
                max_retries=0,
            )
            add_agent(agent_name=name, completion=f"{name}_model", tools=names, **fields)
        return script

    def swarm(self, name: str = "shop", **fields: Any) -> None:
        """Declare a swarm of all agents; the first one starts."""
        agents = self.catalog.agents.names
        with use_catalog(self.catalog):
            add_swarm(swarm_name=name, agent_list=agents, default_agent=agents[0], **fields)

    def host(self, *, project: str | None = None) -> Host:
        """Return a host of this program, to be opened."""
        return Host(
            catalog=self.catalog,
            home=self.home,
            store=self.store,
            environment={},
            project=project,
        )

    @asynccontextmanager
    async def chat(
        self, client_id: str = "client", swarm_name: str = "shop"
    ) -> AsyncGenerator[Session, None]:
        """Open a host and a session in it; declares the swarm where the test did not."""
        if swarm_name not in self.catalog.swarms:
            self.swarm(swarm_name)
        async with self.host() as host, session(client_id, swarm_name, host=host) as chat:
            yield chat

    async def events(self, session_id: str = "shop/client") -> list[StoredEvent]:
        """Return what a journal that is opened anew says of a session."""
        async with self.host() as host:
            return await read_session(host.database, session_id)

    async def runs(self) -> list[Run]:
        """Return what a journal that is opened anew says of the turns, the newest first."""
        async with self.host() as host:
            return await list_runs(host.database)


def call_tools(*calls: str | ToolCall) -> Message:
    """Return a model's wish for several calls: names, or calls as the model wrote them."""
    made = [
        ToolCall(id=f"call-{place}", name=call) if isinstance(call, str) else call
        for place, call in enumerate(calls)
    ]
    return Message(role="assistant", tool_calls=tuple(made))


def output_of(request: Any, place: int = -1) -> str:
    """Return the content of a tool message that a model was sent, by default the last one."""
    return [m.content for m in request.messages if m.role == "tool"][place]
