"""What tests of the loop share: one finished round, made at its first use, and a provider."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from finetune.loop import LoopResult, run_loop
from tests.finetune.loop.hosting import KEY, KEY_NAME, open_provider
from tests.finetune.loop.shop import shop_wiki, write_shop
from tests.finetune.train.hosted.openai_server import FakeOpenAI

__all__ = ["Shop"]


class Shop(NamedTuple):
    """A folder with a wiki's files, its home, and the round that made its first version."""

    folder: Path
    home: Path
    first: LoopResult


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all tests of the finished round to one worker, so that a run makes it once."""
    for item in items:
        if isinstance(item, pytest.Function) and "first_round" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("first_round"))


@pytest.fixture(scope="session")
def first_round(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The first round of the shop's wiki; tests that change something take `shop`."""
    folder = write_shop(tmp_path_factory.mktemp("loop") / "shop")
    home = folder / "home"

    async def run() -> LoopResult:
        return await run_loop(shop_wiki(), home=home, beside=folder)

    return Shop(folder, home, anyio.run(run))


@pytest.fixture
def shop(first_round: Shop, tmp_path: Path) -> Shop:
    """A copy of the finished round, to be changed."""
    folder = tmp_path / "shop"
    shutil.copytree(first_round.folder, folder)
    return Shop(folder, folder / "home", first_round.first)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of the shop's wiki."""
    return write_shop(tmp_path / "shop")


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FakeOpenAI]:
    """A provider, and the key for it."""
    monkeypatch.setenv(KEY_NAME, KEY)
    async with open_provider() as found:
        yield found
