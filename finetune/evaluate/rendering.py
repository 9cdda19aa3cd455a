"""Writes a comparison as Markdown, as one HTML page that needs nothing else, or as JSON.

What models wrote is text there and nothing more: no mark-up of it takes effect.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from finetune.evaluate.comparison import Comparison
from finetune.evaluate.page import Section, Table, sections
from swarm.errors import DataError, StoreError
from swarm.files import write_atomically

__all__ = ["to_html", "to_markdown", "write_report"]

_MARKS = "\\`*_{}[]<>#|!~$&"
_STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}
table.numbers td:not(:first-child){font-variant-numeric:tabular-nums}
td{white-space:pre-wrap;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}th,td{border-color:#444}}"""


def to_markdown(comparison: Comparison) -> str:
    """Return the report as Markdown."""
    lines = [f"# {_marked(_title(comparison))}", ""]
    for section in sections(comparison):
        lines += [f"## {section.title}", ""]
        if section.sentences:
            lines += [*(f"- {_marked(sentence)}" for sentence in section.sentences), ""]
        if section.table is not None:
            lines += [*_markdown_table(section.table), ""]
    return "\n".join(lines)


def to_html(comparison: Comparison) -> str:
    """Return the report as one page: no script, and nothing that is loaded from elsewhere."""
    title = escape(_title(comparison))
    body = "\n".join(_html_section(section) for section in sections(comparison))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def write_report(comparison: Comparison, path: Path) -> None:
    """Write a report; the file's ending says how: `.md`, `.html` or `.json`.

    Raises:
        DataError: The ending is another one.
        StoreError: The file cannot be written.
    """
    if path.suffix not in _WRITERS:
        raise DataError(f"{path}: a report ends with {', '.join(_WRITERS)}")
    text = _WRITERS[path.suffix](comparison)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _to_json(comparison: Comparison) -> str:
    return comparison.model_dump_json(indent=2) + "\n"


_WRITERS: Mapping[str, Callable[[Comparison], str]] = {
    ".md": to_markdown,
    ".html": to_html,
    ".json": _to_json,
}


def _title(comparison: Comparison) -> str:
    return f"Evaluation of {comparison.candidate.model} beside {comparison.baseline.model}"


def _marked(text: str) -> str:
    """Return a text as Markdown that shows it, on one line."""
    flat = " ".join(text.split())
    return "".join(f"\\{character}" if character in _MARKS else character for character in flat)


def _markdown_table(table: Table) -> list[str]:
    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(_marked(cell) for cell in cells)} |"

    kind = "---:" if table.is_numeric else "---"
    rule = ["---", *[kind] * (len(table.columns) - 1)]
    return [row(table.columns), f"|{'|'.join(rule)}|", *(row(cells) for cells in table.rows)]


def _html_section(section: Section) -> str:
    parts = [f"<section>\n<h2>{escape(section.title)}</h2>"]
    if section.sentences:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in section.sentences)
        parts.append(f"<ul>{items}</ul>")
    if section.table is not None:
        head = "".join(f"<th>{escape(name)}</th>" for name in section.table.columns)
        rows = "\n".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
            for cells in section.table.rows
        )
        kind = ' class="numbers"' if section.table.is_numeric else ""
        parts.append(f"<table{kind}>\n<tr>{head}</tr>\n{rows}\n</table>")
    return "\n".join([*parts, "</section>"])
