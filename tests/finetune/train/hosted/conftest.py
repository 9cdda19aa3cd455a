"""A provider beside the test, rows for it, and jobs that do not wait."""

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from finetune.train.hosted import (
    HostedConfig,
    HostedJob,
    HostedResult,
    Pace,
    RunRecord,
    submit,
    train_hosted,
)
from tests.finetune.train.hosted.openai_server import KEY, FakeOpenAI, open_openai_server

__all__ = ["FAST", "Jobs", "config", "data", "environment", "fake", "jobs", "write_rows"]

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


@dataclass(frozen=True, slots=True)
class Jobs:
    """Begins jobs at the provider; a test says only what is not as always."""

    config: HostedConfig
    data: Path
    run: Path
    environment: dict[str, str]

    async def submit(
        self,
        config: HostedConfig | None = None,
        *,
        data: Path | None = None,
        run: Path | None = None,
        environment: dict[str, str] | None = None,
        **options: Any,
    ) -> RunRecord:
        """Create the job of a run."""
        return await submit(
            config or self.config,
            data=data or self.data,
            output_dir=run or self.run,
            pace=FAST,
            environment=environment or self.environment,
            **options,
        )

    async def train(
        self, *, on_progress: Callable[[HostedJob], None] | None = None
    ) -> HostedResult:
        """Create the job of the run and follow it to its end."""
        return await train_hosted(
            self.config,
            data=self.data,
            output_dir=self.run,
            pace=FAST,
            environment=self.environment,
            on_progress=on_progress,
        )


@pytest.fixture
def jobs(config: HostedConfig, data: Path, tmp_path: Path, environment: dict[str, str]) -> Jobs:
    """The jobs of one test."""
    return Jobs(config, data, tmp_path / "run", environment)
