"""How many tokens a text takes, about: for windows of the history, and where nobody counts them.

No tokenizer is asked, so it costs next to nothing and is the same for every model. Beside those of
OpenAI's models it says about a third too much for English prose, between a tenth too little and
twice as much for other languages, and for dense JSON up to a half too little.
"""

from swarm.messages import Message

__all__ = ["estimate_message", "estimate_tokens"]

_OVERHEAD = 4
"""Tokens around each message."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text takes.

    An ASCII character counts a quarter of a token, one of two bytes in UTF-8 (such as Cyrillic or
    accented letters) five eighths, one of three bytes (Chinese, Japanese, Korean) one, and one of
    four (emoji) one and three eighths.
    """
    length = len(text)
    if text.isascii():
        return (length + 3) // 4
    # Each byte after a character's first one adds three eighths to its quarter.
    further = len(text.encode("utf-8", "surrogatepass")) - length
    return (2 * length + 3 * further + 7) // 8


def estimate_message(message: Message) -> int:
    """Return about how many tokens a message takes, with its tool calls."""
    tokens = _OVERHEAD + estimate_tokens(message.content)
    for call in message.tool_calls:
        tokens += _OVERHEAD + estimate_tokens(call.name) + estimate_tokens(call.arguments)
    return tokens
