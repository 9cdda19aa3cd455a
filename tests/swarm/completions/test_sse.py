"""The reader of event streams: what the specification says, however the bytes are cut."""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swarm.completions.sse import read_events

_MEBIBYTE = 1024 * 1024


def _read(chunks: Sequence[bytes]) -> list[bytes]:
    async def feed() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def read() -> list[bytes]:
        return [event async for event in read_events(feed())]

    return anyio.run(read)


def _expected(stream: bytes) -> list[bytes]:
    """Read a whole stream the slow way, line by line as the specification tells it."""
    lines = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: list[bytes] = []
    data: list[bytes] = []
    for line in lines.split(b"\n")[:-1]:
        name, _, value = line.partition(b":")
        if line == b"":
            if data:
                events.append(b"\n".join(data))
            data = []
        elif name == b"data":
            data.append(value.removeprefix(b" "))
    return events


_TOKENS = st.sampled_from(
    [b"data", b"data:", b"data: ", b": ping", b"event: x", b"id:1", b"retry: 5", b"{}", b"a"]  # noqa: RUF005 - three lines read better than twenty
    + [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b" ", b":"]
    + [b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\xbf", "ž€".encode(), b"\xff", b"\x00"]
)
_STREAMS = st.lists(_TOKENS, max_size=30).map(b"".join)


@st.composite
def _cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    stream = draw(_STREAMS)
    places = draw(st.lists(st.integers(0, len(stream)), max_size=8))
    cuts = [0, *sorted(places), len(stream)]
    return stream, [stream[start:stop] for start, stop in pairwise(cuts)]


@given(_cut_streams())
@example((b"data: a\r\n\r\n", [b"data: a\r", b"\n\r", b"\n"]))
@example((b"\n\xef\xbb\xbfdata: a\n\n", [b"\n", b"\xef\xbb\xbfdata: a\n\n"]))
@example((b"data: a\r\r", [b"data: a\r\r"]))
@example((b"data\n\n", [b"da", b"ta\n\n"]))
def test_the_events_do_not_depend_on_the_cuts(case: tuple[bytes, list[bytes]]) -> None:
    stream, chunks = case
    assert _read(chunks) == _expected(stream)


@given(_STREAMS)
def test_one_byte_at_a_time_gives_the_same_events(stream: bytes) -> None:
    assert _read([stream[i : i + 1] for i in range(len(stream))]) == _expected(stream)


@pytest.mark.parametrize("ending", [b"\n", b"\r", b"\r\n"])
def test_all_line_endings_are_known(ending: bytes) -> None:
    lines = [b": comment", b"event: x", b"data: first", b"data:second", b"", b"data:  [DONE]", b""]
    assert _read([ending.join([*lines, b""])]) == [b"first\nsecond", b" [DONE]"]


def test_an_event_comes_as_soon_as_its_lone_cr_does() -> None:
    async def feed() -> AsyncIterator[bytes]:
        yield b"data: now\r\r"
        raise AssertionError("the reader waited for more")

    async def first() -> bytes:
        events = read_events(feed())
        event = await anext(events)
        await events.aclose()
        return event

    assert anyio.run(first) == b"now"


def test_an_event_that_the_stream_ends_in_is_dropped() -> None:
    assert _read([b"data: whole\n\ndata: half\n"]) == [b"whole"]


@pytest.mark.parametrize(
    "chunk", [b"data: " + b"x" * _MEBIBYTE, b"data: x\n" * (_MEBIBYTE // 8), b"data:\n" * 100_000]
)
def test_an_event_without_an_end_is_refused(chunk: bytes) -> None:
    sent = 0

    async def feed() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += len(chunk)
            yield chunk

    async def read() -> None:
        async for _ in read_events(feed()):
            raise AssertionError("there is no event")

    with pytest.raises(ValueError, match="too large"):
        anyio.run(read)
    assert sent < 40 * _MEBIBYTE
