"""The first messages of a connection: `initialize`, and nothing before it."""

import hmac
import importlib.metadata
from typing import Any, NamedTuple

import anyio
from pydantic import ValidationError as PydanticError

from bindings.rpc.errors import (
    MessageTooLargeError,
    NotInitializedError,
    RpcError,
    UnauthorizedError,
    UnsupportedProtocolError,
)
from bindings.rpc.failures import (
    InvalidParamsError,
    InvalidRequestError,
    ParseError,
    error_to_wire,
)
from bindings.rpc.frames import decode_frame, encode_frame
from bindings.rpc.peer import Channel, PeerLimits, RequestId
from bindings.rpc.wire import (
    PROTOCOL,
    Capabilities,
    CoreInfo,
    InitializeParams,
    InitializeResult,
    Limits,
)

__all__ = ["PATIENCE", "Greeting", "greet", "refuse", "tokens_match", "welcome"]

PATIENCE = 30.0
"""Seconds until a connection has to have said who it is."""
_MOST_REFUSED = 32
"""Messages before the handshake that are answered; then the connection is closed."""


class Greeting(NamedTuple):
    """What a program said first."""

    request_id: RequestId
    params: InitializeParams


def tokens_match(given: str | None, expected: str | None) -> bool:
    """Return whether a token is the right one; the time it takes says nothing about it."""
    if expected is None:
        return True
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())


async def greet(
    channel: Channel, token: str | None, *, patience: float | None = PATIENCE
) -> Greeting | None:
    """Return what the program says first, or None where the connection is to be closed.

    Args:
        channel: The new connection.
        token: What `initialize` has to bring; None where the program is trusted already.
        patience: Seconds that it has for that; None waits as long as the connection lasts.
    """
    with anyio.move_on_after(patience):
        for _ in range(_MOST_REFUSED):
            request_id: RequestId | None = None
            try:
                message = decode_frame(await channel.receive())
                request_id = message.get("id")
                if message.get("method") != "initialize" or request_id is None:
                    if message.get("method") == "exit":
                        return None
                    if "method" in message and request_id is not None:
                        text = "the first message is `initialize`"
                        await refuse(channel, request_id, NotInitializedError(text))
                    continue
                params = _checked(message.get("params") or {})
                if not tokens_match(params.token, token):
                    raise UnauthorizedError("the token is missing or wrong; see WIKISWARM_TOKEN")
                return Greeting(request_id, params)
            except (ParseError, InvalidRequestError, InvalidParamsError) as error:
                await refuse(channel, request_id, error)
            except (MessageTooLargeError, UnauthorizedError, UnsupportedProtocolError) as error:
                await refuse(channel, request_id, error)
                return None
            except anyio.EndOfStream:
                return None
    return None


async def refuse(channel: Channel, request_id: RequestId | None, error: RpcError) -> None:
    """Answer a message with an error."""
    message = {"jsonrpc": "2.0", "id": request_id, "error": error_to_wire(error)}
    await channel.send(encode_frame(message))


async def welcome(
    channel: Channel,
    greeting: Greeting,
    connection_id: str,
    limits: PeerLimits,
    *,
    window: float = 0.0,
    received: int = 0,
) -> None:
    """Answer `initialize`."""
    result = InitializeResult(
        protocol=PROTOCOL,
        core=CoreInfo(name="wikiswarm", version=importlib.metadata.version("wikiswarm")),
        connection_id=connection_id,
        capabilities=Capabilities(streaming=True, resume=window > 0),
        limits=Limits(
            max_message_bytes=limits.message_bytes,
            max_in_flight=limits.in_flight,
            resume_window_ms=int(window * 1000),
        ),
        received=received,
    )
    fields = result.model_dump(mode="json", by_alias=True)
    await channel.send(
        encode_frame({"jsonrpc": "2.0", "id": greeting.request_id, "result": fields})
    )


def _checked(params: dict[str, Any]) -> InitializeParams:
    try:
        checked = InitializeParams.model_validate(params)
    except PydanticError as wrong:
        raise InvalidParamsError("initialize", wrong) from None
    oldest = checked.protocol if checked.min_protocol is None else checked.min_protocol
    if not oldest <= PROTOCOL <= checked.protocol:
        raise UnsupportedProtocolError(checked.protocol, PROTOCOL)
    return checked
