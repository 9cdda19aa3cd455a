"""The Dataset Validation Report: what it says, and that no file can make it say something else."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from finetune.dataset import DatasetReport, WrittenFile, check_file

DATE = "2026-11-25"
EVIL = '<script>alert(1)</script>[x](y)|`"\u202e&lt;'


def row(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}, ensure_ascii=False)


@pytest.fixture
def report(tmp_path: Path) -> DatasetReport:
    path = tmp_path / "rows.jsonl"
    rows = [row(f"Question {n}?", f"Answer {n}.") for n in range(12)]
    bad = '{"messages":[{"role":"user"},{"role":"assistant","content":"x"}]}'
    path.write_text("\n".join([*rows, rows[3], "{nonsense", bad, ""]), encoding="utf-8")
    return check_file(path)


@pytest.fixture
def evil(tmp_path: Path) -> DatasetReport:
    path = tmp_path / "evil.jsonl"
    roles = json.dumps({"messages": [{"role": EVIL, "content": EVIL}]}, ensure_ascii=False)
    labels = [row(f"q{n}", EVIL[:24] if n % 2 else "b") for n in range(40)]
    path.write_text("\n".join([*labels, roles]), encoding="utf-8")
    return check_file(path, provider="azure")


def table(page: str, title: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    _, _, rest = page.partition(f"\n## {title}\n\n")
    lines = rest.split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.requirement("S2-10", "S2-03")
def test_the_page_opens_with_date_source_and_summary(report: DatasetReport) -> None:
    page = report.markdown(date=DATE, duplicates_removed=1)
    assert page.splitlines()[0] == "# Dataset Validation Report"
    assert f"**Date:** {DATE}" in page
    assert f"**Source:** {report.path}" in page
    summary = dict(table(page, "Summary"))
    assert summary["Total Examples"] == "13"
    assert summary["Unique Examples"] == "12"
    assert summary["Duplicates Removed"] == "1"
    assert summary["Duplicates Left"] == "0"
    assert summary["Format"] == "JSONL, supervised (sft)"
    assert summary["SHA-256"] == report.sha256


@pytest.mark.requirement("S2-11")
def test_each_quality_check_passes_or_fails_with_details(report: DatasetReport) -> None:
    checks = {
        name: (status, text)
        for name, status, text in table(report.markdown(date=DATE), "Quality Checks")
    }
    assert checks["Valid JSON"] == ("FAIL", "1 invalid_json")
    assert checks["Required Fields"] == ("FAIL", "1 message_missing_key")
    assert checks["Min Length"][0] == checks["Max Length"][0] == "PASS"
    assert checks["Encoding"] == ("PASS", "UTF-8")
    assert checks["Rules of openai"] == ("PASS", "no other error")


@pytest.mark.parametrize(
    ("content", "failed"),
    [
        (
            b"",
            {
                "Valid JSON",
                "Required Fields",
                "Min Length",
                "Max Length",
                "Encoding",
                "Tool Calls",
                "Rules of openai",
            },
        ),
        (row("q", "a").encode() + b"\n\xff\n", {"Encoding"}),
        (row("q" * 500, "a").encode(), {"Max Length"}),
        (row("q", "").encode(), {"Min Length"}),
        (b"\xef\xbb\xbf" + row("q", "a").encode(), set[str]()),
    ],
)
def test_the_check_that_fails_is_the_right_one(
    content: bytes, failed: set[str], tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    page = check_file(path, minimum=0, max_tokens=100).markdown(date=DATE)
    found = {name for name, status, _ in table(page, "Quality Checks") if status == "FAIL"}
    assert found == failed


@pytest.mark.requirement("S2-12")
def test_tokens_are_told_for_each_field(report: DatasetReport) -> None:
    rows = table(report.markdown(date=DATE), "Token Statistics")
    assert [cells[0] for cells in rows] == ["user", "assistant", "row"]
    [user] = [field for field in report.fields if field.field == "user"]
    assert rows[0][1:] == [
        str(user.minimum),
        str(user.maximum),
        f"{user.mean:.1f}",
        f"{user.median:.1f}",
    ]


@pytest.mark.requirement("S2-13")
def test_the_page_ends_with_outputs_warnings_and_a_closing_line(
    report: DatasetReport, tmp_path: Path
) -> None:
    made = WrittenFile(path=Path("train.jsonl"), rows=12, bytes=1234, sha256="ab" * 32)
    page = report.markdown(date=DATE, outputs=[made])
    assert table(page, "Output Files") == [["train.jsonl", "12", "1,234", "abababababab"]]
    codes = [cells[1] for cells in table(page, "Warnings")]
    assert codes == ["duplicate_row", "few_examples"]
    assert [cells[0] for cells in table(page, "Errors")] == ["14:2", "15:14"]
    assert page.endswith("---\n\nChecked by wikiswarm: 2 errors must be mended before training.\n")


def test_equal_input_gives_equal_bytes(report: DatasetReport) -> None:
    again = check_file(report.path)
    for render in (DatasetReport.markdown, DatasetReport.html):
        assert render(report, date=DATE) == render(again, date=DATE)
        assert render(report, date=DATE) != render(report, date="2026-11-26")
    assert report.model_dump_json() == again.model_dump_json()


def test_very_many_findings_are_cut_with_their_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"nonsense\n" * 3000)
    report = check_file(path)
    assert table(report.markdown(date=DATE), "Errors")[-1] == ["...", "", "and 2,951 more"]
    assert len(report.html(date=DATE)) < 40_000


class Page(HTMLParser):
    """The tags, the texts and the addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "rect", "line", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.requirement("S2-10", "S2-11", "S2-12", "S2-13")
def test_the_html_page_says_the_same_and_has_its_charts(report: DatasetReport) -> None:
    page = Page(report.html(date=DATE))
    assert page.open == []
    assert page.tags.count("svg") == 4
    for title in ("Summary", "Quality Checks", "Token Statistics", "Output Files", "Warnings"):
        assert title in page.texts
    assert {"PASS", "FAIL", "message_missing_key", "duplicate_row"} <= set(page.texts)
    assert any(DATE in text for text in page.texts)


def test_what_a_file_says_is_never_markup(evil: DatasetReport) -> None:
    assert evil.labels
    source = evil.html(date=DATE)
    page = Page(source)
    assert set(page.tags).isdisjoint({"script", "a", "img", "link", "iframe", "object"})
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"href", "src"})
    assert "default-src 'none'" in source
    assert "url(" not in source
    assert "\u202e" not in source
    said = "".join(page.texts)
    assert "alert(1)" in said


def test_what_a_file_says_is_never_a_table_or_a_link(evil: DatasetReport) -> None:
    page = evil.markdown(date=DATE)
    assert "<script" not in page
    assert "[" not in page
    assert "`" not in page
    assert "\u202e" not in page
    [cells] = table(page, "Errors")
    assert len(cells) == 3
    assert "&#124;" in cells[2]
