"""Completions that a program's own function gives: what it may return, and what not."""

import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import anyio
import pytest

from swarm import (
    CompletionRequest,
    CompletionResult,
    CompletionSpec,
    Host,
    Message,
    ToolCall,
    Usage,
)
from swarm.completion import Completion
from swarm.errors import ProviderOutputError, ProviderTimeoutError
from tests.swarm.completions.asking import MODES, ask, request

pytestmark = pytest.mark.anyio


async def _open(host: Host, function: Callable[..., Any], **fields: Any) -> Completion:
    fields = {"max_retries": 0, "timeout": 5, **fields}
    return await host.completion(
        CompletionSpec(completion_name="model", get_completion=function, **fields)
    )


_MESSAGE = Message(
    role="assistant", content="Hello.", tool_calls=(ToolCall(id="a", name="f", arguments="{}"),)
)
_RESULT = CompletionResult(_MESSAGE, "mine/model", Usage(input_tokens=1), 0.5, "stop")
_TEXT = Message(role="assistant", content="Hello.")


@pytest.mark.requirement("kit:schema:completion-function")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("Hello.", _TEXT),
        ("", Message(role="assistant")),
        (_MESSAGE, _MESSAGE),
        (_RESULT, _MESSAGE),
        ({"content": "Hello."}, _TEXT),
        (asdict(_MESSAGE), _MESSAGE),
        ({}, Message(role="assistant")),
    ],
)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.requirement("S4-11")
async def test_a_function_may_answer_in_many_ways(
    host: Host, mode: str, value: object, message: Message
) -> None:
    async def from_async(_: CompletionRequest) -> object:
        return value

    class Model:
        async def __call__(self, _: CompletionRequest) -> object:
            return value

    def plain(_: CompletionRequest) -> object:
        return value

    functions: list[Callable[..., Any]] = [plain, from_async, Model(), partial(from_async)]
    for function in functions:
        found = (await ask(await _open(host, function), mode)).result
        assert found.message == message
        if isinstance(value, CompletionResult):
            # A function costs nothing unless it says so.
            usage = replace(value.usage, priced_tokens=value.usage.tokens)
            assert found == replace(value, usage=usage)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "it returned NoneType"),
        (5, "it returned int"),
        (b"Hello.", "it returned bytes"),
        (["Hello."], "it returned list"),
        ({"text": "Hello."}, "no message: 1 problems"),
        ({"content": 5, "tool_calls": 5}, "no message: 2 problems"),
        ({"role": "user", "content": "Hello."}, "role 'user'"),
        (Message(role="tool", content="Hello."), "role 'tool'"),
        (CompletionResult(Message(role="system"), "m"), "role 'system'"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
async def test_anything_else_is_refused(host: Host, mode: str, value: object, problem: str) -> None:
    def model(_: CompletionRequest) -> object:
        return value

    with pytest.raises(ProviderOutputError, match=problem) as caught:
        await ask(await _open(host, model), mode)
    assert caught.value.provider == "python:model"


async def test_a_function_gets_the_request(host: Host) -> None:
    asked: list[CompletionRequest] = []

    def model(question: CompletionRequest) -> str:
        asked.append(question)
        return "Hello."

    question = request("How many?")
    await ask(await _open(host, model), "whole", question)
    assert asked == [question]


async def test_a_plain_function_does_not_hold_up_the_loop(host: Host) -> None:
    threads: list[int] = []
    release = threading.Event()

    def model(_: CompletionRequest) -> str:
        threads.append(threading.get_ident())
        release.wait(10)
        return "Hello."

    completion = await _open(host, model)
    with anyio.fail_after(9):
        async with anyio.create_task_group() as group:
            group.start_soon(ask, completion, "whole")
            await anyio.lowlevel.checkpoint()
            release.set()
    assert threads and threading.get_ident() not in threads


async def test_an_async_function_runs_in_the_loop(host: Host) -> None:
    threads: list[int] = []

    class Model:
        async def __call__(self, _: CompletionRequest) -> str:
            threads.append(threading.get_ident())
            return "Hello."

    await ask(await _open(host, Model()), "whole")
    assert threads == [threading.get_ident()]


@pytest.mark.parametrize("mode", MODES)
async def test_an_error_of_the_function_is_seen_as_it_is(host: Host, mode: str) -> None:
    def model(_: CompletionRequest) -> str:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        await ask(await _open(host, model, max_retries=3), mode)


@pytest.mark.parametrize("mode", MODES)
async def test_a_function_that_hangs_ends_in_time(host: Host, mode: str) -> None:
    async def model(_: CompletionRequest) -> str:
        await anyio.sleep_forever()
        raise AssertionError("forever is over")

    with pytest.raises(ProviderTimeoutError, match=r"python:model: no answer within 0\.1 s"):
        await ask(await _open(host, model, timeout=0.1), mode)
