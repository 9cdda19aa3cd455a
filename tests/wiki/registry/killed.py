"""Does one thing to copies of a registry and is killed in each at another step on the disk.

    python -m tests.wiki.registry.killed REGISTRY WEIGHTS ACTION COPIES

A process for each step: the first is killed before its first change of the disk, the second before
its second, and so on, until one gets through. The copies are COPIES/1, COPIES/2 ...
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from wiki.registry import ModelRegistry

__all__ = ["ACTIONS"]

ACTIONS: dict[str, Callable[[ModelRegistry, Path], object]] = {
    "promote": lambda registry, _: registry.promote("pharma", 1),
    "rollback": lambda registry, _: registry.rollback("pharma"),
    "alias": lambda registry, _: registry.alias("pharma", "candidate", 1),
    "unalias": lambda registry, _: registry.unalias("pharma", "trial"),
    "register": lambda registry, weights: registry.register("pharma", weights=weights),
}
"""What is done to a registry whose `pharma` has two versions, the second live."""

_CHANGES = {"fcntl.flock", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _kill_at(number: int) -> None:
    """Let this process die before its change of that number; a sync counts before and after."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if event == "open" else 0
        if event in _CHANGES or (isinstance(flags, int) and flags & _WRITING):
            step()

    sync = os.fsync

    def fsync(descriptor: int) -> None:
        step()
        sync(descriptor)
        step()

    # It raises no event of its own.
    os.fsync = fsync
    sys.addaudithook(hear)


def _main(registry: Path, weights: Path, action: str, copies: Path) -> None:
    for number in range(1, 1000):
        copy = copies / str(number)
        shutil.copytree(registry, copy)
        child = os.fork()
        if child == 0:
            _kill_at(number)
            ACTIONS[action](ModelRegistry(copy), weights)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
    sys.exit("it never got through")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
