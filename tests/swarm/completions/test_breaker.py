"""The circuit breaker: when a model is left alone, and when it is tried again."""

import logging
from typing import Any

import anyio
import pytest

from swarm import Host
from swarm.completions.breaker import Breaker
from swarm.completions.errors import CircuitOpenError
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
)
from swarm.specs import BreakerSpec
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import MODES, OpenModel, ask, opener, request

pytestmark = pytest.mark.anyio

_TWICE = BreakerSpec(failures=2, cooldown=3600)


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_failures_in_a_row_open_it_and_the_cooldown_lets_one_call_pass() -> None:
    clock = _Clock()
    breaker = Breaker("m", failures=2, cooldown=30, clock=clock)
    for _ in range(2):
        assert breaker.admit() is False
        breaker.failed()
    with pytest.raises(
        CircuitOpenError, match=r"circuit open after 2 failures, next try in 30"
    ) as c:
        breaker.admit()
    assert c.value.retry_after == 30
    clock.now += 30
    assert breaker.admit() is True
    with pytest.raises(CircuitOpenError, match="trying whether"):
        breaker.admit()
    breaker.left(is_probe=True)
    assert breaker.admit() is True, "a probe that was given up makes way for another"
    breaker.answered()
    breaker.left(is_probe=True)
    assert not breaker.is_open
    assert breaker.admit() is False


def test_a_probe_that_fails_opens_it_for_another_cooldown() -> None:
    clock = _Clock()
    breaker = Breaker("m", failures=1, cooldown=30, clock=clock)
    breaker.failed()
    clock.now += 31
    assert breaker.admit() is True
    breaker.failed()
    breaker.left(is_probe=True)
    clock.now += 29
    with pytest.raises(CircuitOpenError, match=r"next try in 1\.0 s"):
        breaker.admit()


def test_a_call_from_before_does_not_end_the_probe() -> None:
    clock = _Clock()
    breaker = Breaker("m", failures=1, cooldown=30, clock=clock)
    early = breaker.admit()
    breaker.failed()
    clock.now += 31
    breaker.admit()
    breaker.left(early)
    with pytest.raises(CircuitOpenError):
        breaker.admit()


def test_an_answer_begins_the_count_anew() -> None:
    breaker = Breaker("m", failures=2, cooldown=30)
    for _ in range(5):
        breaker.failed()
        breaker.answered()
    assert not breaker.is_open


@pytest.mark.parametrize("mode", MODES)
async def test_a_model_that_fails_is_left_alone(
    open_model: OpenModel, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    async with StubServer(lambda _: StubReply(status=500)) as server:
        model = await open_model("openai/m", server.base_url, breaker=_TWICE)
        for _ in range(2):
            with pytest.raises(ProviderDownError, match="HTTP 500"):
                await ask(model, mode)
        with pytest.raises(CircuitOpenError, match="next try in") as caught:
            await ask(model, mode)
        assert len(server.requests) == 2
    assert caught.value.retry_after is not None
    assert 3000 < caught.value.retry_after <= 3600
    assert [r.message for r in caplog.records if r.levelno == logging.WARNING] == [
        "openai/m: circuit open after 2 failures, next try in 3600 s"
    ]


@pytest.mark.parametrize("mode", MODES)
async def test_an_open_circuit_leads_to_the_fallback_at_once(
    open_model: OpenModel, mode: str
) -> None:
    def reply(body: Any) -> StubReply:
        return StubReply(status=500) if body["model"] == "bad" else StubReply(text="Good.")

    async with StubServer(reply) as server:
        fields: dict[str, Any] = {"fallback": "openai/good", "breaker": _TWICE}
        model = await open_model("openai/bad", server.base_url, **fields)
        for _ in range(4):
            assert (await ask(model, mode)).text == "Good."
        asked = [body["model"] for body in server.requests]
    assert asked == ["bad", "good", "bad", "good", "good", "good"]


async def test_completions_of_one_model_and_address_share_it(host: Host) -> None:
    async with StubServer(lambda _: StubReply(status=503)) as server:
        address = server.base_url
        one = await opener(host)("openai/m", address, breaker=_TWICE, temperature=0.1)
        other = await opener(host)("openai/m", address, breaker=_TWICE, temperature=0.9)
        name = await opener(host)("openai/n", address, breaker=_TWICE)
        for model in (one, other):
            with pytest.raises(ProviderDownError, match="HTTP 503"):
                await ask(model, "whole")
        for model in (one, other):
            with pytest.raises(CircuitOpenError):
                await ask(model, "whole")
        with pytest.raises(ProviderDownError, match="HTTP 503"):
            await ask(name, "whole")


async def test_retries_end_when_the_circuit_opens(open_model: OpenModel) -> None:
    reply = StubReply(status=500, headers={"Retry-After": "0"})
    async with StubServer(lambda _: reply) as server:
        model = await open_model("openai/m", server.base_url, breaker=_TWICE, max_retries=9)
        with pytest.raises(ProviderDownError, match="HTTP 500"):
            await ask(model, "whole")
        assert len(server.requests) == 2


@pytest.mark.parametrize("retries", [0, 8])
async def test_by_default_a_whole_call_is_made_before_it_opens(
    open_model: OpenModel, retries: int
) -> None:
    reply = StubReply(status=500, headers={"Retry-After": "0"})
    async with StubServer(lambda _: reply) as server:
        model = await open_model("openai/m", server.base_url, max_retries=retries)
        with pytest.raises(CircuitOpenError):
            for _ in range(9):
                with pytest.raises(ProviderDownError) as caught:
                    await ask(model, "whole")
                if isinstance(caught.value, CircuitOpenError):
                    raise caught.value
        assert len(server.requests) == max(5, retries + 1)


async def test_it_can_be_turned_off(open_model: OpenModel) -> None:
    async with StubServer(lambda _: StubReply(status=500)) as server:
        never = BreakerSpec(failures=0)
        model = await open_model("openai/m", server.base_url, breaker=never)
        for _ in range(12):
            with pytest.raises(ProviderDownError, match="HTTP 500"):
                await ask(model, "whole")
        assert len(server.requests) == 12


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (StubReply(status=400), ProviderRefusedError),
        (StubReply(status=401), ProviderRefusedError),
        (StubReply(status=429, headers={"Retry-After": "0"}), ProviderBusyError),
        (StubReply(body=b"nonsense"), ProviderOutputError),
    ],
)
async def test_what_is_not_the_models_failure_does_not_count(
    open_model: OpenModel, reply: StubReply, error: type[Exception]
) -> None:
    async with StubServer(lambda _: reply) as server:
        breaker = BreakerSpec(failures=1)
        model = await open_model("openai/m", server.base_url, breaker=breaker)
        for _ in range(3):
            with pytest.raises(error):
                await ask(model, "whole")
        assert len(server.requests) == 3


@pytest.mark.parametrize("mode", MODES)
async def test_a_model_that_hangs_counts(open_model: OpenModel, mode: str) -> None:
    async with StubServer(lambda _: StubReply(hangs=True)) as server:
        breaker = BreakerSpec(failures=1)
        model = await open_model("openai/m", server.base_url, breaker=breaker, timeout=0.1)
        with pytest.raises(ProviderTimeoutError):
            await ask(model, mode)
        with pytest.raises(CircuitOpenError):
            await ask(model, mode)


async def test_streams_that_break_off_count(open_model: OpenModel) -> None:
    reply = StubReply(text="one two three four five", breaks_off=True)
    async with StubServer(lambda _: reply) as server:
        model = await open_model("openai/m", server.base_url, breaker=_TWICE)
        for _ in range(2):
            with pytest.raises(ProviderDownError):
                await ask(model, "streamed")
        with pytest.raises(CircuitOpenError):
            await ask(model, "streamed")


@pytest.mark.parametrize("mode", MODES)
async def test_a_model_that_is_back_is_used_again(
    open_model: OpenModel, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    replies = [StubReply(status=500), StubReply(text="Back."), StubReply(text="Still here.")]
    async with StubServer(lambda _: replies[len(server.requests) - 1]) as server:
        breaker = BreakerSpec(failures=1, cooldown=1e-9)
        model = await open_model("openai/m", server.base_url, breaker=breaker)
        with pytest.raises(ProviderDownError, match="HTTP 500"):
            await ask(model, mode)
        assert (await ask(model, mode)).text == "Back."
        assert (await ask(model, mode)).text == "Still here."
    assert caplog.messages[-1] == "openai/m: circuit closed, it answers again"


async def test_a_caller_who_leaves_says_nothing_of_the_model(open_model: OpenModel) -> None:
    async with StubServer(lambda _: StubReply(hangs=True)) as server:
        breaker = BreakerSpec(failures=1)
        model = await open_model("openai/m", server.base_url, breaker=breaker)
        for _ in range(2):
            with anyio.move_on_after(0.05) as scope:
                await model.complete(request())
            assert scope.cancelled_caught
        assert len(server.requests) == 2


async def test_the_reason_of_the_first_model_is_told_when_the_fallback_is_left_alone(
    open_model: OpenModel,
) -> None:
    def reply(body: Any) -> StubReply:
        return StubReply(status=500 if body["model"] == "second" else 400)

    async with StubServer(reply) as server:
        fields: dict[str, Any] = {"fallback": "openai/second", "breaker": BreakerSpec(failures=1)}
        model = await open_model("openai/first", server.base_url, **fields)
        with pytest.raises(ProviderDownError, match="HTTP 500"):
            await ask(model, "whole")
        with pytest.raises(ProviderRefusedError, match="openai/first: HTTP 400"):
            await ask(model, "whole")
