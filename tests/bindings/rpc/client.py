"""A program's side of the protocol by hand: raw frames, so that nothing of ours checks itself."""

import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from anyio.abc import TaskGroup

Handler = Callable[[list[Any], dict[str, Any]], Awaitable[Any]]

INITIALIZE: dict[str, Any] = {
    "protocol": 1,
    "program": {"name": "test", "version": "1", "language": "python"},
}


class Line(Protocol):
    """What carries frames."""

    async def receive(self) -> str | bytes: ...

    async def send(self, message: bytes) -> None: ...

    async def aclose(self) -> None: ...


class Refused(Exception):
    """An error that the core answered with."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data", {})
        self.kind: str = self.data.get("kind", "")


class Client:
    """Asks, answers callbacks, and keeps what it was told."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.functions: dict[str, Handler] = {}
        self.told: list[tuple[str, Any]] = []
        """Notifications, in order; those of observers as `callback/notify`."""
        self.heard = anyio.Event()
        self.strays: list[dict[str, Any]] = []
        """Answers without an id."""
        self.cancelled: list[Any] = []
        self.is_closed = anyio.Event()
        self._ids = itertools.count(1)
        self._answers: dict[Any, Any] = {}
        self._waiting: dict[Any, anyio.Event] = {}
        self._serving: dict[Any, anyio.CancelScope] = {}
        self._order = anyio.Lock()
        self._tasks: TaskGroup | None = None

    async def send(self, message: dict[str, Any]) -> None:
        async with self._order:
            await self.line.send(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def begin(self, method: str, params: dict[str, Any], *, call_id: str = "") -> int:
        request_id = next(self._ids)
        self._waiting[request_id] = anyio.Event()
        if call_id:
            params = {**params, "_meta": {"callId": call_id}}
        await self.send({"id": request_id, "method": method, "params": params})
        return request_id

    async def answer(self, request_id: int) -> Any:
        await self._waiting[request_id].wait()
        answer = self._answers.pop(request_id)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    async def ask(self, method: str, call_id: str = "", /, **params: Any) -> Any:
        return await self.answer(await self.begin(method, params, call_id=call_id))

    async def initialize(self, **more: Any) -> dict[str, Any]:
        return await self.ask("initialize", **{**INITIALIZE, **more})

    async def declare(self, *declarations: dict[str, Any]) -> list[str]:
        result = await self.ask("catalog/declare", declarations=list(declarations))
        assert result["issues"] == []
        return result["declared"]

    async def until(self, is_so: Callable[[], Any]) -> None:
        """Wait until something that comes from the core has come."""
        while not is_so():
            self.heard = anyio.Event()
            await self.heard.wait()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Client", None]:
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            tasks.start_soon(self._read)
            yield self
            with anyio.CancelScope(shield=True):
                await self.line.aclose()
            tasks.cancel_scope.cancel()

    async def _read(self) -> None:
        while True:
            try:
                message = json.loads(await self.line.receive())
            except anyio.EndOfStream:
                self.is_closed.set()
                for event in self._waiting.values():
                    event.set()
                self.heard.set()
                return
            self._take(message)
            self.heard.set()

    def _take(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            request_id = message["id"]
            if request_id in self._waiting:
                self._answers[request_id] = message
                self._waiting[request_id].set()
            else:
                self.strays.append(message)
        elif method == "$/cancelRequest":
            self.cancelled.append(message["params"]["id"])
            scope = self._serving.get(message["params"]["id"])
            if scope is not None:
                scope.cancel()
        elif "id" not in message:
            self.told.append((method, message["params"]))
        else:
            assert self._tasks is not None
            self._tasks.start_soon(self._serve, message)

    async def _serve(self, message: dict[str, Any]) -> None:
        params, request_id = message["params"], message["id"]
        function = self.functions.get(params["callback"])
        if function is None:
            data = {"kind": "unknown_callback"}
            error: dict[str, Any] = {"code": -32004, "message": "no such function", "data": data}
            await self.send({"id": request_id, "error": error})
            return
        scope = self._serving[request_id] = anyio.CancelScope()
        try:
            with scope:
                value = await function(params["args"], params["call"])
                await self.send({"id": request_id, "result": {"value": value}})
        except Refused as wrong:
            error = {"code": -32056, "message": str(wrong), "data": wrong.data}
            await self.send({"id": request_id, "error": error})
        except Exception as wrong:
            data = {"kind": "callback_error", "details": {"name": type(wrong).__name__}}
            error = {"code": -32056, "message": str(wrong), "data": data}
            await self.send({"id": request_id, "error": error})
        if scope.cancelled_caught:
            error = {"code": -32800, "message": "cancelled", "data": {"kind": "cancelled"}}
            await self.send({"id": request_id, "error": error})
