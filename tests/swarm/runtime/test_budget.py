"""Budgets: what a turn may spend, alone and through a session."""

import sqlite3
from typing import Any

import anyio
import pytest

from swarm import (
    AgentSpec,
    BudgetSpec,
    CompletionRequest,
    CompletionResult,
    Message,
    SwarmSpec,
    Usage,
    add_agent,
    add_completion,
    add_tool,
    change_to_agent,
    run_stateless_force,
    use_catalog,
)
from swarm.errors import BudgetExceededError, StoreError, ValidationError
from swarm.events import Event, MessageAdded, TurnEnded, decode_event
from swarm.runtime.budget import Budget, read_usage
from swarm.testing import call_tool
from tests.swarm.program import Program
from wiki import add_wiki


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _swarm(**limits: Any) -> SwarmSpec:
    budget = BudgetSpec(**limits) if limits else None
    return SwarmSpec(
        swarm_name="shop", agent_list=["seller"], default_agent="seller", budget=budget
    )


def _agent(name: str = "seller", **limits: Any) -> AgentSpec:
    budget = BudgetSpec(**limits) if limits else None
    return AgentSpec(agent_name=name, completion="m", budget=budget)


def _budget(swarm: SwarmSpec, total: Usage | None = None, clock: _Clock | None = None) -> Budget:
    return Budget(swarm, total or Usage(), client_id="client", clock=clock or _Clock())


def _used(tokens: int, cost: float | None = None) -> Usage:
    if cost is None:
        return Usage(input_tokens=tokens)
    return Usage(input_tokens=tokens, cost=cost, priced_tokens=tokens)


def test_a_limit_is_checked_before_a_call_and_named_when_it_is_reached() -> None:
    budget = _budget(_swarm(turn_tokens=100))
    budget.enter(_agent())
    budget.check()
    budget.add(_used(99))
    budget.check()
    budget.add(_used(31))
    with pytest.raises(BudgetExceededError) as caught:
        budget.check()
    error = caught.value
    assert (error.code, error.limit, error.owner) == (
        "budget_exceeded",
        "turn_tokens",
        "swarm 'shop'",
    )
    assert (error.spent, error.allowed) == (130, 100)
    assert str(error) == (
        "`turn_tokens` of swarm 'shop': 130 of 100 are spent (client 'client', agent 'seller')"
    )
    assert error.hint == "raise `turn_tokens` in the budget of swarm 'shop'"


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"turn_cost": 0.5}, "turn_cost"),
        ({"session_tokens": 110}, "session_tokens"),
        ({"session_cost": 0.55}, "session_cost"),
    ],
)
def test_each_limit_holds(limits: dict[str, Any], limit: str) -> None:
    earlier = Usage(input_tokens=100, cost=0.1, priced_tokens=100)
    budget = _budget(_swarm(**limits), earlier)
    budget.check()
    budget.add(_used(10, cost=0.5))
    with pytest.raises(BudgetExceededError) as caught:
        budget.check()
    assert caught.value.limit == limit
    if limit.startswith("session"):
        assert caught.value.hint is not None
        assert caught.value.hint.endswith("or begin another conversation")


def test_a_session_that_has_spent_its_budget_begins_no_call() -> None:
    budget = _budget(_swarm(session_tokens=100), Usage(input_tokens=100))
    with pytest.raises(BudgetExceededError, match="100 of 100"):
        budget.check()


def test_the_limits_of_earlier_agents_go_on_to_hold() -> None:
    budget = _budget(_swarm())
    budget.enter(_agent("seller", turn_tokens=50))
    budget.add(_used(30))
    budget.enter(_agent("doctor", turn_tokens=1000))
    budget.check()
    budget.add(_used(30))
    with pytest.raises(BudgetExceededError, match="agent 'seller'") as caught:
        budget.check()
    assert caught.value.agent_name == "doctor"


def test_what_was_spent_before_an_agent_is_not_its_own() -> None:
    budget = _budget(_swarm())
    budget.enter(_agent("seller"))
    budget.add(_used(500, cost=5))
    budget.enter(_agent("doctor", turn_tokens=50, turn_cost=1))
    budget.check()
    budget.add(_used(49, cost=0.5))
    budget.enter(_agent("seller"))
    budget.enter(_agent("doctor", turn_tokens=50, turn_cost=1))
    budget.check()
    budget.add(_used(1, cost=0.1))
    with pytest.raises(BudgetExceededError, match="50 of 50"):
        budget.check()


def test_the_strictest_limit_of_time_is_left() -> None:
    clock = _Clock()
    assert _budget(_swarm()).seconds_left is None
    budget = _budget(_swarm(turn_seconds=60), clock=clock)
    clock.now += 10
    budget.enter(_agent("seller", turn_seconds=20))
    assert budget.seconds_left == 20
    clock.now += 15
    assert budget.seconds_left == 5
    budget.check()
    budget.check_time()
    clock.now += 4.995
    with pytest.raises(BudgetExceededError, match="`turn_seconds` of agent 'seller'"):
        budget.check_time()
    clock.now += 1.005
    assert budget.seconds_left == 0
    with pytest.raises(BudgetExceededError, match=r"`turn_seconds` of agent 'seller': 21 of 20"):
        budget.check()


def test_a_cost_limit_does_not_trust_calls_without_a_price() -> None:
    budget = _budget(_swarm(turn_cost=1), Usage(input_tokens=99))
    budget.check()
    budget.add(_used(10))
    with pytest.raises(BudgetExceededError, match="nobody knows what 10 tokens"):
        budget.check()


def test_the_total_is_that_of_the_conversation() -> None:
    budget = _budget(_swarm(), Usage(input_tokens=5, cost=0.5, priced_tokens=5))
    budget.add(_used(7, cost=0.25))
    assert budget.total == Usage(input_tokens=12, cost=0.75, priced_tokens=12)
    assert budget.spent == Usage(input_tokens=7, cost=0.25, priced_tokens=7)


def test_a_program_without_budgets_has_no_limits() -> None:
    assert _budget(_swarm(turn_tokens=1)).has_limits
    budget = _budget(_swarm())
    budget.enter(_agent())
    assert not budget.has_limits
    budget.enter(_agent("doctor", turn_tokens=1))
    assert budget.has_limits


def _ended(tokens: int, total: int | None = None) -> TurnEnded:
    return TurnEnded(
        run_id="r",
        agent_name="seller",
        status="answered",
        usage=Usage(input_tokens=tokens),
        total=None if total is None else Usage(input_tokens=total),
    )


def _said(tokens: int) -> MessageAdded:
    message = Message(role="assistant", content="x")
    return MessageAdded(run_id="r", message=message, usage=Usage(input_tokens=tokens))


@pytest.mark.parametrize(
    ("events", "total", "unfinished"),
    [
        ([], 0, 0),
        ([_said(1), _ended(1), _said(2), _ended(2)], 3, 0),
        ([_ended(1), _ended(5, total=100), _said(7), _ended(7)], 107, 0),
        ([_ended(5, total=100), _said(7), _said(8)], 100, 15),
        ([_said(7)], 0, 7),
    ],
)
def test_what_a_conversation_took_is_read_from_its_events(
    events: list[Event], total: int, unfinished: int
) -> None:
    found = read_usage(events)
    assert (found.total.tokens, found.unfinished.tokens) == (total, unfinished)


def test_the_end_of_a_turn_of_an_older_journal_is_read() -> None:
    row = (
        '{"kind": "turn_ended", "run_id": "r", "agent_name": "a", "status": "answered",'
        ' "usage": {"input_tokens": 3, "output_tokens": 4}}'
    )
    event = decode_event(row)
    assert isinstance(event, TurnEnded)
    assert (event.total, event.usage.tokens, event.usage.known_cost) == (None, 7, None)
    again = decode_event(_ended(3, total=9).model_dump_json())
    assert again == _ended(3, total=9)


# Through a session.


def _spending(*tokens: int) -> Any:
    """Return a model that answers with so many tokens each time."""
    left = list(tokens)

    def model(_: CompletionRequest) -> CompletionResult:
        usage = _used(left.pop(0) if left else 10)
        return CompletionResult(Message(role="assistant", content="Yes."), "m", usage)

    return model


@pytest.mark.requirement("kit:rate:budget")
@pytest.mark.anyio
async def test_a_turn_ends_when_its_budget_is_spent(program: Program) -> None:
    calls: list[int] = []

    def look_up() -> str:
        return "nothing"

    def model(_: CompletionRequest) -> CompletionResult:
        calls.append(1)
        usage = Usage(input_tokens=60)
        return CompletionResult(call_tool("look_up", f"id-{len(calls)}"), "m", usage)

    program.agent(model=model, tools=[look_up])
    program.swarm(budget=BudgetSpec(turn_tokens=100))
    async with program.chat() as chat:
        with pytest.raises(BudgetExceededError, match="120 of 100 are spent"):
            await chat.complete("Hello")
    assert len(calls) == 2
    (run,) = await program.runs()
    assert run.failure is not None
    assert run.failure.code == "budget_exceeded"
    assert run.usage.tokens == 120


@pytest.mark.anyio
async def test_the_call_that_reaches_a_limit_still_answers(program: Program) -> None:
    program.agent(model=_spending(500), budget=BudgetSpec(turn_tokens=100))
    async with program.chat() as chat:
        assert await chat.complete("Hello") == "Yes."
        assert await chat.complete("Again") == "Yes."


@pytest.mark.anyio
async def test_a_session_budget_survives_a_restart(program: Program) -> None:
    program.agent(model=_spending(60, 60))
    program.swarm(budget=BudgetSpec(session_tokens=100))
    async with program.chat() as chat:
        await chat.complete("One")
    async with program.chat() as chat:
        await chat.complete("Two")
        with pytest.raises(BudgetExceededError, match="`session_tokens` of swarm 'shop': 120"):
            await chat.complete("Three")
    async with program.chat() as chat:
        with pytest.raises(BudgetExceededError, match="120 of 100"):
            await chat.complete("Four")
    async with program.chat("other") as chat:
        assert await chat.complete("One") == "Yes.", "another conversation has its own"


@pytest.mark.anyio
async def test_a_model_that_counts_nothing_is_not_free(program: Program) -> None:
    def model(_: CompletionRequest) -> str:
        return "x" * 400

    program.agent(model=model)
    program.swarm(budget=BudgetSpec(session_tokens=100))
    async with program.chat() as chat:
        await chat.complete("One")
        with pytest.raises(BudgetExceededError, match="of 100 are spent"):
            await chat.complete("Two")


@pytest.mark.anyio
async def test_the_end_of_each_turn_carries_the_total(program: Program) -> None:
    program.agent(model=_spending(60, 70))
    async with program.chat() as chat:
        await chat.complete("One")
    async with program.chat() as chat:
        await chat.complete("Two")
    ended = [row.event for row in await program.events() if isinstance(row.event, TurnEnded)]
    assert [event.total and event.total.tokens for event in ended] == [60, 130]


@pytest.mark.anyio
async def test_an_agents_budget_holds_after_its_hand_off(program: Program) -> None:
    async def to_doctor() -> None:
        await change_to_agent("doctor", "client")

    asked: list[str] = []

    def seller(_: CompletionRequest) -> CompletionResult:
        return CompletionResult(call_tool("to_doctor", "a"), "m", Usage(input_tokens=60))

    def doctor(_: CompletionRequest) -> CompletionResult:
        asked.append("doctor")
        answer = call_tool("look_up", f"b{len(asked)}")
        return CompletionResult(answer, "m", Usage(input_tokens=60))

    def look_up() -> str:
        return "nothing"

    program.agent("seller", model=seller, tools=[to_doctor], budget=BudgetSpec(turn_tokens=100))
    program.agent("doctor", model=doctor, tools=[look_up])
    async with program.chat() as chat:
        with pytest.raises(BudgetExceededError, match="agent 'seller'"):
            await chat.complete("Hello")
    assert asked == ["doctor"]


@pytest.mark.anyio
async def test_a_limit_of_time_ends_a_model_that_takes_too_long(program: Program) -> None:
    async def model(_: CompletionRequest) -> str:
        await anyio.sleep_forever()
        raise AssertionError("it is never woken")

    program.agent(model=model, budget=BudgetSpec(turn_seconds=0.1))
    async with program.chat() as chat:
        with anyio.fail_after(5), pytest.raises(BudgetExceededError, match="turn_seconds"):
            await chat.complete("Hello")


@pytest.mark.anyio
async def test_a_cost_limit_without_a_price_is_refused_when_a_session_opens(
    program: Program,
) -> None:
    with use_catalog(program.catalog):
        url = "http://127.0.0.1:1/v1"
        add_completion(completion_name="hosted", model="openai/mystery", base_url=url)
        add_agent(agent_name="seller", completion="hosted")
    program.swarm(budget=BudgetSpec(session_cost=1))
    with pytest.raises(ValidationError, match="nobody knows what openai/mystery") as caught:
        async with program.chat():
            pass
    assert [problem.where for problem in caught.value.problems] == ["swarms.shop.budget"]
    assert "WIKISWARM_PRICES" in str(caught.value)


@pytest.mark.anyio
async def test_what_a_wiki_takes_counts_for_the_turn_that_asks_it(program: Program) -> None:
    def encyclopedia(request: CompletionRequest) -> CompletionResult:
        answer = Message(role="assistant", content="It is blue.")
        return CompletionResult(answer, "python:wiki", Usage(input_tokens=90, output_tokens=10))

    with use_catalog(program.catalog):
        add_completion(completion_name="wiki_model", get_completion=encyclopedia)
        add_wiki(wiki_name="colours", completion="wiki_model")
        add_tool(tool_name="ask_colours", wiki="colours")
    steps = [call_tool("ask_colours", question="The sky?"), "Blue."]
    program.agent(steps=steps, tools=["ask_colours"], wiki_list=["colours"])
    program.swarm(budget={"turn_tokens": 100})
    async with program.chat() as chat:
        with pytest.raises(BudgetExceededError, match="turn_tokens"):
            await chat.complete("Which colour has the sky?")


@pytest.mark.anyio
async def test_a_turn_whose_answer_could_not_be_stored_counts_once(program: Program) -> None:
    usage = Usage(input_tokens=10)
    result = CompletionResult(Message(role="assistant", content="yes"), "m", usage)

    def model(request: CompletionRequest) -> CompletionResult:
        return result

    program.agent("seller", model=model)
    async with program.chat() as chat:
        await chat.complete("one")
        with sqlite3.connect(program.home / "journal.sqlite3") as file:
            file.execute("ALTER TABLE events RENAME TO lost")
        with pytest.raises(StoreError):
            await chat.complete("two")
        with sqlite3.connect(program.home / "journal.sqlite3") as file:
            file.execute("ALTER TABLE lost RENAME TO events")
        await chat.complete("three")
        assert chat.total.input_tokens == 30
    ends = [row.event for row in await program.events() if isinstance(row.event, TurnEnded)]
    assert [end.status for end in ends] == ["answered", "failed", "answered"]
    assert [end.total.input_tokens for end in ends if end.total] == [10, 20, 30]


@pytest.mark.anyio
async def test_what_is_asked_beside_the_conversation_is_within_the_budget(
    program: Program,
) -> None:
    asked: list[str] = []

    async def think() -> str:
        for _ in range(5):
            await run_stateless_force("and?", "client")
        raise AssertionError("the budget holds")

    def model(request: CompletionRequest) -> CompletionResult:
        asked.append(request.messages[-1].content)
        said = call_tool("think") if len(asked) == 1 else Message(role="assistant", content="hm")
        return CompletionResult(said, "m", Usage(input_tokens=60))

    program.agent(model=model, tools=[think])
    program.swarm(budget=BudgetSpec(turn_tokens=150))
    async with program.chat() as chat:
        with pytest.raises(BudgetExceededError, match="180 of 150"):
            await chat.complete("Think!")
    assert asked == ["Think!", "and?", "and?"]


@pytest.mark.anyio
async def test_no_summary_is_made_on_a_budget_that_is_spent(program: Program) -> None:
    asked: list[str] = []

    def model(request: CompletionRequest) -> CompletionResult:
        asked.append(request.messages[0].content)
        return CompletionResult(Message(role="assistant", content="ok"), "m", Usage(input_tokens=9))

    program.agent(model=model, keep_messages=2, summarize=True)
    program.swarm(budget=BudgetSpec(session_tokens=27))
    async with program.chat() as chat:
        for text in ("one", "two"):
            await chat.complete(text)
        with pytest.raises(BudgetExceededError):
            for text in ("three", "four"):
                await chat.complete(text)
    assert len(asked) == 3
