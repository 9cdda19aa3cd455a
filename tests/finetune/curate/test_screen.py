"""A look at many rows together leaves out none that a step would say something of."""

import random
import sys
from collections.abc import Iterator
from typing import cast

import pytest

from benchmarks.conversations import conversations
from finetune.curate import Pipeline, Verdict
from finetune.curate.poison import PoisonConfig
from finetune.curate.quality import QualityConfig
from finetune.curate.screen import PlainRows
from finetune.curate.search import quick_find
from finetune.curate.secrets import SecretsConfig
from finetune.curate.step import RowStep, ScreeningStep, StepConfig
from finetune.dataset import AssistantMessage, SftRow, UserMessage
from finetune.dataset.rows import FunctionDefinition, ToolDefinition
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.shape import shape_row
from tests.finetune.curate.generate_poison import FAMILIES, poisoned
from tests.finetune.curate.generate_support import hard_negatives, support
from tests.finetune.curate.personal.generate_personal import clean_rows, documents, row_of
from tests.finetune.curate.secrets.generate_clean import clean_lines
from tests.finetune.curate.secrets.generate_secrets import labelled_lines

STEPS: list[StepConfig] = [
    *Pipeline.default().row_steps,
    PoisonConfig(mode="flag"),
    QualityConfig(min_rating=4, max_answer_tokens=60, max_capitals=0.05, mode="flag"),
    QualityConfig(max_refusal=0, max_repetition=0, max_broken=0),
    QualityConfig(min_quality_score=0.6),
]


def talk(*texts: str, origin: Provenance | None = None) -> Sample:
    kinds = (UserMessage, AssistantMessage)
    messages = [kinds[at % 2](content=text) for at, text in enumerate(texts)]
    return Sample(SftRow(messages=tuple(messages)), origin or Provenance())


def in_ascii(text: str) -> str:
    """Return what is left of a text without its accents, so that more rows are looked at."""
    return text.encode("ascii", "ignore").decode()


def found_everywhere() -> Iterator[Sample]:
    """Yield what the tests of all steps look for, and what they must leave alone."""
    draw = random.Random(5)
    yield from support(draw, 200, 40)
    yield from hard_negatives(draw, 200)
    for family in FAMILIES:
        yield from poisoned(draw, family, 30, "eve")
    for document in documents(seed=3, count=300):
        yield Sample(row_of(document))
        yield talk("Who?", in_ascii(document.text))
    yield from map(Sample, clean_rows(seed=4, count=100))
    for secret in labelled_lines(300, seed=6):
        yield talk(in_ascii(secret.text), "Please change it.")
    for line in clean_lines(300, seed=7):
        yield talk("What is this?", in_ascii(line))
    for row in conversations(400, seed=8):
        shaped = shape_row(row)
        assert not isinstance(shaped, list)
        yield Sample(shaped)
    failed = Provenance(status="failed", rating=2)
    for text in ("", "  ", "Yes.", "NO NO NO " * 30, "spam and eggs " * 40, "\0\0", "a\x0bb " * 50):
        yield talk("Well?", text)
        yield talk(text, "It left our warehouse on Friday and takes three days.", origin=failed)
    yield talk("Well?", "I am sorry, but I cannot help with that. " + "So many words. " * 20)
    yield talk("Well?", "!?-;:-) <<>> " * 60, "Go on", "(){}[]" * 40)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    found = list(found_everywhere())
    random.Random(9).shuffle(found)
    return found


@pytest.mark.requirement("S2-05")
@pytest.mark.parametrize("config", STEPS, ids=lambda config: config.step_name)
def test_who_is_not_suspected_is_kept_without_a_word(
    config: StepConfig, samples: list[Sample]
) -> None:
    step = cast("RowStep", config.build())
    assert isinstance(step, ScreeningStep)
    passed = 0
    for size in (1, 7, 512):
        for start in range(0, len(samples), size * (1 if size > 7 else 20)):
            batch = samples[start : start + size]
            rows = PlainRows.among(batch)
            suspects = step.suspects(rows)
            assert suspects <= rows.places
            for place in rows.places - suspects:
                assert step.judge(batch[place]) == Verdict(batch[place]), batch[place]
                passed += 1
    if config.model_dump().get("min_quality_score") is None:
        assert passed > 20


def test_most_usual_rows_are_not_suspected() -> None:
    batch = [
        Sample(row) for made in conversations(500) if not isinstance(row := shape_row(made), list)
    ]
    rows = PlainRows.among(batch)
    assert len(rows.places) == len(batch)
    for config in Pipeline.default().row_steps:
        step = config.build()
        assert isinstance(step, ScreeningStep)
        assert len(step.suspects(rows)) < 0.2 * len(batch), config.step_name


def test_words_that_begin_like_a_key_are_not_suspected() -> None:
    batch = [
        talk("Which path does the patient take, and what is precious there?", "The patched one."),
        talk("And now?", "pat" + "Kx3Qz7Lm2Vw9Rt" + "." + "9c41d07be5a2f386" * 4),
    ]
    step = SecretsConfig().build()
    assert isinstance(step, ScreeningStep)
    assert step.suspects(PlainRows.among(batch)) == {1}
    assert step.judge(batch[1]).notes


def test_rows_of_a_journal_are_suspected_by_how_their_run_ended_only() -> None:
    answer = "It left our warehouse on Friday, and our carrier says that it takes three days. " * 2
    answer += "You get another message with a link as soon as somebody has looked at it."
    batch = [
        talk("When does it come?", answer, origin=origin)
        for origin in (
            Provenance(status="answered", rating=4),
            Provenance(status="failed"),
            Provenance(status="answered", rating=2),
            Provenance(),
        )
    ]
    step = QualityConfig(min_rating=3).build()
    assert step.suspects(PlainRows.among(batch)) == {1, 2}


def test_only_ascii_rows_of_roles_and_texts_are_plain() -> None:
    tool = ToolDefinition(function=FunctionDefinition(name="find"))
    named = SftRow(messages=(UserMessage(content="hi", name="ann"), AssistantMessage(content="?")))
    batch = [
        talk("Hello", "What can I do?"),
        talk("Grüße", "What can I do?"),
        Sample(talk("Hello", "What?").row.model_copy(update={"tools": (tool,)})),
        Sample(named),
        None,
        talk("Hello", "Again?"),
    ]
    # A copy with other fields knows of them.
    tools = SftRow(messages=named.messages[1:], tools=(tool,))
    assert PlainRows.among([*batch, Sample(tools)]).places == {0, 5}


def test_what_reaches_from_one_row_into_the_next_counts_for_both() -> None:
    rows = PlainRows.among([talk("one", "two"), talk("three", "four"), talk("five", "six")])
    assert rows.text == b"\0\0one\ntwo\0\0three\nfour\0\0five\nsix\0\0"
    find = quick_find("(?s:two.*three)|six")
    assert find is not None
    assert rows.having(find) == {0, 1, 2}
    assert rows.having(quick_find("o\\n")) == frozenset()
    assert rows.having(quick_find("[^a-z]five")) == {2}
    assert rows.having(None) == rows.places
    assert PlainRows.among([]).having(find) == frozenset()
    assert rows.where([False, True, False]) == {1}


@pytest.mark.parametrize("config", Pipeline.default().row_steps, ids=lambda one: one.step_name)
def test_without_re2_every_row_is_judged(
    config: StepConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    assert quick_find("a") is None
