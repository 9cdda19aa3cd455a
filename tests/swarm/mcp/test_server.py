"""A live MCP server, used by an agent in a conversation."""

import os
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from swarm import MCP, CompletionRequest, Message, ToolContext, add_mcp, session, use_catalog
from swarm.errors import MissingKeyError, SessionError, UnknownNameError
from swarm.mcp.errors import McpUnavailableError
from swarm.testing import call_tool
from tests.swarm.mcp.conftest import Shelves
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:tools:mcp-transport")
async def test_an_agent_calls_a_tool_over_stdio(program: Program, shelves: Shelves) -> None:
    """kit:mcp:tools-are-offered-after-own."""

    def own() -> str:
        """Tell something."""
        return "own"

    model = program.agent(
        steps=[call_tool("stock", sku="A1"), "There are 3."],
        tools=[own],
        mcp=[shelves.declare(program)],
    )
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "There are 3."
    offered = model.requests[0].tools
    assert [tool.name for tool in offered][:3] == ["own", "stock", "price"]
    assert offered[1].description == "How many boxes are in stock."
    assert offered[1].parameters["additionalProperties"] is False
    assert offered[1].parameters["properties"] == {
        "sku": {"type": "string", "pattern": "^[A-Z][0-9]+$"}
    }
    assert "shop_status_now" in [tool.name for tool in offered]
    assert output_of(model.requests[1]) == '{"sku": "A1", "count": 3}'
    assert shelves.calls == ["stock"]


async def test_an_agent_calls_a_tool_over_http(program: Program, shelves: Shelves) -> None:
    url = await shelves.serve_http()
    model = program.agent(
        steps=[call_tool("stock", sku="A1"), "There are 3."],
        mcp=[shelves.declare(program, url=url)],
    )
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "There are 3."
    assert output_of(model.requests[1]) == '{"sku": "A1", "count": 3}'


async def test_arguments_are_checked_before_they_are_sent(
    program: Program, shelves: Shelves
) -> None:
    model = program.agent(
        steps=[call_tool("stock", sku="nonsense"), call_tool("stock", box=1), "Sorry."],
        mcp=[shelves.declare(program)],
    )
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "Sorry."
    assert "does not match" in output_of(model.requests[1])
    assert "'sku' is a required property" in output_of(model.requests[2])
    assert shelves.calls == []


async def test_results_become_text(program: Program, shelves: Shelves) -> None:
    model = program.agent(
        steps=[
            call_tool("price", sku="A1"),
            call_tool("picture"),
            call_tool("refuse"),
            call_tool("huge"),
            call_tool("shop_status_now"),
            "Done.",
        ],
        mcp=[shelves.declare(program)],
    )
    async with program.chat() as chat:
        assert await chat.complete("Go.") == "Done."
    last = model.requests[-1]
    assert output_of(last, 0) == '{"euros":4.8}'
    assert output_of(last, 1) == "A blue box.\n[image: image/png, 6 bytes, not shown]"
    assert output_of(last, 2) == "error: the shelf is locked"
    assert output_of(last, 3).endswith("[cut: the output had 3000000 characters]")
    assert len(output_of(last, 3)) < 300_000
    assert output_of(last, 4) == "shop.status/now is fine"


@pytest.mark.parametrize("over", ["stdio", "http"])
async def test_a_slow_tool_is_given_up(program: Program, shelves: Shelves, over: str) -> None:
    fields = {"url": await shelves.serve_http()} if over == "http" else {}
    name = shelves.declare(program, timeout=3, **fields)
    model = program.agent(
        steps=[call_tool("pid"), call_tool("slow"), call_tool("pid"), "Sorry."],
        mcp=[name],
    )
    async with program.chat() as chat:
        with anyio.fail_after(30):
            assert await chat.complete("Wait.") == "Sorry."
    last = model.requests[-1]
    assert output_of(last, 1) == "error: no output within 3 s"
    # The connection is as good as before.
    assert output_of(last, 2) == output_of(last, 0)


async def test_a_server_that_crashes_is_started_again(program: Program, shelves: Shelves) -> None:
    model = program.agent(
        steps=[call_tool("pid"), call_tool("crash"), call_tool("pid"), "Fine."],
        mcp=[shelves.declare(program)],
    )
    async with program.chat() as chat:
        with anyio.fail_after(30):
            assert await chat.complete("Go.") == "Fine."
    last = model.requests[-1]
    assert "error: the MCP server 'shelves' is gone" in output_of(last, 1)
    assert output_of(last, 2).isdigit()
    assert output_of(last, 2) != output_of(last, 0)
    assert not _is_alive(int(output_of(last, 0)))
    assert not _is_alive(int(output_of(last, 2)))


async def test_an_http_server_that_restarts_is_found_again(
    program: Program, shelves: Shelves
) -> None:
    url = await shelves.serve_http()
    model = program.agent(
        steps=[call_tool("pid"), "One.", call_tool("pid"), "Two.", call_tool("pid"), "Three."],
        mcp=[shelves.declare(program, url=url)],
    )
    async with program.chat() as chat:
        await chat.complete("Go.")
        shelves.stop()
        assert await chat.complete("And now?") == "Two."
        await shelves.serve_http()
        assert await chat.complete("And now?") == "Three."
    last = model.requests[-1]
    assert output_of(last, 0).isdigit()
    assert output_of(last, 1).startswith("error: ")
    assert output_of(last, 2).isdigit()
    assert output_of(last, 2) != output_of(last, 0)


async def test_sessions_share_one_connection(program: Program, shelves: Shelves) -> None:
    """kit:mcp:one-connection-per-host."""

    async def answer(request: CompletionRequest) -> str | Message:
        if any(message.role == "tool" for message in request.messages):
            return output_of(request)
        return call_tool("pid")

    program.agent(model=answer, mcp=[shelves.declare(program)])
    program.swarm()
    answers: list[str] = []
    async with program.host() as host:

        async def talk(client_id: str) -> None:
            async with session(client_id, "shop", host=host) as chat:
                answers.append(await chat.complete("Who are you?"))

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(talk, f"client-{number}")
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert not _is_alive(int(answers[0]))


async def test_the_connection_outlives_the_turn_that_opened_it(
    program: Program, shelves: Shelves
) -> None:
    model = program.agent(
        steps=[call_tool("slow"), call_tool("pid"), "Here."], mcp=[shelves.declare(program)]
    )
    program.swarm()
    async with program.host() as host:
        async with (
            session("first", "shop", host=host) as chat,
            anyio.create_task_group() as group,
        ):
            group.start_soon(chat.complete, "Go.")
            with anyio.fail_after(30):
                while shelves.calls != ["slow"]:
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        async with session("second", "shop", host=host) as chat:
            assert await chat.complete("Go.") == "Here."
    assert output_of(model.requests[-1]).isdigit()


async def test_a_child_gets_only_the_variables_that_are_named(
    program: Program, shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    model = program.agent(
        steps=[call_tool("variables"), "Done."],
        mcp=[shelves.declare(program, env=["SHOP_PUBLIC"])],
    )
    program.swarm()
    host = program.host()
    host.environment = {"SHOP_PUBLIC": "yes", "OPENAI_API_KEY": "sk-1"}
    async with host, session("client", "shop", host=host) as chat:
        await chat.complete("Go.")
    names = output_of(model.requests[-1]).split()
    assert "SHOP_PUBLIC" in names
    assert "PATH" in names
    assert not {"SHOP_SECRET", "OPENAI_API_KEY"} & set(names)


async def test_keys_are_sent_by_the_name_of_their_variable(
    program: Program, shelves: Shelves
) -> None:
    shelves.say(token="t0ken")
    url = await shelves.serve_http()
    name = shelves.declare(
        program, url=url, api_key_env="SHOP_KEY", headers={"X-Shop": "SHOP_NAME"}
    )
    model = program.agent(steps=[call_tool("stock", sku="A1"), "3."], mcp=[name])
    program.swarm()
    host = program.host()
    host.environment = {"SHOP_KEY": "t0ken", "SHOP_NAME": "corner"}
    async with host, session("client", "shop", host=host) as chat:
        assert await chat.complete("How many?") == "3."
    assert output_of(model.requests[-1]) == '{"sku": "A1", "count": 3}'
    assert "header corner" in shelves.calls
    assert b"t0ken" not in b"".join(p.read_bytes() for p in program.home.rglob("*") if p.is_file())


async def test_a_missing_key_is_named(program: Program, shelves: Shelves) -> None:
    url = "https://example.com/mcp"
    program.agent(mcp=[shelves.declare(program, url=url, api_key_env="SHOP_KEY")])
    async with program.chat() as chat:
        with pytest.raises(MissingKeyError, match="set SHOP_KEY"):
            await chat.complete("Go.")


async def test_a_server_that_was_never_there_is_a_typed_error(program: Program) -> None:
    with use_catalog(program.catalog):
        add_mcp(mcp_name="nothing", command=["no-such-program-anywhere"])
    program.agent(mcp=["nothing"])
    async with program.chat() as chat:
        with pytest.raises(McpUnavailableError, match=r"mcp 'nothing': no connection: .*no-such"):
            await chat.complete("Go.")
        assert chat.turn is None


async def test_a_server_that_prints_to_its_standard_output_is_told_in_one_line(
    program: Program, shelves: Shelves, caplog: pytest.LogCaptureFixture
) -> None:
    command = ["sh", "-c", 'echo Welcome!; exec "$@"', "sh", *shelves.command]
    with use_catalog(program.catalog):
        add_mcp(mcp_name="shelves", command=command)
    program.agent(steps=["Hello."], mcp=["shelves"])
    async with program.chat() as chat:
        assert await chat.complete("Go.") == "Hello."
    (line,) = [record for record in caplog.records if record.name == "mcp.client.stdio"]
    assert line.getMessage().endswith("what it prints belongs on standard error")
    assert line.exc_info is None


async def test_a_server_that_ends_at_once_is_a_typed_error_with_its_log(
    program: Program, shelves: Shelves
) -> None:
    shelves.say(crash_at_start=True)
    program.agent(mcp=[shelves.declare(program)])
    async with program.chat() as chat:
        with pytest.raises(McpUnavailableError) as caught:
            await chat.complete("Go.")
    assert caught.value.hint is not None
    assert caught.value.__notes__ == [caught.value.hint]
    log = anyio.Path(caught.value.hint.removeprefix("what it wrote is in "))
    assert "no shelves today" in await log.read_text(encoding="utf-8")


async def test_known_tools_are_offered_while_the_server_is_down(
    program: Program, shelves: Shelves
) -> None:
    model = program.agent(
        steps=["Fine.", call_tool("pid"), "Down."], mcp=[shelves.declare(program)]
    )
    async with program.chat() as chat:
        await chat.complete("Go.")
    shelves.say(crash_at_start=True)
    async with program.chat() as chat:
        assert await chat.complete("Go.") == "Down."
    assert [tool.name for tool in model.requests[1].tools][:2] == ["stock", "price"]
    assert output_of(model.requests[2]).startswith("error: mcp 'shelves': no connection")


async def test_a_list_comes_in_pages(program: Program, shelves: Shelves) -> None:
    shelves.say(pages=True)
    model = program.agent(steps=["Fine."], mcp=[shelves.declare(program)])
    async with program.chat() as chat:
        await chat.complete("Go.")
    assert len(model.requests[0].tools) == 10


async def test_tools_can_be_chosen_and_prefixed(program: Program, shelves: Shelves) -> None:
    first = shelves.declare(program, "one", prefix="one_", tools=["stock"])
    second = shelves.declare(program, "two", tools=["price", "stock"])
    model = program.agent(steps=[call_tool("one_stock", sku="A1"), "3."], mcp=[first, second])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
    assert [tool.name for tool in model.requests[0].tools] == ["one_stock", "stock", "price"]
    assert output_of(model.requests[1]) == '{"sku": "A1", "count": 3}'


async def test_a_tool_with_a_schema_that_is_none_is_left_out(
    program: Program, shelves: Shelves, caplog: pytest.LogCaptureFixture
) -> None:
    shelves.say(
        tools={
            "stock": {"inputSchema": {"type": "object", "properties": {"sku": {"type": 7}}}},
            "price": {"description": "x" * 10_000},
            "slow": {"inputSchema": {"type": "object", "title": "x" * 70_000}},
            "n" * 65: {"description": "A name that is too long."},
        }
    )
    model = program.agent(steps=["Fine."], mcp=[shelves.declare(program)])
    async with program.chat() as chat:
        await chat.complete("Go.")
    names = [tool.name for tool in model.requests[0].tools]
    assert names[0] == "picture"
    assert not {"stock", "price", "slow", "n" * 65} & set(names)
    assert "'stock' of MCP server 'shelves' is left out: its schema is no JSON" in caplog.text


async def test_a_schema_that_points_elsewhere_is_not_followed(
    program: Program, shelves: Shelves
) -> None:
    elsewhere = {"type": "object", "properties": {"sku": {"$ref": "http://127.0.0.1:9/x"}}}
    shelves.say(tools={"stock": {"inputSchema": elsewhere}})
    model = program.agent(
        steps=[call_tool("stock", sku="A1"), "Sorry."], mcp=[shelves.declare(program)]
    )
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "Sorry."
    assert "the arguments cannot be checked" in output_of(model.requests[1])


@pytest.mark.requirement("kit:tools:mcp-after")
async def test_an_agents_own_tool_comes_first(program: Program, shelves: Shelves) -> None:
    """kit:mcp:first-name-wins."""

    def stock(sku: str) -> str:
        """Tell my own stock."""
        return f"mine of {sku}"

    model = program.agent(
        steps=[call_tool("stock", sku="A1"), "Mine."],
        tools=[stock],
        mcp=[shelves.declare(program)],
    )
    async with program.chat() as chat:
        await chat.complete("How many?")
    assert [tool.name for tool in model.requests[0].tools].count("stock") == 1
    assert output_of(model.requests[1]) == "mine of A1"


@pytest.mark.requirement("kit:tools:mcp-functions")
@pytest.mark.requirement("kit:facade:mcp-update")
async def test_two_functions_in_place_of_a_server(program: Program) -> None:
    """kit:mcp:list-tools-and-call-tool."""
    asked: list[str] = []

    async def list_tools(client_id: str) -> list[dict[str, object]]:
        asked.append(client_id)
        return [{"name": "hello", "description": f"Greet {client_id}."}]

    def call_tool_of(name: str, context: ToolContext) -> str | None:
        return f"{name} {context.client_id} {context.arguments['loud']}" if name else None

    with use_catalog(program.catalog):
        add_mcp(mcp_name="greeter", list_tools=list_tools, call_tool=call_tool_of)
    model = program.agent(
        steps=[call_tool("hello", loud=True), "Hello.", "Again.", "And again.", "Other."],
        mcp=["greeter"],
    )
    program.swarm()
    async with program.host() as host:
        async with session("ann", "shop", host=host) as chat:
            assert await chat.complete("Hello?") == "Hello."
            await chat.complete("Hello?")
            assert asked == ["ann"]
            await host.update_mcp("greeter", "ann")
            await chat.complete("Hello?")
            assert asked == ["ann", "ann"]
        async with session("bob", "shop", host=host) as chat:
            await chat.complete("Hello?")
    assert asked == ["ann", "ann", "bob"]
    assert output_of(model.requests[1]) == "hello ann True"
    assert model.requests[-1].tools[0].description == "Greet bob."


@pytest.mark.requirement("kit:schema:mcp-callbacks")
async def test_observers_are_told_and_harm_nothing(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    """kit:mcp:callbacks; the kit declares onFetch and never calls it."""
    told: list[tuple[object, ...]] = []

    def telling(event: str) -> Any:
        async def tell(*values: Any) -> None:
            told.append((event, *[getattr(value, "arguments", value) for value in values]))
            raise ValueError(f"{event} is broken")

        return tell

    def list_tools(client_id: str) -> list[dict[str, object]]:
        return [{"name": "hello"}]

    def call_tool_of(name: str, context: ToolContext) -> str:
        return name

    async def refresh(context: ToolContext) -> str:
        await MCP.update("greeter", context.client_id)
        return "asked anew"

    events = ("on_init", "on_dispose", "on_fetch", "on_list", "on_call", "on_update")
    callbacks: Any = {event: telling(event) for event in events}
    with use_catalog(program.catalog):
        add_mcp(
            mcp_name="greeter", list_tools=list_tools, call_tool=call_tool_of, callbacks=callbacks
        )
    program.agent(
        steps=[call_tool("hello", loud=True), call_tool("refresh"), "Hello."],
        tools=[refresh],
        mcp=["greeter"],
    )
    async with program.chat("ann") as chat:
        assert await chat.complete("Hello?") == "Hello."
        with pytest.raises(UnknownNameError, match="did you mean 'greeter'"):
            await MCP.update("greter")
        await MCP.update("greeter")
    names = ("ann", "greeter")
    assert told == [
        ("on_init", "greeter"),
        ("on_fetch", *names),
        ("on_list", ["hello"], *names),
        ("on_call", "hello", {"loud": True}, "greeter"),
        ("on_list", ["hello"], *names),
        ("on_update", *names),
        ("on_fetch", *names),
        ("on_list", ["hello"], *names),
        ("on_update", None, "greeter"),
        ("on_dispose", "greeter"),
    ]
    assert "callback 'tell' of mcp 'greeter' failed" in caplog.text
    with pytest.raises(SessionError, match="no host is open"):
        await MCP.update("greeter")


async def test_observers_hear_of_a_live_server(program: Program, shelves: Shelves) -> None:
    told: list[tuple[object, ...]] = []

    def fetched(*values: object) -> None:
        told.append(values)

    def called(name: str, context: ToolContext, mcp_name: str) -> None:
        told.append((name, context.tool_name, mcp_name))

    name = shelves.declare(program, prefix="s_", callbacks={"on_fetch": fetched, "on_call": called})
    program.agent(steps=[call_tool("s_stock", sku="A1"), "3."], mcp=[name])
    async with program.chat() as chat:
        await chat.complete("How many?")
    assert told == [(None, "shelves"), ("stock", "s_stock", "shelves")]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
