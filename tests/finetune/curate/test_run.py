"""A curation gives the same files however it is run, and goes on where it was killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conversations import write_conversations
from finetune.curate import CurationReport, Pipeline, WorkerError, curate
from finetune.dataset import DatasetError, check_file, read_rows
from finetune.dataset.sample import messages_of
from swarm.errors import StoreError

ROWS = 1700
FILES = ("sft.jsonl", "sft.provenance.jsonl", "removed.jsonl", "changed.jsonl", "report.json")


def row(question: str, answer: str = "It is blue, and it costs four euros.") -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sources") / "many.jsonl"
    write_conversations(path, ROWS, seed=3)
    return path


@pytest.fixture(scope="module")
def alone(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of one process."""
    folder = tmp_path_factory.mktemp("alone")
    curate([many], folder)
    return folder


def test_every_line_is_accounted_for(many: Path, alone: Path) -> None:
    report = CurationReport.model_validate_json((alone / "report.json").read_text())
    removed = {(one["source"], one["line"]) for one in entries(alone / "removed.jsonl")}
    kept = {(one["source"], one["line"]) for one in entries(alone / "sft.provenance.jsonl")}
    assert not removed & kept
    assert removed | kept == {(many.name, number) for number in range(1, ROWS + 1)}
    assert report.rows_in == ROWS
    assert report.rows_out == len(kept)
    assert sum(sum(step.removed.values()) for step in report.steps) == len(removed)
    assert check_file(alone / "sft.jsonl").is_ok


def test_provenance_stands_beside_its_row(many: Path, alone: Path) -> None:
    sources, kept = list(read_rows(many)), list(read_rows(alone / "sft.jsonl"))
    origins = entries(alone / "sft.provenance.jsonl")
    pairs = [
        (row, sources[int(origin["line"]) - 1]) for row, origin in zip(kept, origins, strict=True)
    ]
    for row, source in pairs:
        assert [m.role for m in messages_of(row)] == [m.role for m in messages_of(source)]
        assert next(messages_of(row)) == next(messages_of(source))
    same = sum(row == source for row, source in pairs)
    assert same > 0.9 * len(kept)


def test_children_give_the_same_bytes(many: Path, alone: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    curate([many], tmp_path, workers=2, on_progress=lambda n, of, _: told.append((n, of)))
    assert content(tmp_path) == content(alone)
    assert told[-1][0] == told[-1][1] == len(told)
    assert not list(tmp_path.glob(".work-*"))


@pytest.mark.xdist_group("ray")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_gives_the_same_bytes(
    many: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    try:
        curate([many], tmp_path, workers=2, pool="ray")
    finally:
        ray.shutdown()
    assert content(tmp_path) == content(alone)


def test_reasons_name_lines_and_twins(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    lines = [row("What is it?"), "{broken", row("What is it?"), row("Is it?", ""), "", row("Why?")]
    source.write_text("\n".join(lines) + "\n")
    pipeline = Pipeline.of(["rules", "exact_duplicates"])
    report = curate([source], tmp_path / "out", pipeline=pipeline)
    found = [
        (one["line"], one["step"], one.get("twin"))
        for one in entries(tmp_path / "out" / "removed.jsonl")
    ]
    assert sorted(found) == [
        (2, "lines", None),
        (3, "exact_duplicates", "rows.jsonl:1"),
        (4, "rules", None),
    ]
    assert (report.rows_in, report.bad_lines, report.rows_out) == (4, 1, 2)
    assert report.duplicates_removed == 1


def test_supervised_rows_and_preferences_go_to_files_of_their_own(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    preference = {
        "input": {"messages": [{"role": "user", "content": "What is it?"}]},
        "preferred_output": [{"role": "assistant", "content": "A kettle of steel."}],
        "non_preferred_output": [{"role": "assistant", "content": "A lamp, I would say."}],
    }
    source.write_text(f"{row('What is it?')}\n{json.dumps(preference)}\n")
    curate([source], tmp_path / "out", pipeline=Pipeline.of(["rules"]))
    assert check_file(tmp_path / "out" / "sft.jsonl").kind == "sft"
    assert check_file(tmp_path / "out" / "dpo.jsonl").kind == "dpo"
    source.write_text(row("What is it?") + "\n")
    curate([source], tmp_path / "out", pipeline=Pipeline.of(["rules"]))
    assert not (tmp_path / "out" / "dpo.jsonl").exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_file"), (b"\x1f\x8b\x08", "not_text"), (None, "unreadable_file")],
)
def test_a_source_that_is_none(tmp_path: Path, content: bytes | None, code: str) -> None:
    source = tmp_path / "rows.jsonl"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(DatasetError, match=code):
        curate([source], tmp_path / "out")
    with pytest.raises(DatasetError, match="it is a folder"):
        curate([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_of_another_format_is_not_taken_for_bad_rows(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    turns = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A lamp."}]
    source.write_text((json.dumps({"conversations": turns}) + "\n") * 300)
    with pytest.raises(DatasetError, match="dataset convert"):
        curate([source], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text(row("What is it?") + "\n")
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StoreError, match="cannot write"):
        curate([source], tmp_path / "out")


def test_a_killed_run_goes_on_with_what_is_missing(many: Path, alone: Path, tmp_path: Path) -> None:
    program = (
        "import sys, os, signal\n"
        "from finetune.curate import curate\n"
        "def tell(done, total, remark):\n"
        "    if done == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "curate([sys.argv[1]], sys.argv[2], on_progress=tell)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(many), str(tmp_path)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert not (tmp_path / "sft.jsonl").exists()
    (work,) = tmp_path.glob(".work-*")
    before = {path: path.stat().st_mtime_ns for path in work.glob("*.done")}
    assert len(before) == 3
    seen: dict[Path, int] = {}

    def tell(done: int, total: int, remark: str) -> None:
        if done == total:
            seen.update({path: path.stat().st_mtime_ns for path in before})

    curate([many], tmp_path, on_progress=tell)
    assert seen == before
    assert content(tmp_path) == content(alone)


def test_a_worker_that_dies_is_an_error_and_the_next_run_goes_on(
    many: Path, alone: Path, tmp_path: Path
) -> None:
    def kill(done: int, total: int, remark: str) -> None:
        for worker in _workers():
            os.kill(worker, signal.SIGKILL)

    with pytest.raises(WorkerError, match="signal 9"):
        curate([many], tmp_path, workers=2, on_progress=kill)
    curate([many], tmp_path, workers=2)
    assert content(tmp_path) == content(alone)


def test_a_worker_that_cannot_be_started_is_an_error(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(WorkerError, match="cannot be started: No such file"):
        curate([many], tmp_path / "out", workers=2)


def test_workers_of_a_source_that_is_none_are_ended(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        curate([tmp_path / "missing.jsonl", tmp_path / "neither.jsonl"], tmp_path, workers=2)
    assert _workers() == []


def _workers() -> list[int]:
    """Return this process's curation workers, and none of its other children."""
    path = Path(f"/proc/{os.getpid()}/task")
    if not path.is_dir():
        pytest.skip("the system does not list a process's children")
    children = [pid for task in path.iterdir() for pid in (task / "children").read_text().split()]
    return [
        int(pid)
        for pid in children
        if b"finetune.curate.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
