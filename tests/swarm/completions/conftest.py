"""Models opened in a host of the test's own, with no key in its environment."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from swarm import Catalog, Host
from tests.swarm.completions.asking import OpenModel, opener


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """A host whose environment is empty; models need no journal, so it stays closed."""
    host = Host(catalog=Catalog(), home=tmp_path, environment={})
    yield host
    await host.aclose()


@pytest.fixture
async def open_model(host: Host) -> OpenModel:
    """Opens models in the test's host."""
    return opener(host)
