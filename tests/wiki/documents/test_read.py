"""Every format is read into paragraphs with headings and places, or refused with a reason."""

from pathlib import Path

import pytest

from swarm.errors import DataError
from tests.wiki.documents.corpus import write_pdf
from wiki.documents import pdf, read
from wiki.documents.blocks import Block
from wiki.documents.read import read_file


def _read(folder: Path, name: str, content: str | bytes) -> tuple[Block, ...]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_file(path).blocks


def test_markdown_is_read_by_its_headings(tmp_path: Path) -> None:
    text = """\
---
title: not text
---
Intro, first line,
second line.

# Shop #
## Hours
Nine to five.

* Saturday too

Prices
------
Low.

```sh
# no heading

still the same block
```
### Deep
Down.
# Other
Last.
"""
    assert _read(tmp_path, "a.md", text) == (
        Block("", 4, "Intro, first line,\nsecond line."),
        Block("Shop > Hours", 9, "Nine to five."),
        Block("Shop > Hours", 11, "* Saturday too"),
        Block("Shop > Prices", 15, "Low."),
        Block("Shop > Prices", 17, "```sh\n# no heading\n\nstill the same block\n```"),
        Block("Shop > Prices > Deep", 23, "Down."),
        Block("Other", 25, "Last."),
    )


def test_plain_text_is_read_by_its_paragraphs(tmp_path: Path) -> None:
    assert _read(tmp_path, "a.txt", "One\ntwo.\r\n\r\n\r\n# Three\n") == (
        Block("", 1, "One\ntwo."),
        Block("", 5, "# Three"),
    )


def test_html_is_read_without_what_nobody_sees(tmp_path: Path) -> None:
    page = """<html><head><title>T</title><style>p {}</style><script>if (1 < 2) steal()</script>
</head><body><h1>Shop <b>A</b></h1>
<p>Jos&eacute; &amp; bar,
  open.<svg><text>drawing</text></svg></p><h2>Prices</h2>
<table><tr><th>Tea</th><td>2</td></tr><tr><td>Milk</td><td>1</td></tr></table>
<noscript>turn it on</noscript></script><div>End<br>of page</div>"""
    assert _read(tmp_path, "a.html", page) == (
        Block("Shop A", 3, "José & bar, open."),
        Block("Shop A > Prices", 5, "Tea | 2"),
        Block("Shop A > Prices", 5, "Milk | 1"),
        Block("Shop A > Prices", 6, "End"),
        Block("Shop A > Prices", 6, "of page"),
    )
    assert _read(tmp_path, "b.html", "<p>seen<script>never closed <p>hidden") == (
        Block("", 1, "seen"),
    )


def test_html_says_its_encoding(tmp_path: Path) -> None:
    page = '<meta charset="iso-8859-1"><p>Käse</p>'.encode("latin-1")
    assert _read(tmp_path, "a.html", page) == (Block("", 1, "Käse"),)


def test_a_pdf_is_read_by_its_pages(tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", [["First page", "second line"], [], ["Third page"]])
    text = read_file(tmp_path / "a.pdf")
    assert text.unit == "page"
    assert text.blocks == (Block("", 1, "First page\nsecond line"), Block("", 3, "Third page"))


def test_a_byte_order_mark_is_understood(tmp_path: Path) -> None:
    assert _read(tmp_path, "a.md", "# Tür\nzu".encode("utf-16")) == (Block("Tür", 2, "zu"),)
    assert _read(tmp_path, "b.md", b"\xef\xbb\xbf# A\nb") == (Block("A", 2, "b"),)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", b"\xe9t\xe9", "not text in utf-8; save it as UTF-8"),
        ("a.txt", b"a\0b", "holds bytes that are no text"),
        ("a.html", b'<meta charset="no-such">x', "not text in no-such; save it as UTF-8"),
        ("a.pdf", b"no pdf at all", "the PDF cannot be read"),
        ("b.pdf", b"%PDF-1.4\ntruncated", "the PDF cannot be read"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        _read(tmp_path, name, content)


def test_a_pdf_without_text_is_refused(tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", [[]])
    with pytest.raises(DataError, match="text recognition"):
        read_file(tmp_path / "a.pdf")


def test_a_locked_pdf_is_refused(tmp_path: Path) -> None:
    import pypdf

    write_pdf(tmp_path / "a.pdf", [["Secret"]])
    writer = pypdf.PdfWriter(clone_from=tmp_path / "a.pdf")
    writer.encrypt("password", algorithm="RC4-128")
    with (tmp_path / "b.pdf").open("wb") as file:
        writer.write(file)
    with pytest.raises(DataError, match=r"locked|cannot be read"):
        read_file(tmp_path / "b.pdf")


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pdf(tmp_path / "a.pdf", [["One"], ["Two"]])
    monkeypatch.setattr(pdf, "MAX_PAGES", 1)
    with pytest.raises(DataError, match="more than 1 pages"):
        read_file(tmp_path / "a.pdf")
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    monkeypatch.setattr(read, "MAX_CHARS", 3)
    with pytest.raises(DataError, match="more than 3 characters"):
        read_file(tmp_path / "a.pdf")
    limits = dict.fromkeys(read.MAX_BYTES, 2**20)
    monkeypatch.setattr(read, "MAX_BYTES", limits)
    for name in ("a.md", "a.txt", "a.html", "b.pdf"):
        with pytest.raises(DataError, match="larger than 1 MB"):
            _read(tmp_path, name, b"x" * (2**20 + 1))
    assert _read(tmp_path, "b.txt", b"x" * 2**20)


def test_a_file_that_vanished_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_file(tmp_path / "gone.md")
