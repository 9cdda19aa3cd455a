"""Plays the core for one program: starts it, and speaks raw frames with it."""

import itertools
import os
import socket
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import orjson
from anyio.abc import Process

from bindings.rpc.errors import ConnectionLostError, MessageTooLargeError
from bindings.rpc.framing import LineChannel

__all__ = ["DESCRIPTOR", "LIMIT", "PATIENCE", "TOOLS", "Mismatch", "Played", "inner", "playing"]

DESCRIPTOR = "WIKISWARM_FD"
"""The variable that names the program's socket."""
TOOLS = ("echo", "wait", "nested", "throws", "large")
"""What a program for these checks declares."""
LIMIT = 64 * 1024
"""Longest message that the program may send."""
PATIENCE = 15.0
"""Seconds for anything that a program has to do."""

_Message = dict[str, Any]


def inner(message: Mapping[str, Any] | None, *names: str) -> _Message:
    """Return an object inside of a message; the empty one where there is none."""
    found: Any = message
    for name in names:
        found = cast("_Message", found).get(name) if isinstance(found, dict) else None
    return cast("_Message", found) if isinstance(found, dict) else {}


class Mismatch(Exception):
    """The program does something else than the protocol says."""


class Played:
    """A program that runs, with this side of its connection."""

    def __init__(self, channel: LineChannel, process: Process, patience: float) -> None:
        self.channel, self.process = channel, process
        self.patience = patience
        self.functions: dict[str, str] = {}
        """The ids of its tools' functions."""
        self.asked: list[_Message] = []
        """Requests of the program, all of which were answered."""
        self._ids = itertools.count(1000)

    async def send(self, message: _Message) -> None:
        """Send a message."""
        await self.send_raw(orjson.dumps({"jsonrpc": "2.0", **message}))

    async def send_raw(self, frame: bytes) -> None:
        """Send what may be no message."""
        try:
            await self.channel.send(frame)
        except ConnectionLostError:
            raise Mismatch("the program has closed the connection") from None

    async def read(self, seconds: float | None = None) -> _Message | None:
        """Return the next message; None where none comes in time.

        Raises:
            Mismatch: It is no message, it is too long, or the program has closed the connection.
        """
        try:
            with anyio.move_on_after(seconds or self.patience):
                frame = await self.channel.receive()
                message = inner({"message": orjson.loads(frame)}, "message")
                if message.get("jsonrpc") != "2.0":
                    raise Mismatch(f"this is no message of JSON-RPC 2.0: {frame[:200]!r}")
                return message
        except anyio.EndOfStream:
            raise Mismatch("the program has closed the connection") from None
        except MessageTooLargeError:
            raise Mismatch(f"the program sent more than {LIMIT:,} bytes in one message") from None
        except orjson.JSONDecodeError:
            raise Mismatch("the program wrote something that is not JSON to the wire") from None
        return None

    async def initialize(self) -> _Message:
        """Read `initialize` and answer it; returns its params."""
        message = await self.read()
        if message is None or message.get("method") != "initialize" or "id" not in message:
            raise Mismatch(f"the first message is not the request `initialize`: {_shown(message)}")
        result = {
            "protocol": 1,
            "core": {"name": "conformance", "version": "1"},
            "connectionId": "c-1",
            "capabilities": {"streaming": True, "resume": False, "fromTheFuture": True},
            "limits": {"maxMessageBytes": LIMIT, "maxInFlight": 64, "resumeWindowMs": 0},
            "received": 0,
        }
        await self.send({"id": message["id"], "result": result})
        return inner(message, "params")

    async def declared(self) -> None:
        """Read the program's declarations until its tools are there.

        Raises:
            Mismatch: They do not come.
        """
        await self.initialize()
        while not set(TOOLS) <= set(self.functions):
            message = await self.read()
            if message is None:
                missing = ", ".join(sorted(set(TOOLS) - set(self.functions)))
                raise Mismatch(f"the program declares no tools {missing}; see docs/protocol.md")
            await self.answer(message)

    async def answer(self, message: _Message) -> None:
        """Answer a request of the program as a core that agrees to everything."""
        if "id" not in message or "method" not in message:
            return
        self.asked.append(message)
        params = inner(message, "params")
        result: Any = None
        if message["method"] == "catalog/declare":
            names = [self._keep(one) for one in cast("list[_Message]", params["declarations"])]
            result = {"declared": names, "issues": []}
        elif message["method"] in ("verb/execute", "verb/executeForce", "session/complete"):
            result = "an answer"
        await self.send({"id": message["id"], "result": result})

    async def begin(self, tool: str, arguments: _Message, *, call_id: str, **call: Any) -> int:
        """Call the function of a tool; returns the request's id."""
        request_id = next(self._ids)
        context: _Message = {
            "toolId": "call-1",
            "toolName": tool,
            "clientId": "client-1",
            "agentName": "agent-1",
            "arguments": arguments,
            "isLast": True,
            "toolCalls": [],
            "callReason": "",
        }
        where = {"callId": call_id, "clientId": "client-1", "agentName": "agent-1", **call}
        params = {"callback": self.functions[tool], "args": [context], "call": where}
        await self.send({"id": request_id, "method": "callback/invoke", "params": params})
        return request_id

    async def outcome(self, request_id: int) -> _Message:
        """Return the answer to a request; requests of the program are answered meanwhile.

        Raises:
            Mismatch: There is none in time.
        """
        while True:
            message = await self.read()
            if message is None:
                raise Mismatch(f"a request was not answered within {self.patience:g} s")
            if "method" not in message and message.get("id") == request_id:
                return message
            await self.answer(message)

    async def echo(self) -> None:
        """Check that the program still answers.

        Raises:
            Mismatch: It does not.
        """
        request_id = await self.begin("echo", {"still": "there"}, call_id=f"k{next(self._ids)}")
        answer = await self.outcome(request_id)
        value = inner(answer, "result").get("value")
        if value != {"still": "there"}:
            raise Mismatch(f"`echo` did not return its arguments: {_shown(answer)}")

    async def ended(self) -> int:
        """Wait until the program has ended; returns its exit status.

        Raises:
            Mismatch: It goes on.
        """
        with anyio.move_on_after(self.patience):
            return await self.process.wait()
        raise Mismatch(f"the program still runs {self.patience:g} s after it was alone")

    def _keep(self, declaration: _Message) -> str:
        name = declaration.get("toolName")
        callback = inner(declaration, "call").get("$callback")
        if declaration.get("kind") == "tool" and isinstance(callback, str):
            self.functions[str(name)] = callback
        kind = declaration.get("kind")
        return f"{kind}:{declaration.get(f'{kind}Name')}"


@asynccontextmanager
async def playing(
    command: Sequence[str],
    *,
    over_stdio: bool = False,
    patience: float = PATIENCE,
    environment: Mapping[str, str] | None = None,
) -> AsyncGenerator[Played, None]:
    """Start a program and give the connection to it.

    Args:
        command: What starts it.
        over_stdio: It speaks on its standard input and output, and not on a socket of its own.
        patience: Seconds for anything that it has to do.
        environment: Its environment; that of this process when absent.
    """
    variables = dict(os.environ if environment is None else environment)
    near, far = socket.socketpair()
    if not over_stdio:
        variables[DESCRIPTOR] = str(far.fileno())
    try:
        process = await anyio.open_process(
            command,
            stdin=far.fileno() if over_stdio else subprocess.DEVNULL,
            stdout=far.fileno() if over_stdio else None,
            stderr=None,
            pass_fds=[] if over_stdio else [far.fileno()],
            env=variables,
        )
    except OSError as error:
        near.close()
        raise Mismatch(f"cannot start {command[0]!r}: {error.strerror}") from None
    finally:
        far.close()
    descriptor = near.detach()
    channel = LineChannel(descriptor, descriptor, limit=LIMIT)
    try:
        yield Played(channel, process, patience)
    finally:
        with anyio.CancelScope(shield=True):
            await channel.aclose()
            if process.returncode is None:
                process.kill()
            await process.aclose()


def _shown(message: object) -> str:
    return orjson.dumps(message, default=str).decode()[:300]
