"""Model servers on this machine: which of the usual ports answers, and with which models.

Each port is asked `GET /api/tags` (Ollama) and `GET /v1/models` (everything OpenAI-compatible),
all at the same time and for a moment only. No key is sent, and nothing is asked of a model.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict, cast

import anyio

from swarm.errors import DeclarationError

__all__ = [
    "PORTS",
    "CompletionArguments",
    "LocalServer",
    "Provider",
    "Providers",
    "discover",
    "providers",
]

Provider = Literal["ollama", "llama-server", "vllm"]
"""How references to the models of a server begin."""

PORTS = (11434, 1234, 8001, 8000, 8080)
"""Where Ollama, LM Studio, llama-server or Unsloth, vLLM, and llama-server listen by default."""

_LOOPBACK = ("127.0.0.1",)
_ANSWER_LIMIT = 2**20
_MODELS_LIMIT = 1000
_USUAL_ADDRESS: Mapping[Provider, int] = {"ollama": 11434, "llama-server": 8001, "vllm": 8000}
_NAME = re.compile(r"[\w./:@+-]{1,200}", re.ASCII)


class CompletionArguments(TypedDict):
    """What `add_completion(completion_name=..., **arguments)` takes."""

    model: str
    base_url: NotRequired[str]


class LocalServer(NamedTuple):
    """A model server that answered."""

    name: str
    """What it is called: Ollama, LM Studio, llama-server, vLLM, or OpenAI-compatible."""
    provider: Provider
    host: str
    port: int
    models: tuple[str, ...]
    """The names of its models, as it lists them."""

    @property
    def base_url(self) -> str:
        """What a completion takes as `base_url`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/v1"

    def completion(self, model: str | None = None) -> CompletionArguments:
        """Return the arguments of `add_completion` or an agent's model.

        Args:
            model: One of `models`; the first when absent.

        Raises:
            DeclarationError: The server has no such model, or none at all.
        """
        chosen = model or next(iter(self.models), None)
        if chosen is None or chosen not in self.models:
            known = ", ".join(self.models) or "none"
            raise DeclarationError(
                f"{self.name} on {self.host}:{self.port} has no model {chosen or ''!r}; "
                f"it has: {known}"
            )
        return _arguments(self.provider, chosen, self.base_url)

    def __str__(self) -> str:
        return f"{self.name} on {self.host}:{self.port} ($0.00/token)"


class Providers:
    """The arguments of a completion by a local server, as in `providers.ollama("qwen3")`."""

    def ollama(
        self, model: str, base_url: str = "http://127.0.0.1:11434/v1"
    ) -> CompletionArguments:
        """Return the arguments of `add_completion` for a model of Ollama."""
        return _arguments("ollama", model, base_url)

    def llama_server(
        self, model: str = "model", base_url: str = "http://127.0.0.1:8001/v1"
    ) -> CompletionArguments:
        """Return the arguments of `add_completion` for llama-server, which serves one model."""
        return _arguments("llama-server", model, base_url)

    def vllm(self, model: str, base_url: str = "http://127.0.0.1:8000/v1") -> CompletionArguments:
        """Return the arguments of `add_completion` for a model of vLLM."""
        return _arguments("vllm", model, base_url)


providers = Providers()
"""Local servers in one short expression."""


async def discover(
    hosts: Sequence[str] = _LOOPBACK, ports: Sequence[int] = PORTS, *, seconds: float = 0.5
) -> tuple[LocalServer, ...]:
    """Return the model servers that answer, in the order of hosts and ports.

    Args:
        hosts: Where to ask; only this machine by default.
        ports: Which ports to ask there.
        seconds: How long to wait for one port, both questions together.

    Raises:
        DeclarationError: A port is none.
    """
    import aiohttp

    for port in ports:
        if not 0 < port < 65_536:
            raise DeclarationError(f"{port} is no port; give one from 1 to 65535")
    places = list(dict.fromkeys((host, port) for host in hosts for port in ports))
    found: dict[tuple[str, int], LocalServer] = {}

    async def ask(client: aiohttp.ClientSession, host: str, port: int) -> None:
        with anyio.move_on_after(seconds):
            server = await _look(client, host, port)
            if server is not None:
                found[host, port] = server

    # Proxies of the environment know nothing of this machine, and aiohttp leaves them out.
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
        anyio.create_task_group() as group,
    ):
        for host, port in places:
            group.start_soon(ask, client, host, port)
    return tuple(found[place] for place in places if place in found)


async def _look(client: Any, host: str, port: int) -> LocalServer | None:
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    answers: dict[str, tuple[Mapping[str, Any], str]] = {}

    async def get(path: str) -> None:
        answer = await _get(client, address + path)
        if answer is not None:
            answers[path] = answer

    async with anyio.create_task_group() as group:
        group.start_soon(get, "/api/tags")
        group.start_soon(get, "/v1/models")
    if "/api/tags" in answers and isinstance(answers["/api/tags"][0].get("models"), list):
        tags = answers["/api/tags"][0]["models"]
        # llama-server answers this path too, for clients of Ollama, and says who it is.
        if "/v1/models" not in answers or not _is_llama_server(answers["/v1/models"]):
            return LocalServer("Ollama", "ollama", host, port, _names(tags, "name"))
    if "/v1/models" not in answers:
        return None
    content, _ = answers["/v1/models"]
    if not isinstance(content.get("data"), list):
        return None
    name, provider = _identify(answers["/v1/models"], port)
    return LocalServer(name, provider, host, port, _names(content["data"], "id"))


async def _get(client: Any, url: str) -> tuple[Mapping[str, Any], str] | None:
    """Return the JSON object at an address and the server's name of itself, or None."""
    import aiohttp

    try:
        # A server that is no model server may send anybody's browser somewhere else.
        async with client.get(url, allow_redirects=False) as response:
            if response.status != 200:
                return None
            body = await response.content.read(_ANSWER_LIMIT + 1)
            while len(body) <= _ANSWER_LIMIT and (more := await response.content.read(65_536)):
                body += more
            content: object = json.loads(body) if len(body) <= _ANSWER_LIMIT else None
            said = response.headers.get("Server", "")
    except (aiohttp.ClientError, OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    return cast("Mapping[str, Any]", content), said


def _identify(answer: tuple[Mapping[str, Any], str], port: int) -> tuple[str, Provider]:
    if _is_llama_server(answer):
        return "llama-server", "llama-server"
    if "vllm" in _owners(answer[0]):
        return "vLLM", "vllm"
    if "organization_owner" in _owners(answer[0]) or port == 1234:
        return "LM Studio", "llama-server"
    return "OpenAI-compatible", "llama-server"


def _is_llama_server(answer: tuple[Mapping[str, Any], str]) -> bool:
    content, said = answer
    return "llama.cpp" in said or "llamacpp" in _owners(content)


def _owners(content: Mapping[str, Any]) -> set[str]:
    """Return whom the listed models are said to be owned by, which is how servers differ."""
    listed: object = content.get("data")
    items = cast("list[object]", listed) if isinstance(listed, list) else []
    found = [cast("Mapping[str, Any]", i).get("owned_by") for i in items if isinstance(i, dict)]
    return {owner for owner in found if isinstance(owner, str)}


def _names(listed: object, key: str) -> tuple[str, ...]:
    """Return the names in a list of models; what no model could be called is left out."""
    found: list[str] = []
    for item in cast("list[Any]", listed)[:_MODELS_LIMIT]:
        name: object = cast("Mapping[str, Any]", item).get(key) if isinstance(item, dict) else None
        if isinstance(name, str) and _NAME.fullmatch(unicodedata.normalize("NFC", name)):
            found.append(name)
    return tuple(found)


def _arguments(provider: Provider, model: str, base_url: str) -> CompletionArguments:
    arguments = CompletionArguments(model=f"{provider}/{model}")
    # Where a provider listens anyway is not worth a word in a declaration.
    if base_url != f"http://127.0.0.1:{_USUAL_ADDRESS[provider]}/v1":
        arguments["base_url"] = base_url
    return arguments
