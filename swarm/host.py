"""A host: what the sessions of one process share: catalog, journal, models, HTTP client."""

import contextlib
import contextvars
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar, Token
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import anyio.to_thread

from swarm.catalog import Catalog, current_catalog, use_catalog
from swarm.completion import Completion
from swarm.completions import register_builtin_providers
from swarm.environment import read_environment
from swarm.errors import SessionError, ValidationError
from swarm.plans import Plans
from swarm.runtime import Session, SwarmPlan, plan_swarm
from swarm.runtime.ids import check_project
from swarm.runtime.tracing import Tracer, default_tracer
from swarm.runtime.turns import current_turn
from swarm.secrets import secrets_of
from swarm.specs import AgentSpec, CompletionSpec
from swarm.validate import validate

if TYPE_CHECKING:
    import aiohttp

    from swarm.completions.opening import Models
    from swarm.inbox import Desk, Inbox, OperatorCompletion
    from swarm.memory import Memory
    from swarm.policy import Policies
    from swarm.runtime.turn import Turn
    from swarm.store import Database, SqlJournal

__all__ = ["Host", "current_host", "default_home", "open_host", "use_host"]

Resource = TypeVar("Resource")
Result = TypeVar("Result")

register_builtin_providers()


def default_home() -> Path:
    """Return the folder of the state: `WIKISWARM_HOME`, or `.wikiswarm` in the working folder."""
    return Path(os.environ.get("WIKISWARM_HOME") or ".wikiswarm")


class Host:
    """Opened with `async with`, it serves any number of sessions of its event loop.

    `session` opens one by itself when there is none; a server opens its own.
    """

    def __init__(
        self,
        *,
        catalog: Catalog | None = None,
        home: Path | str | None = None,
        store: str | None = None,
        environment: Mapping[str, str] | None = None,
        lease_seconds: float = 15.0,
        lease_wait: float = 0.0,
        telemetry: Tracer | None = None,
        prices: Mapping[str, Any] | Path | str | None = None,
        project: str | None = None,
    ) -> None:
        """Describe a host; nothing is opened yet.

        Args:
            catalog: The declarations; the current ones when absent.
            home: The folder of the state; `WIKISWARM_HOME` or `.wikiswarm` when absent.
            store: The journal's database, such as `postgresql://user:password@host/database`;
                `WIKISWARM_STORE`, or SQLite in the home, when absent.
            environment: Where keys come from; the process's environment and `.env` when absent.
            lease_seconds: After this time without a sign of life of a process, its sessions may
                be opened by others.
            lease_wait: Seconds to wait for a session that another process has open.
            telemetry: Traces turns, such as `swarm.telemetry.Telemetry()`; what
                `swarm.telemetry.instrument` set, or nothing, when absent.
            prices: What models cost, over the prices that come with wikiswarm: a file, or model
                references with `input` and `output` in US dollars per million tokens;
                `WIKISWARM_PRICES` names a file when absent.
            project: The tenant that its sessions belong to; `WIKISWARM_PROJECT`, or none, when
                absent. Sessions of another project cannot be opened.

        Raises:
            InvalidIdError: No project can be called that.
        """
        self.catalog = catalog or current_catalog()
        self.home = Path(home) if home is not None else default_home()
        self.environment: Mapping[str, str] = (
            read_environment() if environment is None else environment
        )
        # With its password; not public, so that nothing prints it.
        self._store = store or self.environment.get("WIKISWARM_STORE")
        self._lease_seconds, self._lease_wait = lease_seconds, lease_wait
        self.project = check_project(project or self.environment.get("WIKISWARM_PROJECT") or None)
        self.telemetry = telemetry if telemetry is not None else default_tracer()
        self._stack = AsyncExitStack()
        self._database: Database | None = None
        self._journal: SqlJournal | None = None
        self._memory: Memory | None = None
        self._policies: Policies | None = None
        self._desk: Desk | None = None
        self._http: aiohttp.ClientSession | None = None
        self._plans = Plans()
        if prices is None:
            prices = self.environment.get("WIKISWARM_PRICES") or None
        self._prices = prices
        self._models: Models | None = None
        self._completions: dict[str, Completion] = {}
        self._shared: dict[str, Any] = {}
        # Invariant: a completion is opened once, and a shared resource is started once.
        self._opening = anyio.Lock()
        self._starting = anyio.Lock()
        self._token: Token[Host | None] | None = None
        self.opener: Turn | None = None
        """The turn whose code opened it, if any."""

    async def __aenter__(self) -> "Host":
        from swarm.memory.memory import Kept, Memory
        from swarm.store import SqlJournal, open_database

        self._database = await anyio.to_thread.run_sync(open_database, self.home, self._store)
        self._stack.callback(self._database.close)
        self._journal = SqlJournal(
            self._database,
            lease_seconds=self._lease_seconds,
            lease_wait=self._lease_wait,
            secrets=secrets_of(self.environment),
        )
        self._stack.push_async_callback(self._journal.aclose)
        self._memory = Memory(self.catalog, Kept(self._database, self))
        self._stack.push_async_callback(self._memory.aclose)
        self._token, self.opener = _current.set(self), current_turn.get()
        # Last, so that listeners still have everything while the host closes.
        from swarm.bus.delivery import Delivery  # it needs asyncio, which no import should load

        delivery = Delivery(self.catalog.bus, self.background_context())
        self._stack.push_async_callback(delivery.aclose)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            # Closed in another task than it was opened in, it is not the current one there.
            with contextlib.suppress(ValueError):
                _current.reset(self._token)
        await self.aclose()

    async def aclose(self) -> None:
        """Stop the models and close the journal."""
        with anyio.CancelScope(shield=True):
            await self._stack.aclose()
        self._journal = self._database = self._http = self._memory = self.opener = None
        self._policies = self._desk = self._models = None
        # All of it belongs to what was closed; opened again, the host makes it anew.
        for made in (self._plans, self._completions, self._shared):
            made.clear()

    @property
    def is_open(self) -> bool:
        """Whether sessions can be opened in it."""
        return self._journal is not None

    @property
    def declarations(self) -> Catalog:
        """The catalog that counts for the calling code: its turn's, a scope's, or the host's."""
        turn = current_turn.get()
        if turn is not None and turn.session.plan.services is self:
            return turn.session.plan.catalog
        current = current_catalog()
        return current if current.descends_from(self.catalog) else self.catalog

    @property
    def database(self) -> "Database":
        """The journal's database.

        Raises:
            SessionError: The host is not open.
        """
        if self._database is None:
            raise SessionError("the host is not open; use it in `async with`")
        return self._database

    @property
    def journal(self) -> "SqlJournal":
        """The journal of the host's sessions.

        Raises:
            SessionError: The host is not open.
        """
        if self._journal is None:
            raise SessionError("the host is not open; use it in `async with`")
        return self._journal

    @property
    def memory(self) -> "Memory":
        """The states, storages and computes of this host's clients.

        Raises:
            SessionError: The host is not open.
        """
        if self._memory is None:
            raise SessionError("the host is not open; use it in `async with`")
        return self._memory

    @property
    def policies(self) -> "Policies":
        """The bans of this host's clients, and the guards of its swarms.

        Raises:
            SessionError: The host is not open.
        """
        if self._policies is None:
            from swarm.policy import Policies

            self._policies = Policies(self.catalog, self.database, self.environment)
        return self._policies

    @property
    def inbox(self) -> "Inbox":
        """The questions and tool calls that wait for people.

        Raises:
            SessionError: The host is not open.
        """
        return self._open_desk().inbox

    async def open_session(self, client_id: str, swarm_name: str) -> Session:
        """Return a session that is not yet open; use it in `async with`.

        Raises:
            ValidationError: The declarations have problems.
            UnknownNameError: No such swarm.
            SetupError: A model needs a key or an extra that is missing.
        """
        if self._journal is None:
            raise SessionError("the host is not open; use it in `async with`")
        return Session(client_id, await self._plan(swarm_name), self._journal)

    async def _plan(self, swarm_name: str) -> SwarmPlan:
        """Return a swarm made ready, made anew when declarations have changed."""
        current = current_catalog()
        catalog = current if current.descends_from(self.catalog) else self.catalog
        known = self._plans.find(catalog, swarm_name)
        if known is not None:
            return known
        validate(catalog)
        version = catalog.version
        from swarm.completions.opening import unpriced_budgets  # not needed to import swarm

        plan = await plan_swarm(catalog, swarm_name, self.completion, self, self._operator)
        if problems := unpriced_budgets(plan):
            raise ValidationError(problems)
        plan = replace(plan, memory=self.memory.for_catalog(catalog), tracer=self.telemetry)
        plan = replace(plan, project=self.project)
        if plan.spec.policies:
            plan = replace(plan, guard=await self.policies.guard(catalog, plan.spec))
        if plan.asks_people:
            plan = replace(plan, approvals=self._open_desk(), people=self._open_desk())
        return self._plans.keep(catalog, version, swarm_name, plan)

    async def completion(self, spec: CompletionSpec) -> Completion:
        """Return the completion of a declaration, opened once and shared.

        Raises:
            SetupError: A key or an extra is missing.
            DeclarationError: A reference names nothing that exists.
        """
        async with self._opening:
            return await self._open_completion(spec)

    async def update_mcp(self, mcp_name: str, client_id: str | None = None) -> None:
        """Ask an MCP server for its list of tools again at the next turn.

        Args:
            mcp_name: The declared name.
            client_id: Only for this client; `list_tools` may give each client another list.

        Raises:
            UnknownNameError: No such MCP server is declared.
        """
        from swarm.mcp import MCPS
        from swarm.mcp.toolset import forget_tools

        await forget_tools(self.declarations.registry(MCPS).get(mcp_name), self, client_id)

    def background_context(self) -> contextvars.Context:
        """Return what code sees that belongs to no turn: this host, its catalog, and no turn."""
        with use_catalog(self.catalog):
            context = contextvars.copy_context()
        context.run(_current.set, self)
        context.run(current_turn.set, None)
        return context

    def http(self) -> "aiohttp.ClientSession":
        """Return the HTTP client: keep-alive, no cookies, nothing but connecting is timed."""
        if self._http is None:
            import aiohttp

            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=1024, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            )
            self._stack.push_async_callback(self._http.close)
        return self._http

    async def shared(
        self,
        key: str,
        start: Callable[[], Awaitable[tuple[Resource, Callable[[], Awaitable[None]]]]],
    ) -> Resource:
        """Return a resource that lives as long as the host; see `Services.shared`."""
        async with self._starting:
            if key not in self._shared:
                resource, stop = await start()
                self._shared[key] = resource
                self._stack.push_async_callback(stop)
            # The key names the resource, so what was kept has the type that start gives.
            return cast("Resource", self._shared[key])

    def _operator(self, spec: AgentSpec) -> "OperatorCompletion":
        return self._open_desk().operator(spec)

    def _open_desk(self) -> "Desk":
        if self._desk is None:
            from swarm.inbox import Desk  # only programs that ask people pay for it

            self._desk = Desk(self.database, secrets=secrets_of(self.environment))
            self._stack.push_async_callback(self._desk.aclose)
        return self._desk

    async def _open_completion(self, spec: CompletionSpec) -> Completion:
        key = repr(spec)
        known = self._completions.get(key)
        if known is None:
            if self._models is None:
                from swarm.completions.opening import Models  # not needed to import swarm

                self._models = Models(self._prices)
            known = self._completions[key] = await self._models.open(spec, self)
        return known


_current: ContextVar[Host | None] = ContextVar("wikiswarm_host", default=None)


def current_host() -> Host | None:
    """Return the open host that is nearest to the calling code, if there is one.

    That is the one which the code of a turn opened itself, else the one that the turn runs in,
    else the one that was opened around the calling code.
    """
    opened, turn = _current.get(), current_turn.get()
    if turn is None or (opened is not None and opened.opener is turn):
        return opened
    own = turn.session.plan.services
    return own if isinstance(own, Host) and own.is_open else opened


def open_host(purpose: str, host: Host | None = None) -> Host:
    """Return the given host, or the current one.

    Args:
        purpose: What needs it, as the error says it.
        host: The one that a caller names.

    Raises:
        SessionError: No host is open.
    """
    used = host or current_host()
    if used is None:
        raise SessionError(
            f"no host is open; {purpose} needs one: call it in a tool or inside `async with Host()`"
        )
    return used


@asynccontextmanager
async def use_host(host: Host | None) -> AsyncGenerator[Host, None]:
    """Give the host, or the current one, or a new one for the block."""
    known = host or current_host()
    if known is not None:
        yield known
        return
    async with Host() as own:
        yield own
