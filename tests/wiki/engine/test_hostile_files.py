"""Thousands of changed headers, judged in a process with little memory and a limit of time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki.engine import EngineTimeoutError, GgufError, check_header, start_engine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")

_MEMORY = 200 * 2**20
_CASES = 4000

# Counts, lengths and types are what a hostile file lies about, so those are what is changed most.
_JUDGE = """
import io, json, random, resource, struct, sys
from wiki.engine import GgufError, parse_header
content = open(sys.argv[1], "rb").read()
header, cases, memory = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
resource.setrlimit(resource.RLIMIT_AS, (grown + 8 * memory, grown + 8 * memory))
resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
rng = random.Random(11)
extremes = [0, 1, 7, 8, 9, 255, 2**16, 2**31 - 1, 2**32 - 1, 2**32, 2**60, 2**63 - 1, 2**64 - 1]
reasons, sound = {}, 0
for number in range(cases):
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 5)):
        at, kind = rng.randrange(4, header), rng.randrange(4)
        if kind == 0:
            changed[at : at + 8] = struct.pack("<Q", rng.choice(extremes))
        elif kind == 1:
            changed[at : at + 4] = struct.pack("<Q", rng.choice(extremes))[:4]
        elif kind == 2:
            changed[at : at + 1] = bytes([rng.randrange(256)])
        else:
            # An array in an array, as deep as there is room.
            nested = struct.pack("<IQ", 9, 1) * rng.randrange(1, 200)
            changed[at : at + len(nested)] = nested
    size = rng.choice([len(changed), 2**40, rng.randrange(len(changed))])
    try:
        parse_header(io.BytesIO(changed), size)
        sound += 1
    except GgufError as error:
        reason = error.reason.split("'")[0][:20]
        reasons[reason] = reasons.get(reason, 0) + 1
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"sound": sound, "refused": sum(reasons.values()), "reasons": len(reasons),
                  "grown": peak - grown}))
"""


def test_no_changed_header_crashes_hangs_or_takes_memory(tiny_gguf: Path) -> None:
    command = [sys.executable, "-c", _JUDGE, str(tiny_gguf), "6300", str(_CASES), str(_MEMORY)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["sound"] + found["refused"] == _CASES
    assert found["refused"] > _CASES / 2
    assert found["sound"] > 0
    assert found["reasons"] > 10
    assert found["grown"] < _MEMORY


@pytest.mark.anyio
async def test_a_template_that_runs_for_ever_ends_with_its_process(tmp_path: Path) -> None:
    loops = [f"{{% for {name} in range(99999) %}}" for name in "abc"]
    template = "".join(loops) + "{{ a }}" + "{% endfor %}" * 3
    path = write_tiny_gguf(tmp_path / "loop.gguf", chat_template=template)
    with pytest.raises(EngineTimeoutError, match="was not loaded within 3 s"):
        await start_engine(path, log=tmp_path / "log.txt", load_timeout=3)


def test_a_file_with_a_hostile_template_is_refused(tmp_path: Path) -> None:
    template = "{% if a %}" * 100_000
    path = write_tiny_gguf(tmp_path / "deep.gguf", chat_template=template)
    with pytest.raises(GgufError, match=r"deep\.gguf: has a chat template of 1000000 characters"):
        check_header(path)
