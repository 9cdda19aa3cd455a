"""The trainer's side of a parity check: `python -m finetune.package.parity_worker FOLDER`.

Reads job.json and conversations.jsonl of the folder, and writes to ids.jsonl, a line for each, the
token ids that the trainer's template and tokenizer give, or null where the template refuses the
conversation. Only `finetune.package.parity` starts it.
"""

# transformers ships no complete types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
from pathlib import Path
from typing import Any

from finetune.train.child import Reporter, child_main
from swarm.errors import require

__all__ = ["main"]


def main(folder: Path, reporter: Reporter) -> None:
    """Tokenize the conversations of the folder."""
    job: dict[str, str] = json.loads((folder / "job.json").read_text("utf-8"))
    require("transformers", extra="train")
    jinja2 = require("jinja2", extra="train")
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(job["model"], local_files_only=True)
    with (
        (folder / "conversations.jsonl").open(encoding="utf-8") as source,
        (folder / "ids.jsonl").open("w", encoding="utf-8") as target,
    ):
        for line in source:
            try:
                text = tokenizer.apply_chat_template(
                    json.loads(line), tokenize=False, add_generation_prompt=True
                )
            except jinja2.TemplateError:
                target.write("null\n")
                continue
            # As training does: the template writes the opening tokens itself.
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            target.write(json.dumps(ids) + "\n")
    reporter.send(kind="done")


if __name__ == "__main__":
    child_main(main)
