"""The machine that would train: GPUs by nvidia-smi, memory and cores; nothing heavy is imported."""

import os
import shutil
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["Gpu", "Hardware", "find_hardware"]

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_TIMEOUT = 20.0


class Gpu(BaseModel):
    """One graphics card."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    memory_gb: float
    """All of its memory, in 10^9 bytes."""


class Hardware(BaseModel):
    """What a machine has."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    gpus: tuple[Gpu, ...] = ()
    memory_gb: float
    """Main memory that this process may use, in 10^9 bytes."""
    cores: int
    """Cores that this process may use."""

    @property
    def gpu(self) -> Gpu | None:
        """The card with most memory."""
        return max(self.gpus, key=lambda gpu: gpu.memory_gb, default=None)


def find_hardware() -> Hardware:
    """Return what this machine has; a machine without nvidia-smi has no GPU."""
    return Hardware(gpus=_gpus(), memory_gb=round(_memory() / 1e9, 1), cores=_cores())


def _gpus() -> tuple[Gpu, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            [program, *query], capture_output=True, encoding="utf-8", timeout=_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()  # a driver that does not answer gives no GPU to train on
    found: list[Gpu] = []
    for line in done.stdout.splitlines():
        name, _, memory = line.rpartition(",")
        if name.strip() and memory.strip().isdigit():
            found.append(Gpu(name=name.strip(), memory_gb=round(int(memory) * 1.048576e-3, 1)))
    return tuple(found)


def _memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _CGROUP_LIMITS:  # a container may have less than its machine
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
