"""What the conformance tests share: every kind of declaration."""

import pytest

from declarative.kinds import SECTIONS
from swarm import Kind, Spec


@pytest.fixture
def kinds() -> tuple[Kind[Spec], ...]:
    """All kinds of declarations."""
    return tuple(SECTIONS.values())
