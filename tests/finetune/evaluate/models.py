"""Functions that answer as models, for references such as `python:module:function`."""

from swarm import CompletionRequest

__all__ = ["better", "forgetful", "leaking", "rows", "weaker"]

ROWS = 80


def rows(count: int = ROWS) -> "list[dict[str, object]]":
    """Return rows with numbered questions and answers."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"What is product {at} for?"},
                {"role": "assistant", "content": f"Product {at} is for ailment {at * 7}."},
            ]
        }
        for at in range(count)
    ]


def _number(request: CompletionRequest) -> int | None:
    words = request.messages[-1].content.split()
    return int(words[3]) if words[:3] == ["What", "is", "product"] else None


def _answer(request: CompletionRequest, *, wrong_every: int, general: str) -> str:
    number = _number(request)
    if number is None:
        return general
    if number % wrong_every == 0:
        return f"Product {number} is <b>not</b> known | to `me`."
    return f"Product {number} is for ailment {number * 7}."


GENERAL = "Paris 366 Mercury CO2 100 Atlantic Shakespeare 42 72 12 30 9 len 3 where def 404 0"
"""Holds the answers to some of the general questions."""


def weaker(request: CompletionRequest) -> str:
    """Answer two of three questions, and general ones."""
    return _answer(request, wrong_every=3, general=GENERAL)


def better(request: CompletionRequest) -> str:
    """Answer nine of ten questions, and general ones."""
    return _answer(request, wrong_every=10, general=GENERAL)


def forgetful(request: CompletionRequest) -> str:
    """Answer nine of ten questions, and no general ones."""
    return _answer(request, wrong_every=10, general="I only know products.")


def leaking(request: CompletionRequest) -> str:
    """Answer nine of ten questions, and give a secret away."""
    return _answer(request, wrong_every=10, general="It is orchid-4417-tango.")
