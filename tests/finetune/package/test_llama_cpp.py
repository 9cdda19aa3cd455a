"""The way to llama.cpp's own converter."""

import json
import shutil
from pathlib import Path

import pytest

from finetune.package import LlamaCppConverter, PackagingError, package_gguf
from finetune.train import TrainResult

# Takes the arguments of llama.cpp's script and fails as it does.
_SCRIPT = """
import sys
model, outfile, outtype = sys.argv[1], sys.argv[3], sys.argv[5]
assert sys.argv[2] == "--outfile" and sys.argv[4] == "--outtype"
if "refused" in open(model + "/config.json").read():
    sys.exit("Model refused is not supported")
open(outfile, "w").write("GGUF by script, " + outtype)
"""


def _checkout(folder: Path) -> Path:
    folder.mkdir()
    (folder / "convert_hf_to_gguf.py").write_text(_SCRIPT)
    return folder


def _model(trained: TrainResult, folder: Path, kind: str) -> Path:
    shutil.copytree(trained.model_dir, folder)
    config = json.loads((folder / "config.json").read_text()) | {"model_type": kind}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.anyio
async def test_the_checkout_is_used_where_the_built_in_writer_gives_up(
    trained_run: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(_checkout(tmp_path / "llama.cpp")))
    model = _model(trained_run, tmp_path / "model", "gemma3")
    file = await package_gguf(model, tmp_path / "m.gguf", quantisation="q8_0")
    assert file.converter == "llama.cpp"
    assert file.path.read_text() == "GGUF by script, q8_0"


@pytest.mark.anyio
async def test_what_the_script_says_reaches_the_error(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    converter = LlamaCppConverter(_checkout(tmp_path / "llama.cpp"))
    model = _model(trained_run, tmp_path / "model", "refused")
    with pytest.raises(PackagingError, match="Model refused is not supported"):
        await package_gguf(model, tmp_path / "m.gguf", converter=converter)
    with pytest.raises(
        PackagingError,
        match=r"WIKISWARM_LLAMA_QUANTIZE, or run: pip",
    ):
        await package_gguf(
            trained_run.model_dir, tmp_path / "m.gguf", quantisation="q4_0", converter=converter
        )
    assert not (tmp_path / "m.gguf").exists()


def test_a_folder_that_is_no_checkout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PackagingError, match=r"no convert_hf_to_gguf\.py here"):
        LlamaCppConverter(tmp_path)
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    with pytest.raises(PackagingError, match="LLAMA_CPP_DIR is not set"):
        LlamaCppConverter()
