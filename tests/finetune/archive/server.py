"""A small web server of a test, in a thread of its own, that keeps objects by bucket and name."""

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

__all__ = ["ObjectServer", "Reply", "Request", "byte_range"]


class Request(NamedTuple):
    """What a client asks for."""

    method: str
    path: str
    """Still with its percent signs."""
    query: dict[str, str]
    headers: dict[str, str]
    """By their names in small letters."""
    body: bytes


class Reply(NamedTuple):
    """What the server answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class ObjectServer(AbstractContextManager["ObjectServer"]):
    """Serves until the block ends; what a test breaks, it breaks by `fault`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        """By bucket and name: `bucket/folder/file`."""
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Reply | None] = lambda request: None
        """Answers in place of the server where it returns something."""
        self.damage: Callable[[str, bytes], bytes] = lambda name, data: data
        """Changes what is kept of an object."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                parts = urlsplit(self.path)
                request = Request(
                    self.command,
                    parts.path,
                    {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()},
                    {name.lower(): value for name, value in self.headers.items()},
                    self._body(),
                )
                owner.requests.append(request)
                reply = owner.fault(request) or owner.reply(request)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in reply.headers:
                    self.send_header("Content-Length", str(len(reply.body)))
                # A client may have what it wants to know before the end.
                with suppress(ConnectionError):
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(reply.body)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    found = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        found += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return found
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def reply(self, request: Request) -> Reply:
        """Answer a request in the words of a service."""
        raise NotImplementedError

    def keep(self, name: str, data: bytes) -> None:
        """Keep an object."""
        self.objects[name] = self.damage(name, data)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def count(self, method: str, ending: str) -> int:
        """Return how many requests of a method there were whose path ends so."""
        return sum(r.method == method and r.path.endswith(ending) for r in self.requests)

    def __enter__(self) -> "ObjectServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def byte_range(request: Request, data: bytes) -> Reply:
    """Return an object, or the part of it that a request asks for."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if found is None:
        return Reply(200, data)
    first, last = int(found[1]), int(found[2] or len(data) - 1)
    if first >= len(data):
        return Reply(416)
    part = data[first : last + 1]
    place = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
    return Reply(206, part, {"Content-Range": place})
