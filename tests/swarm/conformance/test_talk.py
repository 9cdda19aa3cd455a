"""Conversations by other doors than `session`: what a program sees of each."""

import anyio
import pytest

from swarm import (
    Host,
    OutgoingMessage,
    ToolContext,
    complete,
    emit,
    execute,
    fork,
    get_session_mode,
    make_connection,
    session,
)
from swarm.errors import ProviderDownError, SwarmError
from swarm.testing import call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:read:session-mode")
async def test_each_door_has_its_mode(program: Program) -> None:
    modes: list[str] = []

    async def look(context: ToolContext) -> str:
        modes.append(await get_session_mode(context.client_id))
        return "ok"

    async def run(client_id: str, agent_name: str) -> None:
        modes.append(await get_session_mode(client_id))

    def push(message: OutgoingMessage) -> None:
        """Bring it to nobody."""

    program.agent(steps=[call_tool("look"), "ok"] * 3, tools=[look])
    program.swarm()
    async with program.host() as host:
        async with session("client", "shop", host=host) as chat:
            await chat.complete("go")
        await complete("go", "client", "shop", host=host)
        async with make_connection(push, "client", "shop", host=host) as send:
            await send("go")
        await fork(run, client_id="client", swarm_name="shop", host=host)
    assert modes == ["session", "complete", "connection", "scope"]


@pytest.mark.requirement("kit:talk:execute-outside", "kit:talk:connection")
async def test_what_the_program_starts_is_pushed_to_the_client(program: Program) -> None:
    pushed: list[OutgoingMessage] = []

    async def push(message: OutgoingMessage) -> None:
        pushed.append(message)

    program.agent(steps=["Hello.", "Your parcel is here."])
    program.swarm()
    async with (
        program.host() as host,
        make_connection(push, "client", "shop", host=host) as send,
    ):
        assert await send("Hi") == "Hello."
        answer = await execute("Say that the parcel came.", "client", "seller")
    assert answer == "Your parcel is here."
    assert [(m.data, m.agent_name, m.client_id) for m in pushed] == [
        ("Hello.", "seller", "client"),
        ("Your parcel is here.", "seller", "client"),
    ]


@pytest.mark.requirement("kit:talk:emit", "kit:talk:connection")
async def test_an_emitted_answer_is_pushed_once(program: Program) -> None:
    pushed: list[OutgoingMessage] = []

    async def says(context: ToolContext) -> None:
        await emit("Closed today.", context.client_id, context.agent_name)

    program.agent(steps=[call_tool("says")], tools=[says])
    program.swarm()
    async with (
        program.host() as host,
        make_connection(pushed.append, "client", "shop", host=host) as send,
    ):
        assert await send("Open?") == "Closed today."
    assert [message.data for message in pushed] == ["Closed today."]


@pytest.mark.requirement("kit:talk:complete-errors", "kit:talk:fork-errors")
async def test_a_providers_failure_is_the_same_through_every_door(program: Program) -> None:
    def down(request: object) -> str:
        raise ProviderDownError("no connection", provider="any")

    async def ask(client_id: str, agent_name: str) -> None:
        await execute("Answer.", client_id, agent_name)

    def push(message: OutgoingMessage) -> None:
        raise NotImplementedError

    program.agent(model=down)
    program.swarm()
    errors: list[SwarmError] = []

    async def through(host: Host, door: str) -> None:
        try:
            match door:
                case "complete":
                    await complete("Hi", "client", "shop", host=host)
                case "connection":
                    async with make_connection(push, "client", "shop", host=host) as send:
                        await send("Hi")
                case "fork":
                    await fork(ask, client_id="client", swarm_name="shop", host=host)
                case _:
                    async with session("client", "shop", host=host) as chat:
                        await chat.complete("Hi")
        except SwarmError as error:
            errors.append(error)

    with anyio.fail_after(10):
        async with program.host() as host:
            for door in ("complete", "connection", "fork", "session"):
                await through(host, door)
    assert [type(error) for error in errors] == [ProviderDownError] * 4
