"""What all parts of the documentation write with: texts that are no syntax, tables, links.

Every text of a declaration goes through here: keys of the environment become `${NAME}`, and
nothing in it can end a table, a block or a line, or be HTML.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from unicodedata import category

from declarative.describe.places import Places
from declarative.modules import public_name
from swarm import Callback, Catalog, Kind
from swarm.functions import function_name
from swarm.secrets import hide

__all__ = ["Writer", "fenced", "heading", "table"]

_SIGNS = re.compile(r"([\\`*_{}\[\]#|])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "~": "&#126;"}
_FIRST = re.compile(r"^(?:[-+=]|\d+(?=[.)]))")
"""What makes a list or a heading of a line that begins with it."""
_NO_TEXT = ("Cc", "Cs")
"""Control characters, and halves of characters."""
_FREE_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes about one catalog, on one page."""

    catalog: Catalog
    places: Places = field(default_factory=Places)
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    """The values that show as `${NAME}`."""
    page: str = ""
    """The page that is written; empty for the only one."""
    level: int = 1
    """The level of the page's next heading."""

    def on(self, page: str, level: int = 1) -> "Writer":
        """Return a writer of another page."""
        return replace(self, page=page, level=level)

    def below(self, levels: int = 1) -> "Writer":
        """Return a writer of what stands under a heading of this one's."""
        return replace(self, level=self.level + levels)

    def title(self, text: str, name: str | None = None) -> str:
        """Return a heading: what it is, and its name."""
        return heading(self.level, text if name is None else f"{text} {self.code(name)}")

    def clean(self, text: str) -> str:
        """Return a text without keys, private module names and control characters."""
        shown = hide(public_name(text), self.secrets)
        return "".join(sign for sign in shown if sign in "\n\t" or category(sign) not in _NO_TEXT)

    def text(self, text: str) -> str:
        """Return one line of plain text."""
        shown = _SIGNS.sub(r"\\\1", " ".join(self.clean(text).split()))
        shown = "".join(_HTML.get(sign, sign) for sign in shown)
        first = _FIRST.match(shown)
        if first is None:
            return shown
        end = first.end()
        return f"{shown[:end]}\\{shown[end:]}" if first[0].isdigit() else f"\\{shown}"

    def code(self, text: str) -> str:
        """Return inline code."""
        shown = " ".join(self.clean(text).split()) or " "
        ticks = "`" * (1 + _longest("`", shown))
        space = " " if "`" in shown else ""
        return f"{ticks}{space}{shown}{space}{ticks}"

    def quote(self, text: str) -> str:
        """Return what somebody says, word by word."""
        return f"“{self.text(text)}”"

    def function(self, function: Callback) -> str:
        """Return what a function is called."""
        return self.code(function_name(function))

    def fence(self, text: str) -> str:
        """Return a block of text as it stands."""
        return fenced(self.clean(text), "text")

    def link(self, kind: Kind[Any], name: str) -> str:
        """Return a name that leads to what describes it."""
        if name not in self.catalog.registry(kind):
            return f"{self.code(name)} (not declared)"
        address = self.places.address(kind, name, self.page)
        return self.code(name) if address is None else f"[{self.code(name)}]({address})"

    def links(self, kind: Kind[Any], names: Iterable[str]) -> str:
        """Return several names, each of which leads to what describes it."""
        return ", ".join(self.link(kind, name) for name in dict.fromkeys(names))

    def codes(self, texts: Iterable[str], most: int = 40) -> str:
        """Return several texts; of very many only the first, and how many more there are."""
        shown = list(texts)
        more = f" and {len(shown) - most} more" if len(shown) > most else ""
        return ", ".join(self.code(text) for text in shown[:most]) + more


def heading(level: int, text: str) -> str:
    """Return a heading."""
    return f"{'#' * min(level, 6)} {text}"


def fenced(text: str, language: str) -> str:
    """Return a block that the text in it cannot end."""
    ticks = "`" * max(3, 1 + _longest("`", text))
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; columns without any text are left out, but for the first."""
    lines = [tuple(row) for row in rows]
    kept = [n for n in range(len(head)) if n == 0 or any(row[n] for row in lines)]
    rule = ["---"] * len(head)
    return "\n".join(
        "| " + " | ".join(_FREE_BAR.sub(r"\\|", line[n]) for n in kept) + " |"
        for line in (head, rule, *lines)
    )


def _longest(sign: str, text: str) -> int:
    return max((len(run) for run in re.findall(f"{sign}+", text)), default=0)
