"""Frozen dataset versions: the same bytes for the same input, and no changed bit unseen."""

import multiprocessing
import os
import random
import shutil
from pathlib import Path

import pytest

from finetune.dataset.sample_file import read_samples
from finetune.dataset.version import CorruptedDatasetError, DatasetVersion, Removed
from finetune.dataset.versions import (
    freeze,
    list_versions,
    open_version,
    read_origins,
    verify,
)
from swarm.errors import DataError, UnknownNameError
from tests.finetune.dataset.samples import pair, sample, varied


def frozen(folder: Path, seed: int = 1, **config: int) -> DatasetVersion:
    """Freeze twenty rows, two of them held out."""
    samples = varied(seed, 20, labels=("a", "b"))
    gone = [Removed(id="f" * 32, step="quarantine", code="rejected", detail="rude")]
    return freeze(folder, samples[:18], samples[18:], removed=gone, config=config)


def test_a_version_holds_rows_provenance_and_what_was_removed(tmp_path: Path) -> None:
    samples = varied(1, 20, labels=("a", "b"))
    made = frozen(tmp_path, split=7)
    assert [s.row for s in read_samples(made.train)] == [s.row for s in samples[:18]]
    assert [s.row for s in read_samples(made.valid)] == [s.row for s in samples[18:]]
    origins = list(read_origins(made))
    assert [(o.file, o.line) for o in origins[17:19]] == [("train", 18), ("valid", 1)]
    assert [o.id for o in origins] == [s.id for s in samples]
    assert [o.provenance for o in origins] == [s.provenance for s in samples]
    assert made.manifest.labels == {"a": 10, "b": 10}
    assert [s.rows for s in made.manifest.sources] == [20]
    assert (made.path / "removed.jsonl").read_text(encoding="utf-8").count("rude") == 1
    assert verify(tmp_path, made.id[:8]) == made
    assert open_version(tmp_path, made.id) == made
    assert list_versions(tmp_path) == (made,)


def test_the_same_input_gives_the_same_bytes_and_any_other_another_name(tmp_path: Path) -> None:
    one, two = frozen(tmp_path / "one"), frozen(tmp_path / "two")
    assert one.id == two.id
    for path in one.path.iterdir():
        assert path.read_bytes() == (two.path / path.name).read_bytes(), path.name
    again = frozen(tmp_path / "one")
    assert again == one
    others = {frozen(tmp_path / "one", seed=2).id, frozen(tmp_path / "one", split=2).id, one.id}
    assert len(others) == 3
    samples = varied(1, 20, labels=("a", "b"))
    moved = samples[0]._replace(
        provenance=samples[0].provenance.model_copy(update={"client_id": "ada"})
    )
    other = freeze(tmp_path / "one", [moved, *samples[1:18]], samples[18:])
    assert other.id not in others


def test_a_flipped_bit_anywhere_is_refused(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    source = random.Random(seed)
    made = frozen(tmp_path / "versions")
    for path in sorted(made.path.iterdir()):
        data = path.read_bytes()
        for _ in range(12):
            place, bit = source.randrange(len(data)), 1 << source.randrange(8)
            broken = bytearray(data)
            broken[place] ^= bit
            path.chmod(0o644)
            path.write_bytes(broken)
            if path.name == "manifest.json" and _is_code_version(data, place):
                continue  # the one thing that does not name the version
            with pytest.raises(CorruptedDatasetError):
                verify(tmp_path / "versions", made.id)
            path.write_bytes(data)
        path.write_bytes(data)
    assert verify(tmp_path / "versions", made.id) == made, seed


def _is_code_version(data: bytes, place: int) -> bool:
    start = data.index(b'"code_version"') + len(b'"code_version": "')
    return start <= place < data.index(b'"', start)


def test_files_that_are_missing_added_or_links_are_refused(tmp_path: Path) -> None:
    made = frozen(tmp_path / "versions")
    extra = made.path / "extra.jsonl"
    extra.write_bytes(b"")
    with pytest.raises(CorruptedDatasetError, match="does not belong"):
        verify(tmp_path / "versions", made.id)
    extra.unlink()
    shutil.copy(made.valid, tmp_path / "elsewhere")
    made.valid.unlink()
    with pytest.raises(CorruptedDatasetError, match="missing"):
        verify(tmp_path / "versions", made.id)
    made.valid.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptedDatasetError, match="does not belong"):
        verify(tmp_path / "versions", made.id)
    renamed = made.path.rename(made.path.with_name("0" * 32))
    with pytest.raises(CorruptedDatasetError, match="name stands for"):
        open_version(tmp_path / "versions", renamed.name)


def test_what_makes_no_version_leaves_nothing(tmp_path: Path) -> None:
    rows = varied(1, 4)
    for train, valid, problem in (
        ([], rows, "at least one row"),
        (rows, rows[:1], "both trained on and held out"),
        ([*rows, pair("a", "b", "c")], [], "separate versions"),
    ):
        with pytest.raises(DataError, match=problem):
            freeze(tmp_path / "versions", train, valid)
    assert not list(tmp_path.glob("versions/*"))
    assert list_versions(tmp_path / "nowhere") == ()
    with pytest.raises(UnknownNameError):
        open_version(tmp_path / "versions", "")
    with pytest.raises(UnknownNameError):
        open_version(tmp_path / "versions", "../versions")
    assert freeze(tmp_path / "versions", [pair("a", "b", "c")], []).manifest.kind == "dpo"
    assert freeze(tmp_path / "versions", [sample("a")], []).manifest.valid_rows == 0


def _freeze_and_die(folder: Path, survivors: int) -> None:
    """Freeze, and be killed at the rename."""
    rename = Path.rename

    def die(self: Path, target: Path) -> Path:
        os._exit(9)
        return rename(self, target)

    Path.rename = die  # type: ignore[method-assign, assignment]
    frozen(folder, survivors)


def test_a_killed_process_leaves_no_half_version(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_freeze_and_die, args=(tmp_path, 1))
    child.start()
    child.join()
    assert child.exitcode == 9
    assert list_versions(tmp_path) == ()
    assert frozen(tmp_path).manifest.train_rows == 18
