"""Adapters: merged into the base that they were trained on, and into no other."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from finetune.evaluate import evaluate
from finetune.package import MergeError, PackagingError, merge_adapter, seal_adapter
from finetune.questions import read_questions, training_rows
from finetune.train import TrainResult
from swarm.errors import DataError

pytestmark = pytest.mark.anyio

# In a process of its own, as torch always is: an adapter that changes the first layer's queries.
_MAKE = """
import sys, torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
base, adapter, size = sys.argv[1:]
torch.manual_seed(5)
model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
for name, weight in model.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(weight, std=float(size))
model.save_pretrained(adapter)
"""


def _adapter(base: Path, folder: Path, *, size: float) -> Path:
    command = [sys.executable, "-c", _MAKE, str(base), str(folder), str(size)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.requirement("S2-24")
async def test_an_adapter_is_merged_into_its_base_and_into_no_other(
    trained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    base = trained_run.model_dir
    adapter = _adapter(base, tmp_path / "adapter", size=1e-4)
    with pytest.raises(PackagingError, match="does not say which base"):
        await merge_adapter(adapter, base, tmp_path / "merged")
    seal_adapter(adapter, trained_run.run_dir)
    merged = await merge_adapter(adapter, trained_run.run_dir, tmp_path / "merged")
    names = {path.name for path in merged.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    old, new = (folder / "model.safetensors" for folder in (base, merged))
    assert old.stat().st_size == new.stat().st_size and old.read_bytes() != new.read_bytes()
    # Merged it is one model that knows what its base knew.
    rows = training_rows(read_questions(facts_file))
    report = await evaluate(merged, rows, output_dir=tmp_path / "report")
    assert report.accuracy == 1.0
    assert _names(tmp_path) == ["adapter", "merged", "report"]
    # The merged model has the same shape, so nothing but the hash tells it from the base.
    with pytest.raises(PackagingError, match="was trained on weights"):
        await merge_adapter(adapter, merged, tmp_path / "other")
    with pytest.raises(DataError, match="exists"):
        await merge_adapter(adapter, base, merged)
    assert not (tmp_path / "other").exists()


async def test_what_is_no_adapter_is_refused(trained_run: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no adapter here; adapter_config"):
        await merge_adapter(tmp_path, trained_run.run_dir, tmp_path / "merged")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    shutil.copy(trained_run.model_dir / "model.safetensors", adapter / "adapter_model.safetensors")
    (adapter / "base.json").write_text("{}")
    with pytest.raises(PackagingError, match=r"base\.json is damaged"):
        await merge_adapter(adapter, trained_run.run_dir, tmp_path / "merged")
    seal_adapter(adapter, trained_run.run_dir)
    with pytest.raises(MergeError, match="does not fit its configuration"):
        await merge_adapter(adapter, trained_run.run_dir, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
