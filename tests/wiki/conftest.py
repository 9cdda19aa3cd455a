"""The model file that tests of wikis share."""

from pathlib import Path

import pytest

from tests.wiki.tiny_gguf import write_tiny_gguf


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A served, if senseless, model; nobody may change the file."""
    return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")
