"""The evaluation process: `python -m finetune.evaluate.worker FOLDER`.

Reads job.json and rows.jsonl of the folder, answers the rows greedily in batches with
transformers, measures the loss on the expected answers, and reports JSON lines on stdout. Only
`finetune.evaluate.run` starts it.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from finetune.evaluate.losses import row_losses
from finetune.evaluate.prompts import prompt_messages
from finetune.train.base import load_base
from finetune.train.child import Reporter, child_main
from finetune.train.rows import read_chats, read_data
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
    chats = read_chats(read_data(folder / "rows.jsonl"), source="rows.jsonl")
    asked = [prompt_messages(chat, job["system"]) for chat in chats]
    prompts = [
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        for messages in asked
    ]
    # Neighbours of equal length need little padding; the parent puts answers back in order.
    order = sorted(range(len(prompts)), key=lambda at: (len(prompts[at]), at))
    for start in range(0, len(order), job["batch_size"]):
        batch = order[start : start + job["batch_size"]]
        texts = [prompts[at] for at in batch]
        answers = _answers(torch, model, tokenizer, texts, job["max_new_tokens"])
        losses = row_losses(torch, model, tokenizer, [[*asked[at], chats[at][-1]] for at in batch])
        reporter.send(
            kind="batch",
            answers={str(at): text for at, text in zip(batch, answers, strict=True)},
            losses={str(at): list(loss) for at, loss in zip(batch, losses, strict=True)},
            seconds=round(time.monotonic() - started, 3),
        )
    reporter.send(
        kind="done",
        seconds=round(time.monotonic() - started, 3),
        rendered_sha256=hashlib.sha256("\0".join(prompts).encode()).hexdigest(),
    )


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
