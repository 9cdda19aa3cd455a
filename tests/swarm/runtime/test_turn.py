"""Turns: tool calls and their outputs, repairs, limits, deadlines, failures."""

from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest

from swarm import (
    CompletionRequest,
    Host,
    Message,
    ToolCall,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
)
from swarm.errors import (
    ProviderDownError,
    ProviderTimeoutError,
    SwarmError,
    TurnError,
    TurnTimeoutError,
)
from swarm.events import MessageAdded
from swarm.testing import StubReply, StubServer, call_tool
from tests.swarm.program import Program, call_tools, output_of

pytestmark = pytest.mark.anyio


async def stock_level(sku: str, shelf: int = 1) -> int:
    """How many boxes are in stock."""
    return len(sku) * 10 + shelf


async def price(sku: str) -> str:
    """The price of a box."""
    return f"{sku}: 2.50"


@pytest.mark.requirement("kit:turn:all-calls-run", "kit:schema:tool-return")
@pytest.mark.requirement("S0-01", "S0-03", "S0-04", "S0-06")
async def test_calls_of_one_answer_run_in_order_and_their_outputs_go_back(program: Program) -> None:
    seen: list[str] = []

    async def first(word: str) -> str:
        seen.append(f"first {word}")
        return "one"

    async def second() -> str:
        seen.append("second")
        return "two"

    wish = call_tools(
        ToolCall(id="a", name="first", arguments='{"word": "now"}'), ToolCall(id="b", name="second")
    )
    model = program.agent(steps=[wish, "done"], tools=[first, second], prompt="You sell.")
    async with program.chat() as chat:
        assert await chat.complete("go") == "done"
    assert seen == ["first now", "second"]
    shown = [(m.role, m.content, m.tool_call_id) for m in model.requests[1].messages]
    assert shown == [
        ("system", "You sell.", None),
        ("user", "go", None),
        ("assistant", "", None),
        ("tool", "one", "a"),
        ("tool", "two", "b"),
    ]
    (run,) = await program.runs()
    assert (run.status, run.question, run.answer) == ("answered", "go", "done")
    assert run.started_at > 1e9
    assert run.seconds > 0
    kinds = [row.event.kind for row in await program.events()]
    assert kinds == [
        "session_opened",
        "turn_started",
        "agent_configured",
        *["message_added"] * 4,
        "turn_ended",
    ]
    model.assert_complete()


@pytest.mark.requirement("kit:turn:answers-by-itself")
async def test_rounds_follow_each_other_until_there_is_text(program: Program) -> None:
    steps = [call_tool("stock_level", sku="AB"), call_tool("price", sku="AB"), "21 at 2.50"]
    model = program.agent(steps=steps, tools=[stock_level, price])
    async with program.chat() as chat:
        assert await chat.complete("AB?") == "21 at 2.50"
    assert [output_of(request) for request in model.requests[1:]] == ["21", "AB: 2.50"]


async def hangs(request: CompletionRequest) -> str:
    await anyio.sleep_forever()
    raise NotImplementedError


@pytest.mark.requirement("kit:turn:deadline", "kit:turn:after-failure")
async def test_a_model_that_never_answers_ends_in_a_typed_error_and_the_next_message_works(
    program: Program,
) -> None:
    calls: list[CompletionRequest] = []

    async def model(request: CompletionRequest) -> str:
        calls.append(request)
        return await hangs(request) if len(calls) == 1 else "back"

    program.agent(model=model)
    program.swarm(turn_timeout=0.1)
    async with program.chat() as chat:
        with anyio.fail_after(5), pytest.raises(TurnTimeoutError, match=r"no answer within 0\.1 s"):
            await chat.complete("anyone?")
        assert await chat.complete("hello?") == "back"
    shown = [m.content for m in calls[-1].messages]
    assert shown[0] == "anyone?"
    assert shown[1].startswith("[This message got no answer: ")
    assert [run.status for run in await program.runs()] == ["answered", "failed"]


async def test_the_limit_of_one_call_is_the_providers_error(program: Program) -> None:
    program.agent(model=hangs, timeout=0.1)
    async with program.chat() as chat:
        with anyio.fail_after(5), pytest.raises(ProviderTimeoutError):
            await chat.complete("anyone?")


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_server_that_hangs_does_not_hang_the_turn(
    program: Program, is_streamed: bool
) -> None:
    replies = [StubReply(hangs=True), StubReply(text="there you are")]
    async with StubServer(lambda request: replies.pop(0)) as server:
        with use_catalog(program.catalog):
            add_completion(
                completion_name="m", model="openai/any", base_url=server.base_url, max_retries=0
            )
            add_agent(agent_name="seller", completion="m")
            add_swarm(
                swarm_name="shop",
                agent_list=["seller"],
                default_agent="seller",
                turn_timeout=0.3,
            )
        with anyio.fail_after(10):
            async with program.host() as host, session("client", "shop", host=host) as chat:
                with pytest.raises(TurnTimeoutError):
                    if is_streamed:
                        async for _ in chat.stream("hello"):
                            raise NotImplementedError
                    else:
                        await chat.complete("hello")
                assert await chat.complete("still there?") == "there you are"
        assert server.requests[-1]["messages"][0]["content"] == "hello"


@pytest.mark.requirement("kit:turn:provider-error")
async def test_a_provider_failure_is_typed_and_the_question_stays(program: Program) -> None:
    down = ProviderDownError("no connection", provider="openai/any")
    model = program.agent(steps=[call_tool("price", sku="A"), down, "fine"], tools=[price])
    async with program.chat() as chat:
        with pytest.raises(ProviderDownError, match="openai/any: no connection"):
            await chat.complete("How much is A?")
        assert await chat.complete("Hello?") == "fine"
    assert [(m.role, m.content) for m in model.requests[-1].messages] == [
        ("user", "How much is A?"),
        ("assistant", "[This message got no answer: provider down]"),
        ("user", "Hello?"),
    ]
    failed = (await program.runs())[1]
    assert failed.failure is not None
    assert failed.failure.code == "provider_down"


@pytest.mark.parametrize("name", ["prompt", "system_dynamic", "model"])
async def test_a_callback_that_raises_is_a_turn_error(program: Program, name: str) -> None:
    def breaks(*arguments: object) -> NoReturn:
        raise LookupError("no table")

    fields: dict[str, Any] = {name: breaks}
    program.agent(steps=["unused"], **fields)
    async with program.chat() as chat:
        with pytest.raises(TurnError, match="LookupError: no table") as caught:
            await chat.complete("go")
    assert isinstance(caught.value.__cause__, LookupError)
    assert (caught.value.client_id, caught.value.agent_name) == ("client", "seller")


@pytest.mark.requirement("kit:history:prompt-order")
async def test_prompts_and_system_lines_reach_the_model_in_order(program: Program) -> None:
    async def prompt(client_id: str, agent_name: str) -> str:
        return f"You serve {client_id} as {agent_name}."

    def dynamic(client_id: str, agent_name: str) -> list[str]:
        return ["It is noon.", "It rains."]

    model = program.agent(
        steps=["ok"], prompt=prompt, system=["Be kind.", "Be brief."], system_dynamic=dynamic
    )
    async with program.chat() as chat:
        await chat.complete("hi")
    lines = model.requests[0].messages[0].content.split("\n")
    assert lines == [
        "You serve client as seller.",
        "Be kind.",
        "Be brief.",
        "It is noon.",
        "It rains.",
    ]


async def test_half_surrogates_from_any_side_break_nothing(program: Program) -> None:
    async def odd_name() -> str:
        return "file-\udcff"

    wish = call_tools(ToolCall(id="x", name="odd_name", arguments='{"é\ud800": 1}'))
    answer = Message(role="assistant", content="Löwe \ud800", reasoning="\udfff")
    model = program.agent(steps=[wish, call_tool("odd_name"), answer, "ok"], tools=[odd_name])
    async with program.chat() as chat:
        assert await chat.complete("hé \ud83d") == "Löwe ?"
        assert output_of(model.requests[2]) == "file-?"
        assert await chat.complete("next") == "ok"
    assert [run.question for run in await program.runs()] == ["next", "hé ?"]


@pytest.mark.parametrize(("content", "payload"), [(7, None), (None, None), ("x", object())])
async def test_a_message_that_is_none_is_refused_before_its_turn(
    program: Program, content: Any, payload: Any
) -> None:
    program.agent(steps=["ok"])
    async with program.chat() as chat:
        with pytest.raises(SwarmError, match="a message is text, and its payload JSON"):
            await chat.complete(content, payload=payload)
        assert await chat.complete("fine") == "ok"
    assert [run.question for run in await program.runs()] == ["fine"]


async def test_a_tool_that_exits_is_a_failed_tool(program: Program) -> None:
    async def leave() -> NoReturn:
        raise SystemExit(3)

    model = program.agent(steps=[call_tool("leave"), "ok"], tools=[leave])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert model.requests[-1].messages[-1].content == "error: SystemExit: 3"
    assert [run.status for run in await program.runs()] == ["answered"]


@pytest.mark.requirement("S1-25")
async def test_a_key_that_a_tool_says_is_not_written(tmp_path: Path) -> None:
    key = "sk-planted-4711-secret"

    async def boom() -> NoReturn:
        raise RuntimeError(f"failed with key {key}")

    program = Program(tmp_path)
    program.agent(steps=[call_tool("boom"), f"It said {key}"], tools=[boom])
    program.swarm()
    environment = {"SHOP_API_KEY": key}
    async with (
        Host(catalog=program.catalog, home=program.home, environment=environment) as host,
        session("client", "shop", host=host) as chat,
    ):
        await chat.complete("go")
    files = [path.read_bytes() for path in program.home.rglob("*") if path.is_file()]
    assert files
    assert not any(key.encode() in content for content in files)
    assert (await program.runs())[0].answer == "It said ${SHOP_API_KEY}"


@pytest.mark.requirement("kit:provider:usage")
async def test_usage_of_all_calls_adds_up(program: Program) -> None:
    async with StubServer() as server:
        with use_catalog(program.catalog):
            add_completion(completion_name="m", model="openai/any", base_url=server.base_url)
            add_tool(price)
            add_tool(tool_name="now", call=lambda: "noon")
            add_agent(agent_name="seller", completion="m", tools=["now"])
            add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
        async with program.chat() as chat:
            assert await chat.complete("When?") == "The tool says: noon"
    (run,) = await program.runs()
    added = [row.event for row in await program.events() if isinstance(row.event, MessageAdded)]
    usages = [event.usage for event in added if event.usage is not None]
    assert len(usages) == 2
    assert run.usage.input_tokens == sum(usage.input_tokens for usage in usages)
    assert run.usage.output_tokens == sum(usage.output_tokens for usage in usages) > 0
