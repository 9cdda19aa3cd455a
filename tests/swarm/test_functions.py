"""One way to call a program's functions."""

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from swarm.errors import ProviderDownError, ToolFailed
from swarm.functions import (
    call,
    call_in_thread,
    checked_call,
    describe,
    function_name,
    is_cancelled,
    log_failure,
    observe,
)

pytestmark = pytest.mark.anyio


class Failure(Exception):
    """What the tests have made of a function that failed."""


class Shop:
    """Has functions that are methods, and is one itself."""

    async def __call__(self, *given: object) -> object:
        return (threading.current_thread(), *given)

    def check(self, *given: object) -> object:
        return (threading.current_thread(), *given)


async def later(*given: object) -> object:
    return (threading.current_thread(), *given)


def now(*given: object) -> object:
    return (threading.current_thread(), *given)


def lazy(*given: object) -> object:
    return later(*given)


def raising(error: BaseException) -> Callable[..., Any]:
    def broken(*given: object) -> None:
        raise error

    return broken


async def checked(function: Callable[..., Any], **options: Any) -> Any:
    def failure(what: str, reason: str) -> Failure:
        return Failure(f"{what} failed: {reason}")

    return await checked_call(
        function, role="validate", place="agent 'seller'", failure=failure, **options
    )


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (now, "now"),
        (Shop().check, "check"),
        (Shop(), "Shop"),
        (functools.partial(functools.partial(later, 1), 2), "later"),
        (str.upper, "upper"),
    ],
)
def test_functions_are_called_by_their_names(function: Callable[..., Any], name: str) -> None:
    assert function_name(function) == name
    said = f"transform {name!r} of agent 'seller'"
    assert describe(function, "transform", "agent 'seller'") == said


@pytest.mark.parametrize("function", [now, lazy, later, Shop(), functools.partial(later)])
async def test_plain_and_async_functions_run_on_the_loop(function: Callable[..., Any]) -> None:
    assert await call(function, 1, 2) == (threading.current_thread(), 1, 2)


async def test_plain_functions_may_run_in_a_thread() -> None:
    here = threading.current_thread()
    thread, *given = await call_in_thread(now, 1, 2)
    assert (thread is here, given) == (False, [1, 2])
    for function in (lazy, later, Shop(), functools.partial(Shop())):
        assert await call_in_thread(function, 3) == (here, 3)


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), ToolFailed("no")])
async def test_a_checked_function_that_fails_is_named(
    error: BaseException, in_thread: bool
) -> None:
    with pytest.raises(Failure) as caught:
        await checked(raising(error), in_thread=in_thread)
    said = f"validate 'broken' of agent 'seller' failed: {type(error).__name__}: {error}"
    assert str(caught.value) == said
    assert caught.value.__cause__ is error


async def test_errors_of_wikiswarm_pass_with_a_note() -> None:
    error = ProviderDownError("no connection", provider="stub")
    with pytest.raises(ProviderDownError) as caught:
        await checked(raising(error))
    assert caught.value is error
    assert error.__notes__ == ["raised in validate 'broken' of agent 'seller'"]
    with pytest.raises(ToolFailed):
        await checked(raising(ToolFailed("no")), passes=(ToolFailed,))


async def test_keys_show_neither_in_errors_nor_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "swordfish-7")
    broken = raising(ValueError("swordfish-7 and marlin-2000"))
    secrets = {"OTHER_KEY": "marlin-2000"}
    with pytest.raises(Failure, match=r"\$\{SHOP_API_KEY\} and \$\{OTHER_KEY\}"):
        await checked(broken, secrets=secrets)
    await observe(broken, place="agent 'seller'", secrets=secrets)
    assert "ValueError: ${SHOP_API_KEY} and ${OTHER_KEY}" in caplog.text
    assert "Traceback" in caplog.text
    assert "swordfish" not in caplog.text
    assert "marlin" not in caplog.text


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(3), ProviderDownError("no", provider="x")]
)
async def test_an_observer_that_fails_is_logged_and_changes_nothing(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    await observe(None, place="agent 'seller'")
    assert caplog.records == []
    await observe(raising(error), 1, place="agent 'seller'")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("wikiswarm", logging.ERROR)
    kind = type(error).__name__
    said = f"callback 'broken' of agent 'seller' failed: {kind}: {error}"
    assert record.getMessage() == said
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_what_happens_in_its_place_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_failure("get_rescue 'broken'", ValueError("no"), effect="the placeholder is given")
    said = "get_rescue 'broken' failed: ValueError: no; the placeholder is given"
    assert caplog.messages == [said]


async def test_cancellation_passes_and_is_told_from_what_a_function_raised() -> None:
    seen: list[bool] = []

    async def hang() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            seen.append(is_cancelled())

    for calling in (checked(hang), observe(hang, place="agent 'seller'")):
        with anyio.move_on_after(0.01) as scope:
            await calling
        assert scope.cancelled_caught
    assert seen == [True, True]
    assert not is_cancelled()
