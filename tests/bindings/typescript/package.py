"""The TypeScript package of this repository, installed and built when a test needs it."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

__all__ = ["NODE", "PACKAGE", "ROOT", "build", "install", "needs_node", "npm"]

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "bindings" / "typescript"
NPM, NODE = shutil.which("npm"), shutil.which("node")


def _version() -> int:
    if NODE is None or NPM is None:
        return 0
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


needs_node = pytest.mark.skipif(_version() < 20, reason="node 20 or later, with npm, is missing")


def npm(*arguments: str) -> None:
    """Run npm in the package's folder; the test fails where it does."""
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


def install() -> None:
    """Install what the lock file says, where that is not done; without a registry, skip."""
    done = PACKAGE / "node_modules" / ".package-lock.json"
    lock = PACKAGE / "package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    try:
        npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    except AssertionError as failed:
        if any(sign in str(failed) for sign in ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN")):
            pytest.skip("the npm registry is not reached, and the packages are not installed")
        raise


@cache
def build() -> None:
    """Build the package from its sources, once in each run of the tests."""
    install()
    npm("run", "build")
