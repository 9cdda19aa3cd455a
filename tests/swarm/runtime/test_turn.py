"""Turns: tool calls and their outputs, repairs, limits, deadlines, failures."""

from typing import Any, NoReturn

import anyio
import pytest

from swarm import (
    CompletionRequest,
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
    MissingExtraError,
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


async def test_rounds_follow_each_other_until_there_is_text(program: Program) -> None:
    steps = [call_tool("stock_level", sku="AB"), call_tool("price", sku="AB"), "21 at 2.50"]
    model = program.agent(steps=steps, tools=[stock_level, price])
    async with program.chat() as chat:
        assert await chat.complete("AB?") == "21 at 2.50"
    assert [output_of(request) for request in model.requests[1:]] == ["21", "AB: 2.50"]


async def test_parallel_calls_run_at_the_same_time(program: Program) -> None:
    both = anyio.Event()
    waiting: list[str] = []

    async def meet(name: str) -> None:
        waiting.append(name)
        if len(waiting) == 2:
            both.set()
        await both.wait()

    async def left() -> str:
        await meet("left")
        return "l"

    async def right() -> str:
        await meet("right")
        return "r"

    wish = call_tools("left", "right")
    program.agent(steps=[wish, "met"], tools=[left, right], parallel_tool_calls=True)
    with anyio.fail_after(5):
        async with program.chat() as chat:
            assert await chat.complete("go") == "met"


@pytest.mark.parametrize("is_parallel", [False, True])
async def test_a_missing_extra_in_a_tool_fails_the_turn_by_its_own_class(
    program: Program, is_parallel: bool
) -> None:
    async def needs() -> NoReturn:
        raise MissingExtraError("chromadb", "chroma")

    wish = call_tools("needs", "price")
    program.agent(steps=[wish, "fine"], tools=[needs, price], parallel_tool_calls=is_parallel)
    async with program.chat() as chat:
        with pytest.raises(MissingExtraError, match=r"wikiswarm\[chroma\]"):
            await chat.complete("go")
        assert await chat.complete("again") == "fine"


async def test_the_model_reads_what_a_tool_raised(program: Program) -> None:
    async def breaks() -> NoReturn:
        raise KeyError("sku")

    model = program.agent(steps=[call_tool("breaks"), "It broke."], tools=[breaks])
    async with program.chat() as chat:
        assert await chat.complete("go") == "It broke."
    assert output_of(model.requests[1]) == "error: KeyError: 'sku'"
    outputs = [row.event for row in await program.events() if getattr(row.event, "is_error", False)]
    assert len(outputs) == 1


async def test_the_budget_of_calls_is_for_the_turn(program: Program) -> None:
    ran: list[int] = []

    async def count() -> str:
        ran.append(1)
        return "ok"

    steps = [call_tools(*["count"] * 3), call_tools("count", "count"), "enough", "next"]
    model = program.agent(steps=steps, tools=[count], max_tool_calls=4)
    async with program.chat() as chat:
        assert await chat.complete("go") == "enough"
        assert len(ran) == 4
        limit = "error: the limit of 4 tool calls in one turn is reached; answer now"
        assert output_of(model.requests[2]) == limit
        assert await chat.complete("more") == "next"


async def test_an_answer_with_more_calls_than_the_window_keeps_the_question(
    program: Program,
) -> None:
    model = program.agent(steps=[call_tools(*["price"] * 500), "enough", "next"], tools=[price])
    async with program.chat() as chat:
        assert await chat.complete("the question") == "enough"
        messages = model.requests[1].messages
        assert messages[0].content == "the question"
        assert len(messages[1].tool_calls) == 500
        assert sum(m.role == "tool" for m in messages) == 500
        assert await chat.complete("and now?") == "next"


REPAIRS: list[tuple[str, Message | str, str]] = [
    (
        "unknown tool",
        call_tool("stock_levl", sku="A"),
        "there is no tool named 'stock_levl'; did you mean 'stock_level'?",
    ),
    (
        "nothing like it",
        call_tool("zzz"),
        "there is no tool named 'zzz'; tools: stock_level, price",
    ),
    (
        "broken JSON",
        call_tools(ToolCall(id="x", name="price", arguments='{"sku": ')),
        "not valid JSON",
    ),
    (
        "wrong type",
        call_tool("stock_level", sku="A", shelf="top"),
        "shelf: Input should be a valid integer",
    ),
    ("missing", call_tool("price"), "sku: Field required"),
    (
        "further",
        call_tool("price", sku="A", colour="red"),
        "colour: Extra inputs are not permitted",
    ),
    (
        "a list",
        call_tools(ToolCall(id="x", name="price", arguments="[1]")),
        "must be a JSON object",
    ),
    (
        "a number",
        call_tools(ToolCall(id="x", name="price", arguments="7")),
        "must be a JSON object",
    ),
    (
        "a word",
        call_tools(ToolCall(id="x", name="price", arguments='"A1"')),
        "the arguments are a string, not a JSON object",
    ),
    (
        "too deep",
        call_tools(ToolCall(id="x", name="price", arguments="[" * 5000)),
        "not valid JSON",
    ),
]


@pytest.mark.parametrize(
    ("wish", "reason"), [row[1:] for row in REPAIRS], ids=[r[0] for r in REPAIRS]
)
async def test_a_bad_call_is_explained_and_the_model_gets_another_try(
    program: Program, wish: Message, reason: str
) -> None:
    steps = [wish, call_tool("price", sku="A"), "2.50", "later"]
    model = program.agent(steps=steps, tools=[stock_level, price])
    async with program.chat() as chat:
        assert await chat.complete("How much?") == "2.50"
        assert output_of(model.requests[1]).startswith("error: ")
        assert reason in output_of(model.requests[1])
        assert output_of(model.requests[2]) == "A: 2.50"
        assert await chat.complete("And?") == "later"
    last = model.requests[-1].messages
    assert [m.content for m in last if m.role == "user"] == ["How much?", "And?"]


@pytest.mark.parametrize(
    "arguments", ['"{\\"sku\\": \\"A\\"}"', '{"sku": "A"}', ' {"sku": "A", "shelf": "1"} ']
)
async def test_arguments_that_are_nearly_right_are_understood(
    program: Program, arguments: str
) -> None:
    wish = call_tools(ToolCall(id="x", name="stock_level", arguments=arguments))
    model = program.agent(steps=[wish, "ok"], tools=[stock_level])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert output_of(model.requests[1]) == "11"


@pytest.mark.parametrize("arguments", ["", "null", "{}"])
async def test_no_arguments_in_every_spelling(program: Program, arguments: str) -> None:
    async def now() -> str:
        return "noon"

    wish = call_tools(ToolCall(id="x", name="now", arguments=arguments))
    model = program.agent(steps=[wish, "ok"], tools=[now])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
    assert output_of(model.requests[1]) == "noon"


async def test_arguments_that_no_check_can_read_are_the_models_to_repair(program: Program) -> None:
    async def look(**arguments: Any) -> str:
        raise NotImplementedError

    shape = {"type": "object", "properties": {"x": {"$ref": "#/$defs/nowhere"}}}
    program.tool(look, parameters=shape)
    model = program.agent(steps=[call_tool("look", x=1), "sorry"], tools=["look"])
    async with program.chat() as chat:
        assert await chat.complete("go") == "sorry"
    assert output_of(model.requests[1]).startswith("error: the arguments cannot be checked: ")


async def test_an_empty_answer_is_asked_again_without_a_trace(program: Program) -> None:
    model = program.agent(steps=["", "  \n", "here", "next"])
    async with program.chat() as chat:
        assert await chat.complete("hello") == "here"
        assert model.requests[1].messages[-1].content.startswith("Your last answer was empty.")
        assert await chat.complete("more") == "next"
    assert [m.content for m in model.requests[-1].messages] == ["hello", "here", "more"]


async def test_the_placeholder_comes_when_the_repairs_are_used_up(program: Program) -> None:
    steps = [call_tool("nothing_like_it")] * 3 + ["fine"]
    model = program.agent(steps=steps, tools=[price], max_repairs=2, placeholder="Ask again.")
    async with program.chat() as chat:
        assert await chat.complete("one") == "Ask again."
        assert await chat.complete("two") == "fine"
    assert [m.content for m in model.requests[-1].messages if m.role == "user"] == ["one", "two"]
    good, bad = await program.runs()
    assert (good.is_placeholder, bad.is_placeholder) == (False, True)
    assert bad.status == "answered"
    model.assert_complete()


@pytest.mark.parametrize("ids", [("", ""), ("same", "same"), ("", "x")])
async def test_missing_and_repeated_call_ids_are_made_unique(
    program: Program, ids: tuple[str, str]
) -> None:
    def wish() -> Message:
        calls = [
            ToolCall(id=tool_id, name="price", arguments=f'{{"sku": "{sku}"}}')
            for tool_id, sku in zip(ids, "AB", strict=True)
        ]
        return call_tools(*calls)

    model = program.agent(steps=[wish(), wish(), "ok", wish(), "ok"], tools=[price])
    async with program.chat() as chat:
        assert await chat.complete("go") == "ok"
        assert await chat.complete("again") == "ok"
    messages = model.requests[2].messages
    called = [call.id for m in messages for call in m.tool_calls]
    assert len(set(called)) == 4
    assert all(called)
    paired = [(m.tool_call_id, m.content) for m in messages if m.role == "tool"]
    assert paired == list(zip(called, ["A: 2.50", "B: 2.50"] * 2, strict=True))


async def hangs(request: CompletionRequest) -> str:
    await anyio.sleep_forever()
    raise NotImplementedError


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


async def test_a_program_that_exits_in_a_tool_leaves_no_half_turn(program: Program) -> None:
    async def leave() -> NoReturn:
        raise SystemExit(3)

    model = program.agent(steps=[call_tool("leave"), "ok"], tools=[leave])
    async with program.chat() as chat:
        with pytest.raises(SystemExit):
            await chat.complete("go")
        assert await chat.complete("on") == "ok"
    assert [m.role for m in model.requests[-1].messages] == ["user", "assistant", "user"]
    assert [run.status for run in await program.runs()] == ["answered", "interrupted"]


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
