"""`train --backend openai` and `jobs`: cost, one job, a killed command, cancelling, registering."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from tests.bindings.cli.conftest import Wikiswarm
from tests.finetune.train.hosted.conftest import write_rows
from tests.finetune.train.hosted.openai_server import (
    KEY,
    FakeOpenAI,
    Refuse,
    open_openai_server,
)

CREATE = "POST /v1/fine_tuning/jobs"
_ROOT = Path(__file__).resolve().parents[3]
MODEL = "openai/ft:gpt-4.1-mini:org:shop:abc"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeOpenAI]:
    """A provider in a thread of its own, and its key."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_openai_server()) as fake,
    ):
        yield fake


@pytest.fixture
def order(provider: FakeOpenAI, home: Path) -> list[object]:
    """The arguments of `train` for a job at the provider."""
    data = write_rows(home.parent / "rows.jsonl")
    at = ["--base-url", provider.base_url, "--api-key-env", "SHOP_KEY"]
    return ["train", data, "--backend", "openai", "--base", "gpt-4.1-mini", "--suffix", "shop", *at]


@contextmanager
def running(*arguments: object) -> Generator[subprocess.Popen[bytes]]:
    """Run a command in a process of its own, which is ended with the block."""
    command = [sys.executable, "-m", "bindings.cli", *map(str, arguments)]
    # A checkout that is not installed works too.
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe) as process:
        limit = threading.Timer(60, process.kill)
        limit.start()
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()


@pytest.mark.requirement("S2-26", "S1-09", "S1-10", "S1-14")
def test_a_model_is_trained_registered_and_shown(
    wikiswarm: Wikiswarm, provider: FakeOpenAI, order: list[object]
) -> None:
    provider.event("Step 4/4", data={"step": 4, "total_steps": 4, "train_loss": 0.1})
    output = wikiswarm(*order, "--yes", "--name", "shop", "--metadata", "owner=anna")
    assert output.lines == [f"{MODEL}, 4,200 tokens trained", "shop@1 is registered"]
    assert "price is not known" in output.err
    assert provider.bodies[0]["metadata"]["owner"] == "anna"
    assert wikiswarm("models", "show", "shop@1").json["manifest"]["remote"] == MODEL
    (listed,) = wikiswarm("jobs", "list", "--json").json
    assert (listed["id"], listed["status"], listed["progress"]) == ("ftjob-0", "completed", 100.0)
    shown = wikiswarm("jobs", "show", "ftjob-0", "--json").json
    assert shown["job"]["fine_tuned_model"] == MODEL.removeprefix("openai/")
    assert shown["events"][0]["metrics"] == {"train_loss": 0.1}
    assert shown["checkpoints"][0]["step"] == 10
    assert wikiswarm("jobs", "show", "1").lines[-1] == MODEL
    again = wikiswarm("jobs", "wait", "ftjob-0", "--name", "shop", "--json").json
    assert (again["model"], again["version"]) == (MODEL, "shop@1")
    assert provider.requests.count(CREATE) == 1
    assert "4,200 tokens trained in 1 job" in wikiswarm("jobs", "list").err
    assert "12 rows are few" in output.err


@pytest.mark.requirement("S1-21", "S1-24")
def test_nothing_is_sent_before_the_cost_is_accepted(
    wikiswarm: Wikiswarm, provider: FakeOpenAI, order: list[object]
) -> None:
    output = wikiswarm(*order, code=1)
    assert "estimate: about " in output.err
    assert "add --yes, or --max-cost DOLLARS" in output.err
    assert "price is not known" in wikiswarm(*order, "--max-cost", 5, code=1).err
    assert provider.requests == []


@pytest.mark.requirement("S1-24")
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_command_goes_on_with_its_job(
    wikiswarm: Wikiswarm, provider: FakeOpenAI, order: list[object]
) -> None:
    looked = threading.Event()
    provider.states = [{"status": "running"}]
    provider.on_look = lambda number: looked.set()
    with running(*order, "--yes") as process:
        assert looked.wait(60)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    provider.states = [{"status": "succeeded"}]
    output = wikiswarm(*order, "--yes")
    assert "going on with" in output.err
    assert output.lines[0].startswith(MODEL)
    assert len(provider.jobs) == len(provider.files) == 1
    # It has ended, so the same command now begins another one, and says that it is not needed.
    assert f"has trained the same; its model is {MODEL}" in wikiswarm(*order, "--yes").err
    assert len(provider.jobs) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_command_killed_while_the_job_is_created_finds_it(
    wikiswarm: Wikiswarm, provider: FakeOpenAI, order: list[object]
) -> None:
    created, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        created.set()
        assert go_on.wait(60)

    provider.on_create = hold
    with running(*order, "--yes") as process:
        assert created.wait(60)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    provider.on_create = None
    go_on.set()
    output = wikiswarm(*order, "--yes")
    assert output.lines[0].startswith(MODEL)
    assert len(provider.jobs) == 1


@pytest.mark.requirement("S1-20", "S1-22")
def test_errors_say_what_to_do(
    wikiswarm: Wikiswarm, provider: FakeOpenAI, order: list[object]
) -> None:
    provider.refusals = {"POST /v1/files": [Refuse(401, f"Incorrect API key {KEY}")]}
    output = wikiswarm(*order, "--yes", code=3)
    assert "check the key in SHOP_KEY; it needs the permission 'Files: write'" in output.err
    assert KEY not in output.out + output.err
    provider.states = [{"status": "failed", "error": {"code": "x", "message": "moderation"}}]
    provider.event("Example 7 is refused", level="error")
    output = wikiswarm(*order, "--yes", code=3)
    assert "| Example 7 is refused" in output.err
    assert "| moderation" in output.err
    assert wikiswarm("jobs", "list").lines[0].split("\t")[:2] == ["ftjob-0", "failed"]
    output = wikiswarm("jobs", "show", "ftjob-1", code=1)
    assert "did you mean 'ftjob-0'?" in output.err
    wikiswarm(*order[:-4], "--base-url", "https://me:secret@host.example", "--yes", code=1)
    assert "--base" in wikiswarm("train", order[1], "--backend", "openai", "--yes", code=2).err
    wikiswarm(*order, "--metadata", "none", code=2)


def test_a_job_is_cancelled_by_its_id_or_its_run(
    wikiswarm: Wikiswarm, provider: FakeOpenAI, order: list[object]
) -> None:
    provider.states = [{"status": "running"}]

    def stop(number: int) -> None:
        if number == 1:
            provider.jobs[0]["status"] = "cancelled"

    provider.on_look = stop
    assert "job ftjob-0 was cancelled" in wikiswarm(*order, "--yes", code=3).err
    assert wikiswarm("jobs", "cancel", "1").lines == ["ftjob-0: cancelled"]
    where: list[Any] = ["--backend", "openai", *order[-4:]]
    assert wikiswarm("jobs", "cancel", "ftjob-0", *where, "--json").json["status"] == "cancelled"
    (listed,) = wikiswarm("jobs", "list", *where, "--json").json
    assert (listed["id"], listed["run"]) == ("ftjob-0", None)
    assert wikiswarm("jobs", "show", "ftjob-0", *where).lines[-1].startswith("ftjob-0: cancelled")


def test_a_home_without_jobs_says_how_to_begin(wikiswarm: Wikiswarm) -> None:
    output = wikiswarm("jobs", "list")
    assert output.out == ""
    assert "wikiswarm train DATA --backend openai" in output.err
