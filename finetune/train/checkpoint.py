"""Checkpoints of a run: which one is whole, and the metrics up to it.

A checkpoint counts once its mark is written, which happens after everything in it is on the disk;
what a killed process left half written has no mark. Imports no training library.
"""

import json
import os
import shutil
from pathlib import Path

from pydantic import JsonValue

from swarm.files import sync_folder, write_atomically

__all__ = ["CHECKPOINTS", "cut_metrics", "last_checkpoint", "mark_checkpoint", "step_of"]

CHECKPOINTS = "checkpoints"
"""Folder inside a run folder; it is removed when the run is done."""
_MARK = "complete.json"


def mark_checkpoint(folder: Path, *, step: int) -> None:
    """Write the mark of a checkpoint after its files have reached the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    sync_folder(folder)
    write_atomically(folder / _MARK, json.dumps({"step": step}) + "\n")


def last_checkpoint(run_dir: Path) -> Path | None:
    """Return the newest whole checkpoint of a run, or None; half written ones are removed."""
    whole: dict[int, Path] = {}
    for folder in (run_dir / CHECKPOINTS).glob("checkpoint-*"):
        try:
            whole[int(json.loads((folder / _MARK).read_bytes())["step"])] = folder
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(folder, ignore_errors=True)
    return whole[max(whole)] if whole else None


def step_of(checkpoint: Path) -> int:
    """Return the step at which a checkpoint was made."""
    return int(checkpoint.name.rpartition("-")[2])


def cut_metrics(path: Path, *, step: int) -> None:
    """Drop the reports after a step, which a resumed run will send again."""
    kept: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            report: dict[str, JsonValue] = json.loads(line)
        except ValueError:
            continue  # the last line of a killed process
        if isinstance(done := report.get("step"), int) and done <= step:
            kept.append(line)
    write_atomically(path, "".join(f"{line}\n" for line in kept))
