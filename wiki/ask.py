"""Asking a wiki: by an agent in a conversation, or directly."""

import inspect
import time
from contextlib import AsyncExitStack

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
    SwarmError,
)
from swarm.host import Host, current_host
from swarm.runtime import OpenCompletion, find_live
from wiki.answer import WikiAnswer
from wiki.errors import WikiNotListedError
from wiki.spec import WIKIS, WikiSpec

__all__ = ["ask", "question"]


async def question(message: str, client_id: str, agent_name: str, wiki_name: str) -> str:
    """Ask a wiki for an agent and return the text of its answer.

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
    plan = session.plan.agents.get(agent_name)
    listed = tuple(plan.spec.wiki_list) if plan else ()
    if wiki_name not in listed:
        raise WikiNotListedError(wiki_name, listed, client_id=client_id, agent_name=agent_name)
    spec = session.plan.catalog.registry(WIKIS).get(wiki_name)
    answer = await _answer(spec, message, session.plan.catalog, session.plan.open_completion)
    session.note("wiki.answer", {"question": message, **answer.model_dump(mode="json")})
    return answer.text


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
        return await _answer(spec, message, used.catalog, used.completion)


async def _answer(
    spec: WikiSpec, message: str, catalog: Catalog, open_completion: OpenCompletion
) -> WikiAnswer:
    started = time.monotonic()
    # A model that hangs must leave time for the fallback.
    share = spec.timeout if spec.fallback is None else spec.timeout / 2
    failure: ProviderError | None = None
    result: CompletionResult | None = None
    usage = Usage()
    try:
        with anyio.move_on_after(share):
            result = await _ask_source(spec, message, catalog, open_completion)
            usage = result.usage
    except ProviderError as error:
        failure = error
    if spec.fallback is not None and not _is_good(spec, result):
        is_fallback, result = True, None
        with anyio.move_on_after(spec.timeout - (time.monotonic() - started)):
            fallback = await open_completion(_model_spec(spec, spec.fallback))
            result = await _complete(fallback, spec, message)
            usage += result.usage
    else:
        is_fallback = False
    if result is None:
        late = f"no answer within {spec.timeout:g} s"
        raise failure or ProviderTimeoutError(late, provider=f"wiki {spec.wiki_name}")
    return WikiAnswer(
        text=result.message.content,
        wiki_name=spec.wiki_name,
        model=result.model,
        version=_version(result.model),
        confidence=result.confidence,
        seconds=round(time.monotonic() - started, 6),
        usage=usage,
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
