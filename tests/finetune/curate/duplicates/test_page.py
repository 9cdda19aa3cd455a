"""The page about duplicates is true."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_the_program_of_the_page_finds_what_the_page_says() -> None:
    page = (ROOT / "docs" / "curation.md").read_text(encoding="utf-8")
    section = page.partition("\n## Duplicates\n")[2].partition("\n## ")[0]
    program = re.findall(r"^```python\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", *program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *found, leak = done.stdout.splitlines()
    assert found == [
        "exact_duplicate 1 stands for 0",
        "near_duplicate 1 stands for 0",
        "near_duplicate 2 stands for 0",
    ]
    assert re.fullmatch(r"held-out line 3 is \d\d % like training line 1", leak)
