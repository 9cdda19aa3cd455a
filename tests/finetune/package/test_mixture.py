"""K-quants of a whole model: the engine loads them, and the model still knows its facts."""

# gguf and safetensors ship without complete types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

import json
import shutil
from collections import Counter
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from finetune.evaluate import score_matches
from finetune.package import BuiltinConverter, PackagingError, Quantisation, package_gguf
from finetune.package.mixture import Mixture
from finetune.questions import held_out_rows, read_questions, training_rows
from finetune.train import TrainResult
from tests.finetune.package.engine_answers import engine_answers

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("wide_run")]


@pytest.mark.requirement("S2-25", "S3-16")
async def test_a_k_quant_loses_at_most_a_point(
    wide_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    questions = read_questions(facts_file)
    rows = training_rows(questions) + held_out_rows(questions)
    asked: list[tuple[str, str]] = []
    for row in rows:
        messages = json.loads(json.dumps(row["messages"]))
        asked.append((messages[-2]["content"], messages[-1]["content"]))
    accuracies: dict[str, float] = {}
    sizes: list[int] = []
    kinds: tuple[Quantisation, ...] = ("f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m")
    for kind in kinds:
        path = tmp_path / f"{kind}.gguf"
        file = await package_gguf(
            wide_run.run_dir, path, quantisation=kind, converter=BuiltinConverter()
        )
        answers = engine_answers(path, [question for question, _ in asked], tmp_path)
        pairs = [(expected, a) for (_, expected), a in zip(asked, answers, strict=True)]
        accuracies[kind] = score_matches(pairs).accuracy
        sizes.append(file.bytes)
    assert accuracies["f16"] > 0.75
    assert min(accuracies.values()) >= accuracies["f16"] - 0.01
    assert sizes == sorted(sizes, reverse=True)
    types = Counter(t.tensor_type.name for t in gguf.GGUFReader(tmp_path / "q4_k_m.gguf").tensors)
    assert types == {"Q4_K": 12, "Q6_K": 3, "F32": 5}


@pytest.mark.requirement("S2-25")
async def test_narrow_rows_take_the_older_formats(trained_run: TrainResult, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    await package_gguf(
        trained_run.run_dir, path, quantisation="q4_k_m", converter=BuiltinConverter()
    )
    types = {t.name: t.tensor_type.name for t in gguf.GGUFReader(path).tensors}
    assert types["token_embd.weight"] == "Q8_0"
    assert types["blk.0.attn_q.weight"] == "Q5_0"


def test_more_bits_go_where_they_pay() -> None:
    mixture = Mixture(layers=16, tied=False)
    assert mixture.kind("output.weight", "q4_k_m") == "Q6_K"
    assert mixture.kind("token_embd.weight", "q4_k_m") == "Q4_K"
    assert Mixture(layers=16, tied=True).kind("token_embd.weight", "q5_k_m") == "Q6_K"
    more = [n for n in range(16) if mixture.kind(f"blk.{n}.ffn_down.weight", "q4_k_m") == "Q6_K"]
    assert more == [0, 1, 4, 7, 10, 13, 14, 15]
    assert mixture.kind("blk.0.attn_q.weight", "q4_k_m") == "Q4_K"
    assert mixture.kind("blk.0.attn_v.weight", "q8_0") == "Q8_0"


async def test_weights_that_no_file_may_hold_are_refused(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    name = "model.layers.0.mlp.up_proj.weight"
    for value, reason in ((np.nan, "not finite"), (1e6, "package it as f32")):
        model = Path(shutil.copytree(trained_run.model_dir, tmp_path / str(value)))
        tensors = load_file(model / "model.safetensors")
        tensors[name][3, 5] = value
        save_file(tensors, model / "model.safetensors")
        with pytest.raises(PackagingError, match=reason):
            await package_gguf(model, tmp_path / "m.gguf", quantisation="f16")
    assert not (tmp_path / "m.gguf").exists()
