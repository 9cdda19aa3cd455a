"""Who holds a lease: a journal of a process, told apart from all others, dead ones included."""

import os
import platform
import secrets
from pathlib import Path

__all__ = ["describe_owner", "is_dead", "new_owner"]


def new_owner() -> str:
    """Return a name that no other journal has; it says which process of which machine it is."""
    pid = os.getpid()
    host = platform.node().replace("|", "")[:80]
    return "|".join((secrets.token_hex(8), _machine(), str(pid), _started(pid), host))


def is_dead(owner: str) -> bool:
    """Whether an owner was a process of this machine that is no more.

    Of other machines nothing is known, so their leases have to expire.
    """
    try:
        _, machine, pid, started, _ = owner.split("|")
    except ValueError:
        return False
    if not machine or machine != _machine():
        return False
    return _started(int(pid)) != started


def describe_owner(owner: str) -> str:
    """Return an owner for people: `process 12 on host`."""
    _, _, pid, _, host = (*owner.split("|"), "", "", "", "", "")[:5]
    return f"process {pid} on {host}" if pid else "another process"


def _machine() -> str:
    """Return what names the place where a process id means one process; nothing if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # Containers on one machine count their processes apart.
        return f"{boot}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process started, in ticks; nothing when it does not live."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name in parentheses may hold spaces; the state follows it.
    fields = line.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]
