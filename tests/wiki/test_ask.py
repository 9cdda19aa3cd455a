"""Asking a wiki: its sources, its refusals, its fallback, and what is kept of an answer."""

import math
import threading
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import Catalog, CompletionRequest, Host, add_completion, session, use_catalog
from swarm.errors import (
    DeclarationError,
    MissingKeyError,
    ProviderError,
    ProviderOutputError,
    ProviderTimeoutError,
    SessionError,
    UnknownNameError,
)
from swarm.events import Noted
from swarm.store import read_session
from swarm.testing import ScriptedCompletion, StubReply, StubServer, call_tool
from tests.wiki.shop import shop, wiki_only
from wiki import WikiAnswer, WikiCallbacks, ask, question
from wiki.errors import WikiNotListedError

pytestmark = pytest.mark.anyio


async def _ask(
    catalog: Catalog,
    home: Path,
    text: str = "How much?",
    environment: Mapping[str, str] | None = None,
) -> WikiAnswer:
    async with Host(catalog=catalog, home=home, environment=environment or {}) as host:
        with anyio.fail_after(20):
            return await ask("pharma", text, host=host)


def hosted(url: str, **fields: Any) -> Catalog:
    """Return a wiki behind a completion that speaks to a server."""
    catalog = wiki_only(completion="served", **fields)
    with use_catalog(catalog):
        add_completion(
            completion_name="served", model="openai/any", base_url=url, max_retries=0, timeout=5
        )
    return catalog


async def shout(message: str) -> str:
    """Answer a wiki's question; `python:` references take the request."""
    return message.upper()


def shout_later(message: str) -> Awaitable[str]:
    """Answer by a plain function that returns something to wait for."""
    return shout(message)


def echo(request: CompletionRequest) -> str:
    """Answer as a model would."""
    return f"echo: {request.messages[-1].content}"


def broken(request: CompletionRequest) -> str:
    """Fail as a model would."""
    raise RuntimeError("no")


@pytest.mark.requirement("S4-12")
@pytest.mark.parametrize("get_chat", [str.upper, shout, shout_later])
async def test_a_function_answers_plain_or_async(tmp_path: Path, get_chat: Any) -> None:
    answer = await _ask(wiki_only(get_chat=get_chat), tmp_path)
    assert answer.text == "HOW MUCH?"
    assert answer.wiki_name == "pharma"
    assert answer.model == f"python:{get_chat.__name__}"
    assert (answer.version, answer.confidence, answer.is_fallback) == (None, None, False)
    assert answer.seconds >= 0


async def test_a_plain_function_does_not_block_the_others(tmp_path: Path) -> None:
    is_met = threading.Barrier(2, timeout=10)

    def get_chat(message: str) -> str:
        is_met.wait()
        return message

    async with (
        Host(catalog=wiki_only(get_chat=get_chat), home=tmp_path, environment={}) as host,
        anyio.create_task_group() as group,
    ):
        group.start_soon(lambda: ask("pharma", "a", host=host))
        group.start_soon(lambda: ask("pharma", "b", host=host))


@pytest.mark.requirement("S4-10")
async def test_a_declared_completion_answers(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply("4.80 euros", logprobs=(-0.1, -0.3))) as server:
        answer = await _ask(hosted(server.base_url, system="Be short."), tmp_path)
    assert (answer.text, answer.model) == ("4.80 euros", "openai/any")
    assert answer.confidence == pytest.approx(math.exp(-0.2))
    assert answer.usage.output_tokens > 0
    [request] = server.requests
    assert request["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "How much?"},
    ]
    assert "tools" not in request
    assert "logprobs" not in request


async def test_a_model_reference_answers(tmp_path: Path) -> None:
    answer = await _ask(wiki_only(model=f"python:{__name__}:echo"), tmp_path)
    assert answer.text == "echo: How much?"
    assert answer.model == f"python:{__name__}:echo"


async def test_a_wiki_can_be_asked_without_a_host(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with use_catalog(wiki_only(get_chat=str.upper)):
        assert (await ask("pharma", "a")).text == "A"
        with pytest.raises(UnknownNameError, match="did you mean 'pharma'"):
            await ask("pharmas", "a")
    assert (home / "journal.sqlite3").is_file()


async def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        await _ask(wiki_only(model="openai/any"), tmp_path)


@pytest.mark.parametrize(
    ("value", "reason"), [(None, "NoneType"), (b"bytes", "bytes"), ({"text": "a"}, "dict")]
)
async def test_a_function_must_return_text(tmp_path: Path, value: object, reason: str) -> None:
    def get_chat(message: str) -> object:
        return value

    with pytest.raises(ProviderOutputError, match=f"returned {reason}"):
        await _ask(wiki_only(get_chat=get_chat), tmp_path)


@pytest.mark.parametrize("is_async", [True, False])
async def test_what_a_function_raises_is_a_failure_of_its_wiki(
    tmp_path: Path, is_async: bool
) -> None:
    async def later(message: str) -> str:
        raise ZeroDivisionError(message)

    def now(message: str) -> str:
        raise ZeroDivisionError(message)

    with pytest.raises(ProviderOutputError, match="ZeroDivisionError: How much"):
        await _ask(wiki_only(get_chat=later if is_async else now), tmp_path)


@pytest.mark.requirement("S3-21")
async def test_what_a_model_of_ones_own_raises_is_a_failure_too(tmp_path: Path) -> None:
    model = f"python:{__name__}:crash"
    with pytest.raises(ProviderOutputError, match="ZeroDivisionError"):
        await _ask(wiki_only(model=model), tmp_path)
    assert (await _ask(wiki_only(model=model, fallback="offline"), tmp_path)).is_fallback


def crash(request: CompletionRequest) -> str:
    """Answer as a function with a mistake in it would."""
    return str(1 / 0)


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_function_has_its_time(tmp_path: Path, is_async: bool) -> None:
    is_over = threading.Event()

    async def later(message: str) -> str:
        await anyio.sleep_forever()
        return message

    def now(message: str) -> str:
        is_over.wait(20)
        return message

    catalog = wiki_only(get_chat=later if is_async else now, timeout=0.1)
    try:
        with pytest.raises(ProviderTimeoutError, match=r"no answer within 0\.1 s"):
            await _ask(catalog, tmp_path)
    finally:
        is_over.set()


async def test_a_model_has_its_time(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply(hangs=True)) as server:
        catalog = hosted(server.base_url)
        with use_catalog(catalog):
            add_completion(
                completion_name="slow", model="openai/any", base_url=server.base_url, timeout=0.2
            )
        catalog = _with_wiki(catalog, completion="slow")
        with pytest.raises(ProviderTimeoutError):
            await _ask(catalog, tmp_path)


def _with_wiki(other: Catalog, **fields: Any) -> Catalog:
    """Return a catalog with the completions of another and a wiki of its own."""
    catalog = wiki_only(**fields)
    for spec in other.completions:
        catalog.completions.add(spec)
    return catalog


@pytest.mark.requirement("S1-19")
async def test_a_chosen_model_answers_or_nobody_does(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply(status=500)) as server:
        catalog = hosted(server.base_url, fallback="offline", min_confidence=0.5)
        async with Host(catalog=catalog, home=tmp_path) as host:
            chosen = await ask("pharma", "How?", model=f"python:{__name__}:echo", host=host)
            assert (chosen.model, chosen.is_fallback) == (f"python:{__name__}:echo", False)
            assert (await ask("pharma", "How?", host=host)).is_fallback
            with pytest.raises(ProviderError):
                await ask("pharma", "How?", model=f"python:{__name__}:broken", host=host)
            with pytest.raises(DeclarationError, match="'answer' is no model reference"):
                await ask("pharma", "How?", model="answer", host=host)


@pytest.mark.requirement("S3-21")
@pytest.mark.parametrize(
    "reply",
    [
        StubReply(status=500),
        StubReply(status=400),
        StubReply(body=b"<html>"),
        StubReply(breaks_off=True, text="half"),
        StubReply(text=""),
        StubReply(text=" \n"),
        StubReply(text="maybe", logprobs=(-2.0,)),
    ],
    ids=["down", "refused", "no-json", "broken-off", "empty", "blank", "unsure"],
)
async def test_the_fallback_answers_for_a_wiki_that_cannot(
    tmp_path: Path, reply: StubReply
) -> None:
    async with StubServer(lambda _: reply) as server:
        catalog = hosted(server.base_url, fallback=f"python:{__name__}:echo", min_confidence=0.5)
        answer = await _ask(catalog, tmp_path)
    assert answer.text == "echo: How much?"
    assert answer.is_fallback
    assert answer.model == f"python:{__name__}:echo"


@pytest.mark.requirement("S3-21")
async def test_a_wiki_that_is_sure_answers_itself(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply("4.80", logprobs=(-0.01,))) as server:
        catalog = hosted(server.base_url, fallback="offline", min_confidence=0.9)
        answer = await _ask(catalog, tmp_path)
    assert (answer.text, answer.is_fallback) == ("4.80", False)
    assert answer.confidence == pytest.approx(math.exp(-0.01))
    assert server.requests[0]["logprobs"] is True


async def test_without_probabilities_nobody_can_tell_that_it_is_unsure(tmp_path: Path) -> None:
    async with StubServer(lambda _: "4.80") as server:
        answer = await _ask(
            hosted(server.base_url, fallback="offline", min_confidence=0.9), tmp_path
        )
    assert (answer.text, answer.is_fallback, answer.confidence) == ("4.80", False, None)


async def test_an_empty_answer_without_a_fallback_stays_empty(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply("")) as server:
        answer = await _ask(hosted(server.base_url), tmp_path)
    assert (answer.text, answer.is_fallback) == ("", False)


async def test_a_fallback_that_fails_too_is_an_error(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply(status=404)) as server:
        catalog = hosted(server.base_url, fallback=f"python:{__name__}:refuse")
        with pytest.raises(ProviderError):
            await _ask(catalog, tmp_path)


def refuse(request: CompletionRequest) -> str:
    """Answer as a model that is down would."""
    raise ProviderOutputError("nothing", provider="refuse")


@pytest.mark.requirement("S3-21")
async def test_the_fallback_is_inside_the_time_of_the_question(tmp_path: Path) -> None:
    async def hanging(message: str) -> str:
        await anyio.sleep_forever()
        return message

    catalog = wiki_only(get_chat=hanging, fallback=f"python:{__name__}:never_answers", timeout=0.4)
    started = anyio.current_time()
    with pytest.raises(ProviderTimeoutError):
        await _ask(catalog, tmp_path)
    assert anyio.current_time() - started < 0.4 + 0.3


async def never_answers(request: CompletionRequest) -> str:
    """Answer as a model that hangs would."""
    await anyio.sleep_forever()
    return ""


@pytest.mark.requirement("kit:register:wiki")
@pytest.mark.requirement("S4-16")
@pytest.mark.parametrize(
    ("agent_name", "wiki_name", "hint"),
    [
        ("seller", "secret", "it may ask: pharma"),
        ("seller", "pharm", "did you mean 'pharma'?"),
        ("porter", "pharma", "it may ask: none"),
        ("nobody", "pharma", "it may ask: none"),
    ],
)
async def test_a_wiki_that_the_agent_does_not_list_is_refused(
    tmp_path: Path, agent_name: str, wiki_name: str, hint: str
) -> None:
    catalog = shop(ScriptedCompletion([]), get_chat=str.upper)
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "shop", host=host) as chat,
    ):
        with pytest.raises(WikiNotListedError) as caught:
            await question("a", "ada", agent_name, wiki_name)
        notes = await read_session(host.database, chat.id)
    assert hint in str(caught.value)
    assert (caught.value.wiki_name, caught.value.agent_name) == (wiki_name, agent_name)
    assert not [row for row in notes if isinstance(row.event, Noted)]


@pytest.mark.requirement("S4-16")
async def test_a_question_needs_a_live_session(tmp_path: Path) -> None:
    catalog = shop(ScriptedCompletion([]), get_chat=str.upper)
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        async with session("ada", "shop", host=host):
            assert await question("a", "ada", "seller", "pharma") == "A"
            with pytest.raises(SessionError, match="'bob' has no live session"):
                await question("a", "bob", "seller", "pharma")
        with pytest.raises(SessionError):
            await question("a", "ada", "seller", "pharma")


@pytest.mark.requirement("S0-01", "S0-04")
async def test_the_journal_holds_the_whole_answer(tmp_path: Path) -> None:
    model = ScriptedCompletion([call_tool("ask_pharma", question="How much?"), "4.80 euros."])
    catalog = shop(model, get_chat=str.upper)
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        async with session("ada", "shop", host=host) as chat:
            await chat.complete("What does it cost?")
        stored = await read_session(host.database, chat.id)
    [note] = [row.event for row in stored if isinstance(row.event, Noted)]
    assert note.topic == "wiki.answer"
    assert note.run_id is not None
    assert note.data["question"] == "How much?"
    answer = WikiAnswer.model_validate({k: v for k, v in note.data.items() if k != "question"})
    assert (answer.text, answer.wiki_name, answer.model) == ("HOW MUCH?", "pharma", "python:upper")


async def test_a_token_that_was_as_good_as_impossible_is_no_confidence(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply("4.80", logprobs=(-9999.0,))) as server:
        answer = await _ask(hosted(server.base_url), tmp_path)
    assert (answer.text, answer.confidence) == ("4.80", 0.0)


async def test_the_tokens_of_both_models_count(tmp_path: Path) -> None:
    async with StubServer(lambda _: StubReply("maybe not", logprobs=(-3.0,))) as server:
        catalog = hosted(server.base_url, fallback="offline", min_confidence=0.5)
        answer = await _ask(catalog, tmp_path)
    assert answer.is_fallback
    assert answer.usage.output_tokens > 0


@pytest.mark.requirement("kit:schema:wiki-callbacks", "kit:schema:observers-guarded")
async def test_a_callback_is_told_of_each_question(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[str, str]] = []

    def on_chat(message: str, wiki_name: str) -> None:
        told.append((message, wiki_name))
        raise OSError("no disk")

    model = ScriptedCompletion([call_tool("ask_pharma", question="A price?"), "Five."])
    catalog = shop(model, get_chat=str.upper, callbacks=WikiCallbacks(on_chat=on_chat))
    async with Host(catalog=catalog, home=tmp_path, environment={}) as host:
        async with session("client", "shop", host=host) as chat:
            assert await chat.complete("How much?") == "Five."
        assert (await ask("pharma", "And now?", host=host)).text == "AND NOW?"
    assert told == [("A price?", "pharma"), ("And now?", "pharma")]
    assert "'on_chat' of wiki 'pharma' failed" in caplog.text
