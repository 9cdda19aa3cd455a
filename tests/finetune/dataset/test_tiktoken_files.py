"""Encodings of OpenAI: read where their file is, never fetched."""

import importlib.util
from pathlib import Path

import pytest

from finetune.dataset import check_file, load_encoding, parse_row, write_rows
from swarm.errors import DataError, SetupError

ROW = parse_row(
    {
        "messages": [
            {"role": "user", "content": "Hello world"},
            {"role": "assistant", "content": "Hello <|endoftext|>"},
        ]
    }
)


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a library brought, with the file of one encoding."""
    pytest.importorskip("tiktoken")
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        pytest.skip("no encoding is on this machine")
    folder = Path(found.origin).parent / "litellm_core_utils" / "tokenizers"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    return folder


@pytest.mark.requirement("S2-07")
def test_an_encoding_that_is_here_counts_exactly(encodings: Path, tmp_path: Path) -> None:
    tokenizer = load_encoding("cl100k_base")
    counts = tokenizer.measure(ROW)
    # "Hello", " world"; and what looks like a control token is plain text.
    assert counts.parts[0] == ("user", 2)
    assert counts.parts[1].tokens > 3
    assert counts.total == sum(part.tokens + 4 for part in counts.parts)
    report = check_file(write_rows(tmp_path / "rows.jsonl", [ROW]).path, tokenizer=tokenizer)
    assert report.tokens is not None
    assert not report.tokens.is_estimate
    assert "cl100k_base" in report.tokens.method


def test_an_encoding_that_is_not_here_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(SetupError, match="nothing is downloaded here"):
        load_encoding("o200k_base")


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(DataError, match="no encoding 'gpt-9'"):
        load_encoding("gpt-9")
