"""The messages that a row asks with, the same for every model that is compared."""

import hashlib
import json
from collections.abc import Sequence

from finetune.train.rows import Message

__all__ = ["last_question", "prompt_messages", "prompts_sha256"]


def prompt_messages(chat: Sequence[Message], system: str | None) -> list[Message]:
    """Return a conversation without its answer, with a system message where it has none.

    Args:
        chat: A row's messages; the last one is the expected answer.
        system: The system message for rows without one.
    """
    prompt = list(chat[:-1])
    if system is None or (prompt and prompt[0]["role"] in {"system", "developer"}):
        return prompt
    return [{"role": "system", "content": system}, *prompt]


def prompts_sha256(chats: Sequence[Sequence[Message]], system: str | None) -> str:
    """Return the hash of all that is asked: equal hashes mean the same questions, word by word."""
    asked = [prompt_messages(chat, system) for chat in chats]
    text = json.dumps(asked, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def last_question(chat: Sequence[Message]) -> str:
    """Return the message before a row's answer; empty when there is none."""
    return chat[-2]["content"] if len(chat) > 1 else ""
