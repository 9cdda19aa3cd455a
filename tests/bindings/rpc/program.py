"""A program that speaks the protocol by hand, with nothing but the standard library.

It shows what a binding needs: a thread that reads, one for each call, and a lock for writing. It
declares the tools that `python -m bindings.conformance` calls.
"""

import itertools
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast


class Cancelled(Exception):
    """The core does not need the answer any more."""


class RequestFailed(Exception):
    """The core answered with an error."""


class Program:
    """A connection to a core, and the functions of this program."""

    def __init__(self, reading: BinaryIO, writing: BinaryIO) -> None:
        self.reading, self.writing = reading, writing
        self.functions: dict[str, Callable[..., Any]] = {}
        self.limit = 1 << 24
        self._ids = itertools.count(1)
        self._order = threading.Lock()
        self._answers: dict[int, dict[str, Any]] = {}
        self._answered = threading.Condition()
        self._running: dict[Any, threading.Event] = {}
        self._is_gone = False

    def send(self, message: dict[str, Any]) -> None:
        frame = json.dumps({"jsonrpc": "2.0", **message}).encode()
        if len(frame) > self.limit and "id" in message:
            self.refuse(message["id"], -32006, "the answer is too long")
            return
        with self._order:
            self.writing.write(frame + b"\n")
            self.writing.flush()

    def refuse(self, request_id: Any, code: int, text: str) -> None:
        self.send({"id": request_id, "error": {"code": code, "message": text}})

    def ask(self, method: str, params: dict[str, Any], call_id: str | None = None) -> Any:
        request_id = next(self._ids)
        if call_id is not None:
            params = {**params, "_meta": {"callId": call_id}}
        self.send({"id": request_id, "method": method, "params": params})
        with self._answered:
            self._answered.wait_for(lambda: request_id in self._answers or self._is_gone)
            answer = self._answers.pop(request_id, None)
        if answer is None or "error" in answer:
            raise RequestFailed(str(answer))
        return answer["result"]

    def read(self) -> None:
        for line in self.reading:
            try:
                message: Any = json.loads(line)
            except ValueError:
                self.refuse(None, -32700, "this is not JSON")
                continue
            self.take({} if not isinstance(message, dict) else cast("dict[str, Any]", message))
        with self._answered:
            self._is_gone = True
            self._answered.notify_all()
        for cancelled in list(self._running.values()):
            cancelled.set()

    def take(self, message: dict[str, Any]) -> None:
        method, request_id = message.get("method"), message.get("id")
        if method is None:
            if isinstance(request_id, int):
                with self._answered:
                    self._answers[request_id] = message
                    self._answered.notify_all()
        elif method == "$/cancelRequest":
            cancelled = self._running.get(message["params"]["id"])
            if cancelled is not None:
                cancelled.set()
        elif request_id is None:
            return
        elif method != "callback/invoke":
            self.refuse(request_id, -32601, f"no method {method}")
        elif request_id in self._running:
            self.refuse(None, -32600, "this id is in use")
        else:
            cancelled = self._running[request_id] = threading.Event()
            arguments = (request_id, message["params"], cancelled)
            threading.Thread(target=self.serve, args=arguments, daemon=True).start()

    def serve(self, request_id: Any, params: dict[str, Any], cancelled: threading.Event) -> None:
        function = self.functions.get(params["callback"])
        try:
            if function is None:
                self.refuse(request_id, -32004, f"no function {params['callback']}")
            else:
                value = function(params["args"], params["call"], cancelled)
                self.send({"id": request_id, "result": {"value": value}})
        except Cancelled:
            self.refuse(request_id, -32800, "cancelled")
        except Exception as error:
            self.refuse(request_id, -32056, str(error))
        finally:
            self._running.pop(request_id, None)


def main() -> int:
    if "WIKISWARM_FD" in os.environ:
        opened = socket.socket(fileno=int(os.environ["WIKISWARM_FD"]))
        program = Program(opened.makefile("rb"), opened.makefile("wb"))
    else:
        program = Program(sys.stdin.buffer, sys.stdout.buffer)

    def echo(args: list[Any], call: dict[str, Any], cancelled: threading.Event) -> Any:
        return args[0].get("arguments")

    def wait(args: list[Any], call: dict[str, Any], cancelled: threading.Event) -> Any:
        cancelled.wait()
        raise Cancelled

    def nested(args: list[Any], call: dict[str, Any], cancelled: threading.Event) -> Any:
        names = {"clientId": args[0]["clientId"], "agentName": args[0]["agentName"]}
        output = {"toolId": args[0]["toolId"], "content": "nested", **names}
        program.ask("verb/commitToolOutput", output, call["callId"])
        program.ask("verb/execute", {"content": "go", **names}, call["callId"])

    def throws(args: list[Any], call: dict[str, Any], cancelled: threading.Event) -> Any:
        raise RuntimeError("thrown on purpose")

    def large(args: list[Any], call: dict[str, Any], cancelled: threading.Event) -> Any:
        return "x" * args[0]["arguments"]["bytes"]

    reader = threading.Thread(target=program.read, daemon=True)
    reader.start()
    who = {"name": "by-hand", "version": "1", "language": "python"}
    try:
        result = program.ask("initialize", {"protocol": 1, "minProtocol": 1, "program": who})
    except RequestFailed as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    program.limit = result["limits"]["maxMessageBytes"]
    declarations: list[dict[str, Any]] = []
    for function in (echo, wait, nested, throws, large):
        callback = f"tool:{function.__name__}.call"
        program.functions[callback] = function
        declarations.append(
            {
                "kind": "tool",
                "toolName": function.__name__,
                "parameters": {"type": "object"},
                "call": {"$callback": callback},
            }
        )
    program.ask("catalog/declare", {"declarations": declarations})
    reader.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
