"""Errors on the wire: what the core raised as an error object, and what a program threw."""

import logging
from typing import Any, cast

from pydantic import BaseModel, JsonValue
from pydantic import ValidationError as PydanticError

from bindings.rpc.errors import CancelledError, RpcError, UnsupportedProtocolError
from bindings.rpc.shapes import to_wire_name
from bindings.rpc.wire import ErrorData
from swarm.errors import (
    Problem,
    ProviderBusyError,
    ProviderDownError,
    ProviderTimeoutError,
    SwarmError,
    TurnInterruptedError,
    ValidationError,
)

__all__ = [
    "InvalidParamsError",
    "InvalidRequestError",
    "MethodNotFoundError",
    "ParseError",
    "RemoteError",
    "error_to_wire",
    "issue_of",
    "remote_error",
]

_RETRYABLE = (ProviderBusyError, ProviderDownError, ProviderTimeoutError, TurnInterruptedError)
_LONGEST = 20_000
"""Characters of a message or a trace that a program sends."""
_log = logging.getLogger("wikiswarm.rpc")


class ParseError(RpcError):
    """A frame that is not JSON."""

    code = "parse_error"
    rpc_code = -32700


class InvalidRequestError(RpcError):
    """JSON that is no message of the protocol."""

    code = "invalid_request"
    rpc_code = -32600

    def __init__(self, message: str, request_id: str | int | None = None) -> None:
        self.request_id = request_id
        super().__init__(message)


class MethodNotFoundError(RpcError):
    """A method that the asked side does not have."""

    code = "method_not_found"
    rpc_code = -32601


class InvalidParamsError(RpcError):
    """Params that do not fit the method."""

    code = "invalid_params"
    rpc_code = -32602

    def __init__(self, method: str, wrong: PydanticError) -> None:
        parts: list[str] = []
        for error in wrong.errors(include_url=False, include_context=False, include_input=False):
            where = ".".join(str(step) for step in error["loc"])
            parts.append(f"{where}: {error['msg']}" if where else error["msg"])
        super().__init__(f"{method}: {'; '.join(parts[:10])}")


class RemoteError(RpcError):
    """A function of the program threw, or the program refused what was asked."""

    code = "remote_error"
    rpc_code = -32100

    def __init__(self, message: str, data: ErrorData, number: int) -> None:
        self.data, self.number, self.text = data, number, message
        self.origin = data.error_id
        """What the program called the error, if it wants to know it again."""
        self.name = str(data.details.get("name") or "Error")
        super().__init__(f"{self.name}: {message}")


def error_to_wire(error: BaseException) -> dict[str, Any]:
    """Return the error object of an exception; of a defect only its class crosses the wire."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if not isinstance(error, SwarmError):
        _log.error("a request failed by a defect", exc_info=error)
        text = f"internal error ({type(error).__name__}); the core's log has its trace"
        return {"code": -32603, "message": text, "data": _data(ErrorData(kind="internal_error"))}
    data = ErrorData(
        kind=error.code,
        retryable=isinstance(error, _RETRYABLE),
        hint=error.hint,
        details=_details(error),
    )
    return {"code": error.rpc_code, "message": str(error), "data": _data(data)}


def remote_error(error: dict[str, Any]) -> Exception:
    """Return what an error object of the other side is raised as."""
    given: Any = error.get("data")
    fields: dict[str, Any] = {**cast("dict[str, Any]", given)} if isinstance(given, dict) else {}
    fields.setdefault("kind", "callback_error")
    try:
        data = ErrorData.model_validate(fields)
    except PydanticError:
        data = ErrorData(kind="callback_error")
    number: Any = error.get("code")
    text = str(error.get("message") or "it gave no reason")[:_LONGEST]
    if number == CancelledError.rpc_code:
        return CancelledError(text)
    return RemoteError(text, data, number if isinstance(number, int) else -32000)


def issue_of(problem: Problem) -> dict[str, JsonValue]:
    """Return a problem of a catalog as an issue of the wire."""
    section, _, rest = problem.where.partition(".")
    return {
        "kind": section.removesuffix("s") if section != "policies" else "policy",
        "name": rest.partition(".")[0].partition("[")[0],
        "path": problem.where,
        "message": problem.message,
        "hint": problem.hint,
    }


def _details(error: SwarmError) -> dict[str, JsonValue]:
    if isinstance(error, ValidationError):
        return {"problems": [issue_of(problem) for problem in error.problems]}
    if isinstance(error, RemoteError):
        return {"name": error.name, "origin": error.origin}
    if isinstance(error, UnsupportedProtocolError):
        return {"supported": list(error.supported)}
    return {
        to_wire_name(name): value
        for name, value in vars(error).items()
        if not name.startswith("_") and isinstance(value, str | int | float | None)
    }


def _data(data: BaseModel) -> dict[str, Any]:
    return data.model_dump(mode="json", by_alias=True, exclude_none=True)
