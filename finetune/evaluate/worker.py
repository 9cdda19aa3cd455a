"""The evaluation process: `python -m finetune.evaluate.worker FOLDER`.

Reads job.json and rows.jsonl of the folder, answers the rows greedily in batches with
transformers, and reports JSON lines on stdout. Only `finetune.evaluate.run` starts it.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
import time
from pathlib import Path
from typing import Any

from finetune.train.base import load_base
from finetune.train.child import Reporter, child_main
from finetune.train.rows import Message, read_chats, read_data
from swarm.errors import require

__all__ = ["main"]


def main(folder: Path, reporter: Reporter) -> None:
    """Answer the rows of the folder and report each batch."""
    started = time.monotonic()
    job: dict[str, Any] = json.loads((folder / "job.json").read_text("utf-8"))
    torch = require("torch", extra="train")
    torch.set_num_threads(job["threads"])
    model, tokenizer = load_base(Path(job["model"]))
    model.eval()
    tokenizer.padding_side = "left"
    prompts = [
        tokenizer.apply_chat_template(
            _prompt(chat, job["system"]), tokenize=False, add_generation_prompt=True
        )
        for chat in read_chats(read_data(folder / "rows.jsonl"), source="rows.jsonl")
    ]
    # Neighbours of equal length need little padding; the parent puts answers back in order.
    order = sorted(range(len(prompts)), key=lambda at: (len(prompts[at]), at))
    for start in range(0, len(order), job["batch_size"]):
        batch = order[start : start + job["batch_size"]]
        texts = [prompts[at] for at in batch]
        answers = _answers(torch, model, tokenizer, texts, job["max_new_tokens"])
        reporter.send(
            kind="batch",
            answers={str(at): text for at, text in zip(batch, answers, strict=True)},
            seconds=round(time.monotonic() - started, 3),
        )
    reporter.send(kind="done", seconds=round(time.monotonic() - started, 3))


def _prompt(chat: list[Message], system: str | None) -> list[Message]:
    prompt = chat[:-1]
    if system is None or (prompt and prompt[0]["role"] in {"system", "developer"}):
        return prompt
    return [{"role": "system", "content": system}, *prompt]


def _answers(torch: Any, model: Any, tokenizer: Any, texts: list[str], limit: int) -> list[str]:
    encoded = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    ids, mask = encoded["input_ids"], encoded["attention_mask"]
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=limit,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id,
        )
    return tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)


if __name__ == "__main__":
    child_main(main)
