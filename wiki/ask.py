"""Asking a wiki: by an agent in a conversation, or directly."""

import inspect
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from swarm import (
    Catalog,
    Completion,
    CompletionRequest,
    CompletionResult,
    CompletionSpec,
    Message,
    Usage,
)
from swarm.errors import (
    ProviderError,
    ProviderOutputError,
    ProviderTimeoutError,
    SetupError,
    SwarmError,
)
from swarm.extension import Services
from swarm.host import Host, current_host
from swarm.observing import observe
from swarm.runtime import OpenCompletion, find_live
from wiki.answer import Citation, WikiAnswer
from wiki.errors import WikiNotListedError
from wiki.spec import WIKIS, WikiSpec

if TYPE_CHECKING:
    from wiki.documents import Retrieved

__all__ = ["ask", "question"]

_PASSAGES = "documents"
"""The model of an answer that consists of passages."""
_NOTHING = "The documents hold nothing on this."


async def question(message: str, client_id: str, agent_name: str, wiki_name: str) -> str:
    """Ask a wiki for an agent and return the text of its answer, with the sources it cites.

    The whole answer, with model, version and confidence, goes to the journal.

    Args:
        message: The question.
        client_id: Whose conversation the question belongs to.
        agent_name: The agent that asks; the wiki must be in its `wiki_list`.
        wiki_name: The wiki.

    Raises:
        WikiNotListedError: The agent does not list the wiki.
        UnknownNameError: No such wiki is declared.
        ProviderError: The wiki's model failed, and so did its fallback.
        SetupError: The model lacks a key or an extra.
        SessionError: The client has no live session.
    """
    session = find_live(client_id)
    shared = session.plan
    agent = shared.agents.get(agent_name)
    listed = tuple(agent.spec.wiki_list) if agent else ()
    if wiki_name not in listed:
        raise WikiNotListedError(wiki_name, listed, client_id=client_id, agent_name=agent_name)
    spec = shared.catalog.registry(WIKIS).get(wiki_name)
    answer = await _answer(spec, message, shared.catalog, shared.open_completion, shared.services)
    if session.turn is not None:
        session.turn.spend(answer.usage)
    session.note("wiki.answer", {"question": message, **answer.model_dump(mode="json")})
    if not answer.citations or answer.model == _PASSAGES:
        return answer.text
    from wiki.documents import list_sources

    return f"{answer.text}\n\nSources:\n{list_sources(answer.citations)}"


async def ask(wiki_name: str, message: str, *, host: Host | None = None) -> WikiAnswer:
    """Ask a wiki outside of any conversation.

    Args:
        wiki_name: A declared wiki.
        message: The question.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        UnknownNameError: No such wiki is declared.
        ProviderError: The wiki's model failed, and so did its fallback.
        SetupError: The model lacks a key or an extra.
    """
    async with AsyncExitStack() as stack:
        used = host or current_host() or await stack.enter_async_context(Host())
        spec = used.catalog.registry(WIKIS).get(wiki_name)
        return await _answer(spec, message, used.catalog, used.completion, used)


async def _answer(
    spec: WikiSpec,
    message: str,
    catalog: Catalog,
    open_completion: OpenCompletion,
    services: Services | None,
) -> WikiAnswer:
    if spec.callbacks is not None:
        where = f"wiki {spec.wiki_name!r}"
        await observe(spec.callbacks.on_chat, message, spec.wiki_name, place=where)
    started = time.monotonic()
    # A model that hangs must leave time for the fallback.
    share = spec.timeout if spec.fallback is None else spec.timeout / 2
    failure: ProviderError | None = None
    result: CompletionResult | None = None
    usage = Usage()
    found: Retrieved | None = None
    try:
        with anyio.move_on_after(share):
            if spec.documents:
                found = await _retrieve(spec, message, catalog, services)
            if found is not None and spec.completion is None and spec.model is None:
                result = _passages(found)
            else:
                result = await _ask_source(spec, _prompt(message, found), catalog, open_completion)
            usage = result.usage
    except ProviderError as error:
        failure = error
    if spec.fallback is not None and not _is_good(spec, result):
        is_fallback, result = True, None
        with anyio.move_on_after(spec.timeout - (time.monotonic() - started)):
            fallback = await open_completion(_model_spec(spec, spec.fallback))
            result = await _complete(fallback, spec, _prompt(message, found))
            usage += result.usage
    else:
        is_fallback = False
    if result is None:
        late = f"no answer within {spec.timeout:g} s"
        raise failure or ProviderTimeoutError(late, provider=f"wiki {spec.wiki_name}")
    text, citations = _cited(result, found)
    return WikiAnswer(
        text=text,
        wiki_name=spec.wiki_name,
        model=result.model,
        version=_version(result.model),
        confidence=result.confidence,
        seconds=round(time.monotonic() - started, 6),
        usage=usage,
        citations=citations,
        retrieval=None if found is None else found.retrieval,
        is_fallback=is_fallback,
    )


async def _ask_source(
    spec: WikiSpec, message: str, catalog: Catalog, open_completion: OpenCompletion
) -> CompletionResult:
    if spec.get_chat is not None:
        return await _ask_function(spec, message)
    if spec.completion is not None:
        completion = catalog.completions.get(spec.completion)
    else:
        completion = _model_spec(spec, spec.model)
    return await _complete(await open_completion(completion), spec, message)


async def _retrieve(
    spec: WikiSpec, message: str, catalog: Catalog, services: Services | None
) -> "Retrieved":
    if services is None:
        raise SetupError(f"wiki {spec.wiki_name!r} has documents, and these need a host")
    from wiki.documents import retrieve  # only a program with documents pays for it

    return await retrieve(spec, message, catalog, services)


def _prompt(message: str, found: "Retrieved | None") -> str:
    if found is None:
        return message
    from wiki.documents import grounded_question

    return grounded_question(message, found.citations)


def _passages(found: "Retrieved") -> CompletionResult:
    """Return the passages as the answer, or an empty one that lets a fallback be asked."""
    from wiki.documents import quote_passages

    text = quote_passages(found.citations)
    return CompletionResult(Message(role="assistant", content=text), _PASSAGES)


def _cited(result: CompletionResult, found: "Retrieved | None") -> tuple[str, tuple[Citation, ...]]:
    text = result.message.content
    if found is None:
        return text, ()
    if result.model == _PASSAGES:
        return text or _NOTHING, found.citations
    from wiki.documents import cited_answer

    return cited_answer(text, found.citations)


def _model_spec(spec: WikiSpec, model: str | None) -> CompletionSpec:
    return CompletionSpec(
        completion_name=spec.wiki_name,
        model=model,
        max_tokens=spec.max_tokens,
        timeout=spec.timeout,
    )


async def _complete(completion: Completion, spec: WikiSpec, message: str) -> CompletionResult:
    system = [Message(role="system", content=spec.system)] if spec.system else []
    request = CompletionRequest(
        messages=[*system, Message(role="user", content=message)],
        wants_confidence=spec.min_confidence is not None,
    )
    try:
        return await completion.complete(request)
    except SwarmError:
        raise
    except Exception as error:
        # A model that is the user's own function; see `_ask_function`.
        text = f"{type(error).__name__}: {error}"
        raise ProviderOutputError(text, provider=completion.model) from error


async def _ask_function(spec: WikiSpec, message: str) -> CompletionResult:
    function = spec.get_chat
    if function is None:
        raise ValueError(f"wiki {spec.wiki_name!r} has no get_chat")
    name = f"python:{getattr(function, '__name__', type(function).__name__)}"
    try:
        if inspect.iscoroutinefunction(function):
            value: object = await function(message)
        else:
            value = await anyio.to_thread.run_sync(function, message, abandon_on_cancel=True)
            if inspect.isawaitable(value):
                value = await value
    except (Exception, SystemExit) as error:
        # A callback is user code; what it raises is a failure of this wiki's model.
        text = f"{type(error).__name__}: {error}"
        raise ProviderOutputError(text, provider=name) from error
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ProviderOutputError(f"get_chat returned {kind}; return text", provider=name)
    return CompletionResult(Message(role="assistant", content=value), name)


def _is_good(spec: WikiSpec, result: CompletionResult | None) -> bool:
    """Whether an answer needs no fallback; without a confidence nobody can tell how sure it is."""
    if result is None or not result.message.content.strip():
        return False
    if spec.min_confidence is None or result.confidence is None:
        return True
    return result.confidence >= spec.min_confidence


def _version(model: str) -> int | None:
    """Return the version that a reference such as `registry/pharma@3` names."""
    provider, _, name = model.partition("/")
    number = name.rpartition("@")[2]
    return int(number) if provider == "registry" and number.isdigit() else None
