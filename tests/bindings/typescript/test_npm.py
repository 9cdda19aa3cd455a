"""The TypeScript package: its own checks and tests, against this repository's core."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "bindings" / "typescript"
NPM, NODE = shutil.which("npm"), shutil.which("node")


def _version() -> int:
    if NODE is None or NPM is None:
        return 0
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


needs_node = pytest.mark.skipif(_version() < 20, reason="node 20 or later, with npm, is missing")


def _npm(*arguments: str) -> None:
    environment = {**os.environ, "WIKISWARM_PYTHON": sys.executable, "CI": "1", "NO_COLOR": "1"}
    ran = subprocess.run(
        [NPM or "npm", *arguments],
        cwd=PACKAGE,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, f"npm {' '.join(arguments)}:\n{ran.stdout}\n{ran.stderr}"


@needs_node
@pytest.mark.xdist_group("npm")
def test_package_is_typed_tidy_and_tested() -> None:
    _install()
    for arguments in (["run", "types"], ["run", "lint"], ["test"]):
        _npm(*arguments)


def test_lock_file_names_no_registry() -> None:
    # Another registry than the one it was made with must do.
    assert '"resolved"' not in (PACKAGE / "package-lock.json").read_text(encoding="utf-8")


def test_package_has_no_install_script_and_few_dependencies() -> None:
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert set(package["dependencies"]) == {"vscode-jsonrpc", "ws"}
    assert not {"preinstall", "install", "postinstall", "prepare"} & set(package["scripts"])


def _install() -> None:
    """Install what the lock file says, where that is not done; without a registry, skip."""
    done = PACKAGE / "node_modules" / ".package-lock.json"
    lock = PACKAGE / "package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    try:
        _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    except AssertionError as failed:
        if any(sign in str(failed) for sign in ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN")):
            pytest.skip("the npm registry is not reached, and the packages are not installed")
        raise
