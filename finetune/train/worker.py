"""The training process: `python -m finetune.train.worker RUN_DIR`.

Reads the frozen run folder, trains, writes `model/` into it, and reports JSON lines on stdout.
Only `finetune.train.run` starts it. What libraries print goes to stderr, which is log.txt.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

from finetune.train.augment import augment_rows
from finetune.train.base import load_base, make_model
from finetune.train.child import Reporter, child_main
from finetune.train.config import TrainConfig
from finetune.train.pairs import rehearsal_pairs
from finetune.train.rows import Message, PreferenceRow, read_chats, read_data, read_pairs
from finetune.train.tokenizer import batch_order, learn_tokenizer, tokenize
from finetune.train.trainers import StepReport, train_dpo, train_sft
from swarm.errors import DataError, require

__all__ = ["main"]

_SHARE = 16
"""Rehearsal rows per preference row, at most."""


def main(run_dir: Path, reporter: Reporter) -> None:
    """Train what the run folder says and leave `model/` in it."""
    started = time.monotonic()
    config = TrainConfig.model_validate_json((run_dir / "config.json").read_text("utf-8"))
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(True, warn_only=config.device != "cpu")
    transformers.set_seed(config.seed)

    def report(step: int, total: int, loss: float, epoch: float) -> None:
        reporter.send(
            kind="step",
            step=step,
            total_steps=total,
            loss=round(loss, 6),
            epoch=round(epoch, 4),
            seconds=round(time.monotonic() - started, 3),
        )

    work = run_dir / "work"
    work.mkdir()
    os.chdir(work)  # some libraries write into the current folder
    rows = read_data(run_dir / "data.jsonl")
    if config.method == "dpo":
        model, tokenizer = _preferred(config, run_dir, report)
    else:
        model, tokenizer = _imitated(config, run_dir, report)
    target = run_dir / "model.part"
    model.config.use_cache = True
    model.save_pretrained(target, safe_serialization=True)
    tokenizer.save_pretrained(target)
    os.chdir(run_dir)
    _forget_paths(target)
    os.replace(target, run_dir / "model")
    shutil.rmtree(work)
    times = os.times()
    reporter.send(
        kind="done",
        rows=len(rows),
        parameters=sum(p.numel() for p in model.parameters()),
        seconds=round(time.monotonic() - started, 3),
        cpu_seconds=round(times.user + times.system, 3),
    )


def _imitated(config: TrainConfig, run_dir: Path, report: StepReport) -> tuple[Any, Any]:
    rows = read_data(run_dir / "data.jsonl")
    plain = [_with_system(chat, config) for chat in read_chats(rows, source="data.jsonl")]
    chats = _passes(plain, config)
    if config.base == "scratch":
        tokenizer = learn_tokenizer(chats, vocab=config.shape.vocab, context=config.shape.context)
        model = make_model(config.shape, tokenizer)
    else:
        model, tokenizer = load_base(Path(config.base))
    if config.method == "none":
        return model, tokenizer
    tokens = tokenize(tokenizer, chats, max_length=config.max_length)
    ordered = batch_order(
        tokens, pass_size=len(plain), batch_size=config.batch_size, seed=config.seed
    )
    return train_sft(model, tokenizer, ordered, config, report), tokenizer


def _preferred(config: TrainConfig, run_dir: Path, report: StepReport) -> tuple[Any, Any]:
    if config.base == "scratch":
        raise DataError("preference training needs a trained base: set base to a model folder")
    pairs = read_pairs(read_data(run_dir / "data.jsonl"), source="data.jsonl")
    rehearsal = run_dir / "rehearsal.jsonl"
    if rehearsal.is_file():
        chats = read_chats(read_data(rehearsal), source="rehearsal.jsonl")
        beside = rehearsal_pairs(chats, beside=pairs, seed=config.seed)
        # One correction among a hundred rehearsed answers would be lost, so it is said again.
        pairs = pairs * max(1, round(len(beside) / (_SHARE * len(pairs)))) + beside
    model, tokenizer = load_base(Path(config.base))
    pairs = [PreferenceRow(_with_system(p.prompt, config), p.chosen, p.rejected) for p in pairs]
    return train_dpo(model, tokenizer, pairs, config, report), tokenizer


def _passes(chats: list[list[Message]], config: TrainConfig) -> list[list[Message]]:
    if config.augment:
        return augment_rows(chats, passes=config.epochs, seed=config.seed)
    rng = random.Random(f"order:{config.seed}")
    return [chat for _ in range(config.epochs) for chat in rng.sample(chats, len(chats))]


def _with_system(chat: list[Message], config: TrainConfig) -> list[Message]:
    if config.system is None or chat[0]["role"] in {"system", "developer"}:
        return chat
    return [{"role": "system", "content": config.system}, *chat]


def _forget_paths(folder: Path) -> None:
    # The place of the base is no property of the model, and would change its hash.
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        for key in ("_name_or_path", "name_or_path"):
            data.pop(key, None)
        path.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    child_main(main)
