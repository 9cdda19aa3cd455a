"""`ask`: functions and models that answer one message."""

import logging
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

import swarm
from swarm import (
    Catalog,
    Host,
    ToolContext,
    add_advisor,
    add_completion,
    ask,
    get_advisor,
    override_advisor,
    use_catalog,
)
from swarm.advisor import AdvisorCallbackError, AdvisorCallbacks
from swarm.errors import (
    DeclarationError,
    ProviderDownError,
    ProviderTimeoutError,
    UnknownNameError,
    ValidationError,
)
from swarm.events import Noted
from swarm.testing import ScriptedCompletion, call_tool
from tests.swarm.program import Program

pytestmark = pytest.mark.anyio


async def _ask(home: Path, message: object, steps: Any = None, **fields: Any) -> str:
    """Ask an advisor that is declared for this one question."""
    catalog = Catalog()
    with use_catalog(catalog):
        if steps is not None:
            script = ScriptedCompletion(steps)
            add_completion(completion_name="model", get_completion=script, max_retries=0)
            fields["completion"] = "model"
        add_advisor(advisor_name="expert", **fields)
    async with Host(catalog=catalog, home=home, environment={}) as host:
        return await ask(message, "expert", host=host)


class Question(BaseModel, frozen=True):
    about: str


@pytest.mark.requirement("kit:talk:ask")
async def test_a_function_gets_the_message_as_it_is(tmp_path: Path) -> None:
    async def advise(question: Question) -> str:
        return question.about.upper()

    assert await _ask(tmp_path, Question(about="aspirin"), get_chat=advise) == "ASPIRIN"
    assert await _ask(tmp_path, {"a": 1}, get_chat=str) == "{'a': 1}"


async def test_a_model_reads_text_as_it_is_and_anything_else_as_json(tmp_path: Path) -> None:
    def repeat(request: swarm.CompletionRequest) -> str:
        return "|".join(f"{m.role}: {m.content}" for m in request.messages)

    asked = {"Hi": "Hi", 7: "7", Question(about="x"): '{"about":"x"}'}
    for message, text in asked.items():
        assert await _ask(tmp_path, message, [repeat]) == f"user: {text}"
    assert await _ask(tmp_path, {"a": [1, None]}, [repeat]) == 'user: {"a":[1,null]}'
    answer = await _ask(tmp_path, "Hi", [repeat], system=["Be kind.", "Be short."])
    assert answer == "system: Be kind.\nBe short.|user: Hi"
    with pytest.raises(DeclarationError, match="a model reads text or JSON"):
        await _ask(tmp_path, {1, 2}, [repeat])


async def test_a_reference_needs_no_completion(tmp_path: Path) -> None:
    assert await _ask(tmp_path, "Hi", model="offline")


def _raises(message: object) -> str:
    raise RuntimeError("out of order")


def _gives_nothing(message: object) -> Any:
    return None


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_raises, "^get_chat '_raises' of advisor 'expert' failed: RuntimeError: out of order"),
        (
            _gives_nothing,
            "^get_chat '_gives_nothing' of advisor 'expert' failed: it returned None",
        ),
    ],
)
async def test_a_function_that_fails_is_named(tmp_path: Path, function: Any, reason: str) -> None:
    with pytest.raises(AdvisorCallbackError, match=reason):
        await _ask(tmp_path, "Hi", get_chat=function)


async def test_a_provider_that_fails_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(ProviderDownError, match="no connection"):
        await _ask(tmp_path, "Hi", [ProviderDownError("no connection", provider="stub")])


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_function_that_hangs_ends_at_the_deadline(tmp_path: Path, is_async: bool) -> None:
    async def waits(message: object) -> str:
        await anyio.sleep_forever()
        return ""

    def blocks(message: object) -> str:
        time.sleep(1)
        return ""

    with anyio.fail_after(5), pytest.raises(ProviderTimeoutError, match=r"expert.*0\.1 s"):
        await _ask(tmp_path, "Hi", get_chat=waits if is_async else blocks, timeout=0.1)


async def test_callbacks_are_told_and_change_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []

    def on_chat(message: object) -> None:
        told.append(message)
        raise RuntimeError("a clumsy observer")

    async def on_result(result_id: str, content: str) -> None:
        told.append((bool(result_id), content))

    callbacks = AdvisorCallbacks(on_chat=on_chat, on_result=on_result)
    with caplog.at_level(logging.ERROR, logger="wikiswarm"):
        await _ask(tmp_path, "Hi", get_chat=str.upper, callbacks=callbacks)
    assert told == ["Hi", (True, "HI")]
    assert "callback 'on_chat' of advisor 'expert' failed: RuntimeError: a clumsy" in caplog.text


async def test_in_a_turn_it_leaves_a_note_of_what_it_took(program: Program) -> None:
    async def advice(context: ToolContext) -> str:
        """Ask the expert."""
        return await ask("my secret", "expert")

    program.agent(steps=[call_tool("advice", tool_id="1"), "Done."], tools=[advice])
    with use_catalog(program.catalog):
        add_advisor(advisor_name="expert", get_chat=str.upper)
    async with program.chat() as chat:
        assert await chat.complete("Help!") == "Done."
    (note,) = [e.event for e in await program.events() if isinstance(e.event, Noted)]
    assert (note.topic, note.data["advisor_name"]) == ("advisor.result", "expert")
    assert "secret" not in note.model_dump_json().lower()


async def test_without_a_host_it_brings_its_own(home: Path) -> None:
    with use_catalog(Catalog()):
        add_advisor(advisor_name="expert", get_chat=str.upper)
        assert await swarm.ask("Hi", "expert") == "HI"
        with override_advisor("expert", get_chat=str.lower):
            assert await ask("Hi", "expert") == "hi"
        assert get_advisor("expert").get_chat is str.upper
        with pytest.raises(UnknownNameError, match="did you mean 'expert'"):
            await ask("Hi", "exprt")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "give exactly one of `get_chat`, `completion` and `model`"),
        ({"get_chat": str, "model": "offline"}, "give exactly one"),
        ({"get_chat": str, "system": "Be kind."}, "`system` is for"),
    ],
)
def test_a_wrong_declaration_is_refused(fields: dict[str, Any], reason: str) -> None:
    with use_catalog(Catalog()), pytest.raises(ValidationError, match=reason):
        add_advisor(advisor_name="expert", **fields)
