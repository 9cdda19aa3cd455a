"""A wiki before its first training: the nearest question of the questions file answers.

It needs nothing but the core. It is where a wiki starts, what a trained model has to beat, and what
may answer in its place while no version is in service.
"""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from finetune.questions import Question, normalise, read_questions
from swarm import CompletionRequest

__all__ = ["Lookup"]


class Lookup:
    """Looks messages up in questions and answers, by the words that they share.

    Words count by how few facts use them, as in TF-IDF (Spärck Jones 1972). An instance is a
    completion callback: `answer = Lookup.read(path)` in `answers.py` serves a wiki with
    `model: python:answers:answer`.

    Args:
        questions: The facts that may answer.
        unknown: What is answered when no question is near enough.
        threshold: The least share of a message's weight that a question has to have, 0 to 1.
    """

    def __init__(
        self,
        questions: Iterable[Question],
        *,
        unknown: str = "I do not know that.",
        threshold: float = 0.4,
    ) -> None:
        facts = tuple(questions)
        self._unknown = unknown
        self._threshold = threshold
        # A word that no fact uses says that something else is meant, so it weighs most.
        self._strange = math.log(1 + len(facts))
        self._phrasings = [
            (frozenset(normalise(text).split()), fact.answer)
            for fact in facts
            for text in (*fact.train, *fact.held_out)
        ]
        uses = Counter(
            word
            for fact in facts
            for word in {word for text in fact.train for word in normalise(text).split()}
        )
        self._weights = {word: math.log(1 + len(facts) / count) for word, count in uses.items()}

    @classmethod
    def read(cls, path: Path) -> "Lookup":
        """Return a lookup in a questions file.

        Raises:
            QuestionsError: The file cannot be read or entries are wrong; every problem is listed.
        """
        return cls(read_questions(path))

    def __call__(self, request: CompletionRequest) -> str:
        """Answer the last message, as a model would."""
        return self.look_up(request.messages[-1].content)

    def look_up(self, message: str) -> str:
        """Return the answer to the nearest question, or that none is near."""
        asked = frozenset(normalise(message).split())
        best, found = 0.0, self._unknown
        for words, answer in self._phrasings:
            score = self._score(asked, words)
            if score > best:
                best, found = score, answer
        return found if best >= self._threshold else self._unknown

    def _score(self, asked: frozenset[str], words: frozenset[str]) -> float:
        """Return the mean of how much of the message, and of both texts, is shared."""
        shared = self._weigh(asked & words)
        if not shared:
            return 0.0
        return (shared / self._weigh(asked) + shared / self._weigh(asked | words)) / 2

    def _weigh(self, words: frozenset[str]) -> float:
        return sum(self._weights.get(word, self._strange) for word in words)
