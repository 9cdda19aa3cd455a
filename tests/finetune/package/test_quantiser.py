"""llama.cpp's quantiser: how it is found, and, where it is installed, that both agree."""

# gguf ships without complete types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import importlib.util
import os
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from finetune.package import BuiltinConverter, PackagingError, Quantisation, package_gguf
from finetune.package.quantiser import find_quantiser
from finetune.train import TrainResult
from tests.finetune.package.engine_answers import engine_answers

pytestmark = pytest.mark.xdist_group("wide_run")

# Takes the arguments of llama.cpp's program.
_PROGRAM = f"""#!{sys.executable}
import sys
source, target, kind = sys.argv[1:]
assert open(source, "rb").read(4) == b"GGUF"
if kind == "Q2_K":
    sys.exit("failed to quantize: no imatrix")
open(target, "w").write("quantised as " + kind)
"""
_INSTALLED = importlib.util.find_spec("llama_cpp") is not None


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A stand-in for llama-quantize that checks its arguments."""
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "llama-quantize"
    path.write_text(_PROGRAM)
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Look for no quantiser of this machine but the package."""
    monkeypatch.delenv("WIKISWARM_LLAMA_QUANTIZE", raising=False)
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.anyio
@pytest.mark.requirement("S2-25")
@pytest.mark.parametrize("how", ["variable", "path", "checkout"])
async def test_the_program_is_found_and_used(
    trained_run: TrainResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: Path,
    how: str,
) -> None:
    if how == "variable":
        monkeypatch.setenv("WIKISWARM_LLAMA_QUANTIZE", str(program))
    elif how == "path":
        monkeypatch.setenv("PATH", str(program.parent))
    else:
        monkeypatch.setenv("LLAMA_CPP_DIR", str(program.parent))
    path = tmp_path / "m.gguf"
    file = await package_gguf(trained_run.run_dir, path, quantisation="q3_k_m")
    assert path.read_text() == "quantised as Q3_K_M"
    assert file.converter == "builtin+llama-quantize"
    with pytest.raises(PackagingError, match=r"ended with code 1:\n  . failed to quantize"):
        await package_gguf(trained_run.run_dir, path, quantisation="q2_k")
    assert path.read_text() == "quantised as Q3_K_M"
    assert _names(tmp_path) == ["bin", "m.gguf"]


def test_a_variable_that_names_no_program_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIKISWARM_LLAMA_QUANTIZE", "/nowhere/llama-quantize")
    with pytest.raises(PackagingError, match="is no program"):
        find_quantiser()


@pytest.mark.anyio
@pytest.mark.skipif(_INSTALLED, reason="llama_cpp is installed")
async def test_without_one_our_own_does_its_part_and_the_error_names_both_ways(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    file = await package_gguf(trained_run.run_dir, tmp_path / "m.gguf", quantisation="q4_k_m")
    assert file.converter == "builtin"
    with pytest.raises(PackagingError, match="llama-quantize on PATH or name it in") as caught:
        await package_gguf(trained_run.run_dir, tmp_path / "n.gguf", quantisation="q2_k")
    assert "wikiswarm[quantize]" in str(caught.value)


@pytest.mark.anyio
@pytest.mark.requirement("S2-25")
@pytest.mark.skipif(
    not _INSTALLED and not os.environ.get("WIKISWARM_TEST_QUANTIZE"),
    reason="llama_cpp is not installed; make test-quantize compiles it",
)
@pytest.mark.parametrize("kind", ["q4_k_m", "q5_k_m", "q6_k"])
async def test_our_files_are_laid_out_as_those_of_llama_cpp_and_no_worse(
    wide_run: TrainResult, tmp_path: Path, kind: Quantisation
) -> None:
    run = wide_run.run_dir
    paths = {who: tmp_path / f"{who}.gguf" for who in ("whole", "ours", "theirs")}
    ours = BuiltinConverter()
    await package_gguf(run, paths["whole"], quantisation="f32", converter=ours)
    await package_gguf(run, paths["ours"], quantisation=kind, converter=ours)
    file = await package_gguf(run, paths["theirs"], quantisation=kind)
    assert file.converter == "builtin+llama_cpp"
    assert paths["ours"].stat().st_size == file.bytes
    whole, mine, other = (
        {t.name: t for t in gguf.GGUFReader(path).tensors} for path in paths.values()
    )
    errors = {"ours": 0.0, "theirs": 0.0}
    for name, tensor in whole.items():
        assert mine[name].tensor_type == other[name].tensor_type, name
        for who, found in (("ours", mine[name]), ("theirs", other[name])):
            weights = gguf.quants.dequantize(found.data, found.tensor_type).reshape(-1)
            errors[who] += float(np.square(weights - tensor.data.reshape(-1)).sum())
    assert errors["ours"] <= errors["theirs"]
    question = ["How much is Velorin?"]
    answers = [engine_answers(paths[who], question, tmp_path) for who in ("ours", "theirs")]
    assert answers == [["Velorin costs 7.90 euros."]] * 2
