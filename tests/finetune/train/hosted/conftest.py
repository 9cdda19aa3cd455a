"""A provider beside the test, rows for it, and a configuration that does not wait."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from finetune.train.hosted import HostedConfig, Pace
from tests.finetune.train.hosted.openai_server import KEY, FakeOpenAI, open_openai_server

__all__ = ["FAST", "config", "data", "environment", "fake", "write_rows"]

FAST = Pace(first=0.005, longest=0.01, patience=1.0)


def write_rows(path: Path, count: int = 12) -> Path:
    """Write so many SFT rows."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"How much is box {number}?"},
                {"role": "assistant", "content": f"Box {number} costs {number} euros."},
            ]
        }
        for number in range(count)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
async def fake() -> AsyncGenerator[FakeOpenAI]:
    """The provider."""
    async with open_openai_server() as server:
        yield server


@pytest.fixture
def environment() -> dict[str, str]:
    """Where the key is."""
    return {"SHOP_KEY": KEY}


@pytest.fixture
def config(fake: FakeOpenAI) -> HostedConfig:
    """A job at the provider."""
    return HostedConfig(
        model="gpt-4.1-mini", suffix="shop", base_url=fake.base_url, api_key_env="SHOP_KEY"
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve rows."""
    return write_rows(tmp_path / "rows.jsonl")
