"""The merged policies: their order, refusals, rewrites, and functions that fail."""

import functools
import logging
from typing import Any

import pytest

from swarm import session
from swarm.errors import CallbackError
from swarm.runtime.guard import Verdict
from tests.swarm.policy.conftest import Function, PolicyShop, failing, giving

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("kit:policy:merge")
async def test_the_first_refusal_wins_and_its_message_is_the_answer(shop: PolicyShop) -> None:
    seen: list[str] = []

    def look(text: str, client_id: str, swarm_name: str) -> bool:
        seen.append(f"{text} of {client_id} in {swarm_name}")
        return True

    async def refuse(text: str, client_id: str, swarm_name: str) -> bool:
        return "tea" in text

    shop.policy("first", validate_input=look, validate_output=look)
    shop.policy("second", validate_input=refuse, ban_message="Only tea.")
    shop.policy("third", validate_input=look, ban_message="Not said.")
    async with shop.open() as host:
        guard = await shop.guard(host)
        assert await guard.check_input("a gun", "anna") == Verdict("Only tea.", "second")
        assert seen == ["a gun of anna in shop"]
        assert await guard.check_input("tea", "anna") == Verdict("tea")
        assert await guard.check_output("a gun", "anna") == Verdict("a gun")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (True, Verdict("hello")),
        (None, Verdict("hello")),
        (False, Verdict("I am not going to discuss it!", "polite")),
        ("Say please.", Verdict("Say please.", "polite")),
    ],
)
async def test_a_validation_says_yes_or_no_or_what_to_answer(
    shop: PolicyShop, said: object, verdict: Verdict
) -> None:
    shop.policy(validate_input=giving(said), validate_output=giving(said))
    async with shop.open() as host:
        guard = await shop.guard(host)
        assert await guard.check_input("hello", "anna") == verdict
        assert await guard.check_output("hello", "anna") == verdict


async def test_each_policy_gets_what_the_one_before_made_of_the_text(shop: PolicyShop) -> None:
    seen: list[str] = []

    def look(text: str, client_id: str, swarm_name: str) -> None:
        seen.append(text)

    async def louder(text: str, client_id: str, swarm_name: str) -> str:
        return text.upper()

    def shorter(text: str, client_id: str, swarm_name: str) -> str | None:
        return text.split(maxsplit=1)[0] if " " in text else None

    shop.policy("first", redact=["email"], validate_input=look, rewrite_input=louder)
    shop.policy("second", validate_input=look, rewrite_input=shorter, rewrite_output=shorter)
    async with shop.open() as host:
        guard = await shop.guard(host)
        verdict = await guard.check_input("hello from me@example.com", "anna")
        assert verdict == Verdict("HELLO")
        assert seen == ["hello from me@example.com", "HELLO FROM [EMAIL]"]
        assert await guard.check_output("yes of me@example.com", "anna") == Verdict("yes")
        assert await guard.check_output("yes", "anna") == Verdict("yes")


@pytest.mark.requirement("kit:policy:ban-message")
async def test_a_ban_message_may_be_made_for_the_client(shop: PolicyShop) -> None:
    async def message(client_id: str, policy_name: str, swarm_name: str) -> str:
        return f"{policy_name} of {swarm_name} stops {client_id}"

    shop.policy(deny=["gun"], get_ban_message=message)
    async with shop.open() as host:
        verdict = await (await shop.guard(host)).check_input("a gun", "anna")
    assert verdict == Verdict("polite of shop stops anna", "polite")


async def test_length_counts_for_messages_only(shop: PolicyShop) -> None:
    shop.policy(max_length=5)
    async with shop.open() as host:
        guard = await shop.guard(host)
        assert (await guard.check_input("12345", "anna")).policy_name is None
        assert (await guard.check_input("123456", "anna")).policy_name == "polite"
        assert (await guard.check_output("123456", "anna")).policy_name is None


async def test_a_text_too_long_to_be_searched_is_refused(shop: PolicyShop) -> None:
    shop.policy("words", deny=["gun"])
    shop.policy("private", redact=["email"])
    async with shop.open() as host:
        guard = await shop.guard(host)
        assert (await guard.check_input("x" * 200_000, "anna")).policy_name is None
        assert (await guard.check_input("x" * 200_001, "anna")).policy_name == "words"


@pytest.mark.parametrize("direction", ["input", "output"])
@pytest.mark.parametrize("field", ["validate", "rewrite"])
@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (failing, "ValueError: the list is empty"),
        (functools.partial(failing, 1), "ValueError: the list is empty"),
        (giving(7), "it returned int"),
    ],
)
async def test_a_function_that_fails_is_named(
    shop: PolicyShop, direction: str, field: str, function: Function, reason: str
) -> None:
    fields: dict[str, Any] = {f"{field}_{direction}": function}
    shop.policy(**fields)
    name = "give" if "int" in reason else "failing"
    async with shop.open() as host:
        guard = await shop.guard(host)
        check = guard.check_input if direction == "input" else guard.check_output
        with pytest.raises(CallbackError, match=reason) as caught:
            await check("hello", "anna")
    assert caught.value.function == f"{field}_{direction} {name!r} of policy 'polite'"
    assert (caught.value.client_id, caught.value.agent_name) == ("anna", "seller")


async def test_an_empty_reason_is_no_judgement(shop: PolicyShop) -> None:
    shop.policy("first", validate_input=giving(""))
    shop.policy("second", validate_output=giving(False), get_ban_message=giving(""))
    async with shop.open() as host:
        guard = await shop.guard(host)
        with pytest.raises(
            CallbackError, match=r"validate_input .* returned an empty text; return"
        ):
            await guard.check_input("hello", "anna")
        with pytest.raises(CallbackError, match=r"get_ban_message .* returned an empty text"):
            await guard.check_output("hello", "anna")


async def test_the_error_names_the_agent_that_was_talking(shop: PolicyShop) -> None:
    shop.program.agent("seller")
    shop.program.agent("doctor")
    shop.policy(validate_output=failing)
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        chat.agent_name = "doctor"
        guard = await shop.guard(host)
        with pytest.raises(CallbackError) as caught:
            await guard.check_output("hello", "anna")
    assert caught.value.agent_name == "doctor"


@pytest.mark.requirement("kit:schema:policy-callbacks")
async def test_callbacks_hear_of_checks_and_cannot_disturb_them(
    shop: PolicyShop, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[tuple[str, ...]] = []

    async def hear(*arguments: str) -> None:
        heard.append(arguments)

    def disturb(*arguments: str) -> None:
        raise ValueError("out of order")

    shop.policy("first", callbacks={"on_init": hear, "on_validate_input": disturb})
    shop.policy("second", callbacks={"on_validate_input": hear, "on_validate_output": hear})
    async with shop.open() as host:
        guard = await shop.guard(host)
        await guard.check_input("hello", "anna")
        await guard.check_output("bye", "anna")
        await shop.guard(host)
    assert heard == [
        ("first",),
        ("hello", "anna", "shop", "second"),
        ("bye", "anna", "shop", "second"),
    ]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("wikiswarm", logging.ERROR)
    assert record.getMessage() == (
        "callback 'disturb' of policy 'first' failed: ValueError: out of order"
    )


async def test_keys_stay_out_of_errors_and_texts(shop: PolicyShop) -> None:
    from swarm import Host

    def tell(text: str, client_id: str, swarm_name: str) -> None:
        raise ValueError("the key is swordfish-7")

    shop.policy("private", redact=["secret"])
    shop.policy("broken", validate_input=tell)
    async with shop.open():
        pass
    environment = {"SHOP_API_KEY": "swordfish-7"}
    host = Host(catalog=shop.program.catalog, home=shop.program.home, environment=environment)
    async with host:
        guard = await shop.guard(host)
        assert await guard.check_output("it is swordfish-7.", "anna") == Verdict("it is [secret].")
        with pytest.raises(CallbackError) as caught:
            await guard.check_input("hello", "anna")
    assert "swordfish" not in str(caught.value)
    assert "${SHOP_API_KEY}" in str(caught.value)


async def test_a_swarm_without_policies_has_no_guard(shop: PolicyShop) -> None:
    async with shop.open() as host:
        assert (await host.open_session("anna", "shop")).plan.guard is None
