"""Who holds a lease: told apart, and known to be dead when the process is."""

import subprocess
import sys

import pytest

from swarm.store.owner import describe_owner, is_dead, new_owner

_PRINT = "from swarm.store.owner import new_owner; print(new_owner(), flush=True)"


def test_owners_differ_and_live_while_their_process_does() -> None:
    owners = {new_owner() for _ in range(10)}
    assert len(owners) == 10
    assert not any(is_dead(owner) for owner in owners)
    assert all(len(owner) <= 200 for owner in owners)
    assert describe_owner(owners.pop()).startswith("process ")


def test_a_process_is_dead_once_it_ended_also_before_it_is_waited_for() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", f"{_PRINT}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    owner = child.stdout.readline().strip()
    assert not is_dead(owner)
    child.kill()
    assert child.stdout.read() == ""
    for _ in range(100_000):
        if is_dead(owner):
            break
    assert is_dead(owner)
    child.communicate()
    assert is_dead(owner)


def test_a_process_id_that_another_process_got_is_not_the_old_one() -> None:
    name, machine, pid, started, host = new_owner().split("|")
    assert is_dead("|".join((name, machine, pid, f"{int(started) - 1}", host)))


@pytest.mark.parametrize("owner", ["", "somebody", "a|elsewhere|1|1|host", "a||1|1|host"])
def test_of_other_machines_nothing_is_known(owner: str) -> None:
    assert not is_dead(owner)
    assert "process" in describe_owner(owner)
