"""Bad input: functions that throw, names that lead nowhere, ids that are none."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from swarm import (
    Chat,
    CompletionRequest,
    Host,
    OutgoingMessage,
    Policy,
    SharedState,
    State,
    Storage,
    ToolContext,
    add_agent,
    add_policy,
    add_state,
    add_storage,
    change_to_agent,
    complete,
    event,
    fork,
    get_last_user_message,
    make_connection,
    mark_online,
    use_catalog,
    validate,
)
from swarm.errors import (
    CallbackError,
    InvalidIdError,
    NavigationError,
    SwarmError,
    UnknownNameError,
    ValidationError,
)
from swarm.testing import call_tool
from tests.swarm.program import Program, output_of
from wiki import add_wiki, question

pytestmark = pytest.mark.anyio

SELLER: dict[str, Any] = {"client_id": "client", "agent_name": "seller"}


class Broken:
    """A function that fails until it is mended."""

    def __init__(self) -> None:
        self.is_mended = False

    def field(self, result: Any = None) -> Callable[..., Any]:
        """Return the function; once it works, it returns its first argument or the result."""

        def broken_function(*arguments: Any) -> Any:
            if not self.is_mended:
                raise LookupError("no table")
            return arguments[0] if result is None else result

        return broken_function


AGENT_FIELDS = ["prompt", "system_dynamic", "validate_output", "transform", "map_message"]
POLICY_FIELDS = ["validate_input", "validate_output", "rewrite_input", "rewrite_output"]


@pytest.mark.requirement("kit:schema:functions-typed")
@pytest.mark.parametrize("field", AGENT_FIELDS)
async def test_an_agents_function_that_throws(program: Program, field: str) -> None:
    broken = Broken()
    result = {"prompt": "p", "system_dynamic": "s", "validate_output": True}.get(field)
    fields: dict[str, Any] = {field: broken.field(result)}
    program.agent(steps=["one", "two"], **fields)
    async with program.chat() as chat:
        with pytest.raises(CallbackError, match="no table") as caught:
            await chat.complete("hi")
        assert field in str(caught.value)
        assert "broken_function" in str(caught.value)
        broken.is_mended = True
        assert await chat.complete("hi") in ("one", "two")


@pytest.mark.requirement("kit:policy:guarded")
@pytest.mark.parametrize("field", POLICY_FIELDS)
async def test_a_policys_function_that_throws(program: Program, field: str) -> None:
    broken = Broken()
    result = True if field.startswith("validate") else None
    with use_catalog(program.catalog):
        fields: dict[str, Any] = {field: broken.field(result)}
        add_policy(policy_name="calm", **fields)
    program.agent(steps=["one", "two"])
    program.swarm(policies=["calm"])
    async with program.chat() as chat:
        with pytest.raises(CallbackError, match="no table") as caught:
            await chat.complete("hi")
        assert field in str(caught.value)
        assert "calm" in str(caught.value)
        broken.is_mended = True
        assert await chat.complete("hi") in ("one", "two")


@pytest.mark.requirement("kit:memory:middlewares")
async def test_a_middleware_that_throws(program: Program) -> None:
    broken = Broken()
    with use_catalog(program.catalog):
        add_state(state_name="cart", default=0, middlewares=[broken.field()])

    async def put(context: ToolContext, count: int) -> str:
        value = await State.set("cart", count, **SELLER)
        return f"now {value}"

    steps = [call_tool("put", count=3), "No.", call_tool("put", count=4), "Yes."]
    model = program.agent(steps=steps, tools=[put], states=["cart"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "No."
        assert await State.get("cart", **SELLER) == 0, "the value is unchanged"
        broken.is_mended = True
        assert await chat.complete("go") == "Yes."
        assert await State.get("cart", **SELLER) == 4
    assert "no table" in output_of(model.requests[1])
    assert "broken_function" in output_of(model.requests[1])


@pytest.mark.requirement("kit:facade:not-listed")
async def test_memory_that_the_agent_does_not_list(program: Program) -> None:
    with use_catalog(program.catalog):
        add_state(state_name="cart")
        add_state(state_name="purse")
        add_storage(storage_name="notes")
    program.agent(steps=["ok"], states=["cart"], storages=["notes"])
    asks: list[tuple[Callable[[], Awaitable[object]], str]] = [
        (lambda: State.get("purse", **SELLER), "purse"),
        (lambda: State.set("purse", 1, **SELLER), "purse"),
        (lambda: State.clear("purse", **SELLER), "purse"),
        (lambda: State.get("cartt", **SELLER), "did you mean 'cart'"),
        (lambda: Storage.list("notess", **SELLER), "did you mean 'notes'"),
        (lambda: SharedState.get("carts"), "did you mean 'cart'"),
    ]
    async with program.chat() as chat:
        for ask, said in asks:
            with pytest.raises(SwarmError, match=said):
                await ask()
        assert await chat.complete("hi") == "ok"


@pytest.mark.requirement("kit:facade:not-listed")
def test_memory_that_nobody_declared_is_found_before_a_session(program: Program) -> None:
    with use_catalog(program.catalog):
        add_state(state_name="cart")
    program.agent(states=["crat"], storages=["notes"], wiki_list=["pharma"], mcp=["files"])
    program.swarm(policies=["calm"])
    with pytest.raises(ValidationError) as caught:
        validate(program.catalog)
    said = str(caught.value)
    assert "no state named 'crat' (did you mean 'cart'?)" in said
    for kind, name in (
        ("storage", "notes"), ("wiki", "pharma"), ("mcp", "files"), ("policy", "calm"),
    ):  # fmt: skip
        assert f"no {kind} named {name!r}" in said


def about(message: str) -> str:
    """Answer as a wiki."""
    return f"about {message}"


@pytest.mark.requirement("kit:register:wiki")
async def test_a_wiki_outside_of_the_agents_list(program: Program) -> None:
    with use_catalog(program.catalog):
        for name in ("pharma", "pharmacy"):
            add_wiki(wiki_name=name, get_chat=about)
    program.agent(steps=["ok"], wiki_list=["pharma"])
    async with program.chat() as chat:
        assert await question("aspirin", "client", "seller", "pharma") == "about aspirin"
        with pytest.raises(SwarmError) as caught:
            await question("aspirin", "client", "seller", "pharmacy")
        assert "'pharmacy'" in str(caught.value)
        assert "pharma" in str(caught.value).replace("'pharmacy'", "")
        assert await chat.complete("hi") == "ok"


@pytest.mark.requirement("kit:navigate:outside-swarm")
async def test_an_agent_outside_of_the_swarm(program: Program) -> None:
    program.agent("seller", ["ok"])
    program.agent("clerk", [])
    program.swarm()
    program.agent("clark", [])
    async with program.chat() as chat:
        with pytest.raises(NavigationError, match="'clark' is not in swarm 'shop'; did you mean"):
            await change_to_agent("clark", "client")
        with pytest.raises(UnknownNameError, match="did you mean 'clerk'"):
            await State.get("cart", client_id="client", agent_name="clark")
        assert await chat.complete("hi") == "ok"


IDS = ["", "x" * 257, "..", "../x", "a/b", "a\\b", "/etc/passwd", "C:\\x", "a\nb", "a\x00b"]


@pytest.mark.requirement("kit:persist:no-escape")
@pytest.mark.parametrize("client_id", IDS)
async def test_an_id_that_is_none_is_refused_at_the_door(program: Program, client_id: str) -> None:
    program.agent(steps=["ok"])
    with use_catalog(program.catalog):
        add_policy(policy_name="calm")
    program.swarm(policies=["calm"])
    ban: dict[str, Any] = {"swarm_name": "shop", "policy_name": "calm", "client_id": client_id}
    async with program.chat() as chat:
        with pytest.raises(InvalidIdError):
            async with program.chat(client_id):
                raise NotImplementedError
        with pytest.raises(InvalidIdError):
            await Policy.ban_client(**ban)
        # A verb finds no such session, which is an error of ours as well.
        with pytest.raises(SwarmError):
            await get_last_user_message(client_id)
        assert await chat.complete("hi") == "ok"
    known = {path.name for path in program.home.rglob("*")}
    assert not any("passwd" in name or name == "x" for name in known)


def first_words(request: CompletionRequest) -> str:
    """Say what the client said first."""
    return request.messages[0].content


@pytest.mark.requirement("kit:persist:no-collision")
async def test_ids_that_look_alike_are_different_clients(program: Program) -> None:
    ids = ["a", "A", "a ", "a.", "\uff41", "a_b", "a-b", "a:b", "a%2Fb", "x" * 256]
    program.agent(model=first_words)
    program.swarm()
    for client_id in ids:
        async with program.chat(client_id) as chat:
            assert await chat.complete(f"I am {client_id!r}") == f"I am {client_id!r}"
    assert {run.client_id for run in await program.runs()} == set(ids)


def push(message: OutgoingMessage) -> None:
    """Bring a message to nobody."""


async def runs(client_id: str, agent_name: str) -> None:
    """Do nothing in a fork."""


async def connects(host: Host, client_id: str) -> None:
    """Open a connection."""
    async with make_connection(push, client_id, "shop", host=host):
        raise NotImplementedError


async def chats(host: Host, client_id: str) -> None:
    """Open a session of a chat."""
    async with Chat(host) as chat:
        await chat.begin_chat(client_id, "shop")


DOORS: dict[str, Callable[[Host, str], Awaitable[object]]] = {
    "complete": lambda host, name: complete("hi", name, "shop", host=host),
    "make_connection": connects,
    "chat": chats,
    "fork": lambda host, name: fork(runs, client_id=name, swarm_name="shop", host=host),
    "event": lambda host, name: event(name, "paid"),
    "mark_online": lambda host, name: mark_online(name, "shop"),
}


@pytest.mark.requirement("kit:persist:no-escape")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("client_id", ["", "x" * 257, "../x"])
async def test_every_door_refuses_an_id_that_is_none(
    program: Program, door: str, client_id: str
) -> None:
    program.agent(steps=["ok"])
    program.swarm()
    async with program.host() as host:
        with pytest.raises(InvalidIdError):
            await DOORS[door](host, client_id)
        assert await complete("hi", "client", "shop", host=host) == "ok"


@pytest.mark.requirement("kit:register:unknown-field")
@pytest.mark.parametrize("name", ["", "x" * 65, "../x", "a/b", "a b", "é", ".hidden", 'x"'])
def test_declared_names_are_no_paths(program: Program, name: str) -> None:
    declarations: list[tuple[Callable[..., str], dict[str, Any]]] = [
        (add_agent, {"agent_name": name, "completion": "m"}),
        (add_state, {"state_name": name}),
        (add_policy, {"policy_name": name}),
    ]
    with use_catalog(program.catalog):
        for add, fields in declarations:
            with pytest.raises(ValidationError):
                add(**fields)
