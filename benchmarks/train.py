"""Speed and memory of LoRA training: our back ends beside plain transformers and PEFT.

Each contender trains the same adapter on the same rows in a process of its own, and tells tokens
per second after its first steps, and its highest memory. On a machine without a model, one is
made from nothing, which says little about large ones: name a base with --base for real figures.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

_WARM_UP = 3
"""Steps that do not count: kernels are chosen, memory is claimed."""

PLAIN = r"""
import json, resource, sys, time
from pathlib import Path
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer
from finetune.train.rows import read_chats, read_data
from finetune.train.tokenizer import tokenize

job = json.loads(sys.argv[1])
torch.set_num_threads(job["threads"])
torch.manual_seed(7)
device = "cuda" if job["device"] == "auto" and torch.cuda.is_available() else "cpu"
tokenizer = AutoTokenizer.from_pretrained(job["base"], local_files_only=True)
model = AutoModelForCausalLM.from_pretrained(
    job["base"], local_files_only=True, use_safetensors=True,
    dtype="bfloat16" if device == "cuda" else "float32",
).to(device)
model = get_peft_model(model, LoraConfig(
    r=16, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"))
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-4)
rows = tokenize(tokenizer, read_chats(read_data(Path(job["data"])), source="data"), max_length=512)
pad = tokenizer.pad_token_id or tokenizer.eos_token_id
times, counts = [], []
for step in range(job["steps"]):
    started = time.perf_counter()
    at = step * job["batch_size"]
    batch = [rows[(at + n) % len(rows)] for n in range(job["batch_size"])]
    width = max(len(r.input_ids) for r in batch)
    ids = torch.tensor([r.input_ids + [pad] * (width - len(r.input_ids)) for r in batch])
    labels = torch.tensor([r.labels + [-100] * (width - len(r.labels)) for r in batch])
    mask = torch.tensor([[1] * len(r.input_ids) + [0] * (width - len(r.input_ids)) for r in batch])
    out = model(input_ids=ids.to(device), attention_mask=mask.to(device), labels=labels.to(device))
    out.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    float(out.loss)
    times.append(time.perf_counter() - started)
    counts.append(sum(len(r.input_ids) for r in batch))
gpu = device == "cuda"
peak = torch.cuda.max_memory_allocated() / 1e6 if gpu else (
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
skip = job["skip"]
print(json.dumps({"tokens_per_second": sum(counts[skip:]) / sum(times[skip:]), "memory_mb": peak}))
"""


def main() -> None:
    """Run the contenders in turn and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", type=Path, help="a model folder; made from nothing else")
    parser.add_argument("--device", choices=("cpu", "auto"), default="cpu")
    parser.add_argument("--contenders", default="plain,local", help="of plain, local, unsloth")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    if options.steps <= _WARM_UP:
        parser.error(f"--steps must be more than {_WARM_UP}")
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        figures = _measure(options, Path(folder))
    width = max(map(len, figures))
    for name, found in figures.items():
        speed, memory = found["tokens_per_second"], found["memory_mb"]
        beside = speed / figures["plain"]["tokens_per_second"] if "plain" in figures else 1.0
        print(f"{name:{width}}  {speed:10.1f} tokens/s  {memory:9.1f} MB  {beside:5.2f} x plain")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _measure(options: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    data = folder / "rows.jsonl"
    data.write_text("".join(f"{json.dumps(_row(n))}\n" for n in range(64)), encoding="utf-8")
    base = options.base or anyio.run(_make_base, data, folder / "base")
    rounds: dict[str, list[dict[str, float]]] = {}
    # Turn by turn, so that a slower minute of the machine meets all of them.
    for turn in range(options.rounds):
        for name in options.contenders.split(","):
            if name == "plain":
                found = _plain(options, base, data)
            else:
                run = folder / f"{name}-{turn}"
                found = anyio.run(_ours, name, options, base, data, run)
            rounds.setdefault(name, []).append(found)
    return {
        name: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for name, found in rounds.items()
    }


def _row(number: int) -> dict[str, Any]:
    said = f"Product {number} costs {number} euros, and it waits on shelf {number * 7 % 97}. " * 4
    question = f"Tell me what you know about product {number}, its price and its place."
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": said.strip()},
        ]
    }


async def _make_base(data: Path, run: Path) -> Path:
    from finetune.train import TrainConfig, train

    result = await train(TrainConfig(method="none", epochs=1), data=data, output_dir=run)
    return result.model_dir


def _plain(options: argparse.Namespace, base: Path, data: Path) -> dict[str, float]:
    job = {
        "base": str(base), "data": str(data), "device": options.device, "skip": _WARM_UP,
        "steps": options.steps, "batch_size": options.batch_size, "threads": options.threads,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, json.dumps(job)],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


async def _ours(
    name: str, options: argparse.Namespace, base: Path, data: Path, run: Path
) -> dict[str, float]:
    from finetune.train import LoraShape, TrainConfig, TrainProgress, train

    config = TrainConfig.model_validate(
        {
            "backend": name, "base": str(base), "lora": LoraShape(rank=16, alpha=16),
            "steps": options.steps, "batch_size": options.batch_size, "learning_rate": 2e-4,
            "augment": False, "device": options.device, "threads": options.threads,
            "max_length": 512, "epochs": max(1, options.steps * options.batch_size // 64 + 1),
        }
    )  # fmt: skip
    reports: list[TrainProgress] = []
    result = await train(config, data=data, output_dir=run, on_progress=reports.append)
    first, last = reports[_WARM_UP - 1], reports[-1]
    # The reports give the mean since the first step; the clock gives it after the warm-up.
    assert last.tokens_per_second is not None
    seconds_per_step = (last.seconds - first.seconds) / (last.step - first.step)
    overall = (last.seconds - reports[0].seconds) / (last.step - reports[0].step)
    return {
        "tokens_per_second": last.tokens_per_second * overall / seconds_per_step,
        "memory_mb": result.memory_mb or 0.0,
    }


if __name__ == "__main__":
    main()
