"""Training rows in the form of Cohere's chat fine-tuning: text only, with roles of its own."""

import json
from pathlib import Path

from finetune.dataset import SftRow, read_rows
from swarm.errors import DataError

__all__ = ["chat_lines"]

_ROLES = {"system": "System", "developer": "System", "user": "User", "assistant": "Chatbot"}


def chat_lines(path: Path) -> bytes:
    """Return SFT rows as Cohere's chat lines.

    Raises:
        DataError: A row holds tools or images, which Cohere's format has no place for.
    """
    lines: list[str] = []
    for number, row in enumerate(read_rows(path, kind="sft"), start=1):
        assert isinstance(row, SftRow)
        turns: list[dict[str, str]] = []
        for message in row.messages:
            role, content = _ROLES.get(message.role), getattr(message, "content", None)
            if role is None or not isinstance(content, str) or row.tools:
                raise DataError(f"{path}:{number}: cohere trains on text only, without tools")
            turns.append({"role": role, "content": content})
        lines.append(json.dumps({"messages": turns}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()
