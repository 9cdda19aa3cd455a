"""`discover` on the command line."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.bindings.cli.conftest import Wikiswarm


class _Models(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer as vLLM lists its models."""
        is_list = self.path == "/v1/models"
        body = json.dumps({"data": [{"id": "org/model", "owned_by": "vllm"}]}).encode()
        self.send_response(200 if is_list else 404)
        self.end_headers()
        if is_list:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server with one model."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Models)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.requirement("S0-36", "S0-37")
def test_what_was_found_is_told_with_its_models(wikiswarm: Wikiswarm, port: int) -> None:
    shown = wikiswarm("discover", "--port", port, "--timeout", 10)
    assert shown.lines == [
        f"Discovered local backend: vLLM on 127.0.0.1:{port} ($0.00/token)",
        "  vllm/org/model",
    ]
    [row] = wikiswarm("discover", "--port", port, "--timeout", 10, "--json").json
    assert (row["name"], row["port"], row["models"]) == ("vLLM", port, ["org/model"])
    assert row["base_url"] == f"http://127.0.0.1:{port}/v1"


def test_nothing_found_says_how_to_start_one(wikiswarm: Wikiswarm, port: int) -> None:
    shown = wikiswarm("discover", "--host", "127.0.0.2", "--port", port)
    assert shown.out == ""
    assert "llama-server -m FILE.gguf --port 8001" in shown.err
    assert wikiswarm("discover", "--host", "127.0.0.2", "--port", port, "--json").json == []


def test_a_port_that_is_none_is_wrong_usage(wikiswarm: Wikiswarm) -> None:
    wikiswarm("discover", "--port", 70_000, code=2)
