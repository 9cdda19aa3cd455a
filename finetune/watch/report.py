"""The report of a watch, as Markdown and as one HTML page that needs nothing else.

Everything in it comes from the state and the alarms, so it can be written at any time.
"""

import html
import time
from pathlib import Path
from typing import NamedTuple

from finetune.train.curve import CurvePoint
from finetune.train.svg import line_plot
from finetune.watch.alarm import Alarm
from finetune.watch.changepoint import threshold
from finetune.watch.state import WatchState, read_alarms, read_state
from finetune.watch.stream import Stream
from swarm.errors import StoreError
from swarm.files import write_atomically

__all__ = ["write_watch_report"]

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left}"
    "svg{max-width:100%;height:auto}"
)
_DAY = "%Y-%m-%d %H:%M"


class _Section(NamedTuple):
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def write_watch_report(
    folder: Path, wiki_name: str, *, false_alarms: float = 0.025
) -> tuple[Path, Path]:
    """Write report.md and report.html beside a wiki's state, and return their paths.

    Args:
        folder: What `watch_folder` returns.
        wiki_name: The wiki.
        false_alarms: That of the wiki's `watch`; where the line of the alarm is drawn.

    Raises:
        DataError: The state is damaged.
        StoreError: A file cannot be read or written.
    """
    state, alarms = read_state(folder), read_alarms(folder)
    title = f"Watch of {wiki_name}"
    sections = _sections(state, alarms)
    markdown, page = folder / "report.md", folder / "report.html"
    pictures = [
        picture
        for model, stream in state.streams.items()
        for picture in _pictures(model, stream, threshold(false_alarms))
    ]
    try:
        write_atomically(markdown, _markdown(title, sections))
        write_atomically(page, _html(title, sections, pictures))
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror or error}") from error
    return markdown, page


def _sections(state: WatchState, alarms: list[Alarm]) -> list[_Section]:
    models = [
        (
            model,
            f"{stream.answers:,}",
            f"{stream.rated:,}",
            f"{stream.points[-1].recent:.2f}" if stream.points else "-",
            f"{stream.points[-1].evidence:.1f}" if stream.points else "-",
        )
        for model, stream in state.streams.items()
    ]
    told = [
        (
            str(alarm.number),
            time.strftime(_DAY, time.gmtime(alarm.at)),
            alarm.signal,
            alarm.message,
            f"{alarm.action}: {alarm.outcome}",
        )
        for alarm in reversed(alarms)
    ]
    return [
        _Section(
            "Models", ("model", "answers", "ratings", "mean of the last 100", "evidence"), models
        ),
        _Section("Alarms", ("number", "UTC", "signal", "what moved", "what was done"), told),
    ]


def _pictures(model: str, stream: Stream, limit: float) -> list[str]:
    points = stream.points
    if not points:
        return []
    ends = (points[0].rated, points[-1].rated)
    ratings = [CurvePoint(point.rated, point.recent) for point in points]
    evidence = [CurvePoint(point.rated, point.evidence) for point in points]
    line = [CurvePoint(at, limit) for at in ends]
    return [
        line_plot(f"{model}: ratings", {"last 100": ratings}, unit="rating"),
        line_plot(
            f"{model}: evidence of a fall", {"evidence": evidence, "alarm": line}, unit="rating"
        ),
    ]


def _markdown(title: str, sections: list[_Section]) -> str:
    parts = [f"# {_cell(title)}\n"]
    for name, columns, rows in sections:
        lines = [columns, tuple("---" for _ in columns), *rows]
        table = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        parts.append(f"## {name}\n\n{table if rows else 'None.'}\n")
    return "\n".join(parts)


def _html(title: str, sections: list[_Section], pictures: list[str]) -> str:
    parts: list[str] = []
    for name, columns, rows in sections:
        lines = "".join([_row("th", columns), *(_row("td", row) for row in rows)])
        table = f"<table>\n{lines}</table>\n" if rows else "<p>None.</p>\n"
        parts.append(f"<h2>{html.escape(name)}</h2>\n{table}")
        if name == "Models":
            parts += pictures
    title = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{title}</h1>\n{''.join(parts)}</body></html>\n"
    )


def _row(kind: str, cells: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{kind}>{html.escape(cell)}</{kind}>' for cell in cells)}</tr>\n"


def _cell(text: str) -> str:
    # A cell of Markdown ends at a bar or a line end, and may hold HTML.
    escaped = text.replace("|", "\\|").replace("\n", " ")
    return escaped.replace("&", "&amp;").replace("<", "&lt;")
