"""A registry whose writer is killed at any moment, or whose disk is full, is as it was before."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wiki.registry.killed import ACTIONS
from wiki.registry import ModelRegistry

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "trained.gguf"
    path.write_bytes(b"GGUF" + bytes(range(256)) * 64)
    return path


@pytest.fixture
def registry(tmp_path: Path, weights: Path) -> ModelRegistry:
    """Two versions of `pharma`: the second is live, and the first is previous and on trial."""
    registry = ModelRegistry(tmp_path / "models")
    for number in (1, 2):
        registry.register("pharma", weights=weights)
        registry.promote("pharma", number)
    registry.alias("pharma", "trial", 1)
    return registry


_State = tuple[dict[str, int], list[tuple[str, str, int]], list[int]]


def _state(registry: ModelRegistry) -> _State:
    """Return aliases, history and versions, all of which must be readable and whole."""
    versions = registry.list("pharma")
    for version in versions:
        registry.verify(version.name, version.version)
    aliases = {alias: version.version for version in versions for alias in version.aliases}
    history = [(event.action, event.alias, event.version) for event in registry.history("pharma")]
    return aliases, history, [version.version for version in versions]


@pytest.mark.requirement("S3-20")
@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_any_step_it_is_as_before_or_as_after(
    registry: ModelRegistry, weights: Path, tmp_path: Path, action: str
) -> None:
    before = _state(registry)
    copies = tmp_path / "copies"
    command = [sys.executable, "-m", "tests.wiki.registry.killed"]
    subprocess.run([*command, registry.folder, weights, action, copies], check=True, timeout=60)
    folders = sorted(copies.iterdir(), key=lambda path: int(path.name))
    # Lock, temporary file, its sync, rename and the folder's sync at least.
    assert len(folders) > 6
    *killed, through = (ModelRegistry(folder) for folder in folders)
    after = _state(through)
    assert after != before
    states = [_state(one) for one in killed]
    assert states[0] == before
    assert all(state in (before, after) for state in states)
    # Once it is as after, no later step takes that back.
    assert states == sorted(states, key=lambda state: state == after)
    for one, state in zip(killed, states, strict=True):
        if state == before:
            ACTIONS[action](one, weights)
        # The next run goes on as if nothing had been, and leaves nothing of its own.
        assert _state(one) == after
        one.promote("pharma", 2)
        one.promote("pharma", 1)
        names = {path.name for path in (one.folder / "pharma").iterdir()}
        left = {name for name in names if not name.startswith(".incoming-")}
        assert left <= {".lock", "aliases.json", "1", "2", "3"}


_FILL = """\
import json, sys
from pathlib import Path
from swarm.errors import StoreError
from wiki.registry import ModelRegistry

disk, weights, large = map(Path, sys.argv[1:])
registry = ModelRegistry(disk / "models")
for _ in range(2):
    registry.register("pharma", weights=weights)
registry.promote("pharma", 1)
told = []

def fails(work):
    try:
        work()
    except StoreError as error:
        told.append(str(error))

fails(lambda: registry.register("pharma", weights=large))
fails(lambda: registry.register("other", weights=large))
free = [str(version) for version in registry.list()]
try:
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (4096, 1):
            while filler.write(b"x" * size):
                pass
except OSError:
    pass
fails(lambda: registry.promote("pharma", 2))
fails(lambda: registry.alias("pharma", "candidate", 2))
fails(lambda: registry.register("pharma", weights=weights))
state = registry.get("pharma").version, [str(v) for v in registry.list()]
left = sorted(p.name for p in (disk / "models" / "pharma").iterdir())
(disk / "filler").unlink()
registry.promote("pharma", 2)
print(json.dumps([told, free, state, left, registry.get("pharma").version]))
"""


def _small_disks() -> bool:
    """Whether this user may mount a small file system in a namespace of its own."""
    found = shutil.which("unshare")
    if found is None:
        return False
    mounts = [found, "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(mounts, capture_output=True).returncode == 0


@pytest.mark.skipif(not _small_disks(), reason="may not mount a file system")
@pytest.mark.requirement("S3-20")
def test_a_full_disk_registers_and_promotes_nothing(weights: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.gguf"
    large.write_bytes(b"GGUF" + bytes(300_000))
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=128k none "$1" && shift && exec "$@"'
    program = [sys.executable, "-c", _FILL, disk, weights, large]
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", disk, *program],
        check=True,
        capture_output=True,
        timeout=60,
    )
    told, free, (live, listed), left, at_last = json.loads(ran.stdout)
    assert len(told) == 5
    assert all("No space left on device" in text for text in told)
    assert free == listed == ["pharma@1", "pharma@2"]
    assert live == 1
    assert left == [".lock", "1", "2", "aliases.json"]
    assert at_last == 2


_LIMITED = """\
import resource, sys
from pathlib import Path
from swarm.errors import StoreError
from wiki.registry import ModelRegistry

registry, weights = ModelRegistry(Path(sys.argv[1])), Path(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for work in (
    lambda: registry.register("pharma", weights=weights),
    lambda: [registry.promote("pharma", number % 2 + 1) for number in range(100)],
):
    try:
        work()
    except StoreError as error:
        print(error)
"""


def test_a_file_that_cannot_grow_changes_nothing(registry: ModelRegistry, weights: Path) -> None:
    program = [sys.executable, "-c", _LIMITED, registry.folder, weights]
    ran = subprocess.run(program, check=True, capture_output=True, text=True, timeout=60)
    lines = ran.stdout.splitlines()
    assert len(lines) == 2
    assert all("File too large" in line for line in lines)
    aliases, history, versions = _state(registry)
    assert versions == [1, 2]
    assert set(aliases) == {"live", "previous", "trial"}
    # As many promotions as there was room for, and no more than that.
    assert history[-1][:2] == ("promote", "live")
    assert history[-1][2] == aliases["live"]
