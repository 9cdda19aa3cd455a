"""`export_to_gguf`, and packaging on a full disk or in a process that is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finetune import export_to_gguf
from finetune.package import PackagingError
from finetune.train import TrainResult
from swarm.errors import DataError, StoreError

# As on a full disk: writes beyond the limit fail.
_PUBLISH_WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
import anyio
from finetune import publish
from wiki import ModelRegistry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
registry = ModelRegistry(Path(sys.argv[2]))
try:
    anyio.run(lambda: publish(Path(sys.argv[1]), "pharma", registry, parity_conversations=0))
except Exception as error:
    print(type(error).__name__, error)
print(len(registry.list()))
"""
# Writes half a file, says so, and waits to be killed.
_HALF = """
import sys, time
from pathlib import Path
import anyio
from finetune.package import package_gguf

class Slow:
    name = "slow"

    async def convert(self, model_dir, output, quantisation):
        output.write_bytes(bytes(1000))
        print("half", flush=True)
        await anyio.sleep_forever()

anyio.run(lambda: package_gguf(Path(sys.argv[1]), Path(sys.argv[2]), converter=Slow()))
"""


@pytest.mark.requirement("S0-32")
def test_the_name_of_a_quantization_may_be_in_any_case_or_left_out(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    default = export_to_gguf(trained_run.run_dir, tmp_path / "default.gguf")
    named = export_to_gguf(str(trained_run.model_dir), str(tmp_path / "named.gguf"), "Q4_k_M")
    larger = export_to_gguf(trained_run.run_dir, tmp_path / "larger.gguf", quantization="Q8_0")
    assert default == tmp_path / "default.gguf"
    assert default.read_bytes() == named.read_bytes()
    assert 0 < default.stat().st_size < larger.stat().st_size


def test_what_cannot_be_exported_is_one_clear_error(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    with pytest.raises(PackagingError, match=r"no quantization 'q9'; there are f32, f16, q8_0"):
        export_to_gguf(trained_run.run_dir, tmp_path / "m.gguf", "q9")
    with pytest.raises(DataError, match="no model here"):
        export_to_gguf(tmp_path, tmp_path / "m.gguf")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        export_to_gguf(trained_run.run_dir, tmp_path / "file" / "m.gguf")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("limit", [1, 4096, 100_000])
def test_a_full_disk_is_one_clear_error_and_nothing_is_registered(
    trained_run: TrainResult, tmp_path: Path, limit: int
) -> None:
    folder = tmp_path / "models"
    command = [sys.executable, "-c", _PUBLISH_WITHOUT_ROOM, str(trained_run.run_dir), str(folder)]
    done = subprocess.run(
        [*command, str(limit)], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    error, registered = done.stdout.splitlines()
    assert error.startswith("StoreError ")
    assert error.endswith(": File too large") or "is the disk full?" in error
    assert registered == "0"
    assert not folder.exists() or not any(folder.rglob("*.gguf"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_after_a_kill_the_next_run_goes_on_and_leaves_nothing(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "m.gguf"
    command = [sys.executable, "-c", _HALF, str(trained_run.run_dir), str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        [left] = output.parent.iterdir()
        # While its writer lives, nobody takes it away.
        export_to_gguf(trained_run.run_dir, output, "f16")
        assert left.exists()
        os.kill(process.pid, signal.SIGKILL)
    assert left.exists()
    export_to_gguf(trained_run.run_dir, output, "q8_0")
    assert [path.name for path in output.parent.iterdir()] == ["m.gguf"]
