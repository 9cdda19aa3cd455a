"""docs/hosted.md is true: its program runs against a provider, its document has no problems."""

import os
import sys
from pathlib import Path

import anyio
import pytest

from declarative import check
from tests.finetune.train.hosted.conftest import write_rows
from tests.finetune.train.hosted.openai_server import KEY, FakeOpenAI
from tests.test_docs import ROOT, blocks

pytestmark = pytest.mark.anyio

PAGE = ROOT / "docs" / "hosted.md"


@pytest.mark.requirement("S2-26", "S1-18")
async def test_the_program_of_the_page_runs(fake: FakeOpenAI, tmp_path: Path) -> None:
    (program,) = blocks(PAGE, "python")
    await anyio.Path(tmp_path / "program.py").write_text(program, encoding="utf-8")
    write_rows(tmp_path / "rows.jsonl")
    environment = {"HOST_URL": fake.base_url, "HOST_KEY": KEY, "PYTHONPATH": str(ROOT)}
    done = await anyio.run_process(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        check=False,
    )
    model = "ft:gpt-4.1-mini:org:shop-v1-2:abc"
    assert done.stdout.decode().splitlines() == [
        "completed 100.0 None",
        f"shop@1 is openai/{model}",
        f"{model} answers.",
    ], done.stderr.decode()


def test_the_document_of_the_page_has_no_problems(tmp_path: Path) -> None:
    (document,) = blocks(PAGE, "yaml")
    path = tmp_path / "shop.yaml"
    path.write_text(document, encoding="utf-8")
    assert check(path, environment={}).problems == ()
