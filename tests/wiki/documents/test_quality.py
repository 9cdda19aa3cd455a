"""How well the right passage is found: thirty questions to ten documents."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wiki.documents.corpus import QUESTIONS
from wiki.documents import DocumentIndex
from wiki.documents.vectors import Backend


@pytest.mark.parametrize("backend", ["exact", "chroma"])
@pytest.mark.parametrize(("embedding", "least"), [("wordllama", 27), ("hash", 26)])
def test_the_right_passage_is_among_the_first_three(
    embedding: str,
    least: int,
    backend: Backend,
    corpus: Path,
    tmp_path: Path,
    note: Callable[[str], None],
) -> None:
    index = DocumentIndex(corpus, ["."], tmp_path / "i", embedding=embedding, vectors=backend)
    report = index.refresh()
    assert len(QUESTIONS) == 30
    assert report.files == 10
    missed: list[str] = []
    first = 0
    for asked in QUESTIONS:
        hits = [
            hit.passage.path == asked.path and asked.words in hit.passage.text
            for hit in index.search(asked.question, 3)
        ]
        first += hits[:1] == [True]
        if not any(hits):
            missed.append(asked.question)
    index.close()
    found = len(QUESTIONS) - len(missed)
    note(f"documents: {embedding}, {backend}: hit@1 {first}/30, hit@3 {found}/30")
    assert found >= least, missed
