"""The wiki without any model: looks the nearest question up in questions.yaml."""

import functools
import math
from collections import Counter
from pathlib import Path

from finetune import Question, read_questions
from finetune.questions import normalise
from swarm import CompletionRequest

__all__ = ["answer", "look_up"]


@functools.cache
def _facts() -> tuple[Question, ...]:
    return read_questions(Path(__file__).with_name("questions.yaml"))


def answer(request: CompletionRequest) -> str:
    """Answer as a model would: `model: python:pharma_wiki:answer` in swarm.yaml."""
    return look_up(request.messages[-1].content)


def look_up(message: str) -> str:
    """Return the answer to the question that shares the most telling words with the message."""
    asked = set(normalise(message).split())
    weights = _weights()
    unknown = math.log(1 + len(_facts()))  # a word that no fact uses tells that it is not meant

    def weight(words: set[str]) -> float:
        return sum(weights.get(word, unknown) for word in words)

    best, found = 0.0, "I do not know that."
    for fact in _facts():
        for phrasing in (*fact.train, *fact.held_out):
            words = set(normalise(phrasing).split())
            shared = weight(asked & words)
            score = (shared / weight(asked) + shared / weight(asked | words)) / 2 if shared else 0.0
            if score > best:
                best, found = score, fact.answer
    return found if best >= 0.4 else "I do not know that."


@functools.cache
def _weights() -> dict[str, float]:
    """Weigh each word by how few facts use it, as in TF-IDF."""
    facts = _facts()
    uses = Counter(
        word for f in facts for word in {w for p in f.train for w in normalise(p).split()}
    )
    return {word: math.log(1 + len(facts) / count) for word, count in uses.items()}
