"""The programs of docs/stores.md run."""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "stores.md"


def _run(program: str, folder: Path) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WIKISWARM_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_programs_of_the_page(tmp_path: Path, store: str | None) -> None:
    text = PAGE.read_text(encoding="utf-8")
    chat, suite = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    if store is not None:
        chat = chat.replace("anyio.run(main)", f"anyio.run(main, {store!r})")
        suite = suite.replace('open_database(Path("state"))', f"open_database(Path(), {store!r})")
    assert _run(chat, tmp_path) == ["client-1 Hello! answered"]
    said = _run(suite, tmp_path)
    assert len(said) >= 25
    assert all(line.endswith(" ok") for line in said)
