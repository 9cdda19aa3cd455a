"""Several files of one run, what they were made from, and going on after a stop."""

import json
import shutil
from pathlib import Path

import pytest

from finetune.package import PackagingError, Quantisation, package_run
from finetune.package.bundle import Package
from finetune.train import TrainResult
from finetune.train.files import sha256_file
from swarm.errors import DataError, InvalidIdError

pytestmark = pytest.mark.anyio

_KINDS: tuple[Quantisation, ...] = ("f16", "q8_0", "q5_k_m", "q4_k_m")


@pytest.fixture(autouse=True)
def no_quantiser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use no llama-quantize of this machine."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.requirement("S3-16", "S0-33", "S3-17")
async def test_several_files_are_written_and_described(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    output = tmp_path / "package"
    package = await package_run(trained_run.run_dir, output, name="facts", quantisations=_KINDS)
    assert [file.quantisation for file in package.files] == list(_KINDS)
    for file in package.files:
        path = output / file.name
        assert (sha256_file(path), path.stat().st_size) == (file.sha256, file.bytes)
        lines = (output / str(file.modelfile)).read_text().splitlines()
        assert lines[0] == f"FROM ./{file.name}"
        assert 'PARAMETER stop "<|im_end|>"' in lines
        assert {"PARAMETER temperature 0", "PARAMETER num_ctx 128"} <= set(lines)
    sizes = [file.bytes for file in package.files]
    assert sizes == sorted(sizes, reverse=True)
    manifest = json.loads((output / "package.json").read_text())
    assert Package.model_validate(manifest) == package
    lineage = manifest["lineage"]
    assert lineage["base"] == "scratch"
    assert lineage["dataset_sha256"] == sha256_file(trained_run.run_dir / "data.jsonl")
    assert lineage["model"]["model.safetensors"] == trained_run.model_sha256
    assert lineage["config"]["seed"] == package.lineage.config["seed"]
    assert lineage["wikiswarm"]
    again = await package_run(
        trained_run.run_dir, tmp_path / "again", name="facts", quantisations=_KINDS
    )
    assert again == package


async def test_what_is_whole_is_kept_and_what_is_not_is_made_again(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    run, output = trained_run.run_dir, tmp_path / "package"
    first = await package_run(run, output, name="facts", quantisations=["f16", "q8_0"])
    whole, damaged = (output / file.name for file in first.files)
    number = whole.stat().st_ino
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    # A kill between two files leaves the manifest of those that are done.
    second = await package_run(run, output, name="facts", quantisations=["f16", "q8_0", "q4_0"])
    assert second.files[:2] == first.files
    assert whole.stat().st_ino == number
    assert sha256_file(damaged) == first.files[1].sha256
    third = await package_run(run, output, name="facts", quantisations=["q4_0"])
    assert third.files == second.files[2:]
    listed = Package.model_validate_json((output / "package.json").read_bytes())
    assert listed.files == second.files


async def test_a_run_that_was_changed_is_refused(trained_run: TrainResult, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained_run.run_dir, tmp_path / "run"))
    with pytest.raises(InvalidIdError):
        await package_run(run, tmp_path / "out", name="../facts", quantisations=["f16"])
    weights = run / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(DataError, match="is not what the training wrote"):
        await package_run(run, tmp_path / "out", name="facts", quantisations=["f16"])
    assert not (tmp_path / "out").exists()


async def test_a_manifest_of_another_hand_leads_to_no_other_folder(
    trained_run: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, output = trained_run.run_dir, tmp_path / "package"
    await package_run(run, output, name="facts", quantisations=["f16"])
    path = output / "package.json"
    for name in ("../outside.gguf", "/etc/hostname"):
        manifest = json.loads(path.read_text())
        manifest["files"][0]["name"] = name
        path.write_text(json.dumps(manifest))
        package = await package_run(run, output, name="facts", quantisations=["f16"])
        assert [file.name for file in package.files] == ["facts-f16.gguf"]
        assert name not in path.read_text()
    path.write_text("{")
    assert await package_run(run, output, name="facts", quantisations=["f16"]) == package
    monkeypatch.setenv("WIKISWARM_LLAMA_QUANTIZE", "absent")
    with pytest.raises(PackagingError, match="WIKISWARM_LLAMA_QUANTIZE names absent"):
        await package_run(run, output, name="facts", quantisations=["f16", "q2_k"])
    assert (output / "facts-f16.gguf").is_file()
