"""Where a text may be cut: after sentences and paragraphs of prose, and nowhere else."""

import json
import re
from collections.abc import Iterator

__all__ = ["cut_text", "is_json"]

_END = re.compile(
    r"[.!?\u2026]+[\"')\]\u201d\u00bb]*(?=\s|$)|[\u3002\uff01\uff1f]+[\u300d\u300f]*|(?<![:\n])\n(?=\n)"
)
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)", re.MULTILINE)
_INLINE = re.compile(r"`[^`\n]+`|\$\$.+?\$\$|\[[^\]\n]{0,200}\]\([^)\n]{0,400}\)", re.DOTALL)
_TABLE = re.compile(r"^[ \t]*\|.*$", re.MULTILINE)
# What ends with a full stop and no sentence: short forms, initials, and numbers of lists.
_SHORT_FORM = re.compile(
    r"(?:^|[\s(\u3002\uff01\uff1f\u300d\u300f])"
    r"(?:[A-Za-z]|\d+|dr|mr|mrs|ms|prof|st|no|nr|vs|etc|e\.g|i\.e|z\.b|d\.h|u\.a|bzw|ca|approx"
    r"|fig|inc|ltd|tel|str|incl|inkl|ggf|usw|bspw)\.$",
    re.IGNORECASE,
)


def cut_text(text: str, most: int) -> str | None:
    """Return the start of a text up to a sentence's end, or None where it has none to cut at.

    Code blocks, inline code, formulas, links, tables and bracketed data stay whole.

    Args:
        text: The text.
        most: The most characters to keep; at least half as many are kept.
    """
    if is_json(text):
        return None
    # Only what reaches into where a cut may be.
    closed = [(start, stop) for start, stop in _closed(text) if start < most and stop > most // 2]
    best: int | None = None
    for match in _END.finditer(text, 0, min(len(text), most + 1)):
        end = match.end()
        if end > most:
            break
        if end < most // 2 or _SHORT_FORM.search(text, max(0, end - 12), end):
            continue
        if not any(start < end < stop for start, stop in closed):
            best = end
    return None if best is None else text[:best].rstrip()


def is_json(text: str) -> bool:
    """Tell whether a text as a whole is a JSON object or list."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _closed(text: str) -> Iterator[tuple[int, int]]:
    """Yield what may not be cut."""
    open_at: int | None = None
    mark = ""
    for match in _FENCE.finditer(text):
        if open_at is None:
            open_at, mark = match.start(), match[1]
        elif match[1].startswith(mark):
            yield open_at, match.end()
            open_at = None
    if open_at is not None:
        yield open_at, len(text)
    for pattern in (_INLINE, _TABLE):
        for match in pattern.finditer(text):
            yield match.span()
    yield from _bracketed(text)


def _bracketed(text: str) -> Iterator[tuple[int, int]]:
    """Yield braces and square brackets with what is between; an open one reaches to the end."""
    opened: list[int] = []
    for match in re.finditer(r"[{}\[\]]", text):
        if match[0] in "{[":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            if not opened:
                yield start, match.end()
    if opened:
        yield opened[0], len(text)
