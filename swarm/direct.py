"""Models asked outside of a conversation: `chat`, and what outlines and advisors share."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, cast

from pydantic import JsonValue, ValidationError

from swarm.catalog import Catalog, current_catalog
from swarm.completion import Completion, CompletionRequest, CompletionResult
from swarm.errors import DeclarationError, ProviderOutputError, SwarmError
from swarm.functions import reason_of
from swarm.host import Host, use_host
from swarm.messages import Message, read_message
from swarm.runtime.plan import OpenCompletion
from swarm.runtime.turn import Turn, current_turn
from swarm.specs import CompletionSpec

__all__ = ["Place", "ask_completion", "chat", "open_place", "read_messages", "text_completion"]


class Place(NamedTuple):
    """Where a model is asked from."""

    catalog: Catalog
    open_completion: OpenCompletion
    turn: Turn | None
    """The turn that is running, if there is one."""


async def chat(
    completion_name: str,
    messages: str | Sequence[str | Message | Mapping[str, JsonValue]],
    *,
    host: Host | None = None,
) -> str:
    """Ask a declared completion once, with its retries, and return the text of its answer.

    Nothing is kept of it, and no tools are offered.

    Args:
        completion_name: The completion; one with `json_mode: true` is for outlines only.
        messages: What was said so far, the newest last; a plain text is the user's.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        UnknownNameError: No such completion is declared.
        DeclarationError: The completion is for outlines, or something given is no message.
        ProviderError: The model failed.
        SetupError: The model lacks a key or an extra.
    """
    given = read_messages([messages] if isinstance(messages, str) else messages)
    if not given:
        raise DeclarationError("chat: give at least one message")
    async with open_place(host) as place:
        spec = text_completion(completion_name, place.catalog)
        # One, at the beginning: some servers take no other.
        system = "\n".join(m.content for m in given if m.role == "system")
        rest = [message for message in given if message.role != "system"]
        head = [Message(role="system", content=system)] if system else []
        completion = await place.open_completion(spec)
        result = await ask_completion(completion, CompletionRequest(messages=[*head, *rest]))
        return result.message.content


def text_completion(completion_name: str, catalog: Catalog) -> CompletionSpec:
    """Return a declared completion that answers in text.

    Raises:
        UnknownNameError: No such completion is declared.
        DeclarationError: It is for outlines only.
    """
    spec = catalog.completions.get(completion_name)
    if spec.json_mode:
        raise DeclarationError(
            f"completion {completion_name!r} has `json_mode: true`, which is for outlines only;"
            " name another one, or leave `json_mode` out to use it for both"
        )
    return spec


@asynccontextmanager
async def open_place(host: Host | None) -> AsyncGenerator[Place, None]:
    """Yield where to ask: the given host, the running turn, the open host, or one of its own."""
    turn = current_turn.get()
    if turn is not None and turn.is_over:
        turn = None
    if host is None and turn is not None:
        # A server's tools run in tasks that never saw its host being opened.
        plan = turn.session.plan
        yield Place(_newest(plan.catalog), plan.open_completion, turn)
        return
    async with use_host(host) as used:
        yield Place(_newest(used.catalog), used.completion, turn)


async def ask_completion(completion: Completion, request: CompletionRequest) -> CompletionResult:
    """Return a model's answer.

    Raises:
        ProviderError: The model failed, which a function of the program may be as well.
    """
    try:
        return await completion.complete(request)
    except SwarmError:
        raise
    except (Exception, SystemExit) as error:
        raise ProviderOutputError(reason_of(error), provider=completion.model) from error


def read_messages(values: object) -> tuple[Message, ...]:
    """Return texts, messages and mappings as messages; a plain text is the user's.

    Raises:
        DeclarationError: Something among them is no message; says which.
    """
    if not isinstance(values, Iterable) or isinstance(values, Mapping | Message):
        kind = type(cast("object", values)).__name__
        raise DeclarationError(f"messages are a list, not {kind}")
    found: list[Message] = []
    for place, value in enumerate(cast("Iterable[object]", values)):
        if isinstance(value, Message):
            found.append(value)
        elif isinstance(value, str):
            found.append(Message(role="user", content=value))
        elif isinstance(value, Mapping):
            try:
                found.append(read_message(cast("Mapping[str, object]", value)))
            except ValidationError as wrong:
                error = wrong.errors(include_url=False, include_input=False)[0]
                where = ".".join(str(step) for step in ("messages", place, *error["loc"]))
                raise DeclarationError(f"{where}: {error['msg']}") from None
        else:
            kind = type(value).__name__
            raise DeclarationError(f"messages.{place}: a message is text or a mapping, not {kind}")
    return tuple(found)


def _newest(catalog: Catalog) -> Catalog:
    """Return the current catalog where it is a changed copy of this one."""
    current = current_catalog()
    return current if current.descends_from(catalog) else catalog
