"""Bans: by tools, from outside, by themselves; where they are kept, and who sees them."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import Catalog, Host, Policy, override_policy, session, use_catalog
from swarm.errors import (
    CallbackError,
    DeclarationError,
    InvalidIdError,
    SessionError,
    UnknownNameError,
)
from swarm.policy import BanListReadOnlyError, PolicyNotListedError
from swarm.runtime.guard import Verdict
from swarm.testing import call_tool
from tests.swarm.policy.conftest import PolicyShop, failing, giving, noting

pytestmark = pytest.mark.anyio
ANNA: dict[str, Any] = {"client_id": "anna", "swarm_name": "shop", "policy_name": "polite"}


class OwnList:
    """A ban list that the program keeps."""

    def __init__(self, *clients: str) -> None:
        self.clients = list(clients)
        self.asked = 0

    async def get(self, policy_name: str, swarm_name: str) -> list[str]:
        assert (policy_name, swarm_name) == ("polite", "shop")
        self.asked += 1
        found = list(self.clients)
        await anyio.lowlevel.checkpoint()
        return found

    async def set(self, clients: list[str], policy_name: str, swarm_name: str) -> None:
        assert (policy_name, swarm_name) == ("polite", "shop")
        await anyio.lowlevel.checkpoint()
        self.clients = clients


@pytest.mark.requirement("kit:policy:banned-first")
async def test_a_banned_client_is_refused_before_anything_is_asked(shop: PolicyShop) -> None:
    shop.policy("first", validate_input=failing)
    shop.policy(ban_message="You are banned.")
    async with shop.open() as host:
        guard = await shop.guard(host)
        await Policy.ban_client(**ANNA)
        assert await guard.check_input("hello", "anna") == Verdict("You are banned.", "polite")
        with pytest.raises(CallbackError):
            await guard.check_input("hello", "bert")
        await Policy.unban_client(**ANNA)
        with pytest.raises(CallbackError):
            await guard.check_input("hello", "anna")


async def test_the_first_policy_that_bans_speaks(shop: PolicyShop) -> None:
    shop.policy("own", get_banned_clients=giving(["anna"]), ban_message="own")
    shop.policy("fleeting", persist=False, ban_message="fleeting")
    shop.policy("kept", ban_message="kept")
    async with shop.open() as host:
        guard = await shop.guard(host)
        for client_id in ("anna", "bert", "carl"):
            await host.policies.ban(client_id, "shop", "kept")
        for client_id in ("anna", "bert"):
            await host.policies.ban(client_id, "shop", "fleeting")
        said = [(await guard.check_input("hi", name)).text for name in ("anna", "bert", "carl")]
    assert said == ["own", "fleeting", "kept"]


@pytest.mark.requirement("kit:persist:bans", "kit:facade:policy")
async def test_a_tool_bans_and_the_ban_outlives_the_host(shop: PolicyShop) -> None:
    async def ban(reason: str) -> str:
        await Policy.ban_client(**ANNA)
        return f"banned: {reason}"

    steps = [call_tool("ban", reason="rude"), "Goodbye."]
    shop.program.agent(steps=steps, tools=[ban])
    shop.policy()
    async with shop.open() as host:
        async with session("anna", "shop", host=host) as chat:
            assert await chat.complete("You are stupid") == "Goodbye."
        assert await Policy.has_ban(**ANNA)
        assert not await Policy.has_ban(**{**ANNA, "client_id": "bert"})
    async with shop.open():
        assert await Policy.has_ban(**ANNA)
        await Policy.unban_client(**ANNA)
        await Policy.unban_client(**ANNA)
    async with shop.open():
        assert not await Policy.has_ban(**ANNA)


async def test_a_tool_means_the_host_of_its_turn(shop: PolicyShop, tmp_path: Path) -> None:
    async def ban() -> str:
        await Policy.ban_client(**ANNA)
        return "banned"

    shop.program.agent(steps=[call_tool("ban"), "Goodbye."], tools=[ban])
    shop.policy()
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        async with Host(catalog=Catalog(), home=tmp_path / "other", environment={}):
            await chat.complete("You are stupid")
        assert await host.policies.has_ban("anna", "shop", "polite")


async def test_bans_that_are_not_persisted_live_as_long_as_the_host(shop: PolicyShop) -> None:
    heard: list[tuple[object, ...]] = []
    shop.policy(persist=False, callbacks={"on_ban_client": noting(heard)})
    async with shop.open():
        await Policy.ban_client(**ANNA)
        await Policy.ban_client(**ANNA)
        assert heard == [("anna", "shop", "polite")]
        with use_catalog(shop.program.catalog), override_policy("polite", ban_message="No."):
            assert await Policy.has_ban(**ANNA)
    async with shop.open():
        assert not await Policy.has_ban(**ANNA)


@pytest.mark.requirement("kit:policy:bans-seen")
async def test_two_hosts_of_one_database_see_each_other_at_once(shop: PolicyShop) -> None:
    shop.policy()
    async with shop.open() as first, shop.open() as second:
        guards = [await shop.guard(host) for host in (first, second)]
        assert (await guards[1].check_input("hi", "anna")).policy_name is None
        await first.policies.ban("anna", "shop", "polite")
        assert (await guards[1].check_input("hi", "anna")).policy_name == "polite"
        await second.policies.unban("anna", "shop", "polite")
        assert (await guards[0].check_input("hi", "anna")).policy_name is None


@pytest.mark.requirement("kit:policy:auto-ban")
@pytest.mark.parametrize("persist", [True, False])
@pytest.mark.parametrize("direction", ["input", "output"])
async def test_a_refusal_bans_where_the_policy_says_so(
    shop: PolicyShop, direction: str, persist: bool
) -> None:
    fields: dict[str, Any] = {f"validate_{direction}": giving("Not here.")}
    shop.policy("calm", deny=["gun"])
    shop.policy(auto_ban=True, persist=persist, **fields)
    async with shop.open() as host:
        guard = await shop.guard(host)
        check = guard.check_input if direction == "input" else guard.check_output
        assert (await check("a gun", "anna")).policy_name == "calm"
        assert not await Policy.has_ban(**ANNA)
        assert await check("hello", "anna") == Verdict("Not here.", "polite")
        assert await Policy.has_ban(**ANNA)
        assert await guard.check_input("hello", "anna") == Verdict(
            "I am not going to discuss it!", "polite"
        )


async def test_a_client_is_banned_even_where_the_message_fails(shop: PolicyShop) -> None:
    shop.policy(auto_ban=True, deny=["gun"], get_ban_message=failing)
    async with shop.open() as host:
        with pytest.raises(CallbackError, match="get_ban_message 'failing' of policy 'polite'"):
            await (await shop.guard(host)).check_input("a gun", "anna")
        assert await Policy.has_ban(**ANNA)


@pytest.mark.requirement("kit:policy:own-list")
async def test_a_list_of_ones_own_is_asked_each_time_and_loses_nothing(shop: PolicyShop) -> None:
    own = OwnList("bert")
    shop.policy(get_banned_clients=own.get, set_banned_clients=own.set, auto_ban=True)
    async with shop.open() as host:
        guard = await shop.guard(host)
        assert (await guard.check_input("hi", "bert")).policy_name == "polite"
        own.clients.clear()
        assert (await guard.check_input("hi", "bert")).policy_name is None
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(host.policies.ban, f"client-{number}", "shop", "polite")
        assert len(own.clients) == 10
        await host.policies.unban("client-3", "shop", "polite")
        await host.policies.unban("client-3", "shop", "polite")
        assert "client-3" not in own.clients
        assert len(own.clients) == 9


async def test_a_list_that_is_only_read_cannot_be_changed(shop: PolicyShop) -> None:
    shop.policy(get_banned_clients=giving(("bert",)))
    async with shop.open():
        assert await Policy.has_ban(**{**ANNA, "client_id": "bert"})
        for change in (Policy.ban_client, Policy.unban_client):
            with pytest.raises(BanListReadOnlyError, match="declare `set_banned_clients` too"):
                await change(**ANNA)


@pytest.mark.parametrize(
    ("get", "reason"),
    [
        (failing, "ValueError: the list is empty"),
        (giving("anna"), "it returned str; return a list"),
        (giving(None), "it returned NoneType; return a list"),
        (giving(["bert", 7]), "it returned a list with int"),
    ],
)
async def test_a_list_that_fails_is_named_and_nobody_passes(
    shop: PolicyShop, get: Callable[..., object], reason: str
) -> None:
    shop.policy(get_banned_clients=get, set_banned_clients=giving(None))
    async with shop.open() as host:
        guard = await shop.guard(host)
        for call in (guard.check_input("hi", "anna"), Policy.ban_client(**ANNA)):
            with pytest.raises(CallbackError, match=f"get_banned_clients .* failed: {reason}"):
                await call


async def test_a_change_that_fails_changes_nothing(shop: PolicyShop) -> None:
    heard: list[tuple[object, ...]] = []
    shop.policy(
        get_banned_clients=giving([]),
        set_banned_clients=failing,
        callbacks={"on_ban_client": noting(heard)},
    )
    async with shop.open():
        with pytest.raises(CallbackError, match="set_banned_clients 'failing' of policy 'polite'"):
            await Policy.ban_client(**ANNA)
    assert heard == []


async def test_a_list_cannot_change_itself(shop: PolicyShop) -> None:
    async def again(*names: object) -> list[str]:
        with pytest.raises(DeclarationError, match="cannot change the list"):
            await Policy.ban_client(**ANNA)
        return []

    shop.policy(get_banned_clients=again, set_banned_clients=giving(None))
    async with shop.open() as host:
        await host.policies.ban("bert", "shop", "polite")


@pytest.mark.requirement("kit:schema:policy-callbacks", "kit:facade:policy")
async def test_callbacks_hear_of_changes_once(
    shop: PolicyShop, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[tuple[str, ...]] = []

    async def banned(*names: str) -> None:
        heard.append(("banned", *names))

    def unbanned(*names: str) -> None:
        heard.append(("unbanned", *names))
        raise RuntimeError("too late")

    shop.policy(callbacks={"on_ban_client": banned, "on_unban_client": unbanned})
    async with shop.open():
        for change in (Policy.ban_client, Policy.unban_client):
            await change(**ANNA)
            await change(**ANNA)
        assert not await Policy.has_ban(**ANNA)
    names = ("anna", "shop", "polite")
    assert heard == [("banned", *names), ("unbanned", *names)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "callback 'unbanned' of policy 'polite' failed: RuntimeError: too late" in caplog.text


async def test_names_that_lead_nowhere_are_refused(shop: PolicyShop) -> None:
    shop.policy()
    with use_catalog(shop.program.catalog):
        from swarm import add_policy

        add_policy(policy_name="unlisted")
    cases: list[tuple[str, str, type[Exception], str]] = [
        ("swarm_name", "shob", UnknownNameError, "did you mean 'shop'"),
        ("policy_name", "polit", UnknownNameError, "did you mean 'polite'"),
        ("policy_name", "unlisted", PolicyNotListedError, "'unlisted'; it lists: polite"),
        ("client_id", "../anna", InvalidIdError, "reads like a path"),
        ("client_id", "", InvalidIdError, "1 to 256 characters"),
    ]
    async with shop.open():
        for field, value, error, message in cases:
            for call in (Policy.ban_client, Policy.unban_client, Policy.has_ban):
                with pytest.raises(error, match=message):
                    await call(**{**ANNA, field: value})


async def test_bans_need_an_open_host(shop: PolicyShop) -> None:
    with pytest.raises(SessionError, match="no host is open"):
        await Policy.has_ban(**ANNA)
    async with shop.open() as host:
        pass
    with pytest.raises(SessionError, match="not open"):
        await host.policies.has_ban("anna", "shop", "polite")


async def test_an_override_holds_for_sessions_that_open_in_it(shop: PolicyShop) -> None:
    shop.policy(deny=["gun"])
    async with shop.open() as host:
        before = await shop.guard(host)
        with use_catalog(shop.program.catalog), override_policy("polite", deny=["tea"]):
            inside = await shop.guard(host)
        after = await shop.guard(host)
        said = [(await guard.check_input("tea", "anna")).policy_name for guard in (before, after)]
        assert said == [None, None]
        assert (await inside.check_input("tea", "anna")).policy_name == "polite"
