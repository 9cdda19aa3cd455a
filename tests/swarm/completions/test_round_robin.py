"""`round_robin`: functions that take turns."""

from collections.abc import Callable
from pathlib import Path

import pytest

import swarm
from swarm import Catalog, CompletionRequest, CompletionSpec, Host, round_robin
from swarm.errors import DeclarationError, ProviderBusyError, ProviderRefusedError
from tests.swarm.completions.asking import MODES, ask, request

pytestmark = pytest.mark.anyio

_TOKENS = ["secret-a", "secret-b", "secret-c"]


def _clients(
    **failures: Exception,
) -> tuple[list[str], Callable[[str], Callable[[CompletionRequest], str]]]:
    """Return what was asked, and a factory of clients; some of them raise."""
    asked: list[str] = []

    def make_client(token: str) -> Callable[[CompletionRequest], str]:
        letter = token[-1]

        def answer(_: CompletionRequest) -> str:
            asked.append(letter)
            if letter in failures:
                raise failures[letter]
            return f"This is {letter}."

        return answer

    return asked, make_client


@pytest.mark.requirement("kit:facade:round-robin")
@pytest.mark.parametrize("mode", MODES)
async def test_a_completion_takes_turns_over_clients(tmp_path: Path, mode: str) -> None:
    asked, make_client = _clients()
    spec = CompletionSpec(completion_name="m", get_completion=round_robin(_TOKENS, make_client))
    completion = await Host(catalog=Catalog(), home=tmp_path, environment={}).completion(spec)
    answers = [(await ask(completion, mode)).text for _ in range(4)]
    assert answers == ["This is a.", "This is b.", "This is c.", "This is a."]
    assert completion.model == "python:make_client"
    assert asked == list("abca")


async def test_clients_that_cannot_serve_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    refused = ProviderRefusedError("no", provider="p", status=401)
    busy = ProviderBusyError("busy", provider="p", retry_after=3600)
    asked, make_client = _clients(a=refused, b=busy)
    answer = round_robin(_TOKENS, make_client)
    for _ in range(3):
        assert (await answer(request())).message.content == "This is c."
    assert asked == list("abccc")
    text = "python:make_client: number 1 of 3 was refused (HTTP 401) and is set aside"
    assert caplog.messages == [text]


async def test_when_all_rest_it_says_for_how_long() -> None:
    busy = ProviderBusyError("busy", provider="p", retry_after=60)
    longer = ProviderBusyError("busy", provider="p", retry_after=3600)
    asked, make_client = _clients(a=longer, b=busy, c=longer)
    answer = round_robin(_TOKENS, make_client)
    for _ in range(2):
        with pytest.raises(ProviderBusyError, match="number 2 of 3 rests") as caught:
            await answer(request())
        assert caught.value.retry_after is not None
        assert 50 < caught.value.retry_after <= 60
        assert "secret" not in str(caught.value)
    assert asked == list("abc")


async def test_an_async_client_is_awaited_and_other_errors_pass() -> None:
    def make_client(number: int) -> Callable[[CompletionRequest], object]:
        async def answer(_: CompletionRequest) -> str:
            if number == 1:
                raise LookupError("mine")
            return f"client {number}"

        return answer

    answer = round_robin([0, 1], make_client)
    assert (await answer(request())).message.content == "client 0"
    with pytest.raises(LookupError, match="mine"):
        await answer(request())
    assert (await answer(request())).message.content == "client 0"


def test_what_cannot_take_turns_is_refused() -> None:
    with pytest.raises(DeclarationError, match="at least one"):
        round_robin([], _clients()[1])
    with pytest.raises(DeclarationError, match="str for number 1 of 3") as caught:
        round_robin(_TOKENS, str.upper)
    assert "secret" not in str(caught.value).lower()


def test_it_is_exported() -> None:
    assert "round_robin" in swarm.__all__
