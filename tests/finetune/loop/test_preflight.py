"""What a round refuses before anything is spent: nothing is registered, and the fix is named."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from finetune.loop import (
    LicenceUnknownError,
    MachineTooSmallError,
    NoSpaceError,
    plan_loop,
    run_loop,
)
from finetune.loop.folder import RunFolder
from finetune.loop.preflight import check_size, disk_needed
from finetune.loop.run import open_round
from finetune.train import TrainingError, TrainResult
from finetune.train.failure import TrainingStopped
from finetune.train.hardware import Hardware
from finetune.train.hosted import RetiredError
from finetune.train.plan import DataSize
from swarm.errors import DataError, DeclarationError, StoreError
from tests.finetune.loop.shop import TRAIN, shop_wiki
from wiki import ModelRegistry

pytestmark = pytest.mark.anyio


async def refused(folder: Path, error: type[Exception], match: str, **changes: Any) -> None:
    """See that a round ends with an error, and that no folder of a round is left."""
    with pytest.raises(error, match=match):
        await run_loop(shop_wiki(**changes), home=folder / "home", beside=folder)
    assert not list((folder / "home").glob("loops/pharma/2*"))
    assert not (folder / "home" / "models" / "pharma").exists()


HOSTED: Mapping[str, Any] = {"backend": "openai", "train": {}, "max_cost": 5}


async def test_a_base_or_a_judge_that_ends_soon_is_refused_with_its_date(folder: Path) -> None:
    await refused(folder, RetiredError, "the base openai/gpt-4o-mini-2024-07-18: retires 2027-01-14"
                  ", fine-tuned models of it too; .*choose another", **HOSTED,
                  base="gpt-4o-mini-2024-07-18")  # fmt: skip
    gate = {"golden": "golden.yaml", "metric": "judge", "judge": "openai/gpt-4o"}
    await refused(folder, RetiredError, "the judge openai/gpt-4o: retires 2027-01-14", gate=gate)
    registry = ModelRegistry(folder / "home" / "models")
    registry.register("judge", remote="openai/gpt-4o")
    gate = {"golden": "golden.yaml", "metric": "judge", "judge": "registry/judge@1"}
    await refused(folder, RetiredError, r"the judge registry/judge@1 \(openai/gpt-4o\)", gate=gate)


async def test_a_base_without_a_licence_is_refused(folder: Path, trained_run: TrainResult) -> None:
    base = folder / "base"
    shutil.copytree(trained_run.model_dir, base)
    await refused(
        folder, LicenceUnknownError, r"set wikis\.pharma\.loop\.licence, such as apache-2\.0",
        base=str(base), train={},
    )  # fmt: skip
    # A folder that says it, and a model of a run of one's own, need no word more.
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n", encoding="utf-8")
    for known in (base, trained_run.model_dir):
        wiki = shop_wiki(base=str(known), train={})
        assert (await plan_loop(wiki, home=folder / "home", beside=folder)).train_rows == 12


async def test_a_base_that_is_not_there_is_named(folder: Path) -> None:
    await refused(folder, DataError, r"loop\.base: there is no folder .*/bse", base="bse", train={})
    await refused(
        folder, DataError, r"llama-3\.2-3b has to be fetched first", base="llama-3.2-3b", train={}
    )


async def test_a_technique_without_its_gpu_is_refused(
    folder: Path, trained_run: TrainResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))  # no nvidia-smi, whatever the machine has
    await refused(
        folder, TrainingStopped, "qlora needs an NVIDIA GPU and this machine shows none; use LoRA",
        base=str(trained_run.model_dir), technique="qlora", licence="mit", train={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"train": {"epoch": 3}}, r"wikis\.pharma\.loop\.train\.epoch: unknown setting"),
        ({"train": {"base": "x"}}, r"loop\.train\.base: the loop decides it"),
        ({"quantization": "q9"}, r"loop\.quantization: .*q9"),
        ({"gate": {"metric": "beauty"}}, r"gate\.metric: no figure 'beauty'"),
        ({"curation": ["magic"]}, r"loop\.curation\[0\]: there is no step 'magic'"),
        ({"questions": "fcats.yaml"}, r"pharma\.loop\.questions: there is no file .*/fcats\.yaml"),
        ({"curation": "steps.yaml"}, r"pharma\.loop\.curation: there is no file .*/steps\.yaml"),
        ({"gate": {"golden": ["golden.yaml", "g.jsonl"]}}, r"golden: there is no file .*/g\.jsonl"),
        ({"gate": {"golden": "/etc/passwd"}}, r"'/etc/passwd' leads out of the document's folder"),
        ({"questions": "../facts.yaml"}, r"'\.\./facts\.yaml' leads out of the document's folder"),
    ],
)
async def test_a_wrong_setting_is_named_with_its_place(
    folder: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises((DeclarationError, DataError), match=reason):
        await plan_loop(shop_wiki(**changes), home=folder / "home", beside=folder)


async def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("- id: a\n", encoding="utf-8")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    await refused(
        folder, DeclarationError, r"'link\.yaml' leads out of the document's", questions="link.yaml"
    )


async def test_a_wiki_without_a_loop_leaves_nothing_behind(folder: Path) -> None:
    wiki = shop_wiki().model_copy(update={"loop": None})
    with pytest.raises(DeclarationError, match="has no `loop`; say there"):
        await run_loop(wiki, home=folder / "home", beside=folder)
    assert not (folder / "home").exists()


async def test_wrong_questions_are_named_by_line(folder: Path) -> None:
    (folder / "facts.yaml").write_text("- id: a\n  answer: b\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"facts\.yaml:1: a: train is missing"):
        await run_loop(shop_wiki(), home=folder / "home", beside=folder)
    assert not (folder / "home" / "models").exists()


def test_a_full_disk_and_a_small_machine_are_seen_before(
    folder: Path, trained_run: TrainResult
) -> None:
    size = DataSize(rows=1000, tokens=2_000_000, longest=2000)
    wiki = shop_wiki()
    round = open_round(wiki, home=folder / "home", beside=folder, run=RunFolder(folder / "none"))
    needed = disk_needed(round)
    assert 100e6 < needed < 1e9
    check_size(round, DataSize(rows=10, tokens=100, longest=20), free=needed)
    with pytest.raises(NoSpaceError, match=r"needs about 0\.2 GB and 0\.0 GB are free; make room"):
        check_size(round, size, free=1000)
    based = shop_wiki(base=str(trained_run.model_dir), technique="full", licence="mit", train={})
    large = open_round(based, home=folder / "home", beside=folder, run=RunFolder(folder / "none"))
    check_size(large, size)
    small = Hardware(memory_gb=1.0, cores=1)
    with pytest.raises(MachineTooSmallError, match=r"full takes about 1\.\d GB, and 0\.9 GB may"):
        check_size(large, size, hardware=small)
    large.is_forced = True
    check_size(large, size, free=0, hardware=small)


async def test_a_training_that_diverges_registers_nothing_and_says_the_fix(folder: Path) -> None:
    wild = {**TRAIN, "learning_rate": 1e30, "steps": 20, "save_every": 1000}
    with pytest.raises(TrainingError, match=r"the loss is .*; lower learning_rate"):
        await run_loop(shop_wiki(train=wild), home=folder / "home", beside=folder)
    assert not (folder / "home" / "models").exists()
    (run,) = (folder / "home" / "loops" / "pharma").glob("2*")
    assert (run / "freeze.json").is_file() and not (run / "train.json").exists()


async def test_a_folder_that_cannot_be_written_is_an_error_of_the_machine(folder: Path) -> None:
    (folder / "home").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="home"):
        await run_loop(shop_wiki(), home=folder / "home", beside=folder)
