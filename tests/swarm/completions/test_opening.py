"""What a declaration says of every call: places, flags, and who is told of answers."""

import logging
from typing import Any

import anyio
import pytest

from swarm import (
    BudgetSpec,
    Catalog,
    CompletionRequest,
    CompletionResult,
    CompletionSpec,
    Host,
    Message,
    add_completion,
    use_catalog,
    validate,
)
from swarm.callbacks import CompletionCallbacks
from swarm.errors import ProviderDownError, ProviderTimeoutError, ValidationError
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import MODES, OpenModel, ask, request

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:provider:concurrency")
@pytest.mark.parametrize("mode", MODES)
async def test_calls_wait_for_a_place_in_their_order(open_model: OpenModel, mode: str) -> None:
    started: list[str] = []

    def reply(body: Any) -> StubReply:
        started.append(body["messages"][-1]["content"])
        return StubReply(text="Yes.", delay=0.01)

    async def call(number: int) -> None:
        await ask(model, mode, request(str(number)))

    async with StubServer(reply) as server:
        model = await open_model("openai/m", server.base_url, max_concurrent=1)
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(call, number)
    assert started == [str(number) for number in range(8)]


async def test_no_more_calls_run_than_there_are_places(host: Host) -> None:
    running, most = 0, 0

    async def answer(_: CompletionRequest) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _turn in range(5):
            await anyio.lowlevel.checkpoint()
        running -= 1
        return "Yes."

    spec = CompletionSpec(completion_name="m", get_completion=answer, max_concurrent=3)
    model = await host.completion(spec)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(model.complete, request())
    assert (most, running) == (3, 0)


@pytest.mark.parametrize("mode", MODES)
async def test_who_finds_no_place_in_time_is_told_so(open_model: OpenModel, mode: str) -> None:
    async with StubServer(lambda _: "one two three") as server:
        fields: dict[str, Any] = {"max_concurrent": 1, "timeout": 0.2}
        model = await open_model("openai/m", server.base_url, **fields)
        items = model.stream(request())
        assert await anext(items) == "one"
        with pytest.raises(ProviderTimeoutError, match=r"1 calls .* left no place within 0\.2 s"):
            await ask(model, mode)
        await items.aclose()
        assert len(server.requests) == 1


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_that_fails_gives_its_place_back(open_model: OpenModel, mode: str) -> None:
    async with StubServer(lambda _: StubReply(status=500)) as server:
        model = await open_model("openai/m", server.base_url, max_concurrent=1)
        with anyio.fail_after(3):
            for _ in range(3):
                with pytest.raises(ProviderDownError):
                    await ask(model, mode)


async def test_a_stream_that_is_left_gives_its_place_back(open_model: OpenModel) -> None:
    async with StubServer(lambda _: "one two three") as server:
        model = await open_model("openai/m", server.base_url, max_concurrent=1)
        with anyio.fail_after(3):
            for _ in range(3):
                items = model.stream(request())
                assert await anext(items) == "one"
                await items.aclose()


@pytest.mark.requirement("kit:schema:flags")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("flags", "messages", "sent"),
    [
        ("/no_think", ["Hello"], [("system", "/no_think"), ("user", "Hello")]),
        (
            ["/no_think", "/fast"],
            [Message(role="system", content="You sell."), "Hello"],
            [("system", "You sell.\n/no_think\n/fast"), ("user", "Hello")],
        ),
        (
            "/x",
            [
                Message(role="system", content="One."),
                Message(role="system", content="Two."),
                "Hello",
                Message(role="system", content="Later."),
            ],
            [("system", "One."), ("system", "Two.\n/x"), ("user", "Hello"), ("system", "Later.")],
        ),
    ],
)
async def test_flags_stand_at_the_end_of_the_system_prompt(
    open_model: OpenModel, mode: str, flags: Any, messages: Any, sent: Any
) -> None:
    async with StubServer(lambda _: "Yes.") as server:
        model = await open_model("openai/m", server.base_url, flags=flags)
        question = request(*messages)
        before = list(question.messages)
        await ask(model, mode, question)
        (body,) = server.requests
    assert [(m["role"], m["content"]) for m in body["messages"]] == sent
    assert list(question.messages) == before, "the caller's request is left alone"


@pytest.mark.requirement("kit:schema:completion-callbacks")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_async", [True, False])
async def test_an_observer_is_told_of_each_answer(
    open_model: OpenModel, mode: str, is_async: bool
) -> None:
    told: list[tuple[CompletionRequest, CompletionResult]] = []

    def note(question: CompletionRequest, result: CompletionResult) -> None:
        told.append((question, result))

    async def note_later(question: CompletionRequest, result: CompletionResult) -> None:
        await anyio.lowlevel.checkpoint()
        told.append((question, result))

    async with StubServer(lambda _: "Yes.") as server:
        callbacks = CompletionCallbacks(on_complete=note_later if is_async else note)
        model = await open_model("openai/m", server.base_url, callbacks=callbacks)
        question = request("Really?")
        answer = await ask(model, mode, question)
    assert told == [(question, answer.result)]


@pytest.mark.parametrize("mode", MODES)
async def test_an_observer_that_raises_is_logged_and_changes_nothing(
    open_model: OpenModel, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    def broken_observer(question: CompletionRequest, result: CompletionResult) -> None:
        raise LookupError("mine")

    async with StubServer(lambda _: "Yes.") as server:
        callbacks = CompletionCallbacks(on_complete=broken_observer)
        model = await open_model("openai/m", server.base_url, callbacks=callbacks)
        assert (await ask(model, mode)).text == "Yes."
    (record,) = [r for r in caplog.records if r.name == "wikiswarm"]
    assert record.levelno == logging.ERROR
    said = "callback 'broken_observer' of completion 'model' failed: LookupError: mine"
    assert record.getMessage() == said


async def test_nobody_is_told_of_a_failure(open_model: OpenModel) -> None:
    told: list[CompletionResult] = []

    def note(_: CompletionRequest, result: CompletionResult) -> None:
        told.append(result)

    async with StubServer(lambda _: StubReply(status=500)) as server:
        callbacks = CompletionCallbacks(on_complete=note)
        model = await open_model("openai/m", server.base_url, callbacks=callbacks)
        with pytest.raises(ProviderDownError):
            await ask(model, "whole")
    assert told == []


def test_a_turn_limit_of_a_key_is_a_problem() -> None:
    with use_catalog(Catalog()) as catalog:
        budget = BudgetSpec(turn_tokens=5)
        add_completion(completion_name="m", model="offline", key_budget=budget)
        with pytest.raises(ValidationError) as caught:
            validate(catalog)
    assert [p.where for p in caught.value.problems] == ["completions.m.key_budget.turn_tokens"]


def test_the_settings_of_a_breaker_have_defaults() -> None:
    spec = CompletionSpec.model_validate(
        {"completion_name": "m", "model": "offline", "breaker": {"failures": 3}}
    )
    assert spec.breaker is not None
    assert (spec.breaker.failures, spec.breaker.cooldown) == (3, 30.0)
