"""Reads Markdown by its headings, and plain text by its paragraphs."""

import re

from wiki.documents.blocks import Block, Headings, Text

__all__ = ["read_markdown", "read_text"]

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def read_markdown(text: str) -> Text:
    """Return the paragraphs of a Markdown text, fenced code whole, front matter left out."""
    lines = text.splitlines()
    reader = _Reader()
    start = _front_matter(lines)
    fence: str | None = None
    for index in range(start, len(lines)):
        line, number = lines[index], index + 1
        if fence is not None:
            reader.add(number, line)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        elif match := _FENCE.match(line):
            fence = match[1]
            reader.add(number, line)
        elif match := _HEADING.fullmatch(line):
            reader.close()
            reader.headings.enter(len(match[1]), (match[2] or "").strip())
        elif reader.is_one_line and (match := _UNDERLINE.fullmatch(line)):
            # The line above was no paragraph but a heading that is underlined.
            reader.headings.enter(1 if match[1][0] == "=" else 2, reader.take())
        elif line.strip():
            reader.add(number, line)
        else:
            reader.close()
    reader.close()
    return Text("line", tuple(reader.blocks))


def read_text(text: str) -> Text:
    """Return the paragraphs of a plain text."""
    reader = _Reader()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            reader.add(number, line)
        else:
            reader.close()
    reader.close()
    return Text("line", tuple(reader.blocks))


class _Reader:
    def __init__(self) -> None:
        self.headings = Headings()
        self.blocks: list[Block] = []
        self._lines: list[str] = []
        self._place = 1

    @property
    def is_one_line(self) -> bool:
        return len(self._lines) == 1

    def add(self, number: int, line: str) -> None:
        if not self._lines:
            self._place = number
        self._lines.append(line.rstrip())

    def take(self) -> str:
        text = "\n".join(self._lines).strip()
        self._lines = []
        return text

    def close(self) -> None:
        place = self._place
        if text := self.take():
            self.blocks.append(Block(self.headings.path, place, text))


def _front_matter(lines: list[str]) -> int:
    """Return the index of the first line behind the settings that some tools put on top."""
    if lines and lines[0].strip() == "---":
        for index, line in enumerate(lines[1:], start=1):
            if line.strip() in ("---", "..."):
                return index + 1
    return 0
