"""Exact copies go, the best one stays, and nothing else is touched."""

import random

import numpy as np
import pytest

from finetune.curate.duplicates import ExactDuplicates
from finetune.dataset import (
    AssistantMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    FunctionDefinition,
    ImagePart,
    ImageUrl,
    SftRow,
    TextPart,
    ToolCall,
    ToolDefinition,
    UserMessage,
)
from finetune.dataset.sample import Provenance, Sample


def row(question: str, answer: str = "Yes.") -> SftRow:
    return SftRow(messages=(UserMessage(content=question), AssistantMessage(content=answer)))


def pair(better: str, worse: str) -> DpoRow:
    return DpoRow(
        input=DpoInput(messages=(UserMessage(content="Open?"),)),
        preferred_output=(AssistantMessage(content=better),),
        non_preferred_output=(AssistantMessage(content=worse),),
    )


def call(arguments: str) -> SftRow:
    function = FunctionCall(name="stock", arguments=arguments)
    return SftRow(
        messages=(
            UserMessage(content="How many?"),
            AssistantMessage(tool_calls=(ToolCall(id="1", function=function),)),
        )
    )


def dropped(*samples: Sample) -> list[tuple[int, int | None]]:
    step = ExactDuplicates().build()
    return [(d.position, d.twin) for d in step.decide(step.summarise(samples))]


@pytest.mark.requirement("S0-20", "S2-05")
def test_the_first_of_several_copies_stays() -> None:
    samples = [Sample(row(text)) for text in ("Open?", "Closed?", "open", "OPEN ?", "closed!")]
    assert dropped(*samples) == [(2, 0), (3, 0), (4, 1)]
    step = ExactDuplicates().build()
    codes = {decision.note.code for decision in step.decide(step.summarise(samples))}
    assert codes == {"exact_duplicate"}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Provenance(rating=3), Provenance(rating=5), [(0, 1)]),
        (Provenance(rating=5), Provenance(is_corrected=True), [(0, 1)]),
        (Provenance(rating=5), Provenance(), [(1, 0)]),
        (Provenance(rating=1), Provenance(), [(0, 1)]),
        (Provenance(is_corrected=True), Provenance(is_corrected=True, rating=4), [(0, 1)]),
        (Provenance(), Provenance(), [(1, 0)]),
    ],
)
def test_the_better_copy_stays(
    first: Provenance, second: Provenance, expected: list[tuple[int, int]]
) -> None:
    assert dropped(Sample(row("Open?"), first), Sample(row("open"), second)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row("Open?"), row("Open?", "No.")),
        (row("a", "b c"), row("a b", "c")),
        (row("!", "..."), row("?", "---")),
        (row("a \x03 b", "c"), SftRow(messages=(*row("a", "b").messages, *row("c").messages[1:]))),
        (row("a \x03 b \x03 c"), row("a", "b \x03 c")),
        (row("It costs 5 $"), row("It costs 5 €")),
        (pair("Yes.", "No."), pair("No.", "Yes.")),
        (call('{"sku": 1}'), call('{"sku": 2}')),
        (
            row("Open?"),
            row("Open?").model_copy(
                update={"tools": (ToolDefinition(function=FunctionDefinition(name="t")),)}
            ),
        ),
    ],
)
def test_other_conversations_stay(one: SftRow | DpoRow, other: SftRow | DpoRow) -> None:
    assert dropped(Sample(one), Sample(other)) == []


def test_the_same_question_about_another_image_stays() -> None:
    def about(url: str) -> Sample:
        parts = (TextPart(text="What is this?"), ImagePart(image_url=ImageUrl(url=url)))
        messages = (UserMessage(content=parts), AssistantMessage(content="A cat."))
        return Sample(SftRow(messages=messages))

    assert dropped(about("https://a.example/1"), about("https://a.example/2")) == []
    assert dropped(about("https://a.example/1"), about("https://a.example/1")) == [(1, 0)]


def test_parts_of_a_corpus_are_summed_up_apart() -> None:
    rng = random.Random(5)
    samples = [Sample(row(f"Question {rng.randrange(20)}?")) for _ in range(100)]
    step = ExactDuplicates().build()
    parts = [step.summarise(samples[at : at + 7]) for at in range(0, 100, 7)]
    assert np.array_equal(np.concatenate(parts), step.summarise(samples))
    kept = 100 - len(step.decide(np.concatenate(parts)))
    assert kept == len({sample.id for sample in samples})


def test_nothing_is_no_trouble() -> None:
    assert dropped() == []
