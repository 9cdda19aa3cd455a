"""A Dataset Validation Report as one HTML page that needs nothing else: no script, no address.

Everything that comes from the file is escaped, and the page's own policy forbids to load anything.
"""

from collections.abc import Sequence
from html import escape

from finetune.dataset.charts import Bar, bars, columns, ranges
from finetune.dataset.report import DatasetReport
from finetune.dataset.report_tables import (
    TITLE,
    closing,
    finding_rows,
    output_rows,
    quality_checks,
    summary_rows,
    token_rows,
)
from finetune.dataset.write import WrittenFile

__all__ = ["html"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dfe7;
  --page: #ffffff; --card: #f6f8fb; --bar: #3b74c9; --bad: #c23b3b; --warn: #b57a12;
  --good: #23804a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b5; --line: #333c48;
  --page: #14181e; --card: #1c222a; --bar: #6a9fe8; --bad: #ee7b7b; --warn: #dba94b;
  --good: #5cc98a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 60rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; }
h2 { margin: 2.25rem 0 .6rem; font-size: 1.15rem; }
p.source { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
p.verdict { margin: 1.25rem 0 0; padding: .7rem 1rem; border-left: 4px solid var(--good);
  background: var(--card); }
p.verdict.fail { border-color: var(--bad); }
div.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td:first-child { white-space: nowrap; }
table.figures th:not(:first-child), table.figures td:not(:first-child) { text-align: right;
  font-variant-numeric: tabular-nums; }
.PASS, .OK { color: var(--good); font-weight: 600; }
.FAIL { color: var(--bad); font-weight: 600; }
.LOOK { color: var(--warn); font-weight: 600; }
figure { margin: 0 0 1.25rem; padding: 1rem; background: var(--card); border-radius: 8px; }
figcaption { margin-bottom: .6rem; font-weight: 600; font-size: .92rem; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg text.value { fill: var(--soft); }
svg line { stroke: var(--line); } svg rect.plain, svg circle { fill: var(--bar); }
svg rect.range { fill: var(--bar); opacity: .35; }
svg rect.error { fill: var(--bad); } svg rect.warning { fill: var(--warn); }
footer { margin-top: 2.5rem; color: var(--soft); }
"""


def html(
    report: DatasetReport,
    *,
    date: str,
    outputs: Sequence[WrittenFile] = (),
    duplicates_removed: int = 0,
) -> str:
    """Return the page; see `DatasetReport.html`."""
    verdict = "" if report.is_ok else " fail"
    checks = [
        (check.name, "PASS" if check.is_passed else "FAIL", check.details)
        for check in quality_checks(report)
    ]
    guidance = [
        (item.aspect, "OK" if item.is_good else "LOOK", item.text, item.hint)
        for item in report.guidance
    ]
    places = ("Place", "Code", "What")
    body = [
        f"<h1>{TITLE}</h1>",
        f'<p class="source">{_text(date)} &middot; {_text(report.path)}</p>',
        f'<p class="verdict{verdict}">{_text(closing(report))}</p>',
        _table("Summary", ("Metric", "Value"), summary_rows(report, duplicates_removed)),
        _table("Quality Checks", ("Check", "Status", "Details"), checks),
        *_charts(report),
        _table(
            "Token Statistics",
            ("Field", "Min", "Max", "Mean", "Median"),
            token_rows(report.fields),
            kind="figures",
        ),
        _table("Guidance", ("Aspect", "Status", "Measured", "Hint"), guidance),
        _table("Output Files", ("File", "Rows", "Bytes", "SHA-256"), output_rows(outputs)),
        _table("Errors", places, finding_rows(report, "error")),
        _table("Warnings", places, finding_rows(report, "warning")),
        f"<footer>{_text(closing(report))}</footer>",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _charts(report: DatasetReport) -> list[str]:
    charts: list[str] = ["<h2>Charts</h2>"] if report.rows or report.codes else []
    if report.lengths:
        items = [Bar(f"{_short(b.low)}-{_short(b.high + 1)}", b.rows) for b in report.lengths]
        charts.append(_figure("Rows by length in tokens", columns("Rows by length", items)))
    if report.fields:
        title = "Tokens by field: shortest, median, longest"
        charts.append(_figure(title, ranges(title, report.fields)))
    if report.roles:
        items = [Bar(role, count) for role, count in report.roles.items()]
        charts.append(_figure("Messages by role", bars("Messages by role", items)))
    if report.labels:
        items = [Bar(label, count) for label, count in report.labels.items()]
        charts.append(_figure("Rows by label", bars("Rows by label", items)))
    if report.codes:
        items = [
            Bar(code, count, "error" if code in report.errors else "warning")
            for code, count in sorted(report.codes.items(), key=lambda item: (-item[1], item[0]))
        ]
        charts.append(_figure("Findings by code", bars("Findings by code", items)))
    return charts


def _short(number: int) -> str:
    """Return a bound of a bin, a power of two, in few characters."""
    for unit, name in ((1 << 20, "M"), (1 << 10, "k")):
        if number >= unit:
            return f"{number // unit}{name}"
    return str(number)


def _figure(title: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{chart}</figure>"


def _table(
    title: str, names: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "plain"
) -> str:
    head = f"<h2>{escape(title)}</h2>"
    if not rows:
        return f"{head}<p>None.</p>"
    cells = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return (
        f'{head}<div class="wide"><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    if text in ("PASS", "FAIL", "OK", "LOOK"):
        return f'<td class="{text}">{text}</td>'
    return f"<td>{_text(text)}</td>"


def _text(text: str) -> str:
    # Marks that turn the direction of writing could make a page read otherwise than it is.
    return escape("".join(c if c.isprintable() else " " for c in text))
