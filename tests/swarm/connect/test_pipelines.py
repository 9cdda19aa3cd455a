"""`start_pipeline`: who is active meanwhile and afterwards, and what an error does."""

import logging
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from swarm import (
    ToolContext,
    add_pipeline,
    change_to_agent,
    dispose_connection,
    get_agent_name,
    get_pipeline,
    override_pipeline,
    session,
    start_pipeline,
    use_catalog,
)
from swarm.connect import PipelineError
from swarm.errors import (
    CallbackError,
    DuplicateNameError,
    ProviderDownError,
    SessionError,
    UnknownNameError,
    ValidationError,
)
from swarm.events import AgentChanged
from swarm.testing import call_tool
from tests.swarm.connect.clock import Gate, echo, settle
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def agents(program: Program) -> Program:
    """A program with three agents."""
    for name in ("seller", "nurse", "clerk"):
        program.agent(name, model=echo)
    return program


class Heard:
    """Keeps what observers are told, each under its name."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def as_(self, name: str) -> Callable[..., None]:
        """Return an observer."""

        def observe(*values: Any) -> None:
            self.calls.append((name, *values))

        return observe


def seven(*values: Any) -> int:
    """A pipeline that does nothing much."""
    return 7


def pipeline(program: Program, execute: Any, name: str = "restock", **fields: Any) -> None:
    with use_catalog(program.catalog):
        add_pipeline(pipeline_name=name, execute=execute, **fields)


@pytest.mark.requirement("kit:schema:pipeline-callbacks")
@pytest.mark.requirement("kit:talk:pipeline")
async def test_the_agent_is_active_while_the_pipeline_runs(agents: Program) -> None:
    heard = Heard()

    async def execute(client_id: str, agent_name: str, payload: Any) -> Any:
        assert await get_agent_name(client_id) == agent_name == "nurse"
        return {"got": payload}

    callbacks = {
        "on_start": heard.as_("start"),
        "on_end": heard.as_("end"),
    }
    pipeline(agents, execute, callbacks=callbacks)
    async with agents.chat():
        assert await start_pipeline("client", "restock", "nurse", {"sku": 1}) == {"got": {"sku": 1}}
        assert await get_agent_name("client") == "seller"
    names = ("client", "restock", "nurse", {"sku": 1})
    assert heard.calls == [("start", *names), ("end", *names, False)]
    changes = [row.event for row in await agents.events() if isinstance(row.event, AgentChanged)]
    assert [(c.from_agent, c.to_agent) for c in changes] == [
        ("seller", "nurse"),
        ("nurse", "seller"),
    ]


async def test_nothing_changes_for_the_agent_that_is_active(agents: Program) -> None:
    pipeline(agents, seven)
    async with agents.chat():
        assert await start_pipeline("client", "restock", "seller") == 7
    assert not [row for row in await agents.events() if isinstance(row.event, AgentChanged)]


@pytest.mark.requirement("kit:talk:pipeline-errors")
async def test_an_error_switches_back_and_reaches_the_caller(agents: Program) -> None:
    heard = Heard()

    def load(client_id: str, agent_name: str, payload: Any) -> None:
        raise KeyError("sku")

    callbacks = {
        "on_error": heard.as_("error"),
        "on_end": heard.as_("end"),
    }
    pipeline(agents, load, callbacks=callbacks)
    async with agents.chat() as chat:
        with pytest.raises(PipelineError, match="function 'load' of pipeline 'restock'") as caught:
            await start_pipeline("client", "restock", "nurse")
        assert await get_agent_name("client") == "seller"
        assert isinstance(caught.value, CallbackError)
        assert caught.value.pipeline_name == "restock"
        assert caught.value.reason == "KeyError: 'sku'"
        names = ("client", "restock", "nurse", None)
        assert heard.calls == [
            ("error", *names, caught.value.__cause__),
            ("end", *names, True),
        ]
        assert await chat.complete("hi") == "re: hi"


async def test_errors_of_wikiswarm_pass_as_they_are(agents: Program) -> None:
    def load(client_id: str, agent_name: str, payload: Any) -> None:
        raise ProviderDownError("no connection", provider="stub")

    pipeline(agents, load)
    async with agents.chat():
        with pytest.raises(ProviderDownError) as caught:
            await start_pipeline("client", "restock", "nurse")
        assert caught.value.__notes__ == ["raised in pipeline 'restock'"]
        assert await get_agent_name("client") == "seller"


async def test_a_cancelled_pipeline_switches_back(agents: Program) -> None:
    began = anyio.Event()

    async def wait(client_id: str, agent_name: str, payload: Any) -> None:
        began.set()
        await anyio.sleep_forever()

    pipeline(agents, wait)
    async with agents.chat():
        async with anyio.create_task_group() as group:
            group.start_soon(start_pipeline, "client", "restock", "nurse")
            await began.wait()
            group.cancel_scope.cancel()
        assert await get_agent_name("client") == "seller"
    async with agents.chat() as chat:
        assert chat.agent_name == "seller"


async def test_an_agent_that_the_pipeline_hands_over_to_stays(agents: Program) -> None:
    async def hand_over(client_id: str, agent_name: str, payload: Any) -> None:
        await change_to_agent("clerk", client_id)

    pipeline(agents, hand_over)
    async with agents.chat():
        await start_pipeline("client", "restock", "nurse")
        assert await get_agent_name("client") == "clerk"


async def test_a_pipeline_may_outlive_its_session(agents: Program) -> None:
    async def leave(client_id: str, agent_name: str, payload: Any) -> bool:
        return await dispose_connection(client_id, "shop")

    pipeline(agents, leave)
    agents.swarm()
    async with agents.host() as host:
        async with session("client", "shop", host=host):
            assert await start_pipeline("client", "restock", "nurse")
        async with session("client", "shop", host=host) as again:
            assert again.agent_name == "nurse"
            assert await again.complete("hi") == "re: hi"


async def test_a_tool_starts_a_pipeline_in_its_turn(program: Program) -> None:
    async def execute(client_id: str, agent_name: str, payload: Any) -> str:
        return f"{agent_name} counted {payload}"

    async def count(context: ToolContext) -> str:
        """Let the nurse count."""
        return await start_pipeline(context.client_id, "restock", "nurse", 3)

    model = program.agent("seller", steps=[call_tool("count"), "done"], tools=[count])
    program.agent("nurse")
    pipeline(program, execute)
    async with program.chat() as chat:
        assert await chat.complete("hi") == "done"
    assert output_of(model.requests[1]) == "nurse counted 3"


async def test_a_turn_that_runs_elsewhere_is_not_disturbed(program: Program) -> None:
    gate = Gate()
    program.agent("seller", model=gate)
    program.agent("nurse", model=echo)
    pipeline(program, seven)
    async with program.chat() as chat, anyio.create_task_group() as group:
        group.start_soon(chat.complete, "hi")
        await gate.entered()
        with pytest.raises(SessionError, match="a turn of client 'client' is running"):
            await start_pipeline("client", "restock", "nurse")
        gate.release()


async def test_pipelines_of_one_session_run_one_after_the_other(agents: Program) -> None:
    log: list[str] = []
    release = anyio.Event()

    async def slow(client_id: str, agent_name: str, payload: Any) -> None:
        log.append(f"begin {agent_name}")
        await release.wait()
        log.append(f"end {agent_name} {await get_agent_name(client_id)}")

    pipeline(agents, slow)
    async with agents.chat():
        async with anyio.create_task_group() as group:
            group.start_soon(start_pipeline, "client", "restock", "nurse")
            group.start_soon(start_pipeline, "client", "restock", "clerk")
            await settle()
            release.set()
        assert await get_agent_name("client") == "seller"
    assert log == ["begin nurse", "end nurse nurse", "begin clerk", "end clerk clerk"]


async def test_a_pipeline_whose_session_closed_while_it_waited(agents: Program) -> None:
    release = anyio.Event()

    async def slow(client_id: str, agent_name: str, payload: Any) -> None:
        await release.wait()

    pipeline(agents, slow)
    errors: list[Exception] = []

    async def start(agent_name: str) -> None:
        try:
            await start_pipeline("client", "restock", agent_name)
        except SessionError as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        async with agents.chat():
            group.start_soon(start, "nurse")
            group.start_soon(start, "clerk")
            await settle()
        release.set()
    assert [str(error) for error in errors] == ["session 'shop/client' was closed"]


async def test_a_pipeline_may_start_another_one(agents: Program) -> None:
    async def inner(client_id: str, agent_name: str, payload: Any) -> str:
        return await get_agent_name(client_id)

    async def outer(client_id: str, agent_name: str, payload: Any) -> tuple[str, str]:
        within = await start_pipeline(client_id, "inner", "clerk")
        return within, await get_agent_name(client_id)

    pipeline(agents, inner, "inner")
    pipeline(agents, outer, "outer")
    async with agents.chat():
        with anyio.fail_after(5):
            assert await start_pipeline("client", "outer", "nurse") == ("clerk", "nurse")
        assert await get_agent_name("client") == "seller"


async def test_observers_that_raise_are_logged(
    agents: Program, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*values: Any) -> None:
        raise ValueError("no")

    pipeline(agents, seven, callbacks={"on_start": broken, "on_end": broken})
    with caplog.at_level(logging.ERROR, "wikiswarm"):
        async with agents.chat():
            assert await start_pipeline("client", "restock", "nurse") == 7
    assert "function 'broken' of pipeline 'restock': on_start raised ValueError: no" in caplog.text
    assert "pipeline 'restock': on_end" in caplog.text


async def test_names_that_lead_nowhere(agents: Program) -> None:
    pipeline(agents, seven)
    with pytest.raises(SessionError, match="no live session"):
        await start_pipeline("client", "restock", "nurse")
    async with agents.chat():
        with pytest.raises(UnknownNameError, match="no pipeline named 'restok'; did you mean"):
            await start_pipeline("client", "restok", "nurse")
        with pytest.raises(UnknownNameError, match="no agent named 'nurze'; did you mean"):
            await start_pipeline("client", "restock", "nurze")


async def test_pipelines_are_declared_read_and_overridden(program: Program) -> None:
    def execute(*values: Any) -> None: ...

    wrong: dict[str, Any] = {"pipeline_name": "other", "excute": execute}
    with use_catalog(program.catalog):
        assert add_pipeline(pipeline_name="restock", execute=execute) == "restock"
        assert get_pipeline("restock").execute is execute
        with override_pipeline("restock", doc_description="Orders boxes.") as changed:
            assert changed.execute is execute
            assert get_pipeline("restock").doc_description == "Orders boxes."
        assert get_pipeline("restock").doc_description is None
        with pytest.raises(DuplicateNameError):
            add_pipeline(pipeline_name="restock", execute=execute)
        with pytest.raises(ValidationError, match="unknown field 'excute'"):
            add_pipeline(**wrong)


async def test_pipelines_do_not_use_up_the_hand_offs_of_a_turn(program: Program) -> None:
    async def report() -> str:
        """Runs pipelines."""
        for _ in range(5):
            await start_pipeline("client", "count", "nurse")
        return "reported"

    async def count(client_id: str, agent_name: str, payload: Any) -> int:
        return 1

    with use_catalog(program.catalog):
        add_pipeline(pipeline_name="count", execute=count)
    steps = [call_tool("report"), call_tool("transfer_to_nurse")]
    program.agent("seller", steps, tools=[report], handoffs=["nurse"])
    program.agent("nurse", model=echo)
    program.swarm(max_handoffs=1, max_revisits=0)
    async with program.chat() as chat:
        assert await chat.complete("Report!") == "re: Report!"
        assert chat.agent_name == "nurse"


async def test_the_agent_before_a_pipeline_is_back_when_it_is_cancelled(program: Program) -> None:
    kept: list[str] = []

    async def keep(client_id: str, agent_name: str, swarm_name: str) -> None:
        await anyio.lowlevel.checkpoint()
        kept.append(agent_name)

    async def wait(client_id: str, agent_name: str, payload: Any) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    for name in ("seller", "nurse"):
        program.agent(name, model=echo)
    with use_catalog(program.catalog):
        add_pipeline(pipeline_name="wait", execute=wait)
    program.swarm(set_active_agent=keep)
    async with program.chat() as chat:
        with anyio.CancelScope() as scope:
            await start_pipeline("client", "wait", "nurse")
        assert chat.agent_name == "seller"
        assert kept == ["nurse", "seller"]
