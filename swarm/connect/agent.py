"""`Agent`: one agent to talk to, where a whole swarm is more than is needed."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

from swarm.catalog import Catalog, current_catalog, use_catalog
from swarm.connect.one_shot import complete
from swarm.declare import add_agent, add_completion, add_swarm
from swarm.host import Host, current_host

__all__ = ["Agent"]


class Agent:
    """An agent with a name, a model and a prompt, and a conversation for each client.

    ```python
    agent = Agent("seller", model="offline", prompt="You sell tea.", tools=["find_tea"])
    print(await agent.chat("Do you have green tea?"))
    ```

    What is said is captured like all conversations, under a swarm of the agent's name. With
    `async with` the journal stays open between messages; without, each message opens it, unless a
    `Host` is open.
    """

    def __init__(
        self,
        name: str,
        *,
        model: str,
        prompt: str = "",
        tools: Sequence[str] = (),
        home: Path | str | None = None,
        store: str | None = None,
    ) -> None:
        """Describe it; nothing is opened yet.

        Args:
            name: The agent's name.
            model: A model reference, such as `openai/your-model` or `ollama/your-model`.
            prompt: The system prompt.
            tools: Names of declared tools.
            home: The folder of the state; see `Host`.
            store: The database that keeps the conversations; see `Host`. With it or `home` the
                agent has a host of its own, also inside of another.

        Raises:
            ValidationError: The name is not one.
            DuplicateNameError: An agent, a completion or a swarm of this name is declared.
        """
        self.name = name
        self._catalog: Catalog = current_catalog().copy()
        with use_catalog(self._catalog):
            add_completion(completion_name=name, model=model)
            add_agent(agent_name=name, completion=name, prompt=prompt, tools=list(tools))
            add_swarm(swarm_name=name, agent_list=[name], default_agent=name)
        self._home, self._store = home, store
        self._stack = AsyncExitStack()
        self._host: Host | None = None

    async def chat(self, content: str, client_id: str = "client") -> str:
        """Return the agent's answer; the client's conversation goes on with the next message.

        Args:
            content: What the client says.
            client_id: Whose conversation.

        Raises:
            ValidationError: A tool is not declared, or the reference names no model.
            TurnError: No answer within the deadline.
            ProviderError: The model failed.
            StoreError: The journal failed; the message is not accepted.
        """
        host = self._host or self._open_host()
        with use_catalog(self._catalog):
            if host is not None:
                return await complete(content, client_id, self.name, host=host)
            async with self._own_host() as own:
                return await complete(content, client_id, self.name, host=own)

    async def __aenter__(self) -> "Agent":
        self._host = await self._stack.enter_async_context(self._own_host())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._host = None
        return await self._stack.__aexit__(kind, error, trace)

    def _open_host(self) -> Host | None:
        if self._home is not None or self._store is not None:
            return None
        host = current_host()
        return host if host is not None and self._catalog.descends_from(host.catalog) else None

    def _own_host(self) -> Host:
        return Host(catalog=self._catalog, home=self._home, store=self._store)
