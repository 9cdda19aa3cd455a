"""Conversations made up to find where two tokenizers or two templates differ."""

import random
from collections.abc import Mapping

from pydantic import JsonValue

__all__ = ["make_conversations"]

_SAMPLES = (
    "velorin price opening hours ninety-nine don't you'll WE'RE naïve Straße İstanbul "
    "Ελληνικά привет שלום العربية हिन्दी ไทย 日本語 한국어 中文 e\u0301 a\u030a ½ ™ … “quoted” "
    "12 345 678901 3.14 1,000 foo_bar() {'a':1} <b>bold</b> C:\\dir ?q=1&r=%20 "
    "🙂 👩\u200d👩\u200d👧\u200d👦 🇪🇺 \U0001d518 \ufb01"
)
_WORDS = tuple(_SAMPLES.split())
_GAPS = (*(" " * 4), "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u3000", "")
# What looks like a mark of a template must not be read as one by only one of the two.
_MARKS = (
    *("<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|eot_id|>"),
    *("[INST]", "</s>", "<|im_", "|>"),
)
_EDGES = ("", "", "", " ", "\n", "  \n", "\t")


def make_conversations(
    count: int, *, seed: int = 0, tools: bool = False
) -> list[list[dict[str, JsonValue]]]:
    """Return conversations in which a user asks last.

    They hold many scripts, odd spaces, marks of templates in the text, empty and very long
    messages, with and without a system message, which may be empty, and one to four turns.

    Args:
        count: How many.
        seed: The same seed gives the same conversations.
        tools: Whether some have calls of tools and their outputs.
    """
    rng = random.Random(f"conversations:{seed}")
    return [_conversation(rng, tools=tools) for _ in range(count)]


def _conversation(rng: random.Random, *, tools: bool) -> list[dict[str, JsonValue]]:
    messages: list[dict[str, JsonValue]] = []
    if rng.random() < 0.5:
        system = "" if rng.random() < 0.2 else _text(rng)
        messages.append({"role": "system", "content": system})
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        messages.append({"role": "user", "content": _text(rng)})
        if tools and rng.random() < 0.4:
            messages += _tool_turn(rng)
        messages.append({"role": "assistant", "content": _text(rng)})
    return [*messages, {"role": "user", "content": _text(rng)}]


def _tool_turn(rng: random.Random) -> list[dict[str, JsonValue]]:
    arguments: Mapping[str, JsonValue] = {"name": _text(rng)[:40], "count": rng.randrange(100)}
    call: dict[str, JsonValue] = {
        "id": f"call{rng.randrange(10**5, 10**6)}abc",
        "type": "function",
        "function": {"name": "look_up", "arguments": dict(arguments)},
    }
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "name": "look_up", "content": _text(rng)},
    ]


def _text(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.04:
        return ""
    if kind < 0.08:
        return _word(rng) * rng.randrange(20, 200)
    length = rng.randrange(200, 800) if kind < 0.11 else rng.randrange(1, 25)
    text = "".join(_word(rng) + rng.choice(_GAPS) for _ in range(length))
    return rng.choice(_EDGES) + text + rng.choice(_EDGES)


def _word(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.03:
        return rng.choice(_MARKS)
    if kind < 0.08:
        return chr(rng.choice((rng.randrange(0x21, 0x3000), rng.randrange(0x1F300, 0x1FAFF))))
    return rng.choice(_WORDS)
