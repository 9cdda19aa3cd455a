"""Samples of a test, seeded: varied conversations with and without labels, sessions and twins."""

import random

from finetune.dataset.rows import AssistantMessage, DpoInput, DpoRow, SftRow, UserMessage
from finetune.dataset.sample import Provenance, Sample

__all__ = ["pair", "sample", "varied"]

_WORDS = [
    *("tablet", "river", "clock", "orange", "window", "market", "paper", "garden", "silver"),
    *("bottle", "engine", "mirror", "planet", "castle", "yellow", "bridge", "doctor", "number"),
    *("winter", "kitchen", "letter", "button", "harbour", "pencil", "thunder"),
]


def sample(question: str, answer: str = "Yes.", **origin: object) -> Sample:
    """Return a supervised row of one question and one answer."""
    messages = (UserMessage(content=question), AssistantMessage(content=answer))
    return Sample(SftRow(messages=messages), Provenance.model_validate(origin))


def pair(question: str, good: str, bad: str, **origin: object) -> Sample:
    """Return a preference row."""
    row = DpoRow(
        input=DpoInput(messages=(UserMessage(content=question),)),
        preferred_output=(AssistantMessage(content=good),),
        non_preferred_output=(AssistantMessage(content=bad),),
    )
    return Sample(row, Provenance.model_validate(origin))


def varied(seed: int, count: int, *, labels: tuple[str, ...] = ()) -> list[Sample]:
    """Return rows that differ, with labels in turn."""
    source = random.Random(seed)
    found: list[Sample] = []
    for number in range(count):
        words = " ".join(source.choices(_WORDS, k=30))
        label = labels[number % len(labels)] if labels else None
        found.append(sample(f"{number}: {words}?", " ".join(source.choices(_WORDS, k=20)),
                            label=label, line=number + 1, source="made.jsonl"))  # fmt: skip
    return found
