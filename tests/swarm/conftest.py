"""What the tests of the core share."""

from pathlib import Path

import pytest

from tests.swarm.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A program with nothing declared yet."""
    return Program(tmp_path / "home")
