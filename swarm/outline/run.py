"""`json`: asks a model for a document until it is valid, or the attempts are used up."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import anyio
from pydantic import BaseModel, JsonValue

from swarm.completion import CompletionRequest, CompletionResult, ResponseFormat
from swarm.direct import Place, ask_completion, open_place, read_messages
from swarm.errors import DeclarationError, ProviderTimeoutError, SwarmError, ValidationError
from swarm.fields import as_lines
from swarm.functions import call, function_name, tell
from swarm.host import Host
from swarm.json_schema import Format, read_format, strict_schema
from swarm.messages import Message, Usage
from swarm.outline.checks import DocumentChecks, InvalidDocumentError, find_documents
from swarm.outline.declare import outline_problems
from swarm.outline.errors import OutlineCallbackError
from swarm.outline.result import OutlineContext, OutlineResult
from swarm.outline.spec import OUTLINES, OutlineCallbacks, OutlineSpec
from swarm.runtime.ids import new_run_id
from swarm.specs import CompletionSpec

__all__ = ["json"]

_INSTRUCTION = "Answer with one JSON document that fits this JSON Schema, and with nothing else:"
_NOTHING_ASKED = "Write the document."
"""Said where only the system prompt says what to do: some models need a user's message."""
_CORRECT = "Answer with the whole corrected document and nothing else."
_LONGEST_ECHO = 20_000
"""Characters of a refused answer that the model is shown again."""


async def json(outline_name: str, *params: object, host: Host | None = None) -> OutlineResult[Any]:
    """Let a model fill in an outline.

    Each document is checked against the schema and by the outline's validations; what is wrong
    with it is said to the model, which is asked again. When the attempts are used up the result
    is not valid and says why; `data` is then None.

    Args:
        outline_name: A declared outline.
        params: What the document is made from. `get_outline_history` gets them; without one, each
            is a message of the user.
        host: The host to use; the open one, or one of its own, when absent.

    Raises:
        UnknownNameError: No such outline is declared.
        ValidationError: The outline's declaration has problems.
        OutlineCallbackError: A function of the outline failed; names it.
        ProviderError: The model failed, or there was no valid document in time.
        SetupError: The model lacks a key or an extra.
    """
    async with open_place(host) as place:
        spec = place.catalog.registry(OUTLINES).get(outline_name)
        problems = list(outline_problems(spec, place.catalog))
        if problems:
            raise ValidationError(problems)
        filling = _Filling(spec, params, place)
        with anyio.move_on_after(spec.timeout):
            result = await filling.run()
            if place.turn is not None and not place.turn.is_over:
                place.turn.spend(result.usage)
                place.turn.session.note("outline.result", _note(result))
            return result
        raise filling.too_late()


class _Filling:
    """One call of `json`."""

    def __init__(self, spec: OutlineSpec, params: tuple[object, ...], place: Place) -> None:
        self._spec = spec
        self._place = place
        self._completion: CompletionSpec = place.catalog.completions.get(spec.completion)
        self._format: Format = read_format(spec.format)
        self._response_format = _response_format(spec.outline_name, self._format)
        self._checks = DocumentChecks(spec, self._format)
        self._callbacks = spec.callbacks or OutlineCallbacks()
        self._where = f"outline {spec.outline_name!r}"
        self._started = time.monotonic()
        self._usage: Usage = Usage()
        self._reason: str | None = None
        """Why the newest document is not valid."""
        self._context: OutlineContext = OutlineContext(
            outline_name=spec.outline_name,
            result_id=new_run_id(),
            attempt=0,
            params=params,
            format=self._format.schema,
        )

    async def run(self) -> OutlineResult[Any]:
        """Ask until a document is valid or the attempts are used up."""
        system = Message(role="system", content="\n\n".join(await self._system_lines()))
        completion = await self._place.open_completion(self._completion)
        while True:
            self._context = replace(self._context, attempt=self._context.attempt + 1)
            await self._tell(self._callbacks.on_attempt, self._context)
            given = await self._messages() or read_messages([_NOTHING_ASKED])
            asked = (system, *given, *self._context.history)
            request = CompletionRequest(messages=asked, response_format=self._response_format)
            answer = await ask_completion(completion, request)
            self._usage += answer.usage
            try:
                documents = find_documents(answer)
                document = self._checks.choose(documents)
                # An observer changes nothing, so it gets a document of its own.
                await self._tell(self._callbacks.on_document, deepcopy(document), self._context)
                data = await self._checks.check(document)
            except InvalidDocumentError as invalid:
                self._reason = str(invalid)
                if self._context.attempt == self._spec.max_attempts:
                    result = self._result(answer, asked, error=self._reason)
                    await self._tell(self._callbacks.on_invalid_document, result)
                    return result
                refused = (*_echo(answer), _refusal(self._reason))
                history = (*self._context.history, *refused)
                self._context = replace(self._context, history=history)
            else:
                result = self._result(answer, asked, data=data)
                await self._tell(self._callbacks.on_valid_document, result)
                return result

    def too_late(self) -> ProviderTimeoutError:
        """Return the error of a deadline that passed."""
        text = f"no valid document within {self._spec.timeout:g} s"
        if self._reason is not None:
            text += f"; {self._context.attempt - 1} were refused, the last one: {self._reason}"
        return ProviderTimeoutError(text, provider=self._where)

    async def _system_lines(self) -> list[str]:
        prompt = await self._lines(self._spec.prompt)
        lines = [*prompt, *await self._lines(self._spec.system)]
        import orjson

        schema = orjson.dumps(self._format.schema).decode()
        found = [line for line in lines if line]
        return [*found, f"{_INSTRUCTION}\n{schema}"]

    async def _lines(self, value: object) -> tuple[str, ...]:
        if isinstance(value, str | tuple):
            return as_lines(cast("str | tuple[str, ...]", value))
        function = cast("Callable[..., Any]", value)  # the spec allows nothing else
        given = await self._use(function, self._spec.outline_name)
        if isinstance(given, str):
            return (given,)
        if isinstance(given, Iterable):
            lines = list(cast("Iterable[object]", given))
            if all(isinstance(line, str) for line in lines):
                return tuple(cast("list[str]", lines))
        kind = type(cast("object", given)).__name__
        raise self._bad(function, f"it returned {kind}; return text, or a list of it")

    async def _messages(self) -> tuple[Message, ...]:
        function = self._spec.get_outline_history
        if function is None:
            params = self._context.params
            return tuple(Message(role="user", content=_as_text(value)) for value in params)
        given = await self._use(function, self._context)
        try:
            return read_messages([given] if isinstance(given, str) else given)
        except DeclarationError as wrong:
            raise self._bad(function, f"what it returned is no history: {wrong}") from None

    def _result(
        self,
        answer: CompletionResult,
        asked: tuple[Message, ...],
        *,
        data: Any = None,
        error: str | None = None,
    ) -> OutlineResult[Any]:
        return OutlineResult(
            outline_name=self._spec.outline_name,
            result_id=self._context.result_id,
            is_valid=error is None,
            attempt=self._context.attempt,
            params=self._context.params,
            history=(*asked, answer.message),
            model=answer.model,
            data=data,
            error=error,
            usage=self._usage,
            seconds=round(time.monotonic() - self._started, 6),
        )

    async def _use(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Return what a function gives whose result is used."""
        try:
            return await call(function, *arguments)
        except SwarmError as error:
            error.add_note(f"raised in function {function_name(function)!r} of {self._where}")
            raise
        except Exception as error:
            raise self._bad(function, f"{type(error).__name__}: {error}") from error

    async def _tell(self, observer: Callable[..., Any] | None, *arguments: object) -> None:
        await tell(observer, *arguments, place=self._where)

    def _bad(self, function: Callable[..., Any], reason: str) -> OutlineCallbackError:
        return OutlineCallbackError(function_name(function), self._spec.outline_name, reason)


def _response_format(name: str, wanted: Format) -> ResponseFormat:
    """Return what the provider is asked for: strictly, wherever that means the same."""
    if wanted.strict is not False and (narrowed := strict_schema(wanted.schema)) is not None:
        return ResponseFormat(name, narrowed, strict=True)
    return ResponseFormat(name, wanted.schema, strict=bool(wanted.strict))


def _as_text(value: object) -> str:
    """Return a parameter as what a user would say."""
    if isinstance(value, str):
        return value
    import orjson

    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError as wrong:
        raise DeclarationError(f"a parameter of `json` is no JSON: {wrong}") from None


def _default(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _echo(answer: CompletionResult) -> tuple[Message, ...]:
    text = answer.message.content
    if len(text) > _LONGEST_ECHO:
        text = f"{text[:_LONGEST_ECHO]}\n[cut]"
    # Some providers refuse an assistant's message without content.
    return (Message(role="assistant", content=text),) if text.strip() else ()


def _refusal(reason: str) -> Message:
    text = f"This document is not valid: {reason}\n{_CORRECT}"
    return Message(role="user", mode="tool", content=text)


def _note(result: OutlineResult[Any]) -> dict[str, JsonValue]:
    """Return what the journal keeps; what documents and reasons say stays with the caller."""
    usage: Mapping[str, JsonValue] = dataclasses.asdict(result.usage)
    return {
        "outline_name": result.outline_name,
        "result_id": result.result_id,
        "is_valid": result.is_valid,
        "attempts": result.attempt,
        "model": result.model,
        "usage": dict(usage),
        "seconds": result.seconds,
    }
