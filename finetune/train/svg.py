"""A line plot as SVG text: no script, no font, no file beside it."""

import html
import math
from collections.abc import Mapping, Sequence

from finetune.train.curve import CurvePoint

__all__ = ["line_plot"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 260, 60, 30, 30
_COLOURS = ("#1f6feb", "#d1242f", "#1a7f37")
_MOST = 600
"""Points of a line; more than the plot has pixels for are left out."""


def line_plot(title: str, lines: Mapping[str, Sequence[CurvePoint]], *, unit: str = "step") -> str:
    """Return an SVG with one line for each name; names without points are left out.

    Args:
        title: Stands above.
        lines: What is drawn.
        unit: What the points are numbered by.
    """
    drawn = {
        name: [p for p in points if math.isfinite(p.loss)][:: max(1, len(points) // _MOST)]
        for name, points in lines.items()
    }
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return ""
    every = [point for points in drawn.values() for point in points]
    last = max(1, *(p.step for p in every))
    low, high = min(0.0, *(p.loss for p in every)), max(p.loss for p in every)
    span = (high - low) or 1.0

    def place(point: CurvePoint) -> str:
        x = _LEFT + (_WIDTH - _LEFT - 10) * point.step / last
        y = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (point.loss - low) / span)
        return f"{x:.1f},{y:.1f}"

    base = _HEIGHT - _BOTTOM
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'aria-label="{html.escape(title)}" font-family="sans-serif" font-size="12">',
        f'<text x="{_LEFT}" y="16" font-weight="bold">{html.escape(title)}</text>',
        f'<path d="M{_LEFT} {_TOP}V{base}H{_WIDTH - 10}" fill="none" stroke="#888"/>',
        f'<text x="4" y="{_TOP + 8}">{high:.3g}</text><text x="4" y="{base}">{low:.3g}</text>',
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 10}" text-anchor="end">{html.escape(unit)}'
        f" {last}</text>",
    ]
    for at, (name, points) in enumerate(drawn.items()):
        colour = _COLOURS[at % len(_COLOURS)]
        path = " ".join(map(place, points))
        if len(points) == 1:
            x, y = path.split(",")
            parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>')
        else:
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        x = _LEFT + 160 + 120 * at
        parts.append(f'<text x="{x}" y="16" fill="{colour}">{html.escape(name)}</text>')
    return "\n".join([*parts, "</svg>\n"])
