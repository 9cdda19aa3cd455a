"""Bar charts as SVG, drawn by hand: no script, no font, no address. Colours come from the page."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from finetune.dataset.report import FieldTokens

__all__ = ["Bar", "bars", "columns", "ranges"]

_WIDTH = 640
_ROW = 28
_NAMES = 190  # pixels for the names at the left
_VALUES = 90  # pixels for one figure at the right
_THREE = 150  # pixels for three of them


class Bar(NamedTuple):
    """One bar."""

    name: str
    value: int
    kind: str = "plain"
    """A CSS class: `plain`, `error` or `warning`."""


def bars(title: str, items: Sequence[Bar]) -> str:
    """Return horizontal bars, one below the other."""
    most = max((item.value for item in items), default=0)
    space = _WIDTH - _NAMES - _VALUES
    parts: list[str] = []
    for at, item in enumerate(items):
        y = at * _ROW
        width = max(space * item.value / most, 2) if most else 2
        parts.append(
            f'<text x="{_NAMES - 10}" y="{y + 18}" text-anchor="end">{_name(item.name)}</text>'
            f'<rect class="{item.kind}" x="{_NAMES}" y="{y + 5}" width="{width:.1f}" height="18"'
            f' rx="3"><title>{escape(item.name)}: {item.value:,}</title></rect>'
            f'<text class="value" x="{_NAMES + width + 8:.1f}" y="{y + 18}">{item.value:,}</text>'
        )
    return _svg(title, len(items) * _ROW + 4, parts)


def columns(title: str, items: Sequence[Bar]) -> str:
    """Return upright columns side by side, for a distribution."""
    height, most = 180, max((item.value for item in items), default=0)
    step = _WIDTH / max(len(items), 1)
    wide = min(step - 6, 90)
    parts = [f'<line x1="0" y1="{height + 20}" x2="{_WIDTH}" y2="{height + 20}"/>']
    for at, item in enumerate(items):
        tall = height * item.value / most if most else 0
        middle = at * step + step / 2
        parts.append(
            f'<rect class="{item.kind}" x="{middle - wide / 2:.1f}" y="{height + 20 - tall:.1f}"'
            f' width="{wide:.1f}" height="{tall:.1f}" rx="3">'
            f"<title>{escape(item.name)}: {item.value:,}</title></rect>"
            f'<text class="value" x="{middle:.1f}" y="{height + 14 - tall:.1f}"'
            f' text-anchor="middle">{item.value:,}</text>'
            f'<text x="{middle:.1f}" y="{height + 38}" text-anchor="middle">'
            f"{escape(item.name)}</text>"
        )
    return _svg(title, height + 46, parts)


def ranges(title: str, fields: Sequence[FieldTokens]) -> str:
    """Return, for each field, a line from the shortest to the longest and a mark at the median.

    On a scale of square roots, since the longest is often a hundred times the shortest.
    """
    most = max((field.maximum for field in fields), default=1)
    space = _WIDTH - _NAMES - _THREE

    def place(tokens: float) -> float:
        return _NAMES + space * (tokens / most) ** 0.5 if most else float(_NAMES)

    parts: list[str] = []
    for at, field in enumerate(fields):
        y = at * _ROW
        low, high, middle = place(field.minimum), place(field.maximum), place(field.median)
        figures = f"{field.minimum:,} / {field.median:,.0f} / {field.maximum:,}"
        parts.append(
            f'<text x="{_NAMES - 10}" y="{y + 18}" text-anchor="end">{_name(field.field)}</text>'
            f'<rect class="range" x="{low:.1f}" y="{y + 10}" width="{max(high - low, 2):.1f}"'
            f' height="8" rx="4"><title>{escape(field.field)}: {figures}</title></rect>'
            f'<circle cx="{middle:.1f}" cy="{y + 14}" r="6"/>'
            f'<text class="value" x="{high + 10:.1f}" y="{y + 18}">{figures}</text>'
        )
    return _svg(title, len(fields) * _ROW + 4, parts)


def _name(text: str) -> str:
    return escape(text if len(text) <= 27 else text[:26] + "\u2026")


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
