"""What the tests of outlines share."""

from pathlib import Path

import pytest

from tests.swarm.outline.program import Outlines


@pytest.fixture
def outlines(tmp_path: Path) -> Outlines:
    """A catalog with nothing declared yet."""
    return Outlines(tmp_path / "home")
