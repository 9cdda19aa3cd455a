"""Ollama: what is run and sent, and what is said when it is not there."""

import json
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from finetune.package import PackagingError, ask_ollama, create_in_ollama
from swarm.errors import DataError, ProviderDownError, ProviderError, SetupError

pytestmark = pytest.mark.anyio

# Records what it was asked to do, and fails as Ollama does when FROM names no file.
_PROGRAM = f"""#!{sys.executable}
import json, os, sys
source = open(sys.argv[4]).readline().split()[1]
if not os.path.isfile(source):
    sys.exit("Error: no such file " + source)
json.dump(sys.argv[1:], open("arguments.json", "w"))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that takes the arguments of `ollama create`."""
    path = tmp_path / "ollama"
    path.write_text(_PROGRAM)
    path.chmod(0o755)
    return path


@pytest.fixture
def requests() -> list[dict[str, Any]]:
    """What the server was asked."""
    return []


@pytest.fixture
def server(requests: list[dict[str, Any]]) -> Generator[str]:
    """A server with the shapes of Ollama's /api/generate."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append({"path": self.path, **body})
            status, answer = 200, b'{"model":"facts","response":"At nine.","done":true}'
            if body["model"] == "absent":
                status, answer = 404, b'{"error":"model \'absent\' not found"}'
            elif body["model"] == "odd":
                answer = b"<html>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.mark.requirement("S0-34", "S3-17")
async def test_a_model_is_created_from_its_modelfile(program: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    modelfile = folder / "facts.Modelfile"
    modelfile.write_text("FROM ./facts.gguf\n")
    with pytest.raises(PackagingError, match=r"code 1:\n  \| Error: no such file \./facts\.gguf"):
        await create_in_ollama("facts", modelfile, program=str(program))
    (folder / "facts.gguf").write_bytes(b"GGUF")
    await create_in_ollama("facts:q4_k_m", modelfile, program=str(program))
    arguments = json.loads((folder / "arguments.json").read_text())
    assert arguments == ["create", "facts:q4_k_m", "-f", "facts.Modelfile"]


async def test_without_ollama_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"install Ollama, then run: ollama create facts -f "):
        await create_in_ollama("facts", tmp_path / "Modelfile", program=str(tmp_path / "absent"))


@pytest.mark.parametrize("name", ["", "-f", "--help", "a b", "Facts", "../x", "a/b/c", "a:", "a\n"])
async def test_a_name_cannot_be_an_option_or_a_path(
    program: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(DataError, match="no name of an Ollama model"):
        await create_in_ollama(name, tmp_path / "Modelfile", program=str(program))


@pytest.mark.requirement("S3-17", "S0-34")
async def test_a_test_prompt_is_answered(server: str, requests: list[dict[str, Any]]) -> None:
    assert await ask_ollama("facts", "When do you open?", base_url=server) == "At nine."
    assert requests == [
        {
            "path": "/api/generate",
            "model": "facts",
            "prompt": "When do you open?",
            "stream": False,
        }
    ]


async def test_what_ollama_says_reaches_the_error(server: str) -> None:
    with pytest.raises(ProviderError, match="404 for absent: model 'absent' not found") as caught:
        await ask_ollama("absent", "?", base_url=server)
    assert caught.value.status == 404
    with pytest.raises(ProviderError, match="no answer of /api/generate"):
        await ask_ollama("odd", "?", base_url=server)
    with pytest.raises(ProviderDownError, match="start it with: ollama serve"):
        await ask_ollama("facts", "?", base_url="http://127.0.0.1:9")
