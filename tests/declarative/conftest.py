"""A folder with a document and the modules beside it."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write files by name, and return the path of the first."""

    def write_files(**files: str) -> Path:
        paths: list[Path] = []
        for name, text in files.items():
            stem, _, ending = name.rpartition("_")
            path = tmp_path.joinpath(*f"{stem}.{ending}".split("__"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
            paths.append(path)
        return paths[0]

    return write_files
