"""Reads the visible text of HTML, with its headings; scripts and styles are dropped."""

from html.parser import HTMLParser

from wiki.documents.blocks import Block, Headings, Text

__all__ = ["read_html"]

_DROPPED = frozenset(
    {"script", "style", "noscript", "template", "svg", "title", "iframe", "object"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tr",
        "ul",
    }
)
_CELLS = frozenset({"td", "th"})


def read_html(text: str) -> Text:
    """Return the paragraphs of an HTML page, each at the line where it begins."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    parser.flush()
    return Text("line", tuple(parser.blocks))


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._headings = Headings()
        self._parts: list[str] = []
        self._place = 1
        self._dropped: list[str] = []
        self._heading: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropped.append(tag)
        elif tag in _HEADINGS:
            self.flush()
            self._heading = _HEADINGS[tag]
        elif tag in _BREAKS:
            self.flush()
        elif tag in _CELLS and self._parts:
            self._parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            # An end without a start is ignored, as browsers do.
            if tag in self._dropped:
                del self._dropped[self._dropped.index(tag) :]
        elif tag in _HEADINGS or tag in _BREAKS:
            self.flush()

    def handle_data(self, data: str) -> None:
        if self._dropped:
            return
        if not self._parts:
            if not data.strip():
                return
            before = data[: len(data) - len(data.lstrip())]
            self._place = self.getpos()[0] + before.count("\n")
        self._parts.append(data)

    def flush(self) -> None:
        """End the paragraph, or the heading, that is being read."""
        text = " ".join("".join(self._parts).split())
        self._parts = []
        if self._heading is not None:
            self._headings.enter(self._heading, text)
            self._heading = None
        elif text:
            self.blocks.append(Block(self._headings.path, self._place, text))
