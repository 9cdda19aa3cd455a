"""The fields of declarations: callbacks, flags, texts for the documentation."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn

import anyio
import anyio.lowlevel
import pytest
from pydantic import ValidationError

from swarm import (
    AgentCallbacks,
    CompletionCallbacks,
    Kind,
    Message,
    Spec,
    SwarmCallbacks,
    ToolCallbacks,
    ToolContext,
    add_agent,
    add_completion,
    change_to_agent,
    commit_assistant_message,
    commit_developer_message,
    commit_flush,
    commit_system_message,
    commit_user_message,
    emit,
    execute,
    run_stateless,
    use_catalog,
)
from swarm.testing import ScriptedCompletion, call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


class Ear:
    """Functions that write down what they are told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    def on(self, name: str) -> Callable[..., None]:
        """Return an observer of that name."""

        def observer(*told: Any) -> None:
            self.heard.append((name, told))

        return observer

    def all(self, model: type[Spec]) -> Any:
        """Return callbacks that fill every field of a model."""
        return model(**{name: self.on(name) for name in model.model_fields})

    @property
    def names(self) -> list[str]:
        """What was told, by name."""
        return [name for name, _ in self.heard]


async def stock(sku: str) -> str:
    """How many boxes are in stock."""
    return f"3 of {sku}"


async def breaks() -> NoReturn:
    """Fail."""
    raise LookupError("no shelf")


@pytest.mark.requirement("kit:schema:agent-callbacks", "kit:rescue:told", "kit:talk:on-dispose")
async def test_an_agents_callbacks(program: Program) -> None:
    ear = Ear()
    steps = [
        call_tool("stock", "a", sku="A"),
        "",
        "3.",
        call_tool("breaks", "b"),
        "Sorry.",
        "Aside",
    ]
    program.agent(steps=steps, tools=[stock, breaks], callbacks=ear.all(AgentCallbacks))
    names = ("client", "seller")
    async with program.chat() as chat:
        await chat.complete("How many?")
        await chat.complete("And B?")
        await run_stateless("An aside.", *names)
        await commit_user_message("u", "user", *names)
        await commit_assistant_message("a", *names)
        await commit_system_message("s", *names)
        await commit_developer_message("d", *names)
        await commit_flush(*names)
    assert ear.names == [
        "on_init",
        "on_execute",
        "on_user_message",
        "on_tool_request",
        "on_tool_output",
        "on_after_tool_calls",
        "on_resurrect",
        "on_assistant_message",
        "on_output",
        "on_execute",
        "on_user_message",
        "on_tool_request",
        "on_tool_output",
        "on_tool_error",
        "on_after_tool_calls",
        "on_assistant_message",
        "on_output",
        "on_run",
        "on_user_message",
        "on_assistant_message",
        "on_system_message",
        "on_developer_message",
        "on_flush",
        "on_dispose",
    ]
    assert all(told[:2] == names for _, told in ear.heard)
    told = {name: rest for name, (_, _, *rest) in reversed(ear.heard)}
    assert told["on_execute"] == ["How many?", "user"]
    assert told["on_tool_output"] == ["a", "3 of A"]
    assert [call.name for call in told["on_tool_request"][0]] == ["stock"]
    assert told["on_tool_error"] == ["b", "error: LookupError: no shelf"]
    assert told["on_resurrect"] == ["user", "the answer was empty"]
    assert told["on_output"] == ["3."]
    assert told["on_run"] == ["An aside."]


@pytest.mark.requirement("kit:schema:tool-callbacks")
async def test_a_tools_callbacks(program: Program) -> None:
    ear = Ear()

    def fits(arguments: object, context: ToolContext) -> bool:
        return True

    shape = {"callbacks": ear.all(ToolCallbacks), "validate_params": fits}
    program.tool(stock, **shape)
    program.tool(breaks, **shape)
    steps = [call_tool("stock", sku="A"), call_tool("breaks"), "ok"]
    program.agent(steps=steps, tools=["stock", "breaks"])
    async with program.chat() as chat:
        await chat.complete("go")
    assert ear.names == [
        "on_validate", "on_before_call", "on_after_call",
        "on_validate", "on_before_call", "on_call_error",
    ]  # fmt: skip
    assert all(isinstance(told[0], ToolContext) for _, told in ear.heard)
    assert str(ear.heard[-1][1][1]) == "no shelf"


@pytest.mark.requirement("kit:schema:swarm-callbacks", "kit:talk:on-dispose")
async def test_a_swarms_callbacks(program: Program) -> None:
    ear = Ear()

    async def says(context: ToolContext) -> None:
        await emit("Wait.", context.client_id, context.agent_name)

    program.agent("seller", [call_tool("says"), "Aside"], tools=[says])
    program.agent("clerk", [])
    program.swarm(callbacks=ear.all(SwarmCallbacks))
    async with program.chat() as chat:
        await chat.complete("go")
        await run_stateless("An aside.", "client", "seller")
        await change_to_agent("clerk", "client")
    assert ear.heard == [
        ("on_init", ("client", "shop")),
        ("on_execute", ("client", "shop", "go", "user")),
        ("on_emit", ("client", "shop", "Wait.")),
        ("on_run", ("client", "shop", "An aside.")),
        ("on_agent_changed", ("client", "shop", "clerk")),
        ("on_dispose", ("client", "shop")),
    ]


@pytest.mark.requirement("kit:schema:flags")
async def test_a_completions_flags_end_the_prompt(program: Program) -> None:
    model = ScriptedCompletion(["ok"])
    with use_catalog(program.catalog):
        add_completion(completion_name="m", get_completion=model, flags=["/no_think", "/brief"])
        add_agent(agent_name="seller", completion="m", prompt="You sell.", system="Smile.")
    async with program.chat() as chat:
        await chat.complete("hi")
    system = model.requests[0].messages[0].content.split("\n")
    assert system == ["You sell.", "Smile.", "/no_think", "/brief"]


@pytest.mark.requirement("kit:schema:completion-callbacks")
async def test_a_completions_callback(program: Program) -> None:
    ear, model = Ear(), ScriptedCompletion(["ok"])
    with use_catalog(program.catalog):
        callbacks = ear.all(CompletionCallbacks)
        add_completion(completion_name="m", get_completion=model, callbacks=callbacks)
        add_agent(agent_name="seller", completion="m")
    async with program.chat() as chat:
        await chat.complete("hi")
    ((name, (request, result)),) = ear.heard
    assert name == "on_complete"
    assert request.messages[-1].content == "hi"
    assert result.message.content == "ok"


@pytest.mark.requirement("kit:schema:observers-guarded", "kit:facade:logger")
async def test_a_callback_that_raises_is_logged_and_changes_nothing(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    def explodes(*told: object) -> NoReturn:
        raise RuntimeError("observer")

    def all_of(model: type[Spec]) -> Any:
        return model(**dict.fromkeys(model.model_fields, explodes))

    program.tool(stock, callbacks=all_of(ToolCallbacks))
    steps = [call_tool("stock", sku="A"), "3.", "Thought.", "again"]
    program.agent(steps=steps, tools=["stock"], callbacks=all_of(AgentCallbacks))
    program.swarm(callbacks=all_of(SwarmCallbacks))
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
        assert await execute("Think.", "client", "seller") == "Thought."
        await commit_flush("client", "seller")
        assert await chat.complete("more") == "again"
    assert {record.name for record in caplog.records} == {"wikiswarm"}
    places = ("agent 'seller'", "swarm 'shop'", "tool 'stock'")
    said = {f"callback 'explodes' of {place} failed: RuntimeError: observer" for place in places}
    assert set(caplog.messages) == said


@pytest.mark.requirement("kit:schema:text-only")
def test_a_message_has_no_field_for_images() -> None:
    fields: dict[str, Any] = {"role": "user", "content": "Look.", "images": ["x"]}
    with pytest.raises(ValidationError, match="images"):
        Message(**fields)


@pytest.mark.requirement("kit:schema:doc-fields")
def test_every_declaration_has_a_text_for_the_documentation(kinds: tuple[Kind[Spec], ...]) -> None:
    for kind in kinds:
        fields = kind.spec.model_fields
        assert {"doc_description", "doc_note"} & set(fields), kind.name


@pytest.mark.requirement("kit:schema:tool-abort")
async def test_a_tool_in_a_thread_sees_that_nobody_waits_for_it(program: Program) -> None:
    seen, timer = threading.Event(), threading.Event()

    def works(context: ToolContext) -> str:
        while not context.cancellation.is_requested:
            timer.wait(0.001)
        seen.set()
        return "never read"

    program.tool(works, timeout=0.1)
    program.agent(steps=[call_tool("works"), "It took too long."], tools=["works"])
    with anyio.fail_after(5):
        async with program.chat() as chat:
            assert await chat.complete("go") == "It took too long."
            while not seen.is_set():
                await anyio.lowlevel.checkpoint()


@pytest.mark.requirement("kit:schema:tool-abort")
async def test_an_async_tool_is_cancelled_with_its_turn(program: Program) -> None:
    started, is_cancelled = anyio.Event(), anyio.Event()

    async def waits(context: ToolContext) -> str:
        started.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            is_cancelled.set()
            raise
        return "never"

    program.agent(steps=[call_tool("waits"), "ok"], tools=[waits])
    with anyio.fail_after(5):
        async with program.chat() as chat:
            async with anyio.create_task_group() as group:
                group.start_soon(chat.complete, "go")
                await started.wait()
                group.cancel_scope.cancel()
            assert is_cancelled.is_set()
            assert await chat.complete("next") == "ok"
