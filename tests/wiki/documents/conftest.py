"""The documents that these tests share."""

from pathlib import Path

import pytest

from tests.wiki.documents.corpus import write_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The ten documents, for this test to change as it likes."""
    return write_corpus(tmp_path / "garden")
