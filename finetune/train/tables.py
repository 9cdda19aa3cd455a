"""Reports of tables under headings, as Markdown and as one HTML page that needs nothing else."""

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["Section", "html_tables", "markdown_tables"]

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left}"
    "svg{max-width:100%;height:auto}"
)


class Section(NamedTuple):
    """A table with its heading; one without rows says so."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def markdown_tables(title: str, sections: Sequence[Section]) -> str:
    """Return a report as Markdown; what cells hold is shown as it is."""
    parts = [f"# {_cell(title)}\n"]
    for name, columns, rows in sections:
        lines = [columns, tuple("---" for _ in columns), *rows]
        table = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        parts.append(f"## {name}\n\n{table if rows else 'None.'}\n")
    return "\n".join(parts)


def html_tables(
    title: str, sections: Sequence[Section], pictures: Mapping[str, Sequence[str]]
) -> str:
    """Return a report as an HTML page.

    Args:
        title: Of the page.
        sections: Its tables.
        pictures: SVG texts by the title of the section that they follow.
    """
    parts: list[str] = []
    for name, columns, rows in sections:
        lines = "".join([_row("th", columns), *(_row("td", row) for row in rows)])
        table = f"<table>\n{lines}</table>\n" if rows else "<p>None.</p>\n"
        parts.append(f"<h2>{html.escape(name)}</h2>\n{table}")
        parts += pictures.get(name, ())
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
