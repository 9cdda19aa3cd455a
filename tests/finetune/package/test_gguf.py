"""The GGUF that the built-in writer makes answers as the model it was made from."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from finetune.evaluate import EvaluationReport, score_matches
from finetune.package import PackagingError, package_gguf
from finetune.train import TrainResult
from finetune.train.files import sha256_file
from tests.finetune.package.engine_answers import engine_answers


@pytest.mark.anyio
@pytest.mark.requirement("S2-25")
async def test_the_file_answers_as_the_trained_model_does(
    trained_run: TrainResult, trained_report: EvaluationReport, tmp_path: Path
) -> None:
    report = trained_report
    results: list[dict[str, Any]] = [
        json.loads(line) for line in report.results.read_text().splitlines()
    ]
    sizes: list[int] = []
    for quantisation in ("f32", "f16", "q8_0"):
        path = tmp_path / f"{quantisation}.gguf"
        file = await package_gguf(trained_run.run_dir, path, quantisation=quantisation)
        assert (file.sha256, file.bytes) == (sha256_file(path), path.stat().st_size)
        assert (file.architecture, file.converter) == ("llama", "builtin")
        answers = engine_answers(path, [result["question"] for result in results], tmp_path)
        assert answers == [result["answer"] for result in results]
        pairs = [(str(r["expected"]), a) for r, a in zip(results, answers, strict=True)]
        assert score_matches(pairs).exact == report.exact
        sizes.append(file.bytes)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.anyio
async def test_the_same_model_gives_the_same_file(trained_run: TrainResult, tmp_path: Path) -> None:
    first = await package_gguf(
        trained_run.model_dir, tmp_path / "a" / "m.gguf", quantisation="q4_0"
    )
    again = await package_gguf(trained_run.run_dir, tmp_path / "b" / "m.gguf", quantisation="q4_0")
    assert first.sha256 == again.sha256
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["m.gguf"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "gemma3"}, "architecture 'gemma3'"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e4}}, "rope scaling 'llama3'"),
    ],
)
async def test_another_architecture_names_the_other_converter(
    trained_run: TrainResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    reason: str,
) -> None:
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    model = tmp_path / "model"
    shutil.copytree(trained_run.model_dir, model)
    config: dict[str, Any] = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(PackagingError, match="LLAMA_CPP_DIR") as caught:
        await package_gguf(model, tmp_path / "out" / "m.gguf")
    assert reason in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.anyio
async def test_a_split_without_a_name_is_refused(
    trained_run: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    model = tmp_path / "model"
    shutil.copytree(trained_run.model_dir, model)
    tokenizer: dict[str, Any] = json.loads((model / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"] = {"type": "Whitespace"}
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(PackagingError, match="way of splitting text"):
        await package_gguf(model, tmp_path / "m.gguf")
