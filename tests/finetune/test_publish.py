"""From a training run to a version that can be served."""

import json
import shutil
from pathlib import Path

import pytest

from finetune import TrainResult, publish
from finetune.train.files import sha256_file
from swarm.errors import DataError, InvalidIdError
from wiki import ModelRegistry
from wiki.registry import NotPromotedError

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("S3-20", "S3-26", "S3-17", "S0-32", "S0-33")
async def test_a_run_becomes_a_version_with_all_that_serves_it(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    registry = ModelRegistry(tmp_path / "models")
    version = await publish(
        trained_run.run_dir,
        "pharma",
        registry,
        metrics={"exact_train": 1.0},
        licence="mit",
    )
    assert str(version) == "pharma@1"
    assert [file.name for file in version.manifest.files] == [
        "Modelfile",
        "NOTICE.txt",
        "training.json",
        "weights.gguf",
    ]
    for file in version.manifest.files:
        path = version.path / file.name
        assert (sha256_file(path), path.stat().st_size) == (file.sha256, file.size)
    assert version.weights is not None
    assert version.weights.read_bytes()[:4] == b"GGUF"
    lines = (version.path / "Modelfile").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"FROM ./{version.weights.name}"
    assert "PARAMETER temperature 0" in lines
    training = json.loads((version.path / "training.json").read_text(encoding="utf-8"))
    assert training["outputs"]["model/model.safetensors"] == trained_run.model_sha256
    assert version.manifest.dataset_sha256 == sha256_file(trained_run.run_dir / "data.jsonl")
    assert version.manifest.base_model == "scratch"
    assert version.manifest.metrics == {"exact_train": 1.0}
    assert version.manifest.licence == "mit"
    assert version.manifest.training["quantisation"] == "q8_0"
    # Nothing is promoted by publishing.
    with pytest.raises(NotPromotedError, match="wikiswarm models promote pharma@1"):
        registry.get("pharma@live")


@pytest.mark.requirement("S3-20", "S3-26")
async def test_the_same_run_gives_the_same_hashes(trained_run: TrainResult, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(trained_run.run_dir, moved)
    here, there = ModelRegistry(tmp_path / "models"), ModelRegistry(tmp_path / "elsewhere")
    first = await publish(trained_run.run_dir, "pharma", here, parity_conversations=0)
    second = await publish(moved, "pharma", here, parity_conversations=0)
    third = await publish(moved, "pharma", there, parity_conversations=0)
    smaller = await publish(moved, "pharma", here, quantisation="q4_0", parity_conversations=0)
    assert (first.version, second.version, third.version, smaller.version) == (1, 2, 1, 3)
    assert first.manifest.files == second.manifest.files == third.manifest.files
    assert first.manifest.sha256 == second.manifest.sha256 == third.manifest.sha256
    assert smaller.manifest.sha256 != first.manifest.sha256
    assert smaller.weights is not None and first.weights is not None
    assert smaller.weights.stat().st_size < first.weights.stat().st_size


async def test_what_is_no_finished_run_is_refused(trained_run: TrainResult, tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path / "models")
    (tmp_path / "file").write_text("text", encoding="utf-8")
    for folder in ("none", "", "file"):
        with pytest.raises(DataError, match="is no finished training run"):
            await publish(tmp_path / folder, "pharma", registry)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for content in (b"{}", b"\xff\xfe", b"[1"):
        (damaged / "manifest.json").write_bytes(content)
        with pytest.raises(DataError, match="train again"):
            await publish(damaged, "pharma", registry)
    shutil.copy(trained_run.run_dir / "manifest.json", damaged)
    with pytest.raises(DataError, match="no model here"):
        await publish(damaged, "pharma", registry)
    with pytest.raises(InvalidIdError):
        await publish(trained_run.run_dir, "../pharma", registry)
    assert registry.list() == ()
