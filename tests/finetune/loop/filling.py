"""A round whose disk is full again and again: `python -m tests.finetune.loop.filling FOLDER LOOP`.

It fails at its first change of a file in the folder, goes on and fails at the second one of what
is left, and so on to its end. A JSON line is printed for each failure, and one for the end.
"""

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio

from finetune.loop import run_loop
from swarm.errors import SwarmError
from wiki import ModelRegistry, WikiSpec

_CHANGES = {"os.mkdir", "os.rename"}


class _Disk:
    """Has room for so many changes of files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.room = -1
        """Changes that there is room for; -1 for all."""
        self.refused = ""
        self._below = f"{folder.resolve()}{os.sep}"

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuse a change for which there is no room."""
        if self.room < 0 or (event != "open" and event not in _CHANGES):
            return
        path = arguments[0]
        is_change = event in _CHANGES or (
            arguments[2] and arguments[2] & (os.O_WRONLY | os.O_RDWR) and "lock" not in str(path)
        )
        if not is_change or not str(path).startswith(self._below):
            return
        if self.room == 0:
            self.refused = f"{event} {Path(str(path)).name}"
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        self.room -= 1


def main() -> None:
    """Run the program."""
    folder, loop = Path(sys.argv[1]).resolve(), json.loads(sys.argv[2])
    wiki = WikiSpec.model_validate(
        {"wiki_name": "pharma", "model": "registry/pharma@live", "loop": loop}
    )
    disk = _Disk(folder)
    sys.addaudithook(disk.hook)
    stage, room = "", 0

    def told(name: str, done: int, total: int | None, remark: str) -> None:
        nonlocal stage, room
        if name != stage:
            stage, room = name, 0
            disk.room = 0

    async def run() -> str:
        result = await run_loop(wiki, home=folder / "home", beside=folder, on_progress=told)
        return result.outcome

    while True:
        disk.room, disk.refused = room, ""
        try:
            outcome = anyio.run(run)
        except Exception as error:
            at = disk.refused
            disk.room = -1
            is_told = isinstance(error, SwarmError)
            _print({"stage": stage, "at": at, "told": is_told, "error": f"{error!r}"})
            if not at:
                return
            room += 1
        else:
            disk.room = -1
            versions = [str(one) for one in ModelRegistry(folder / "home" / "models").list()]
            _print({"outcome": outcome, "versions": versions})
            return


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
