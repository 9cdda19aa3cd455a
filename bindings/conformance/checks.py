"""The checks: each plays a scene with a fresh program and says what it does wrong."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from bindings.conformance.play import Mismatch, Played, inner

__all__ = ["CHECKS", "Check"]


class Check(NamedTuple):
    """One behaviour."""

    id: str
    """Its id in tests/requirements.yaml."""
    text: str
    play: Callable[[Played], Awaitable[None]]


async def _welcome(program: Played) -> None:
    params = await program.initialize()
    newest, oldest = params.get("protocol"), params.get("minProtocol", params.get("protocol"))
    if not isinstance(newest, int) or not isinstance(oldest, int) or not oldest <= 1 <= newest:
        raise Mismatch(f"it speaks versions {oldest!r} to {newest!r}, not version 1")
    if not inner(params, "program").get("name"):
        raise Mismatch("it does not say who it is: `program.name` is missing")


async def _first(program: Played) -> None:
    first = await program.read()
    if first is None or first.get("method") != "initialize":
        raise Mismatch("the first message is not `initialize`")
    early = await program.read(0.5)
    if early is not None:
        raise Mismatch(f"it sends {early.get('method')!r} before `initialize` is answered")


async def _version(program: Played) -> None:
    first = await program.read()
    data = {"kind": "unsupported_protocol", "details": {"supported": [2]}}
    error = {"code": -32001, "message": "version 1 is not spoken here; 2 is", "data": data}
    await program.send({"id": (first or {}).get("id"), "error": error})
    await program.ended()


async def _unknown_method(program: Played) -> None:
    await program.declared()
    await program.send({"id": 1, "method": "from/theFuture", "params": {}})
    _expect(await program.outcome(1), -32601)
    await program.send({"method": "from/theFuture", "params": {}})
    await program.echo()


async def _unknown_callback(program: Played) -> None:
    await program.declared()
    params: dict[str, Any] = {"callback": "tool:nobody.call", "args": [], "call": {"callId": "k1"}}
    await program.send({"id": 1, "method": "callback/invoke", "params": params})
    _expect(await program.outcome(1), -32004)
    await program.echo()


async def _invoke(program: Played) -> None:
    await program.declared()
    given = {"unit_price": 1.5, "camelCase": None, "text": 'Ü 🩹 \u2028 "', "list": [1, [True]]}
    request_id = await program.begin("echo", given, call_id="k1")
    answer = await program.outcome(request_id)
    value = inner(answer, "result").get("value")
    if value != given:
        raise Mismatch(f"arguments came back changed: {value!r}")


async def _throws(program: Played) -> None:
    await program.declared()
    answer = await program.outcome(await program.begin("throws", {}, call_id="k1"))
    _expect(answer, -32056)
    if "thrown on purpose" not in str(answer["error"].get("message")):
        raise Mismatch("the error does not have the message that was thrown")
    await program.echo()


async def _cancelled(program: Played) -> None:
    await program.declared()
    request_id = await program.begin("wait", {}, call_id="k1")
    await program.send({"method": "$/cancelRequest", "params": {"id": request_id}})
    answer = await program.outcome(request_id)
    if "result" not in answer:
        _expect(answer, -32800)
    await program.send({"method": "$/cancelRequest", "params": {"id": request_id}})
    await program.echo()


async def _deadline(program: Played) -> None:
    await program.declared()
    request_id = await program.begin("wait", {}, call_id="k1", deadlineMs=100)
    # It may end by itself; a core that has waited long enough says so.
    message = await program.read(0.2)
    if message is None or message.get("id") != request_id:
        await program.send({"method": "$/cancelRequest", "params": {"id": request_id}})
        await program.outcome(request_id)
    await program.echo()


async def _nested(program: Played) -> None:
    await program.declared()
    await program.outcome(await program.begin("nested", {}, call_id="k-nested"))
    asked = {str(message["method"]): inner(message, "params") for message in program.asked}
    for method in ("verb/commitToolOutput", "verb/execute"):
        if method not in asked:
            raise Mismatch(f"`nested` did not ask for {method}")
        if inner(asked[method], "_meta").get("callId") != "k-nested":
            raise Mismatch(f"{method} inside a call does not carry its `_meta.callId`")
    if asked["verb/commitToolOutput"].get("toolId") != "call-1":
        raise Mismatch("verb/commitToolOutput is not for the call's `toolId`")


async def _concurrent(program: Played) -> None:
    await program.declared()
    waiting = await program.begin("wait", {}, call_id="k1")
    await program.echo()
    await program.send({"method": "$/cancelRequest", "params": {"id": waiting}})
    await program.outcome(waiting)


async def _malformed(program: Played) -> None:
    await program.declared()
    for frame in (b"{", b"[]", b"null", b'{"jsonrpc": "2.0"}'):
        await program.send_raw(frame)
    try:
        await program.echo()
    except Mismatch:
        await program.ended()  # a clean close is as good


async def _reply_to_nothing(program: Played) -> None:
    await program.declared()
    await program.send({"id": 987654, "result": {"value": 1}})
    await program.send({"id": "nobody", "error": {"code": -1, "message": "no"}})
    await program.echo()


async def _duplicate(program: Played) -> None:
    await program.declared()
    waiting = await program.begin("wait", {}, call_id="k1")
    params: dict[str, Any] = {"callback": program.functions["echo"], "args": [{}]}
    params["call"] = {"callId": "k2"}
    await program.send({"id": waiting, "method": "callback/invoke", "params": params})
    await program.echo()


async def _oversized(program: Played) -> None:
    await program.declared()
    answer = await program.outcome(await program.begin("large", {"bytes": 200_000}, call_id="k1"))
    if "error" not in answer:
        raise Mismatch("an answer that is too long was given as a result")
    await program.echo()


async def _lost(program: Played) -> None:
    await program.declared()
    await program.begin("wait", {}, call_id="k1")
    await program.channel.aclose()
    await program.ended()


def _expect(answer: dict[str, Any], code: int) -> None:
    found = inner(answer, "error").get("code")
    if found != code:
        raise Mismatch(f"error {code} was expected, and this came: {str(answer)[:300]}")


CHECKS: tuple[Check, ...] = (
    Check("wire:handshake:welcome", "it introduces itself and speaks version 1", _welcome),
    Check("wire:handshake:first", "it says nothing before it is welcome", _first),
    Check("wire:handshake:version", "it ends when its version is refused", _version),
    Check(
        "wire:request:unknown-method", "unknown methods are refused, not ignored", _unknown_method
    ),
    Check("wire:request:duplicate-id", "an id that comes twice does no harm", _duplicate),
    Check("wire:callback:invoke", "its functions get and give JSON unchanged", _invoke),
    Check("wire:callback:unknown", "an unknown function is an error", _unknown_callback),
    Check("wire:callback:throws", "what a function throws is an error with its message", _throws),
    Check("wire:callback:nested", "requests inside a call carry its id", _nested),
    Check("wire:callback:concurrent", "a function that waits holds up no other", _concurrent),
    Check("wire:callback:deadline", "a function that is too slow is still answered", _deadline),
    Check("wire:cancel:answered", "a cancelled request is answered", _cancelled),
    Check("wire:frame:malformed", "a malformed frame does no harm", _malformed),
    Check("wire:frame:oversized", "it sends no frame over the limit", _oversized),
    Check("wire:frame:reply-to-nothing", "an answer to nothing does no harm", _reply_to_nothing),
    Check("wire:connection:lost", "it ends when the core is gone", _lost),
)
"""All checks, in the order in which they are run."""
