"""`package`: several files at once, Ollama, and what is refused."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from finetune import TrainResult
from tests.bindings.cli.conftest import Wikiswarm

_OLLAMA = f"""#!{sys.executable}
import json, os, sys
assert os.path.isfile(sys.argv[4])
open(os.environ["CALLS"], "a").write(json.dumps(sys.argv[1:]) + "\\n")
"""


@pytest.fixture
def run(trained_run: TrainResult, tmp_path: Path) -> Path:
    """A copy of the trained run, which a test may change."""
    return Path(shutil.copytree(trained_run.run_dir, tmp_path / "run"))


@pytest.fixture(autouse=True)
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `ollama` that records its arguments on PATH, and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ollama").write_text(_OLLAMA)
    (folder / "ollama").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls.jsonl"))
    return tmp_path / "calls.jsonl"


@pytest.mark.requirement("S3-16", "S0-34", "S3-17")
def test_several_quantizations_are_a_table_and_models_in_ollama(
    wikiswarm: Wikiswarm, run: Path, tmp_path: Path, calls: Path, home: Path
) -> None:
    folder = tmp_path / "dist"
    options = ("--name", "facts", "--output", folder, "--quantization", "F16")
    output = wikiswarm("package", run, *options, "--quantization", "q4_K_M", "--ollama")
    table = [line.split("\t") for line in output.lines]
    assert [row[0] for row in table] == ["f16", "q4_k_m"]
    for kind, size, digest, file in table:
        path = folder / f"facts-{kind}.gguf"
        assert file == str(path)
        assert size == f"{path.stat().st_size / 1e6:.2f} MB"
        assert len(digest) == 12
    assert output.err == 'next: ollama run facts:f16 "QUESTION"\n'
    assert [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()] == [
        ["create", "facts:f16", "-f", "facts-f16.Modelfile"],
        ["create", "facts:q4_k_m", "-f", "facts-q4_k_m.Modelfile"],
    ]
    assert not (home / "models").exists()
    found = wikiswarm("package", run, *options, "--json").json
    assert [file["quantisation"] for file in found["files"]] == ["f16"]
    plain = wikiswarm("package", run, *options)
    assert f"next: ollama create facts:f16 -f {folder / 'facts-f16.Modelfile'}" in plain.err


@pytest.mark.requirement("S0-34")
def test_a_version_becomes_a_model_in_ollama(wikiswarm: Wikiswarm, run: Path, calls: Path) -> None:
    output = wikiswarm("package", run, "--name", "facts", "--parity", 5, "--ollama")
    assert output.out.startswith("facts@1: ")
    assert 'next: ollama run facts "QUESTION"' in output.err
    [call] = calls.read_text(encoding="utf-8").splitlines()
    assert json.loads(call) == ["create", "facts", "-f", "Modelfile"]


def test_options_that_do_not_go_together_are_wrong_usage(
    wikiswarm: Wikiswarm, run: Path, tmp_path: Path
) -> None:
    two = ("--quantization", "f16", "--quantization", "q8_0")
    assert "need --output" in wikiswarm("package", run, "--name", "a", *two, code=2).err
    to = ("--output", tmp_path / "dist", "--promote")
    assert "--promote" in wikiswarm("package", run, "--name", "a", *to, code=2).err
    wrong = wikiswarm("package", run, "--name", "a", "--quantization", "q9", code=2)
    assert wrong.err.startswith("error: no quantization 'q9'; there are f32, f16, q8_0")
    assert not (tmp_path / "dist").exists()


@pytest.mark.requirement("S3-24", "S0-45")
def test_licence_and_groups_go_into_the_version_and_the_files(
    wikiswarm: Wikiswarm, run: Path, tmp_path: Path
) -> None:
    named = ("--name", "llama-facts", "--licence", "llama3.2")
    folder = tmp_path / "dist"
    written = wikiswarm("package", run, *named, "--output", folder)
    assert f"{folder / 'NOTICE.txt'}: goes with the weights" in written.err
    assert "Built with Llama" in (folder / "NOTICE.txt").read_text(encoding="utf-8")
    groups = ("--group", "gpu-us", "--group", "gpu-eu")
    packaged = wikiswarm("package", run, *named, *groups, "--parity", 0, "--json")
    assert packaged.json["manifest"]["licence"] == "llama-3.2"
    assert packaged.json["manifest"]["groups"] == ["gpu-eu", "gpu-us"]
    assert "licence: Llama 3.2 Community License" in packaged.err
    wrong = wikiswarm("package", run, *named, *groups, "--output", folder, code=2)
    assert "--group" in wrong.err
    bad = wikiswarm("package", run, *named, "--group", "gpu eu", "--parity", 0, code=1)
    assert "groups" in bad.err
