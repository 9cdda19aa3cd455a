"""The index: in step with the files, found again, safe from kills and from a second process."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from swarm.errors import MissingExtraError, StoreError, require
from wiki.documents import DocumentIndex, IndexReport, Skipped, read
from wiki.documents import index as index_module
from wiki.documents.lock import try_lock
from wiki.documents.store import PassageStore
from wiki.documents.vectors import Backend

Open: TypeAlias = Callable[..., DocumentIndex]
BACKENDS: tuple[Backend, ...] = ("exact", "chroma")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each place where vectors are searched."""
    return request.param


@pytest.fixture
def open_index(tmp_path: Path, corpus: Path, backend: Backend) -> Iterator[Open]:
    """Open the index of the documents; each call stands for a further process."""
    opened: list[DocumentIndex] = []

    def make(embedding: str = "hash", *patterns: str) -> DocumentIndex:
        folder = tmp_path / "index"
        index = DocumentIndex(
            corpus, patterns or ["."], folder, embedding=embedding, vectors=backend
        )
        opened.append(index)
        return index

    yield make
    for index in opened:
        index.close()


def _found(index: DocumentIndex, question: str, limit: int = 3) -> list[str]:
    return [hit.passage.path for hit in index.search(question, limit)]


def _collection(folder: Path) -> str:
    name = PassageStore(folder / "passages.sqlite3").settings("collection")
    assert name is not None
    return name


def _chroma(folder: Path) -> Any:
    """Open the collection's folder as another program would."""
    return require("chromadb", extra="chroma").PersistentClient(str(folder / "chroma"))


def _rewrite(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _age(folder: Path) -> None:
    """Let files look as if they were written a while ago."""
    for path in folder.rglob("*"):
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 10 * 10**9))


def test_the_report_says_what_ran(open_index: Open, backend: Backend) -> None:
    report = open_index().refresh()
    assert report == IndexReport(
        files=10,
        passages=report.passages,
        read=10,
        removed=0,
        skipped=(),
        embedding="hash",
        vectors=backend,
    )
    assert report.passages > 20
    assert open_index().retrieval == f"hash, {backend}"


def test_only_what_changed_is_read_again(open_index: Open, corpus: Path) -> None:
    _age(corpus)
    index = open_index()
    passages = index.refresh().passages
    assert index.refresh().read == 0
    # Another time and the same content is no change; another content of the same size is one.
    os.utime(corpus / "returns.md")
    assert index.refresh().read == 0
    text = (corpus / "delivery.md").read_text(encoding="utf-8")
    _rewrite(corpus / "delivery.md", text.replace("haulier", "balloon"))
    report = index.refresh()
    assert (report.read, report.passages) == (1, passages)
    assert _found(index, "balloon", 1) == ["delivery.md"]
    assert "balloon" in index.search("balloon", 1)[0].passage.text
    assert _found(index, "haulier") != _found(index, "balloon")


def test_a_change_within_one_tick_of_the_clock_is_seen(open_index: Open, corpus: Path) -> None:
    path = corpus / "returns.md"
    index = open_index()
    index.refresh()
    stat = path.stat()
    _rewrite(path, path.read_text(encoding="utf-8").replace("30 days", "60 days"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert index.refresh().read == 1
    assert "60 days" in index.search("60 days", 1)[0].passage.text


def test_what_is_deleted_or_renamed_is_not_found_under_its_old_name(
    open_index: Open, corpus: Path
) -> None:
    index = open_index()
    before = index.refresh()
    assert _found(index, "haulier", 1) == ["delivery.md"]
    (corpus / "delivery.md").rename(corpus / "shipping.md")
    (corpus / "pump.pdf").unlink()
    report = index.refresh()
    assert (report.files, report.read, report.removed) == (before.files - 1, 1, 2)
    assert _found(index, "haulier", 1) == ["shipping.md"]
    everything = {path for hits in ("pump", "haulier") for path in _found(index, hits, 50)}
    assert not everything & {"delivery.md", "pump.pdf"}


def test_a_file_that_cannot_be_read_is_told_and_its_old_passages_go(
    open_index: Open, corpus: Path
) -> None:
    index = open_index()
    index.refresh()
    (corpus / "mower.pdf").write_bytes(b"%PDF-1.4 torn")
    (corpus / "latin.txt").write_bytes(b"\xe9t\xe9")
    report = index.refresh()
    assert report.files == 9
    assert [skipped.path for skipped in report.skipped] == ["latin.txt", "mower.pdf"]
    assert report.skipped[0] == Skipped("latin.txt", "not text in utf-8; save it as UTF-8")
    assert "mower.pdf" not in _found(index, "error E4", 50)
    _age(corpus)
    index.refresh()
    assert index.refresh().read == 0  # and it is not tried again until it changes
    _rewrite(corpus / "latin.txt", "café au lait")
    assert index.refresh().skipped[0].path == "mower.pdf"
    assert _found(index, "cafe au lait", 1) == ["latin.txt"]


def test_a_file_that_is_too_large_is_told_and_not_even_hashed(
    open_index: Open, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_BYTES", dict.fromkeys(read.MAX_BYTES, 2**20))
    with (corpus / "huge.txt").open("wb") as file:
        file.truncate(2**20 + 1)
    hashed: list[Path] = []
    hash_file = index_module.hash_file

    def spy(path: Path) -> Any:
        hashed.append(path)
        return hash_file(path)

    monkeypatch.setattr(index_module, "hash_file", spy)
    report = open_index().refresh()
    assert report.skipped == (Skipped("huge.txt", "larger than 1 MB"),)
    assert len(hashed) == 10


def test_the_index_is_found_again(open_index: Open, corpus: Path) -> None:
    _age(corpus)
    open_index().refresh()
    again = open_index()
    assert again.refresh().read == 0
    assert _found(again, "When are roses cut back?", 1) == ["guides/roses.md"]


def test_another_embedding_makes_the_index_anew(open_index: Open, corpus: Path) -> None:
    _age(corpus)
    open_index("hash").refresh()
    other = open_index("wordllama")
    assert other.refresh().read == 10
    assert other.retrieval.startswith("wordllama")
    assert _found(other, "When are roses cut back?", 1) == ["guides/roses.md"]


def test_the_two_back_ends_agree(tmp_path: Path, corpus: Path) -> None:
    rankings: list[list[tuple[str, str, float]]] = []
    for backend in BACKENDS:
        index = DocumentIndex(corpus, ["."], tmp_path / "index", embedding="hash", vectors=backend)
        # The second one fills itself from the vectors that the first one made.
        index.refresh()
        hits = index.search("How do I protect roses from frost?", 10)
        rankings.append([(h.passage.path, h.passage.text, h.score) for h in hits])
        index.close()
    assert rankings[0]
    assert rankings[0] == rankings[1]


def test_scores_go_down_and_stay_within_bounds(open_index: Open) -> None:
    index = open_index()
    index.refresh()
    scores = [hit.score for hit in index.search("When are roses cut back?", 50)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert all(0 < score <= 1 for score in scores)


@pytest.mark.parametrize(
    "question",
    ["", "?!", '"', "roses AND OR NOT (", "title:roses*", "a" * 5000, "NEAR(roses, 1)", "\0 roses"],
)
def test_any_text_is_a_question(open_index: Open, question: str) -> None:
    index = open_index()
    index.refresh()
    for hit in index.search(question, 3):
        assert hit.passage.text


def test_a_question_without_bearing_finds_nothing(open_index: Open) -> None:
    index = open_index("wordllama")
    index.refresh()
    assert index.search("zzqx quxly", 3) == []


def test_a_killed_indexing_goes_on_where_it_stopped(
    tmp_path: Path, corpus: Path, backend: Backend
) -> None:
    _age(corpus)
    program = [sys.executable, "-m", "tests.wiki.documents.program", str(corpus)]
    killed = subprocess.run([*program, str(tmp_path / "i"), backend, "6"], check=False)
    assert killed.returncode == -signal.SIGKILL
    # Before the fifth file (the first check comes ahead of the files) four were whole.
    done = subprocess.run(
        [*program, str(tmp_path / "i"), backend], check=True, capture_output=True, text=True
    )
    whole = subprocess.run(
        [*program, str(tmp_path / "j"), backend], check=True, capture_output=True, text=True
    )
    read, passages = map(int, done.stdout.split())
    assert (read, passages) == (6, int(whole.stdout.split()[1]))
    index = DocumentIndex(corpus, ["."], tmp_path / "i", embedding="hash", vectors=backend)
    assert index.refresh().read == 0
    for question, path in (("photograph", "returns.md"), ("error E4", "mower.pdf")):
        assert _found(index, question, 1) == [path]
    index.close()


def test_processes_that_index_at_once_share_the_work(
    tmp_path: Path, corpus: Path, backend: Backend
) -> None:
    _age(corpus)
    program = [sys.executable, "-m", "tests.wiki.documents.program", str(corpus)]
    running = [
        subprocess.Popen([*program, str(tmp_path / "i"), backend], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    outputs = [process.communicate()[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sum(int(read) for read, _ in outputs) == 10
    assert len({passages for _, passages in outputs}) == 1
    index = DocumentIndex(corpus, ["."], tmp_path / "i", embedding="hash", vectors=backend)
    report = index.refresh()
    assert (report.read, report.passages) == (0, int(outputs[0][1]))
    assert _found(index, "error E4", 1) == ["mower.pdf"]
    index.close()


def test_what_another_process_indexed_is_seen(
    tmp_path: Path, corpus: Path, open_index: Open, backend: Backend
) -> None:
    index = open_index()
    index.refresh()
    assert _found(index, "When are roses cut back?", 1) == ["guides/roses.md"]
    _rewrite(corpus / "orchids.md", "# Orchids\n\nOrchids bathe for ten minutes a week.")
    (corpus / "pump.pdf").unlink()
    program = "tests.wiki.documents.program"
    subprocess.run(
        [sys.executable, "-m", program, str(corpus), str(tmp_path / "index"), backend], check=True
    )
    assert _found(index, "orchids bathing", 1) == ["orchids.md"]
    assert "pump.pdf" not in _found(index, "pump", 50)


def test_a_question_does_not_wait_for_another_process(
    tmp_path: Path, corpus: Path, open_index: Open
) -> None:
    index = open_index()
    index.refresh()
    _rewrite(corpus / "orchids.md", "# Orchids\n\nOrchids bathe for ten minutes a week.")
    with try_lock(tmp_path / "index") as is_ours:
        assert is_ours
        assert index.refresh(is_patient=False).read == 0
        assert _found(index, "When are roses cut back?", 1) == ["guides/roses.md"]
    assert index.refresh(is_patient=False).read == 1


def test_a_question_waits_for_the_first_whole_index(tmp_path: Path, open_index: Open) -> None:
    index = open_index()

    def give_up_after(left: int) -> Callable[[], None]:
        looks = [None] * left

        def check() -> None:
            looks.pop()

        return check

    with pytest.raises(IndexError):
        index.refresh(give_up_after(5))
    # Some files are in the index, and that is not enough.
    assert PassageStore(tmp_path / "index" / "passages.sqlite3").count()
    with try_lock(tmp_path / "index") as is_ours, pytest.raises(IndexError):
        assert is_ours
        index.refresh(give_up_after(3), is_patient=False)
    assert index.refresh(is_patient=False).files == 10


def test_an_indexing_can_be_called_off_between_files(open_index: Open) -> None:
    index, calls = open_index(), 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.refresh(check)
    assert index.refresh().files == 10


def test_a_lost_collection_is_made_anew(tmp_path: Path, corpus: Path) -> None:
    _age(corpus)
    index = DocumentIndex(corpus, ["."], tmp_path / "i", embedding="hash", vectors="chroma")
    passages = index.refresh().passages
    index.close()
    shutil.rmtree(tmp_path / "i" / "chroma")
    _rewrite(corpus / "orchids.md", "# Orchids\n\nOrchids bathe for ten minutes a week.")
    report = index.refresh()
    assert (report.read, report.passages) == (1, passages + 1)
    [vector] = PassageStore(tmp_path / "i" / "passages.sqlite3").vectors([1])
    index.close()
    client = _chroma(tmp_path / "i")
    collection = client.get_collection(_collection(tmp_path / "i"), embedding_function=None)
    assert collection.count() == passages + 1
    numbers = array("f")
    numbers.frombytes(vector.vector)
    found = collection.query(query_embeddings=[numbers.tolist()], n_results=1)
    assert found["ids"] == [["1"]]
    client.close()
    shutil.rmtree(tmp_path / "i" / "chroma")
    assert _found(index, "bathe", 1) == ["orchids.md"]
    index.close()


def test_a_foreign_collection_with_an_embedding_function_is_refused(
    tmp_path: Path, corpus: Path
) -> None:
    functions = require("chromadb.utils.embedding_functions", extra="chroma")
    index = DocumentIndex(corpus, ["."], tmp_path / "i", embedding="hash", vectors="chroma")
    index.refresh()
    index.close()
    shutil.rmtree(tmp_path / "i" / "chroma")
    name = _collection(tmp_path / "i")
    client = _chroma(tmp_path / "i")
    client.create_collection(name, embedding_function=functions.DefaultEmbeddingFunction())
    client.close()
    with pytest.raises(StoreError, match="names an embedding function"):
        index.search("roses", 3)


def test_a_broken_index_says_what_to_do(tmp_path: Path, corpus: Path, open_index: Open) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "passages.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="delete the file"):
        open_index().refresh()


def test_an_index_holds_no_more_than_text_and_vectors(open_index: Open, tmp_path: Path) -> None:
    open_index().refresh()
    connection = sqlite3.connect(tmp_path / "index" / "passages.sqlite3")
    rows = connection.execute("select typeof(text), length(vector) from passages").fetchall()
    connection.close()
    assert set(rows) == {("text", 512 * 4)}


def test_without_chroma_the_exact_search_serves(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    find_spec = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name == "chromadb" else find_spec(name, package)

    both = DocumentIndex(corpus, ["."], tmp_path / "a", embedding="hash")
    assert both.refresh().vectors == "chroma"
    both.close()
    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert DocumentIndex(corpus, ["."], tmp_path / "b", embedding="hash").refresh()[-1] == "exact"
    monkeypatch.setitem(sys.modules, "chromadb", None)
    asked_for = DocumentIndex(corpus, ["."], tmp_path / "c", embedding="hash", vectors="chroma")
    with pytest.raises(MissingExtraError, match=r"wikiswarm\[chroma\]"):
        asked_for.refresh()
