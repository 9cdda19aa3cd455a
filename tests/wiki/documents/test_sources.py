"""Which files a list of patterns names, and that none leads out of the folder."""

from pathlib import Path

import pytest

from swarm.errors import DataError
from wiki.documents import sources
from wiki.documents.sources import Skipped, check_pattern, find_files


def _paths(root: Path, *patterns: str) -> list[str]:
    return [file.path for file in find_files(root, patterns).files]


def test_files_folders_and_globs_name_documents(corpus: Path) -> None:
    everything = _paths(corpus, ".")
    assert len(everything) == 10
    assert everything == sorted(everything)
    assert _paths(corpus, "returns.md") == ["returns.md"]
    assert _paths(corpus, "guides/", "guides/roses.md") == [
        "guides/compost.txt",
        "guides/lawn.txt",
        "guides/roses.md",
        "guides/tomatoes.md",
    ]
    assert _paths(corpus, "**/*.txt") == ["guides/compost.txt", "guides/lawn.txt"]
    assert _paths(corpus, "*.html", "*.pdf") == ["club.html", "mower.pdf", "pump.pdf", "shop.html"]


def test_what_is_no_document_is_left_out_and_what_was_named_is_told(corpus: Path) -> None:
    (corpus / "prices.xlsx").write_bytes(b"PK")
    (corpus / ".secret.md").write_text("# Key", encoding="utf-8")
    (corpus / ".git").mkdir()
    (corpus / ".git" / "notes.md").write_text("# Notes", encoding="utf-8")
    assert len(_paths(corpus, ".")) == len(_paths(corpus, "**/*")) == 10
    found = find_files(corpus, ["prices.xlsx", "missing.md", "nothing/*.md", ".secret.md"])
    assert found.files == ()
    assert found.skipped == (
        Skipped(".secret.md", "no document is there"),
        Skipped("missing.md", "no document is there"),
        Skipped("nothing/*.md", "no document is there"),
        Skipped("prices.xlsx", "no reader for .xlsx"),
    )


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "../other.md",
        "a/../../b",
        "..\\b.md",
        "/etc/hosts",
        "C:\\x.md",
        "\\\\host\\x.md",
        "a\0b",
    ],
)
def test_a_pattern_stays_below_its_folder(pattern: str, corpus: Path) -> None:
    with pytest.raises(ValueError, match=r"empty|absolute|leaves"):
        check_pattern(pattern)
    with pytest.raises(ValueError, match=r"empty|absolute|leaves"):
        find_files(corpus, [pattern])


def test_a_link_does_not_lead_out(tmp_path: Path, corpus: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "salaries.md").write_text("# Salaries", encoding="utf-8")
    (corpus / "file.md").symlink_to(outside / "salaries.md")
    (corpus / "folder").symlink_to(outside, target_is_directory=True)
    (corpus / "nowhere.md").symlink_to(corpus / "gone.md")
    (corpus / "loop.md").symlink_to(corpus / "loop.md")
    (corpus / "inside.md").symlink_to(corpus / "returns.md")
    for patterns in (["."], ["**/*"], ["folder", "file.md", "folder/salaries.md"]):
        found = find_files(corpus, patterns)
        assert all("salaries" not in file.file.name for file in found.files), patterns
    found = find_files(corpus, ["."])
    assert "inside.md" in [file.path for file in found.files]
    assert found.skipped == (
        Skipped("file.md", "the link leads out of the folder"),
        Skipped("loop.md", "the link leads nowhere"),
        Skipped("nowhere.md", "the link leads nowhere"),
    )
    named = find_files(corpus, ["folder", "folder/salaries.md"])
    assert {skipped.reason for skipped in named.skipped} == {"the link leads out of the folder"}


def test_too_many_files_are_refused(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_FILES", 9)
    with pytest.raises(DataError, match="more than 9 files"):
        find_files(corpus, ["."])


def test_the_root_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        find_files(tmp_path / "missing", ["."])
