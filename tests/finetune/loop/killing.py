"""Rounds in processes that are killed: `python -m tests.finetune.loop.killing FOLDER ...`.

Without more arguments it runs a round and prints a line for each report, for whoever kills it.
With stages, it kills a process of its own at its first step in them that changes a file, then at
its second one, and so on; after each kill it looks at the registry and lets the stages end. It
prints a JSON line for each kill.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from finetune.loop import StageReport, run_loop
from tests.finetune.loop.shop import shop_wiki
from wiki import ModelRegistry

_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}
"""Audit events of calls that change files, beside those that open them for writing."""


class _EnoughError(Exception):
    """The stages that are looked at are done."""


def main() -> None:
    """Run the program."""
    folder, stages = Path(sys.argv[1]), sys.argv[2:]
    if not stages:
        _run(folder, _say)
        return
    # What is imported now, no child imports again.
    warm = folder.with_name("warm")
    shutil.copytree(folder, warm)
    _run(warm, _quiet, stages[-1])
    number = 0
    is_killed = True
    while is_killed:
        number += 1
        work = folder.with_name(f"killed-{number}")
        shutil.copytree(folder, work)
        is_killed = _in_child(partial(_run_until_killed, work, stages, number))
        found: dict[str, Any] = {"step": number, "killed": is_killed, **_registry(work)}
        _in_child(partial(_run, work, _quiet, stages[-1]))
        found["after"] = _registry(work)
        _print(json.dumps(found))
        shutil.rmtree(work)


def _run(folder: Path, told: Callable[[str, int], None], last: str | None = None) -> None:
    def finished(report: StageReport) -> None:
        if report.stage == last:
            raise _EnoughError

    async def run() -> None:
        await run_loop(
            shop_wiki(),
            home=folder / "home",
            beside=folder,
            on_progress=lambda stage, done, total, remark: told(stage, done),
            on_stage=finished,
        )

    with suppress(_EnoughError):
        anyio.run(run)


def _run_until_killed(folder: Path, stages: Sequence[str], number: int) -> None:
    """Run a round, and kill this process at its `number`-th change of a file in the stages."""
    steps = 0
    is_watched = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if not is_watched:
            return
        is_write = event == "open" and arguments[2] and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in _CHANGES or is_write:
            steps += 1
            if steps == number:
                os.kill(os.getpid(), signal.SIGKILL)

    def told(stage: str, done: int) -> None:
        nonlocal is_watched
        is_watched = stage in stages

    sys.addaudithook(hook)
    _run(folder, told, stages[-1])


def _in_child(work: Callable[[], None]) -> bool:
    """Run a function in a child process, and return whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    if os.WEXITSTATUS(status):
        raise SystemExit(f"the round ended with {os.WEXITSTATUS(status)}")
    return False


def _registry(folder: Path) -> dict[str, Any]:
    """Return what the registry holds, every byte of it checked."""
    registry = ModelRegistry(folder / "home" / "models")
    versions = registry.list()
    for version in versions:
        registry.verify(version.name, version.version)
    return {
        "versions": [str(version) for version in versions],
        "live": [str(version) for version in versions if "live" in version.aliases],
        "promotions": len(registry.history("pharma")) if versions else 0,
    }


def _say(stage: str, done: int) -> None:
    _print(f"{stage} {done}")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _quiet(stage: str, done: int) -> None:
    """Tell nobody."""


if __name__ == "__main__":
    main()
