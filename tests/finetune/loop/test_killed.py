"""Rounds whose process is killed go on where they were, and leave nothing half done."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from finetune.loop import LoopRunningError, StageReport, run_loop
from finetune.loop.folder import RunFolder
from tests.finetune.loop.conftest import Shop
from tests.finetune.loop.shop import begin_again, shop_wiki, write_shop
from wiki import ModelRegistry

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]


class _EnoughError(Exception):
    """The stage that is looked at is done."""


@contextmanager
def running(folder: Path) -> Generator[subprocess.Popen[str]]:
    """Start a round in a process of its own, which prints what it does."""
    command = [sys.executable, "-m", "tests.finetune.loop.killing", folder]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        limit = threading.Timer(120, process.kill)
        limit.start()
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()


def wait_for(process: subprocess.Popen[str], stage: str, done: int) -> None:
    """Read lines up to a report."""
    assert process.stdout is not None
    seen: list[str] = []
    while line := process.stdout.readline():
        seen.append(line)
        name, _, number = line.strip().partition(" ")
        if name == stage and int(number) >= done:
            return
    pytest.fail(f"the process ended; it said {seen[-5:]}")


@pytest.mark.requirement("S2-28")
async def test_killed_in_training_a_round_goes_on_from_the_checkpoint(
    first_round: Shop, tmp_path: Path
) -> None:
    folder = write_shop(tmp_path / "shop")
    with running(folder) as process:
        wait_for(process, "train", 70)
        # One round of a wiki at a time, whoever asks.
        with pytest.raises(LoopRunningError, match=f"process {process.pid} on "):
            await run_loop(shop_wiki(), home=folder / "home", beside=folder)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (run,) = (folder / "home" / "loops" / "pharma").glob("2*")
    assert (run / "freeze.json").is_file() and not (run / "train.json").exists()
    assert not (folder / "home" / "models").exists()

    states: dict[str, str] = {}

    def finished(report: StageReport) -> None:
        states[report.stage] = report.state
        if report.stage == "train":
            raise _EnoughError

    # The lock of the dead process is taken over.
    with pytest.raises(_EnoughError):
        await run_loop(shop_wiki(), home=folder / "home", beside=folder, on_stage=finished)
    assert states == {"collect": "kept", "curate": "kept", "freeze": "kept", "train": "done"}
    metrics = next(run.glob("train-*/metrics.jsonl")).read_text().splitlines()
    assert json.loads(metrics[-1])["done"]["resumed_from"] == 60
    # Killed or not, the same rows and seed give the same model, byte for byte.
    own, whole = RunFolder(run).manifest("train"), RunFolder(first_round.first.run_dir)
    uninterrupted = whole.manifest("train")
    assert own is not None and uninterrupted is not None
    assert own.outputs == uninterrupted.outputs


async def test_killed_in_packaging_a_round_writes_the_same_file(shop: Shop) -> None:
    run = begin_again(shop.home, "package")
    before = (run / "package" / "weights.gguf").read_bytes()
    (run / "package" / "weights.gguf").unlink()
    with running(shop.folder) as process:
        wait_for(process, "package", 0)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (run / "package.json").exists() and not (shop.home / "models").exists()
    states: dict[str, str] = {}
    result = await run_loop(
        shop_wiki(),
        home=shop.home,
        beside=shop.folder,
        on_stage=lambda report: states.update({report.stage: report.state}),
    )
    assert result.outcome == "promoted" and result.run_dir == run
    assert states["train"] == "kept" and states["package"] == "done"
    assert (run / "package" / "weights.gguf").read_bytes() == before
    assert [path.name for path in (run / "package").iterdir() if path.name.startswith(".")] == []
    live = ModelRegistry(shop.home / "models").get("pharma@live")
    assert live.manifest.sha256 == shop_version(shop)


@pytest.mark.requirement("S3-26")
def test_killed_at_any_step_of_the_promotion_the_registry_is_whole(shop: Shop) -> None:
    begin_again(shop.home, "register")
    done = subprocess.run(
        [sys.executable, "-m", "tests.finetune.loop.killing", shop.folder, "register", "promote"],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert [kill["killed"] for kill in kills] == [True] * (len(kills) - 1) + [False]
    assert len(kills) > 15
    states = {(len(kill["versions"]), len(kill["live"])) for kill in kills}
    # Killed before it was registered, between that and the promotion, and after it.
    assert states == {(0, 0), (1, 0), (1, 1)}
    for kill in kills:
        assert kill["after"] == {
            "versions": ["pharma@1"], "live": ["pharma@1"], "promotions": 1,
        }, f"step {kill['step']}"  # fmt: skip


async def test_what_was_rolled_back_after_the_kill_stays_rolled_back(shop: Shop) -> None:
    run = begin_again(shop.home, "promote")
    registry = ModelRegistry(shop.home / "models")
    other = registry.register("pharma", weights=registry.get("pharma@1").weights)
    registry.promote("pharma", other.version, by="hand")
    # As the round left it when it was killed after its promotion, and somebody went back.
    registry.promote("pharma", 1, by=f"loop pharma {run.name}")
    registry.rollback("pharma", by="hand")
    begin_again(shop.home, "watch")
    result = await run_loop(shop_wiki(), home=shop.home, beside=shop.folder)
    assert registry.get("pharma@live").version == other.version
    assert result.run_dir == run


def shop_version(shop: Shop) -> str:
    """Return the hash of the version that the uninterrupted round made."""
    return str(next(one for one in shop.first.stages if one.stage == "register").outputs["sha256"])
