"""The header check: what sound files say, and that no damaged one gets past it or harms it."""

import io
import os
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.wiki.tiny_gguf import CONTEXT_LENGTH, write_tiny_gguf
from wiki.engine import GgufError, GgufHeader, check_header, parse_header

_EXTREMES = (0, 1, 3, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 32, 2**64 - 1)
_HEADER_BYTES = 6_300
"""About where the tensors of the tiny model begin."""
_MEMORY = 4 * 2**20


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _entry(key: str, kind: int, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


_ARCHITECTURE = _entry("general.architecture", 8, _string("llama"))


def _tensor(name: str, shape: tuple[int, ...] = (32,), kind: int = 0, offset: int = 0) -> bytes:
    numbers = struct.pack(f"<{len(shape)}Q", *shape)
    return (
        _string(name) + struct.pack("<I", len(shape)) + numbers + struct.pack("<IQ", kind, offset)
    )


def _file(
    *entries: bytes,
    tensors: tuple[bytes, ...] = (),
    data: int = 0,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    counted = counts or (len(tensors), len(entries))
    head = b"GGUF" + struct.pack("<IQQ", version, *counted) + b"".join(entries + tensors)
    return head + bytes(-len(head) % 32 + data)


def _parse(content: bytes) -> GgufHeader:
    return parse_header(io.BytesIO(content), len(content))


def test_a_sound_file_says_what_it_is(tiny_gguf: Path) -> None:
    header = check_header(tiny_gguf)
    assert header.architecture == "llama"
    assert header.name == "tiny"
    assert header.context_length == CONTEXT_LENGTH
    assert header.has_chat_template
    assert header.tensor_count == 21
    assert header.file_size == tiny_gguf.stat().st_size


def test_a_file_may_say_little() -> None:
    header = _parse(_file(_ARCHITECTURE, version=2))
    assert (header.version, header.name, header.context_length) == (2, None, None)
    assert not header.has_chat_template
    assert header.alignment == 32


def test_an_unknown_architecture_is_the_engines_business(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "a.gguf", architecture="mixer")
    assert check_header(path).architecture == "mixer"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut short"),
        (b"GG", "cut short"),
        (b"PK\x03\x04" + bytes(60), "no GGUF file"),
        (_file(_ARCHITECTURE, version=1), "version 1"),
        (_file(_ARCHITECTURE, version=3 << 24), "big-endian"),
        (_file(_ARCHITECTURE, counts=(0, 65_537)), "65537 metadata entries"),
        (_file(_ARCHITECTURE, counts=(2**64 - 1, 1)), "tensors; at most 65536"),
        (_file(_ARCHITECTURE, counts=(0, 2))[:64], "cut short"),
        (_file(), "does not name its architecture"),
        (_file(_ARCHITECTURE, _ARCHITECTURE), "twice"),
        (_file(_entry("general.architecture", 4, bytes(4))), "no text"),
        (_file(_entry("general.architecture", 8, _string("x" * 65))), "architecture"),
        (_file(_entry("a", 8, struct.pack("<Q", 2**24 + 1))), "at most 16777216"),
        (_file(_entry("a", 8, struct.pack("<Q", 2**24))), "cut short"),
        (_file(_string("k" * 1025)), "1025 bytes in a key"),
        (_file(struct.pack("<Q", 1) + b"\xff"), "not UTF-8"),
        (_file(_entry("a", 13, bytes(8))), "unknown type 13"),
        (_file(_entry("a", 7, b"\x02")), "truth value 2"),
        (_file(_entry("a", 9, struct.pack("<IQ", 10, 2**61))), "cut short"),
        (_file(_entry("a", 9, struct.pack("<IQ", 8, 2**21 + 1))), "strings in its lists"),
        (_file(_entry("a", 9, struct.pack("<IQ", 9, 1))), "list of unknown type 9"),
        (_file(_entry("general.alignment", 4, struct.pack("<I", 48)), _ARCHITECTURE), "48"),
        (_file(_entry("general.alignment", 4, bytes(4)), _ARCHITECTURE), "alignment 0"),
        (_file(_entry("split.count", 2, struct.pack("<H", 3)), _ARCHITECTURE), "one part of"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t" * 64),)), "64 bytes in a tensor's name"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t"), _tensor("t")), data=128), "'t' twice"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t", (1,) * 5),)), "5 dimensions"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t", (32, 0)),)), "impossible shape"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t", (33,), kind=8),)), "impossible shape"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t", kind=4),)), "unknown type 4"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t", offset=8),), data=256), "alignment"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t"),), data=127), "cut short"),
        (_file(_ARCHITECTURE, tensors=(_tensor("t", offset=2**63),), data=128), "cut short"),
        # In 64 bits this product is 0.
        (_file(_ARCHITECTURE, tensors=(_tensor("t", (2**32, 2**32)),), data=128), "cut short"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_file_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(GgufError, match=reason):
        _parse(content)


def test_the_last_byte_counts(tmp_path: Path) -> None:
    content = _file(_ARCHITECTURE, tensors=(_tensor("t"),), data=128)
    assert _parse(content).tensor_count == 1
    path = tmp_path / "short.gguf"
    path.write_bytes(content[:-1])
    with pytest.raises(GgufError, match=r"short\.gguf: is cut short") as caught:
        check_header(path)
    assert caught.value.path == path


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="no such file"):
        check_header(tmp_path / "absent.gguf")
    with pytest.raises(GgufError, match=r"not a regular file|cannot be read"):
        check_header(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_does_not_hang_the_check(tmp_path: Path) -> None:
    path = tmp_path / "pipe.gguf"
    os.mkfifo(path)
    with pytest.raises(GgufError, match="not a regular file"):
        check_header(path)


def _is_judged(content: bytes, size: int) -> None:
    """Assert that a file is accepted or refused, and that either takes little memory."""
    tracemalloc.start()
    try:
        parse_header(io.BytesIO(content), size)
    except GgufError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # What the stream copies of its own content is not the reader's.
    assert peak < _MEMORY + len(content)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(
        st.one_of(
            st.tuples(
                st.integers(0, _HEADER_BYTES),
                st.sampled_from(_EXTREMES).map(lambda number: struct.pack("<Q", number)),
            ),
            st.tuples(
                st.integers(0, _HEADER_BYTES),
                st.sampled_from(_EXTREMES).map(lambda number: struct.pack("<Q", number)[:4]),
            ),
            st.tuples(st.integers(0, _HEADER_BYTES), st.binary(min_size=1, max_size=16)),
        ),
        min_size=1,
        max_size=4,
    ),
    kept=st.one_of(st.none(), st.integers(0, _HEADER_BYTES)),
    claims_more=st.booleans(),
)
@example(changes=[(8, struct.pack("<Q", 65_536))], kept=None, claims_more=True)
@example(changes=[(16, struct.pack("<Q", 65_536))], kept=None, claims_more=True)
def test_a_changed_header_is_judged_in_bounds(
    tiny_gguf: Path, changes: list[tuple[int, bytes]], kept: int | None, claims_more: bool
) -> None:
    content = bytearray(tiny_gguf.read_bytes())
    for position, replacement in changes:
        content[position : position + len(replacement)] = replacement
    del content[len(content) if kept is None else kept :]
    # A sparse file may be far longer than what is read of it.
    _is_judged(bytes(content), 2**40 if claims_more else len(content))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_noise_after_the_magic_is_judged_in_bounds(noise: bytes) -> None:
    content = b"GGUF" + struct.pack("<I", 3) + noise
    _is_judged(content, len(content))
