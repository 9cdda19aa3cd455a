"""About how many tokens a text has, without any tokenizer."""

from swarm.messages import Message

__all__ = ["estimate_tokens", "message_tokens"]

_PER_MESSAGE = 4
"""What the marks around a message take."""


def estimate_tokens(text: str) -> int:
    """Return an estimate: four bytes of UTF-8 a token, which is near for English and code."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return -(-size // 4)


def message_tokens(message: Message) -> int:
    """Return an estimate for a message with its tool calls."""
    calls = sum(estimate_tokens(call.name + call.arguments) for call in message.tool_calls)
    return estimate_tokens(message.content) + calls + _PER_MESSAGE
