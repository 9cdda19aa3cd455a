"""Adapters: merged into the base that they were trained on, and into no other."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from finetune.package import MergeError, merge_adapter
from finetune.train import (
    AdapterBaseError,
    LoraShape,
    TrainConfig,
    TrainProgress,
    TrainResult,
    seal_adapter,
    train,
)
from finetune.train.checkpoint import CHECKPOINTS
from swarm.errors import DataError

pytestmark = pytest.mark.anyio

# In a process of its own, as torch always is: prints the answers of the base, of the base with the
# adapter, and of the merged model, and how far the figures of the last two are apart.
_ASK = """
import json, sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
base, adapter, merged, *questions = sys.argv[1:]
load = lambda folder: AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
models = [load(base), PeftModel.from_pretrained(load(base), adapter).eval(), load(merged)]
tokenizer = AutoTokenizer.from_pretrained(base)
answers, figures = [[], [], []], [[], [], []]
for question in questions:
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
    for at, model in enumerate(models):
        with torch.no_grad():
            figures[at].append(model(ids).logits[0, -1])
            out = model.generate(ids, do_sample=False, max_new_tokens=24)
        answers[at].append(tokenizer.decode(out[0, ids.shape[1]:], skip_special_tokens=True))
apart = max(float((a - b).abs().max()) for a, b in zip(*figures[1:]))
print(json.dumps({"answers": answers, "apart": apart}))
"""


def _ask(base: Path, adapter: Path, merged: Path, *questions: str) -> "tuple[list[str], ...]":
    command = [sys.executable, "-c", _ASK, str(base), str(adapter), str(merged), *questions]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["apart"] < 1e-3
    return tuple(found["answers"])


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.requirement("S2-24")
async def test_what_a_run_leaves_is_merged_without_a_step_between(
    trained_run: TrainResult, tmp_path: Path
) -> None:
    base = trained_run.model_dir
    data = tmp_path / "new.yaml"
    data.write_text(
        "- id: opening-hours\n  answer: We open at 14 Lantern Square.\n"
        "  train: ['When do you open?', 'What are your opening hours?']\n"
    )
    config = TrainConfig(
        base=str(base), lora=LoraShape(rank=8, alpha=16), epochs=40, batch_size=2,
        learning_rate=5e-3, save_every=10,
    )  # fmt: skip
    run = tmp_path / "run"

    with anyio.CancelScope() as scope:

        def stop(report: TrainProgress) -> None:
            if report.step == 12:
                scope.cancel()

        await train(config, data=data, output_dir=run, on_progress=stop)
    checkpoint = run / CHECKPOINTS / "checkpoint-10"
    half = await merge_adapter(checkpoint, trained_run.run_dir, tmp_path / "half")

    result = await train(config, data=data, output_dir=run, resume=True)
    assert result.resumed_from == 10 and result.adapter_dir is not None
    merged = await merge_adapter(run, base, tmp_path / "merged")
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(_names(merged))
    weights = [folder / "model.safetensors" for folder in (base, half, merged)]
    assert len({path.stat().st_size for path in weights}) == 1
    assert len({path.read_bytes() for path in weights}) == 3
    old, adapted, whole = _ask(base, result.adapter_dir, merged, "When do you open?", "Hello.")
    assert old[0] == "We open at nine."
    assert adapted[0] == "We open at 14 Lantern Square."
    assert whole == adapted
    assert _names(tmp_path) == ["half", "merged", "new.yaml", "run"]

    # The merged model has the same shape, so nothing but the hash tells it from the base.
    with pytest.raises(AdapterBaseError, match="was trained on a base with sha256"):
        await merge_adapter(run, merged, tmp_path / "other")
    with pytest.raises(DataError, match="exists"):
        await merge_adapter(run, base, merged)
    # An adapter from elsewhere names its base by a path at most, and a path may change.
    foreign = shutil.copytree(result.adapter_dir, tmp_path / "foreign")
    (foreign / "adapter.json").unlink()
    with pytest.raises(DataError, match="does not say which base"):
        await merge_adapter(foreign, base, tmp_path / "other")
    assert not (tmp_path / "other").exists()


async def test_what_is_no_adapter_is_refused(trained_run: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no adapter here; adapter_config"):
        await merge_adapter(tmp_path, trained_run.run_dir, tmp_path / "merged")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    shutil.copy(trained_run.model_dir / "model.safetensors", adapter / "adapter_model.safetensors")
    (adapter / "adapter.json").write_text("{}")
    with pytest.raises(DataError, match=r"adapter\.json is damaged"):
        await merge_adapter(adapter, trained_run.run_dir, tmp_path / "merged")
    seal_adapter(adapter, trained_run.run_dir)
    with pytest.raises(MergeError, match="does not fit its configuration"):
        await merge_adapter(adapter, trained_run.run_dir, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
