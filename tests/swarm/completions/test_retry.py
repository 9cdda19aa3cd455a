"""The retry loop: how often a model is asked, in which order, and when it is over."""

from collections.abc import AsyncGenerator, Sequence

import anyio
import pytest

from swarm import CompletionRequest, CompletionResult, Message
from swarm.completions.retry import Candidate, ResilientCompletion
from swarm.errors import (
    ProviderBusyError,
    ProviderDownError,
    ProviderError,
    ProviderOutputError,
    ProviderRefusedError,
    ProviderTimeoutError,
)
from tests.swarm.completions.asking import MODES, ask, request

pytestmark = pytest.mark.anyio

_HANG = ProviderTimeoutError("hangs", provider="test")
"""Played by waiting for ever."""


def _down(wait: float | None = 0.0) -> ProviderDownError:
    return ProviderDownError("down", provider="test", retry_after=wait)


class _Model:
    """Fails as the script says, then answers with its name."""

    def __init__(self, name: str, *failures: Exception) -> None:
        self.model = name
        self.failures = list(failures)
        self.count: int = 0

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        self.count += 1
        if self.count <= len(self.failures):
            failure = self.failures[self.count - 1]
            if failure is _HANG:
                await anyio.sleep_forever()
            raise failure
        return CompletionResult(Message(role="assistant", content=self.model), self.model)

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        result = await self.complete(request)
        yield result.message.content
        yield result


class _Pieces(_Model):
    """Streams what it was given, and raises what is an error."""

    def __init__(self, *items: str | Exception) -> None:
        super().__init__("pieces")
        self.items = items
        self.closed = 0

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        self.count += 1
        try:
            for item in self.items:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed += 1


def _resilient(
    models: Sequence[_Model], max_retries: int = 0, timeout: float = 20
) -> ResilientCompletion:
    candidates = [Candidate(model) for model in models]
    return ResilientCompletion(candidates, max_retries=max_retries, timeout=timeout)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "failure",
    [
        _down(),
        ProviderBusyError("busy", provider="test", retry_after=0.0),
        ProviderOutputError("nonsense", provider="test", retry_after=0.0),
    ],
)
async def test_a_failure_that_may_pass_is_tried_again(mode: str, failure: Exception) -> None:
    model = _Model("first", failure, failure)
    assert (await ask(_resilient([model], 2), mode)).text == "first"
    assert model.count == 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_retries_have_a_limit(mode: str, retries: int) -> None:
    model = _Model("first", *[_down()] * 9)
    with pytest.raises(ProviderDownError, match="down"):
        await ask(_resilient([model], retries), mode)
    assert model.count == retries + 1


@pytest.mark.parametrize("mode", MODES)
async def test_a_refusal_is_not_tried_again(mode: str) -> None:
    refusal = ProviderRefusedError("no", provider="test")
    first, second = _Model("first", refusal, refusal), _Model("second")
    with pytest.raises(ProviderRefusedError):
        await ask(_resilient([first], 3), mode)
    assert first.count == 1
    assert (await ask(_resilient([first, second], 3), mode)).text == "second"
    assert (first.count, second.count) == (2, 1)


@pytest.mark.requirement("kit:provider:fallback")
@pytest.mark.parametrize("mode", MODES)
async def test_fallbacks_are_asked_in_order(mode: str) -> None:
    models = [_Model("a", *[_down()] * 9), _Model("b", *[_down()] * 9), _Model("c"), _Model("d")]
    completion = _resilient(models, 1)
    answer = await ask(completion, mode)
    assert (answer.text, answer.result.model) == ("c", "c")
    assert [model.count for model in models] == [2, 2, 1, 0]
    assert completion.model == "a"


@pytest.mark.parametrize("mode", MODES)
async def test_the_last_failure_is_the_one_that_is_raised(mode: str) -> None:
    last = ProviderRefusedError("the last", provider="test")
    with pytest.raises(ProviderRefusedError, match="the last"):
        await ask(_resilient([_Model("a", _down()), _Model("b", last)]), mode)


@pytest.mark.parametrize("mode", MODES)
async def test_a_pause_that_would_outlast_the_deadline_is_not_made(mode: str) -> None:
    model = _Model("first", _down(3600))
    with anyio.fail_after(10), pytest.raises(ProviderDownError) as caught:
        await ask(_resilient([model], 3), mode)
    assert (caught.value.retry_after, model.count) == (3600, 1)
    slow, second = _Model("first", _down(3600)), _Model("second")
    with anyio.fail_after(10):
        assert (await ask(_resilient([slow, second], 3), mode)).text == "second"


@pytest.mark.parametrize("mode", MODES)
async def test_a_model_without_a_wish_is_left_alone_for_a_moment(mode: str) -> None:
    model = _Model("first", _down(None))
    before = anyio.current_time()
    await ask(_resilient([model], 1), mode)
    assert anyio.current_time() - before >= 0.1


@pytest.mark.parametrize("mode", MODES)
async def test_a_model_that_hangs_ends_at_the_deadline(mode: str) -> None:
    with anyio.fail_after(10), pytest.raises(ProviderTimeoutError, match=r"within 0\.1 s"):
        await ask(_resilient([_Model("first", _HANG)], 3, 0.1), mode)


@pytest.mark.parametrize("mode", MODES)
async def test_a_model_that_hangs_leaves_time_for_its_fallbacks(mode: str) -> None:
    models = [_Model("a", _HANG), _Model("b", _HANG), _Model("c")]
    with anyio.fail_after(10):
        assert (await ask(_resilient(models, 3, 0.6), mode)).text == "c"
    assert [model.count for model in models] == [1, 1, 1]


@pytest.mark.requirement("kit:provider:retries")
@pytest.mark.parametrize("mode", MODES)
async def test_all_attempts_share_one_deadline(mode: str) -> None:
    models = [_Model(name, *[_HANG] * 9) for name in "abc"]
    before = anyio.current_time()
    with anyio.fail_after(10), pytest.raises(ProviderTimeoutError):
        await ask(_resilient(models, 3, 0.3), mode)
    assert anyio.current_time() - before >= 0.29


@pytest.mark.parametrize("mode", MODES)
async def test_what_is_no_provider_error_passes_at_once(mode: str) -> None:
    first, second = _Model("first", KeyError("mine")), _Model("second")
    with pytest.raises(KeyError, match="mine"):
        await ask(_resilient([first, second], 3), mode)
    assert (first.count, second.count) == (1, 0)


async def test_a_stream_is_final_after_its_first_text() -> None:
    first = _Pieces("Once ", _down())
    second = _Model("second")
    pieces: list[object] = []
    with pytest.raises(ProviderDownError):
        async for piece in _resilient([first, second], 3).stream(request()):
            pieces += [piece]
    assert pieces == ["Once "]
    assert (first.count, first.closed, second.count) == (1, 1, 0)


@pytest.mark.parametrize("items", [(), ("Once ",)])
async def test_a_stream_without_an_answer_at_its_end_is_an_error(items: tuple[str, ...]) -> None:
    model = _Pieces(*items)
    with pytest.raises(ProviderOutputError):
        await ask(_resilient([model]), "streamed")
    assert model.closed == 1


async def test_failed_streams_are_closed_before_the_next_attempt() -> None:
    model = _Pieces(_down())
    with pytest.raises(ProviderError):
        await ask(_resilient([model], 2), "streamed")
    assert model.count == model.closed == 3


async def test_a_stream_that_is_left_is_closed() -> None:
    model = _Pieces("a", "b", "c")
    items = _resilient([model]).stream(request())
    assert await anext(items) == "a"
    await items.aclose()
    assert model.closed == 1
