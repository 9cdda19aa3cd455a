"""Whether a model's answer is the document that an outline asks for."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic import ValidationError as PydanticError

from swarm.completion import CompletionResult
from swarm.errors import SwarmError
from swarm.functions import call, describe, function_name, reason_of
from swarm.json_schema import Format, schema_checker
from swarm.outline.errors import OutlineCallbackError
from swarm.outline.reading import UnreadableError, read_documents
from swarm.outline.spec import OutlineSpec

__all__ = ["DocumentChecks", "InvalidDocumentError", "find_documents"]

_CUT_OFF = ("length", "max_tokens")
"""How providers say that an answer reached the limit of tokens."""


class InvalidDocumentError(Exception):
    """A document that is not valid; the message is the reason, written for the model."""


def find_documents(answer: CompletionResult) -> list[dict[str, Any]]:
    """Return the JSON objects of an answer, the likeliest first.

    Raises:
        InvalidDocumentError: There is none.
    """
    try:
        return read_documents(answer.message.content)
    except UnreadableError as wrong:
        reason = str(wrong)
    if (answer.finish_reason or "").lower() in _CUT_OFF:
        reason = f"the answer was cut off before its end, so be shorter; {reason}"
    raise InvalidDocumentError(reason)


class DocumentChecks:
    """The schema, the pydantic model and the validations of one outline, in this order."""

    def __init__(self, spec: OutlineSpec, format: Format) -> None:
        self._spec = spec
        self._model = format.model
        self._find_reasons = schema_checker(format.schema)

    def choose(self, documents: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the first document that fits the schema, or the first one if none does."""
        for document in documents:
            if not self._find_reasons(document):
                return document
        return documents[0]

    async def check(self, document: dict[str, Any]) -> Any:
        """Return a valid document, as an instance of its model if the outline has one.

        Raises:
            InvalidDocumentError: It is not valid.
            OutlineCallbackError: A validation returned what it may not.
        """
        if reasons := self._find_reasons(document):
            raise InvalidDocumentError("; ".join(reasons))
        data = document if self._model is None else _parsed(document, self._model)
        for validation in self._spec.validations:
            await self._validate(validation, data)
        return data

    async def _validate(self, validation: Callable[..., Any], data: Any) -> None:
        outline = self._spec.outline_name
        what = describe(validation, "validation", f"outline {outline!r}")
        try:
            given = await call(validation, data)
        except SwarmError as error:
            error.add_note(f"raised in {what}")
            raise
        except (Exception, SystemExit) as error:
            raise InvalidDocumentError(_reason(error)) from error
        if given is False:
            raise InvalidDocumentError(f"{function_name(validation)} refused it")
        if isinstance(given, str) and given:
            raise InvalidDocumentError(given)
        if not isinstance(given, bool | str | None):
            kind = type(given).__name__
            reason = f"it returned {kind}; return None, or the reason why the document is not valid"
            raise OutlineCallbackError(what, outline, reason)


def _parsed(document: dict[str, Any], model: type[BaseModel]) -> BaseModel:
    import orjson

    try:
        # As JSON, so that dates and tuples are read from what JSON has for them.
        return model.model_validate_json(orjson.dumps(document))
    except SwarmError:
        raise
    except Exception as error:  # validators of the model are the program's own code
        raise InvalidDocumentError(_reason(error)) from error


def _reason(error: Exception | SystemExit) -> str:
    """Return what an exception says about a document."""
    if isinstance(error, PydanticError):
        parts: list[str] = []
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            where = ".".join(str(step) for step in found["loc"])
            message = found["msg"].removeprefix("Value error, ")
            parts.append(f"{where}: {message}" if where else message)
        return "; ".join(parts[:5])
    if isinstance(error, ValueError | AssertionError) and str(error):
        return str(error)
    return reason_of(error)
