"""Training rows as lines of Cohere's chat fine-tuning; the form is `finetune.dataset.formats`'."""

import json
from pathlib import Path

from finetune.dataset import read_rows
from finetune.dataset.formats import RowRefusedError, get_format
from swarm.errors import DataError

__all__ = ["chat_lines"]


def chat_lines(path: Path) -> bytes:
    """Return SFT rows as Cohere's chat lines.

    Raises:
        DataError: A row cannot be said in Cohere's format, or not without a change: a job costs
            money, so what it learns is what the file says. `wikiswarm dataset convert` makes a
            file of the rows that can, and reports each change.
    """
    cohere = get_format("cohere")
    lines: list[str] = []
    for number, row in enumerate(read_rows(path, kind="sft"), start=1):
        try:
            encoded = cohere.encode(row)
        except RowRefusedError as refused:
            reason = "; ".join(finding.message for finding in refused.findings)
            raise DataError(f"{path}:{number}: cohere cannot hold the row: {reason}") from None
        if encoded.losses:
            reasons = ", ".join(sorted({loss.code for loss in encoded.losses}))
            raise DataError(
                f"{path}:{number}: cohere would not be told what the row says ({reasons}); convert"
                " the file with `wikiswarm dataset convert --to cohere` and look at its report"
            )
        lines.append(json.dumps(encoded.value, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()
