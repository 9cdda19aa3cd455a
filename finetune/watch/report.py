"""The report of a watch, as Markdown and as one HTML page that needs nothing else.

Everything in it comes from the state and the alarms, so it can be written at any time.
"""

import time
from pathlib import Path

from finetune.train.curve import CurvePoint
from finetune.train.svg import line_plot
from finetune.train.tables import Section, html_tables, markdown_tables
from finetune.watch.alarm import Alarm
from finetune.watch.changepoint import threshold
from finetune.watch.state import WatchState, read_alarms, read_state
from finetune.watch.stream import Stream
from swarm.errors import StoreError
from swarm.files import write_atomically

__all__ = ["write_watch_report"]

_DAY = "%Y-%m-%d %H:%M"


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
        write_atomically(markdown, markdown_tables(title, sections))
        write_atomically(page, html_tables(title, sections, {"Models": pictures}))
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror or error}") from error
    return markdown, page


def _sections(state: WatchState, alarms: list[Alarm]) -> list[Section]:
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
        Section(
            "Models", ("model", "answers", "ratings", "mean of the last 100", "evidence"), models
        ),
        Section("Alarms", ("number", "UTC", "signal", "what moved", "what was done"), told),
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
