"""`ask`: one message to an advisor, one text back."""

import dataclasses
import time

import anyio
from pydantic import BaseModel, JsonValue

from swarm.advisor.errors import AdvisorCallbackError
from swarm.advisor.spec import ADVISORS, AdvisorCallbacks, AdvisorSpec
from swarm.completion import CompletionRequest, CompletionResult
from swarm.direct import Place, ask_completion, open_place, text_completion
from swarm.errors import DeclarationError, ProviderTimeoutError, SwarmError
from swarm.fields import Callback, as_lines
from swarm.functions import call_in_thread, function_name, tell
from swarm.host import Host
from swarm.messages import Message
from swarm.runtime.ids import new_run_id
from swarm.specs import CompletionSpec

__all__ = ["ask"]


async def ask(message: object, advisor_name: str, *, host: Host | None = None) -> str:
    """Ask an advisor and return what it says.

    Args:
        message: What its `get_chat` takes; a model reads a text as it is, and anything else as
            JSON.
        advisor_name: A declared advisor.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        UnknownNameError: No such advisor is declared.
        AdvisorCallbackError: Its function failed; names it.
        ProviderError: Its model failed, or nothing came in time.
        SetupError: Its model lacks a key or an extra.
    """
    async with open_place(host) as place:
        spec = place.catalog.registry(ADVISORS).get(advisor_name)
        callbacks, where = spec.callbacks or AdvisorCallbacks(), f"advisor {advisor_name!r}"
        started = time.monotonic()
        await tell(callbacks.on_chat, message, place=where)
        result: CompletionResult | None = None
        with anyio.move_on_after(spec.timeout):
            if spec.get_chat is not None:
                result = await _ask_function(spec, spec.get_chat, message)
            else:
                result = await _ask_model(spec, message, place)
        if result is None:
            raise ProviderTimeoutError(f"no answer within {spec.timeout:g} s", provider=where)
        result_id = new_run_id()
        if place.turn is not None and not place.turn.is_over:
            data: dict[str, JsonValue] = {
                "advisor_name": advisor_name,
                "result_id": result_id,
                "model": result.model,
                "usage": dataclasses.asdict(result.usage),
                "seconds": round(time.monotonic() - started, 6),
            }
            place.turn.spend(result.usage)
            place.turn.session.note("advisor.result", data)
        await tell(callbacks.on_result, result_id, result.message.content, place=where)
        return result.message.content


async def _ask_function(spec: AdvisorSpec, function: Callback, message: object) -> CompletionResult:
    name = function_name(function)
    try:
        given = await call_in_thread(function, message)
    except SwarmError as error:
        error.add_note(f"raised in function {name!r} of advisor {spec.advisor_name!r}")
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise AdvisorCallbackError(name, spec.advisor_name, reason) from error
    if not isinstance(given, str):
        reason = f"it returned {type(given).__name__}; return text"
        raise AdvisorCallbackError(name, spec.advisor_name, reason)
    return CompletionResult(Message(role="assistant", content=given), f"python:{name}")


async def _ask_model(spec: AdvisorSpec, message: object, place: Place) -> CompletionResult:
    if spec.completion is not None:
        completion = text_completion(spec.completion, place.catalog)
    else:
        completion = CompletionSpec(
            completion_name=spec.advisor_name, model=spec.model, timeout=spec.timeout
        )
    system = "\n".join([*as_lines(spec.system), *completion.flags])
    head = [Message(role="system", content=system)] if system else []
    messages = [*head, Message(role="user", content=_as_text(message))]
    opened = await place.open_completion(completion)
    return await ask_completion(opened, CompletionRequest(messages=messages))


def _as_text(message: object) -> str:
    if isinstance(message, str):
        return message
    if isinstance(message, BaseModel):
        return message.model_dump_json()
    import orjson

    try:
        return orjson.dumps(message).decode()
    except TypeError as wrong:
        raise DeclarationError(f"a model reads text or JSON, not this: {wrong}") from None
