"""Files replaced in one step."""

import os
import stat
import sys
from pathlib import Path

import pytest

from swarm.files import replacing, write_atomically


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    write_atomically(path, "first\n")
    write_atomically(path, "zweite Fassung, größer\n")
    assert path.read_bytes() == "zweite Fassung, größer\n".encode()
    write_atomically(path, b"\x00\r\n")
    assert path.read_bytes() == b"\x00\r\n"
    assert os.listdir(tmp_path) == ["page.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_what_is_private_is_private_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    with replacing(path, mode=0o600) as file:
        (temporary,) = tmp_path.iterdir()
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        file.write(b"{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_other_files_are_as_readable_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "model.json", "{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model.json").stat().st_mode) == 0o640


def test_a_block_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_atomically(path, "old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["rows.jsonl"]


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "page.md", "text")
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_atomically(tmp_path / "taken", "text")
    assert os.listdir(tmp_path) == ["taken"]
