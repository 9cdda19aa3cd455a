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
from typing import Any, NamedTuple

from pydantic import JsonValue

from finetune.train.adapter import save_adapter
from finetune.train.augment import augment_rows
from finetune.train.base import load_base, make_model, merged
from finetune.train.callbacks import StepReport, memory_mb
from finetune.train.checkpoint import CHECKPOINTS
from finetune.train.child import Reporter, child_main
from finetune.train.config import TrainConfig
from finetune.train.failure import is_out_of_memory, out_of_memory
from finetune.train.options import training_steps
from finetune.train.pace import Pace
from finetune.train.pairs import rehearsal_pairs
from finetune.train.rows import Message, PreferenceRow, read_chats, read_data, read_pairs
from finetune.train.tokenizer import batch_order, learn_tokenizer, tokenize
from finetune.train.trainers import Trained, train_preferences, train_sft
from finetune.train.unsloth import import_unsloth, load_with_unsloth, save_merged
from swarm.errors import require

__all__ = ["main"]

_SHARE = 16
"""Rehearsal rows per preference row, at most."""


def main(run_dir: Path, reporter: Reporter) -> None:
    """Train what the run folder says and leave `model/` in it."""
    config = TrainConfig.model_validate_json((run_dir / "config.json").read_text("utf-8"))
    try:
        _train(config, run_dir, reporter)
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise out_of_memory(config) from error
        raise


def _train(config: TrainConfig, run_dir: Path, reporter: Reporter) -> None:
    started = time.monotonic()
    if config.backend == "unsloth":
        import_unsloth()  # before everything that imports transformers
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(True, warn_only=config.device != "cpu")
    transformers.set_seed(config.seed)
    pace = Pace()
    is_first = os.environ.get("RANK", "0") == "0"

    def report(fields: dict[str, JsonValue]) -> None:
        seconds = round(time.monotonic() - started, 3)
        reporter.send(kind="step", seconds=seconds, **fields, **pace.fields(fields))

    work = run_dir / "work"
    work.mkdir(exist_ok=True)
    os.chdir(work)  # some libraries write into the current folder
    job = _Job(config, run_dir, report, pace)
    if config.method in ("dpo", "orpo"):
        trained, tokenizer = _preferred(job)
    else:
        trained, tokenizer = _imitated(job)
    os.chdir(run_dir)
    memory = memory_mb()
    if is_first:
        model = _save(trained.model, tokenizer, config, run_dir)
        times = os.times()
        reporter.send(
            kind="done",
            rows=len(read_data(run_dir / "data.jsonl")),
            parameters=sum(p.numel() for p in model.parameters()),
            seconds=round(time.monotonic() - started, 3),
            cpu_seconds=round(times.user + times.system, 3),
            memory_mb=memory,
            **{k: v for k, v in trained._asdict().items() if k != "model"},
        )


def _save(trained: Any, tokenizer: Any, config: TrainConfig, run_dir: Path) -> Any:
    """Write model/ and adapter/, each in one step, and return the merged model."""
    for name in ("model", "adapter", "model.part", "adapter.part"):
        shutil.rmtree(run_dir / name, ignore_errors=True)  # of a run that was killed here
    adapter = None
    if hasattr(trained, "merge_and_unload") and config.base != "scratch":
        adapter = run_dir / "adapter.part"
        save_adapter(trained, adapter, base=Path(config.base))
    target = run_dir / "model.part"
    if config.backend == "unsloth" and hasattr(trained, "save_pretrained_merged"):
        save_merged(trained, tokenizer, target)
        model = trained
    else:
        model = merged(trained, config, adapter)
        model.config.use_cache = True
        model.save_pretrained(target, safe_serialization=True)
        tokenizer.save_pretrained(target)
    _forget_paths(target)
    if adapter is not None:
        os.replace(adapter, run_dir / "adapter")
    os.replace(target, run_dir / "model")
    for name in ("work", CHECKPOINTS):
        shutil.rmtree(run_dir / name, ignore_errors=True)
    return model


class _Job(NamedTuple):
    config: TrainConfig
    run_dir: Path
    report: StepReport
    pace: Pace

    def read(self, name: str) -> list[dict[str, JsonValue]]:
        """Return the rows of a file of the run, none where it is missing."""
        path = self.run_dir / name
        return read_data(path) if path.is_file() else []

    def load(self) -> tuple[Any, Any]:
        """Return the base and its tokenizer."""
        if self.config.backend == "unsloth":
            return load_with_unsloth(self.config)
        return load_base(Path(self.config.base), self.config)


def _imitated(job: _Job) -> tuple[Trained, Any]:
    config = job.config
    plain, measured = (
        [_with_system(chat, config) for chat in read_chats(job.read(name), source=name)]
        for name in ("data.jsonl", "validation.jsonl")
    )
    chats = _passes(plain, config)
    if config.base == "scratch":
        tokenizer = learn_tokenizer(chats, vocab=config.shape.vocab, context=config.shape.context)
        model = make_model(config.shape, tokenizer)
    else:
        model, tokenizer = job.load()
    if config.method == "none":
        return Trained(model, False, None, None, None), tokenizer
    tokens = tokenize(tokenizer, chats, max_length=config.max_length)
    ordered = batch_order(
        tokens, pass_size=len(plain), batch_size=config.batch_size, seed=config.seed
    )
    job.pace.tokens_per_step = sum(len(row.input_ids) for row in ordered) / max(
        1, training_steps(config.model_copy(update={"steps": None}), len(ordered))
    )
    validation = tokenize(tokenizer, measured, max_length=config.max_length) if measured else []
    return (
        train_sft(model, tokenizer, ordered, validation, config, job.run_dir, job.report),
        tokenizer,
    )


def _preferred(job: _Job) -> tuple[Trained, Any]:
    config = job.config
    pairs = read_pairs(job.read("data.jsonl"), source="data.jsonl")
    measured = read_pairs(job.read("validation.jsonl"), source="validation.jsonl")
    if kept := job.read("rehearsal.jsonl"):
        chats = read_chats(kept, source="rehearsal.jsonl")
        beside = rehearsal_pairs(chats, beside=pairs, seed=config.seed)
        # One correction among a hundred rehearsed answers would be lost, so it is said again.
        pairs = pairs * max(1, round(len(beside) / (_SHARE * len(pairs)))) + beside
    model, tokenizer = job.load()
    told, checked = (
        [PreferenceRow(_with_system(p.prompt, config), p.chosen, p.rejected) for p in some]
        for some in (pairs, measured)
    )
    trained = train_preferences(model, tokenizer, told, checked, config, job.run_dir, job.report)
    return trained, tokenizer


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
