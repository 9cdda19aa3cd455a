"""A reader of server-sent events: bytes in, the `data` of each event out.

Follows the WHATWG specification of event streams; only `data` is kept, since model APIs use
nothing else. The result does not depend on how the bytes were cut.
"""

from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ["read_events"]

_MAX_EVENT = 16 * 1024 * 1024
"""Bytes that one event may have."""


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the data of each event.

    An event that the stream ends in the middle of is dropped, as the specification says.

    Raises:
        ValueError: One event is larger than 16 MiB.
    """
    rest = b""
    data: list[bytes] = []
    is_start = True
    async for chunk in chunks:
        rest += chunk
        if is_start and len(rest) >= 3:
            rest, is_start = rest.removeprefix(b"\xef\xbb\xbf"), False
        # A lone CR at the end may be half of CRLF, so it waits for the next chunk.
        held = b"\r" if rest.endswith(b"\r") else b""
        text = rest[: len(rest) - len(held)]
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        rest += held
        if len(rest) + sum(map(len, data)) > _MAX_EVENT:
            raise ValueError("an event of the stream is too large")
        for line in lines:
            if not line:
                if data:
                    yield b"\n".join(data)
                    data = []
            elif line.startswith(b"data:"):
                data.append(line[6:] if line.startswith(b"data: ") else line[5:])
