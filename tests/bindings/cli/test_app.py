"""The command tree, and what starting the command costs."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm

COMMANDS = (
    "check", "describe", "chat", "ask", "runs", "feedback", "dataset", "train", "evaluate",
    "package", "models", "doctor",
)  # fmt: skip
HEAVY = {
    "aiohttp", "anyio", "cohere", "datasets", "jsonschema", "litellm", "numpy", "openai",
    "orjson", "pydantic", "sqlalchemy", "torch", "transformers", "trl", "xllamacpp", "yaml",
}  # fmt: skip


def test_help_names_every_command(wikiswarm: Wikiswarm) -> None:
    shown = wikiswarm("--help").out
    for command in COMMANDS:
        assert f"\n  {command} " in shown
        assert "Usage: " in wikiswarm(command, "--help").out


def test_help_loads_no_heavy_module() -> None:
    program = (
        "import sys\n"
        "from bindings.cli import main\n"
        "sys.argv = ['wikiswarm', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        f"    print(end.code, sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stderr.split() == ["0", "[]"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("chat",),
        ("check", "a.yaml", "--nonsense"),
        ("runs", "list", "--limit", "0"),
        ("runs", "--json", "list"),
        ("feedback", "abc"),
        ("feedback", "abc", "--rating", "6"),
        ("feedback", "abc", "--correct", " "),
        ("describe", "a.yaml", "--format", "html"),
        ("dataset", "collect", "--min-rating", "0"),
        ("package", "run", "--name", "x", "--quantization", "q9"),
        ("models", "promote"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(wikiswarm: Wikiswarm, arguments: tuple[str, ...]) -> None:
    output = wikiswarm(*arguments, code=2)
    assert output.err.strip()


def test_the_command_is_installed(home: Path) -> None:
    command = Path(sys.executable).with_name("wikiswarm")
    result = subprocess.run([command, "models", "list"], capture_output=True, text=True, check=True)
    assert "no models yet" in result.stderr
    module = [sys.executable, "-m", "bindings.cli", "nonsense"]
    assert subprocess.run(module, capture_output=True, check=False).returncode == 2


def test_the_version_is_that_of_the_package(wikiswarm: Wikiswarm) -> None:
    assert wikiswarm("--version").out.strip() == importlib.metadata.version("wikiswarm")


def test_output_that_nobody_reads_is_no_error(shop: Path, home: Path) -> None:
    command = Path(sys.executable).with_name("wikiswarm")
    process = subprocess.Popen(
        [command, "describe", shop], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert b"Traceback" not in process.stderr.read()
    process.wait(timeout=20)
