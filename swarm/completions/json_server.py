"""A server that takes JSON and answers in JSON, or in a stream of it; nothing is tried again here.

What goes wrong on the way becomes a `ProviderError`. The wire formats have their own modules.
"""

from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import orjson

from swarm.completions.refusal import hide_key, refusal
from swarm.completions.sse import read_events
from swarm.errors import ProviderDownError, ProviderError, ProviderOutputError
from swarm.extension import Services

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Exchange", "JsonServer"]

_MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
_MAX_STREAM = 64 * 1024 * 1024
"""Bytes of a streamed one, where every token comes in an envelope of its own."""


class JsonServer:
    """Reaches one server with one key, over the host's HTTP client."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        services: Services,
        *,
        key: str | None,
        key_variable: str,
        key_header: str,
    ) -> None:
        """Describe the server; nothing is connected.

        Args:
            provider: What errors call it.
            base_url: What the paths of requests are appended to.
            services: The host.
            key: The key; None sends none.
            key_variable: The variable that holds it, for those who have to set another one.
            key_header: The header that takes it; in `Authorization` it is a bearer token.
        """
        self._provider = provider
        self._base_url = base_url.rstrip("/")
        self._services = services
        self._key = key
        self._key_variable = key_variable
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            is_bearer = key_header == "Authorization"
            self._headers[key_header] = f"Bearer {key}" if is_bearer else key

    def post(self, path: str, body: bytes) -> "Exchange":
        """Return a request; entered, it gives the response of a server that took it."""
        return Exchange(self, f"{self._base_url}{path}", body)

    async def read(self, response: "aiohttp.ClientResponse") -> Mapping[str, Any]:
        """Return an answer that came as a whole.

        Raises:
            ProviderOutputError: It is too large, or no JSON object.
            ProviderDownError: It says that there was an error.
        """
        return self.parse(await self._read(response))

    async def events(self, response: "aiohttp.ClientResponse") -> AsyncGenerator[bytes, None]:
        """Yield the data of a stream's events.

        Raises:
            ProviderOutputError: It is too large, or no stream of events.
        """
        size = 0
        try:
            async for data in read_events(response.content.iter_any()):
                size += len(data)
                if size > _MAX_STREAM:
                    raise self._bad("the answer is larger than 64 MiB")
                if data := data.strip():
                    yield data
        except ValueError as error:
            raise self._bad(str(error)) from None

    def parse(self, data: bytes) -> Mapping[str, Any]:
        """Return a JSON object.

        Raises:
            ProviderOutputError: It is none.
            ProviderDownError: It says that there was an error.
        """
        try:
            answer = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise self._bad("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise self._bad("the answer is no JSON object")
        fields = cast("Mapping[str, Any]", answer)
        if fields.get("error"):
            text = hide_key(_error_text(fields), self._key)
            raise ProviderDownError(text, provider=self._provider)
        return fields

    async def send(self, url: str, body: bytes) -> "aiohttp.ClientResponse":
        """Send a request; see `post`, which names the errors of the HTTP client."""
        response = await self._services.http().post(
            url, data=body, headers=self._headers, allow_redirects=False
        )
        if response.status != 200:
            async with response:
                raise self._refusal(response, await self._read(response))
        return response

    def failure(self, error: BaseException | None, url: str) -> ProviderDownError | None:
        """Return our error for one of the HTTP client's."""
        import aiohttp

        if isinstance(error, TimeoutError):
            return ProviderDownError("no connection in time", provider=self._provider)
        if isinstance(error, aiohttp.ClientError):
            reason = f"no answer from {url}: {error}".removesuffix(": ")
            return ProviderDownError(hide_key(reason, self._key), provider=self._provider)
        return None

    async def _read(self, response: "aiohttp.ClientResponse") -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > _MAX_BODY:
                raise self._bad("the answer is larger than 16 MiB")
            parts.append(part)
        return b"".join(parts)

    def _refusal(self, response: "aiohttp.ClientResponse", body: bytes) -> ProviderError:
        try:
            text = _error_text(orjson.loads(body))
        except orjson.JSONDecodeError:
            text = body[:2000].decode(errors="replace")
        return refusal(
            response.status,
            text,
            provider=self._provider,
            key=self._key,
            key_variable=self._key_variable,
            retry_after=response.headers.get("Retry-After"),
        )

    def _bad(self, text: str) -> ProviderOutputError:
        return ProviderOutputError(text, provider=self._provider)


class Exchange:
    """A request and its response; what the HTTP client raises becomes an error of ours.

    A class, since a generator would cost every turn more.
    """

    def __init__(self, server: JsonServer, url: str, body: bytes) -> None:
        self._server = server
        self._url = url
        self._body = body

    async def __aenter__(self) -> "aiohttp.ClientResponse":
        try:
            self._response = await self._server.send(self._url, self._body)
        except Exception as error:
            if failure := self._server.failure(error, self._url):
                raise failure from error
            raise
        return self._response

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._response.__aexit__(kind, error, trace)
        if error is not None and (failure := self._server.failure(error, self._url)):
            raise failure from error


def _error_text(answer: object) -> str:
    """Return what a server says about an error, in any of the shapes that are in use."""
    if not isinstance(answer, dict):
        return str(answer or "")
    fields = cast("Mapping[str, Any]", answer)
    error: Any = fields.get("error") or fields.get("message") or fields.get("detail") or ""
    if isinstance(error, dict):
        error = cast("Mapping[str, Any]", error).get("message") or cast("object", error)
    return str(error)
