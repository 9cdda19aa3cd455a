"""Policies in a turn: what the client, the history, the journal and the model get to see."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from swarm import Answered, Policy, TextDelta, session
from swarm.errors import CallbackError, TurnTimeoutError
from swarm.events import Event, MessageAdded, Noted, TurnEnded, TurnStarted
from swarm.testing import call_tool
from tests.swarm.policy.conftest import PolicyShop, failing, giving

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[3] / "docs" / "policies.md"
BAN = "I am not going to discuss it!"


async def _journal(shop: PolicyShop) -> list[Event]:
    return [row.event for row in await shop.program.events("shop/anna")]


def _whole(events: list[Event]) -> str:
    return "\n".join(event.model_dump_json() for event in events)


def _refusals(events: list[Event]) -> list[dict[str, Any]]:
    notes = [event for event in events if isinstance(event, Noted)]
    return [dict(note.data) for note in notes if note.topic == "policy.refused"]


@pytest.mark.requirement("kit:turn:refused-not-recorded")
@pytest.mark.parametrize("is_streamed", [True, False])
async def test_a_refused_message_leaves_nothing_behind(shop: PolicyShop, is_streamed: bool) -> None:
    model = shop.program.agent(steps=["Tea costs 3."])
    shop.policy(deny=["gun"])
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        if is_streamed:
            events = [event async for event in chat.stream("A gun, please")]
            assert [type(event) for event in events] == [Answered]
            assert isinstance(events[0], Answered)
            assert events[0].text == BAN
        else:
            assert await chat.complete("A gun, please") == BAN
        assert model.requests == []
        assert await chat.complete("Tea?") == "Tea costs 3."
    (request,) = model.requests
    assert [message.content for message in request.messages] == ["Tea?"]
    events = await _journal(shop)
    assert _refusals(events) == [{"policy_name": "polite", "direction": "input"}]
    assert "gun" not in _whole(events)
    said = [event.message.content for event in events if isinstance(event, MessageAdded)]
    assert said == ["Tea costs 3."]


async def test_a_refused_message_may_be_the_first_and_only_one(shop: PolicyShop) -> None:
    model = shop.program.agent(steps=["Hello again."])
    shop.policy(deny=["gun"])
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        assert await chat.complete("A gun, please") == BAN
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        assert await chat.complete("Hi") == "Hello again."
    assert len(model.requests) == 1


@pytest.mark.requirement("kit:policy:rewrite")
async def test_a_rewritten_message_is_what_everybody_sees(shop: PolicyShop) -> None:
    model = shop.program.agent(steps=["Noted."])
    shop.policy(redact=["email"])
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        await chat.complete("I am anna@example.com", payload={"page": 1})
        assert model.requests[0].messages[-1].content == "I am [email]"
        message = chat.history.last_user_message()
        assert message is not None
        assert (message.content, message.payload) == ("I am [email]", {"page": 1})
    events = await _journal(shop)
    (started,) = [event for event in events if isinstance(event, TurnStarted)]
    assert started.message.content == "I am [email]"
    assert "example.com" not in _whole(events)
    assert _refusals(events) == []


@pytest.mark.requirement("kit:policy:output")
@pytest.mark.parametrize("is_streamed", [True, False])
@pytest.mark.parametrize(
    ("fields", "answer"),
    [({"deny": ["gun"]}, BAN), ({"rewrite_output": giving("Something.")}, "Something.")],
)
async def test_a_refused_or_rewritten_answer_is_never_seen(
    shop: PolicyShop, fields: dict[str, Any], answer: str, is_streamed: bool
) -> None:
    model = shop.program.agent(steps=["Take this gun.", "Take this tea."])
    shop.policy(**fields)
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        if is_streamed:
            events = [event async for event in chat.stream("What do you have?")]
            shown = "".join(event.text for event in events if isinstance(event, TextDelta))
            assert shown in ("", answer)
            assert isinstance(events[-1], Answered)
            assert events[-1].text == answer
        else:
            assert await chat.complete("What do you have?") == answer
        await chat.complete("And else?")
    contents = [message.content for message in model.requests[1].messages]
    assert contents == ["What do you have?", answer, "And else?"]
    journal = await _journal(shop)
    assert "gun" not in _whole(journal)
    ended = [event.answer for event in journal if isinstance(event, TurnEnded)]
    assert ended[0] == answer
    expected = [{"policy_name": "polite", "direction": "output"}] if "deny" in fields else []
    assert _refusals(journal) == expected


async def test_an_answer_that_passes_is_streamed_whole(shop: PolicyShop) -> None:
    shop.program.agent(steps=["Tea costs 3."])
    shop.policy(deny=["gun"])
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        events = [event async for event in chat.stream("Tea?")]
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown in ("", "Tea costs 3.")
    assert isinstance(events[-1], Answered)
    assert events[-1].text == "Tea costs 3."


@pytest.mark.requirement("kit:policy:guarded")
@pytest.mark.parametrize("field", ["validate_input", "rewrite_output"])
async def test_a_function_that_fails_reaches_the_caller_and_the_session_goes_on(
    shop: PolicyShop, field: str
) -> None:
    calls: list[str] = []

    def fail_once(text: str, client_id: str, swarm_name: str) -> None:
        calls.append(text)
        if len(calls) == 1:
            failing()

    shop.program.agent(steps=["One.", "Two."] if field == "rewrite_output" else ["Two."])
    fields: dict[str, Any] = {field: fail_once}
    shop.policy(**fields)
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        with pytest.raises(CallbackError, match="function 'fail_once', failed: ValueError"):
            await chat.complete("Hi")
        assert await chat.complete("Hi again") == "Two."


async def test_who_is_banned_meanwhile_still_gets_this_answer(shop: PolicyShop) -> None:
    async def ban() -> str:
        await Policy.ban_client(client_id="anna", swarm_name="shop", policy_name="polite")
        return "banned"

    model = shop.program.agent(steps=[call_tool("ban"), "Goodbye.", "Hi, Bert."], tools=[ban])
    shop.policy()
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        assert await chat.complete("You are stupid") == "Goodbye."
        assert await chat.complete("Sorry") == BAN
        async with session("bert", "shop", host=host) as other:
            assert await other.complete("Hi") == "Hi, Bert."
    model.assert_complete()


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "WIKISWARM_HOME"}
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Thank you, we will write to [email].",
        "Let us stay polite.",
        "True",
    ]


async def test_the_deadline_of_a_turn_holds_while_the_bans_cannot_be_read(shop: PolicyShop) -> None:
    shop.policy()
    shop.program.agent(steps=["Tea costs 3."])
    shop.program.swarm(policies=["polite"], turn_timeout=0.5)
    async with shop.open() as host, session("anna", "shop", host=host) as chat:
        assert await chat.complete("Tea?") == "Tea costs 3."
        is_free = threading.Event()
        rescue = threading.Timer(5, is_free.set)
        rescue.start()
        host.database.submit(is_free.wait)  # the database is stuck
        try:
            with pytest.raises(TurnTimeoutError, match="no verdict within"):
                await chat.complete("And now?")
            assert not is_free.is_set()
        finally:
            rescue.cancel()
            is_free.set()
