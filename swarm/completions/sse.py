"""A reader of server-sent events: bytes in, the `data` of each event out.

Follows the WHATWG specification of event streams; only `data` is kept, since model APIs use
nothing else. The result does not depend on how the bytes were cut.
"""

from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ["read_events"]

_BOM = b"\xef\xbb\xbf"
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
    size = 0
    is_start, ends_in_cr = True, False
    async for chunk in chunks:
        if ends_in_cr and chunk:
            # The second half of a CRLF that was cut; the CR has ended its line already.
            chunk, ends_in_cr = chunk.removeprefix(b"\n"), False
        if not chunk:
            continue
        rest += chunk
        if is_start:
            if len(rest) < len(_BOM) and _BOM.startswith(rest):
                continue
            rest, is_start = rest.removeprefix(_BOM), False
        ends_in_cr = rest.endswith(b"\r")
        if b"\r" in rest:
            rest = rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if not line:
                if data:
                    yield b"\n".join(data)
                    data, size = [], 0
            elif line.startswith(b"data:"):
                data.append(line[6:] if line.startswith(b"data: ") else line[5:])
                size += len(line)
            elif line == b"data":
                data.append(b"")
                size += len(line)
        if len(rest) + size > _MAX_EVENT:
            raise ValueError("an event of the stream is too large")
