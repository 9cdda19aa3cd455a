"""Every test of the store that asks for it runs on each database."""

from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.swarm.program import Program


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty store; None for the file in the home."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url()


@pytest.fixture
def program(tmp_path: Path, store: str | None) -> Program:
    """A program with nothing declared yet, and its journal on each database."""
    made = Program(tmp_path / "home")
    made.store = store
    return made
