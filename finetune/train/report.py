"""The report of a run, as Markdown and as one HTML page that needs nothing else.

Everything in it comes from the run folder, so a report can be written at any time.
"""

import json
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from finetune.train.config import TrainConfig, TrainProgress
from finetune.train.curve import CurvePoint, CurveReading, read_curve
from finetune.train.svg import line_plot
from finetune.train.tables import Section, html_tables, markdown_tables
from swarm.errors import DataError
from swarm.files import write_atomically

__all__ = ["RunRecord", "read_run", "write_report"]

_ROWS = 20
"""Rows of the table of metrics in Markdown, at most."""


class RunRecord(NamedTuple):
    """What a run folder says about its run."""

    config: TrainConfig
    reports: list[TrainProgress]
    """Every step and measurement, in order."""
    done: dict[str, JsonValue]
    """The last report; empty while the run is not finished."""
    reading: CurveReading


def read_run(run_dir: Path) -> RunRecord:
    """Return the record of a run, finished or not.

    Raises:
        DataError: The folder holds no run.
    """
    try:
        config = TrainConfig.model_validate_json((run_dir / "config.json").read_bytes())
        lines = (run_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        reports: list[TrainProgress] = []
        done: dict[str, JsonValue] = {}
        for line in lines:
            values: dict[str, JsonValue] = json.loads(line)
            if isinstance(end := values.get("done"), dict):
                done = end
            else:
                reports.append(TrainProgress.model_validate(values))
    except (OSError, ValidationError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{run_dir} is no training run, or a damaged one: {reason}") from None
    reading = read_curve(_training(reports), _validation(reports))
    return RunRecord(config, reports, done, reading)


def write_report(run_dir: Path) -> tuple[Path, Path]:
    """Write report.md and report.html into a run folder, and return their paths.

    Raises:
        DataError: The folder holds no run.
        OSError: A file cannot be written.
    """
    record = read_run(run_dir)
    markdown, page = run_dir / "report.md", run_dir / "report.html"
    title, sections = "Training report", _sections(record)
    write_atomically(markdown, markdown_tables(title, sections))
    plots = {"Verdict": _plots(record.reports)}
    write_atomically(page, html_tables(title, sections, plots))
    return markdown, page


def _sections(record: RunRecord) -> list[Section]:
    config, reports, done = record.config, record.reports, record.done
    reading = record.reading
    verdict = [
        ("verdict", reading.verdict),
        ("why", reading.reason),
        ("what to change", reading.fix),
    ]
    usual = TrainConfig().model_dump(mode="json")
    settings = [
        (name, _text(value), "" if value == usual[name] else "changed")
        for name, value in config.model_dump(mode="json").items()
    ]
    last = reports[-1] if reports else None
    speed = [r.tokens_per_second for r in reports if r.tokens_per_second is not None]
    resources = [
        ("seconds", _text(done.get("seconds", last.seconds if last else None))),
        ("CPU seconds", _text(done.get("cpu_seconds"))),
        ("highest memory, MB", _text(done.get("memory_mb", last.memory_mb if last else None))),
        ("tokens per second", _text(speed[-1] if speed else None)),
        ("weights", _text(done.get("parameters"))),
        ("rows", _text(done.get("rows"))),
        ("processes", _text(config.processes)),
    ]
    measured = [r for r in reports if r.eval_loss is not None]
    best = min(measured, key=lambda r: r.eval_loss or 0.0, default=None)
    checkpoints = [
        (_text(r.step), _text(r.eval_loss), "best, kept in model/" if r is best else "")
        for r in measured
    ]
    sections = [
        Section("Verdict", ("", ""), verdict),
        Section("Configuration", ("field", "value", ""), settings),
        Section("Resources", ("", ""), resources),
        Section("Checkpoints", ("step", "validation loss", ""), checkpoints),
        Section(
            "Metrics",
            ("step", "epoch", "training loss", "validation loss", "learning rate", "seconds"),
            [_metrics(report) for report in _thinned(reports)],
        ),
    ]
    return [section for section in sections if section.rows]


def _metrics(report: TrainProgress) -> tuple[str, ...]:
    rate = "" if report.learning_rate is None else f"{report.learning_rate:.3g}"
    measured = "" if report.eval_loss is None else f"{report.eval_loss:.4f}"
    loss = f"{report.loss:.4f}"
    return (str(report.step), f"{report.epoch:g}", loss, measured, rate, f"{report.seconds:.1f}")


def _thinned(reports: list[TrainProgress]) -> list[TrainProgress]:
    """Return reports evenly over the run, and every measurement up to the same number."""
    every = max(1, -(-len(reports) // _ROWS))
    return [r for at, r in enumerate(reports) if at % every == 0 or r is reports[-1]]


def _plots(reports: list[TrainProgress]) -> list[str]:
    return [
        line_plot("Loss", {"training": _training(reports), "validation": _validation(reports)}),
        line_plot(
            "Learning rate",
            {
                "learning rate": [
                    CurvePoint(r.step, r.learning_rate)
                    for r in reports
                    if r.learning_rate is not None
                ]
            },
        ),
    ]


def _text(value: JsonValue) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _training(reports: list[TrainProgress]) -> list[CurvePoint]:
    return [CurvePoint(r.step, r.loss) for r in reports if r.eval_loss is None]


def _validation(reports: list[TrainProgress]) -> list[CurvePoint]:
    return [CurvePoint(r.step, r.eval_loss) for r in reports if r.eval_loss is not None]
