"""Several keys of one completion: whose turn it is, and which are left out."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import Catalog, Host
from swarm.completions.errors import KeyBudgetError
from swarm.completions.rota import Rota
from swarm.errors import (
    MissingKeyError,
    ProviderBusyError,
    ProviderDownError,
    ProviderRefusedError,
    ValidationError,
)
from swarm.specs import BudgetSpec
from swarm.testing import StubReply, StubServer
from tests.swarm.completions.asking import LITELLM_WARNINGS, MODES, ask, opener, request

pytestmark = pytest.mark.anyio

_KEYS = {f"KEY_{letter}": f"sk-secret-{letter}-0123456789" for letter in "ABC"}
_THREE = list(_KEYS)


class _Keyed(StubServer):
    """Answers as the key of a request deserves; requests come one at a time."""

    def __init__(self, **replies: StubReply) -> None:
        self.replies = replies
        super().__init__(self._by_key)

    async def __aenter__(self) -> "_Keyed":
        await super().__aenter__()
        return self

    @property
    def asked(self) -> list[str]:
        """The letters of the keys, in order."""
        sent = [h.get("api-key") or h.get("authorization", "?") for h in self.headers]
        return [key.split("-secret-")[1][0] for key in sent]

    def _by_key(self, _: Any) -> StubReply:
        return self.replies.get(self.asked[-1], StubReply(text="Yes."))


def _host(home: Path, **fields: Any) -> Host:
    return Host(catalog=Catalog(), home=home, environment=_KEYS, **fields)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", ["openai/m", "azure/m", "vllm/m", "litellm/openai/m"])
@LITELLM_WARNINGS
async def test_keys_take_turns(tmp_path: Path, model: str, mode: str) -> None:
    async with _Keyed() as server, _host(tmp_path) as host:
        completion = await opener(host)(model, server.base_url, api_key_env=_THREE)
        for _ in range(6):
            await ask(completion, mode)
        assert server.asked == list("ABCABC")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("mode", MODES)
async def test_a_refused_key_is_set_aside_and_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str, status: int
) -> None:
    refused = StubReply(status=status)
    async with _Keyed(B=refused) as server, _host(tmp_path) as host:
        completion = await opener(host)("openai/m", server.base_url, api_key_env=_THREE)
        for _ in range(5):
            assert (await ask(completion, mode)).text == "Yes."
        assert server.asked == list("ABCACA")
    assert caplog.messages == [f"openai/m: KEY_B was refused (HTTP {status}) and is set aside"]
    assert not any(key in caplog.text for key in _KEYS.values())


async def test_when_all_are_refused_the_provider_is_still_asked(tmp_path: Path) -> None:
    refused = StubReply(status=401)
    async with _Keyed(A=refused, B=refused) as server, _host(tmp_path) as host:
        two = ["KEY_A", "KEY_B"]
        completion = await opener(host)("openai/m", server.base_url, api_key_env=two)
        with pytest.raises(ProviderRefusedError, match="KEY_B"):
            await ask(completion, "whole")
        with pytest.raises(ProviderRefusedError, match="KEY_A"):
            await ask(completion, "whole")
        assert server.asked == list("ABA")
        server.replies.clear()
        for _ in range(3):
            await ask(completion, "whole")
        assert server.asked[3:] == list("BBB"), "a key that is well again is well"


@pytest.mark.parametrize("mode", MODES)
async def test_a_busy_key_rests_and_the_next_is_asked_at_once(tmp_path: Path, mode: str) -> None:
    busy = StubReply(status=429, headers={"Retry-After": "3600"})
    async with _Keyed(A=busy) as server, _host(tmp_path) as host:
        completion = await opener(host)("openai/m", server.base_url, api_key_env=_THREE)
        for _ in range(4):
            assert (await ask(completion, mode)).text == "Yes."
        assert server.asked == list("ABCBC")


@pytest.mark.parametrize("mode", MODES)
async def test_when_all_rest_the_error_says_when_the_first_is_free(
    tmp_path: Path, mode: str
) -> None:
    replies = {
        letter: StubReply(status=429, headers={"Retry-After": seconds})
        for letter, seconds in {"A": "3600", "B": "1800"}.items()
    }
    replies["C"] = StubReply(status=401)
    async with _Keyed(**replies) as server, _host(tmp_path) as host:
        completion = await opener(host)("openai/m", server.base_url, api_key_env=_THREE)
        for _ in range(2):
            with pytest.raises(ProviderBusyError) as caught:
                await ask(completion, mode)
            assert caught.value.retry_after is not None
            assert 1700 < caught.value.retry_after <= 1800
            assert "KEY_C was refused" in str(caught.value)
            assert "KEY_A rests for" in str(caught.value)
            assert "secret" not in str(caught.value)
        assert server.asked == list("ABC"), "nothing is sent while all rest"


async def test_a_key_is_free_again_after_its_rest(tmp_path: Path) -> None:
    busy = StubReply(status=429, headers={"Retry-After": "0.01"})
    replies = {"A": busy, "B": busy}
    async with _Keyed(**replies) as server, _host(tmp_path) as host:
        fields: dict[str, Any] = {"api_key_env": ["KEY_A", "KEY_B"], "max_retries": 3}
        completion = await opener(host)("openai/m", server.base_url, **fields)
        with pytest.raises(ProviderBusyError):
            await ask(completion, "whole")
        assert len(server.asked) >= 4, "a call waits for the first key and tries again"


@pytest.mark.parametrize(
    ("reply", "error"),
    [(StubReply(status=400), ProviderRefusedError), (StubReply(status=500), ProviderDownError)],
)
async def test_what_is_not_about_the_key_is_raised_at_once(
    tmp_path: Path, reply: StubReply, error: type[Exception]
) -> None:
    async with _Keyed(A=reply) as server, _host(tmp_path) as host:
        completion = await opener(host)("openai/m", server.base_url, api_key_env=_THREE)
        with pytest.raises(error):
            await ask(completion, "whole")
        assert server.asked == ["A"]


async def test_each_of_several_keys_must_be_there(tmp_path: Path) -> None:
    async with StubServer() as server, _host(tmp_path) as host:
        with pytest.raises(MissingKeyError) as caught:
            await opener(host)("openai/m", server.base_url, api_key_env=["KEY_A", "KEY_X"])
    assert caught.value.variable == "KEY_X"


@pytest.mark.requirement("kit:rate:budget")
async def test_a_key_over_its_budget_is_left_out(tmp_path: Path) -> None:
    async with _Keyed() as server, _host(tmp_path) as host:
        fields: dict[str, Any] = {
            "api_key_env": ["KEY_A", "KEY_B"],
            "key_budget": BudgetSpec(session_tokens=30),
        }
        completion = await opener(host)("openai/m", server.base_url, **fields)
        answers, size = 0, 1
        with pytest.raises(KeyBudgetError) as caught:
            for _ in range(20):
                size = (await ask(completion, "whole")).result.usage.tokens
                answers += 1
        assert answers == 2 * -(-30 // size)
        assert "KEY_A has spent" in str(caught.value)
        assert "of 30 tokens" in str(caught.value)
        # The account belongs to the key, also where another completion uses it.
        other = await opener(host)("openai/other", server.base_url, **fields)
        with pytest.raises(KeyBudgetError):
            await ask(other, "whole")


@pytest.mark.parametrize("mode", MODES)
async def test_calls_at_once_pass_a_key_budget_by_one_call_at_most(
    tmp_path: Path, mode: str
) -> None:
    async with StubServer(lambda _: "Yes.") as server, _host(tmp_path) as host:
        fields: dict[str, Any] = {
            "api_key_env": "KEY_A",
            "key_budget": BudgetSpec(session_tokens=100),
        }
        completion = await opener(host)("openai/m", server.base_url, **fields)
        outcomes: Counter[str] = Counter()
        sizes: list[int] = []

        async def call() -> None:
            try:
                sizes.append((await ask(completion, mode)).result.usage.tokens)
                outcomes["answered"] += 1
            except KeyBudgetError:
                outcomes["refused"] += 1

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(call)
    assert outcomes["answered"] == len(server.requests)
    assert outcomes["answered"] + outcomes["refused"] == 50
    assert 100 <= sum(sizes) < 100 + max(sizes)


async def test_a_cost_budget_of_a_key_needs_a_price(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"api_key_env": "KEY_A", "key_budget": BudgetSpec(session_cost=0.0001)}
    async with StubServer() as server, _host(tmp_path) as host:
        with pytest.raises(ValidationError, match="nobody knows what openai/m costs") as caught:
            await opener(host)("openai/m", server.base_url, **fields)
        assert caught.value.problems[0].where == "completions.model.key_budget"
    prices = {"openai/m": {"input": 10, "output": 10}}
    async with StubServer() as server, _host(tmp_path, prices=prices) as host:
        completion = await opener(host)("openai/m", server.base_url, **fields)
        await ask(completion, "whole")
        with pytest.raises(KeyBudgetError, match=r"of \$0\.0001"):
            await ask(completion, "whole")


@pytest.mark.parametrize("call", ["cancelled", "failed"])
async def test_a_call_that_ends_without_an_answer_lets_the_next_begin(
    tmp_path: Path, call: str
) -> None:
    first = StubReply(hangs=True) if call == "cancelled" else StubReply(status=500)
    replies: Callable[[Any], StubReply] = lambda _: (  # noqa: E731
        first if len(server.requests) == 1 else StubReply(text="Yes.")
    )
    async with StubServer(replies) as server, _host(tmp_path) as host:
        fields: dict[str, Any] = {
            "api_key_env": "KEY_A",
            "key_budget": BudgetSpec(session_tokens=100),
        }
        completion = await opener(host)("openai/m", server.base_url, **fields)
        if call == "cancelled":
            with anyio.move_on_after(0.1):
                await completion.complete(request())
        else:
            with pytest.raises(ProviderDownError):
                await completion.complete(request())
        with anyio.fail_after(3):
            assert (await ask(completion, "whole")).text == "Yes."


def test_rests_get_longer_and_an_answer_ends_that() -> None:
    now = [0.0]
    rota = Rota(2, clock=lambda: now[0])
    rests: list[float] = []
    for _ in range(9):
        now[0] += rota.rest(0)
        rota.busy(0, None)
        rests.append(rota.rest(0))
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    rota.answered(0)
    now[0] += 60
    rota.busy(0, None)
    assert rota.rest(0) == 1
