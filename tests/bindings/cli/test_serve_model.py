"""`models serve` on the command line, as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.bindings.cli.conftest import Wikiswarm
from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki.discovery import discover


@pytest.mark.requirement("S0-35")
@pytest.mark.skipif(sys.platform == "win32", reason="the system has no signals")
def test_a_model_is_served_until_the_command_is_interrupted(home: Path, tmp_path: Path) -> None:
    write_tiny_gguf(tmp_path / "tiny.gguf")
    command = [sys.executable, "-m", "bindings.cli", "models", "serve", "gguf/tiny.gguf"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [*command, "--port", "0", "--program", "engine"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.fullmatch(
                r"llama-server/tiny listens on http://127\.0\.0\.1:(\d+)/v1\n", line
            )
            assert found is not None, line

            async def look() -> tuple[str, ...]:
                [server] = await discover(ports=[int(found[1])], seconds=10)
                return server.models

            assert anyio.run(look) == ("tiny",)
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_an_unknown_program_is_wrong_usage(wikiswarm: Wikiswarm) -> None:
    wikiswarm("models", "serve", "pharma@live", "--program", "other", code=2)
    wikiswarm("models", "serve", "pharma@live", code=1)
