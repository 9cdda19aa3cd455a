"""Failed runs, refusals, loops, wrong languages and poor ratings stay out; corrections stay."""

import random
import sys
import time
from typing import cast

import pytest

from finetune.curate import CurationError, Pipeline, Verdict
from finetune.curate.length import LengthConfig
from finetune.curate.quality import QualityConfig
from finetune.curate.refusals import refusal_share
from finetune.curate.score import score_of
from finetune.curate.step import RowStep
from finetune.dataset.rows import (
    AssistantMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    SftRow,
    ToolCall,
    UserMessage,
)
from finetune.dataset.sample import Provenance, Sample
from swarm.errors import MissingExtraError
from tests.finetune.curate.generate_support import support

QUESTION = "Where is my parcel?"
ANSWER = "It left our warehouse on Friday and usually takes three days."


def _sample(answer: str = ANSWER, question: str = QUESTION, **origin: object) -> Sample:
    row = SftRow(messages=(UserMessage(content=question), AssistantMessage(content=answer)))
    return Sample(row, Provenance.model_validate(origin))


def _judge(sample: Sample, **settings: object) -> Verdict:
    config = QualityConfig.model_validate(settings)
    return cast("RowStep", config.build()).judge(sample)


def _codes(sample: Sample, **settings: object) -> list[str]:
    verdict = _judge(sample, **settings)
    assert (verdict.sample is None) == bool(verdict.notes)
    return [note.code for note in verdict.notes]


@pytest.mark.requirement("S0-23")
def test_runs_that_did_not_end_well_stay_out() -> None:
    assert _codes(_sample(status="answered")) == []
    assert _codes(_sample(status="failed")) == ["run_failed"]
    assert _codes(_sample(status="timeout")) == ["run_timeout"]
    assert _codes(_sample(status="cancelled")) == ["run_cancelled"]
    assert _codes(_sample(status="failed", is_corrected=True)) == []


@pytest.mark.requirement("S0-23")
def test_ratings() -> None:
    assert _codes(_sample(rating=2)) == []
    assert _codes(_sample(rating=2), min_rating=3) == ["low_rating"]
    assert _codes(_sample(rating=3), min_rating=3) == []
    assert _codes(_sample(), min_rating=3) == []
    assert _codes(_sample(rating=1, is_corrected=True), min_rating=3, min_quality_score=0.9) == []


@pytest.mark.requirement("S0-23", "S2-05")
def test_lengths_are_estimated_tokens() -> None:
    assert _codes(_sample("")) == ["short_answer"]
    assert _codes(_sample(question="")) == ["short_question"]
    assert _codes(_sample("Yes.")) == []
    assert _codes(_sample("Yes."), min_answer_tokens=2) == ["short_answer"]
    assert _codes(_sample(), max_answer_tokens=15) == ["long_answer"]
    assert _codes(_sample(), max_question_tokens=4) == ["long_question"]
    call = ToolCall(id="c", function=FunctionCall(name="find", arguments='{"number": 12345}'))
    row = SftRow(messages=(UserMessage(content="hi"), AssistantMessage(tool_calls=(call,))))
    assert _codes(Sample(row)) == []


@pytest.mark.requirement("S0-23")
@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with this request.",
        "As an AI language model, I do not have access to your orders.",
        "I am unable to provide that information.",
        "Unfortunately, I cannot share this.",
        "Leider kann ich Ihnen dabei nicht helfen.",
        "Ich kann diese Frage nicht beantworten.",
        "Lo siento, no puedo ayudarle con eso.",
        "Je suis désolé, je ne peux pas vous aider.",
        "Mi dispiace, non posso aiutarla.",
        "Desculpe, não posso ajudar com isso.",
        "Het spijt me, ik kan u daar niet mee helpen.",
        "Przykro mi, nie mogę w tym pomóc.",
        "Jag kan tyvärr inte hjälpa dig med det.",
        "申し訳ありませんが、お答えできません。",
    ],
)
def test_refusals(answer: str) -> None:
    assert refusal_share(answer) == 1
    assert "refusal" in _codes(_sample(answer))
    assert "refusal" not in _codes(_sample(answer), max_refusal=1)


@pytest.mark.parametrize(
    "answer",
    [
        "You can't return opened food, but everything else within thirty days.",
        "I can't see a payment yet. Please wait until tomorrow and look at your account again; "
        "most "
        "transfers need one working day, and over a weekend it may be three.",
        "Sorry for the delay! It arrives on Friday.",
        "Den Vertrag können Sie leider erst im Mai kündigen.",
        "The camera cannot record sound.",
    ],
)
def test_answers_that_only_sound_like_refusals_stay(answer: str) -> None:
    assert _codes(_sample(answer)) == []


@pytest.mark.requirement("S0-23")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("Press the button and wait. " * 12, "repetition"),
        ("ha" * 300, "repetition"),
        ("はい、そうです。" * 30, "repetition"),
        ("no " * 40, "repetition"),
        ("PLEASE WAIT UNTIL TOMORROW AND CALL US AGAIN.", "capitals"),
        ("Gr\u00c3\u00bc\u00c3\u009fe aus M\u00c3\u00bcnchen, sch\u00c3\u00b6n", "garbled"),
        ("\ufffd\ufffd\ufffd abc \ufffd\ufffd", "garbled"),
        ("{}[]()<>!!??##$$%%^^&&**==++~~||", "garbled"),
        ("abc\x00\x01\x02def", "garbled"),
        ("Thank you for contacting us! How can I help you today?", "stock_answer"),
        ("Vielen Dank für Ihre Nachricht. Wie kann ich Ihnen helfen?", "stock_answer"),
    ],
)
def test_answers_that_are_not_worth_learning(answer: str, code: str) -> None:
    assert code in _codes(_sample(answer))
    flagged = _judge(_sample(answer), mode="flag")
    assert flagged.sample == _sample(answer)
    assert code in [note.code for note in flagged.notes]


def test_honest_answers_stay() -> None:
    seed = random.randrange(1_000_000)
    samples = list(support(random.Random(seed), 2_000, 100))
    bad = [(sample.row, codes) for sample in samples if (codes := _codes(sample))]
    assert len(bad) <= 0.005 * len(samples), f"seed {seed}: {bad[:3]}"
    for answer in (
        "```python\nfor a in [[1], [2]]:\n    print({**a, **{}}, (a,), ~a | 1 ^ 2)\n```",
        "Thank you for asking! The battery lasts for eleven hours and charges in two.",
        "Ja.",
        "ISBN 978-3",
    ):
        assert _codes(_sample(answer)) == []


@pytest.mark.requirement("S0-23")
def test_languages() -> None:
    texts = {
        "en": "The parcel left our warehouse on Friday, so it should be with you by Tuesday.",
        "de": "Das Paket hat unser Lager am Freitag verlassen und ist bis Dienstag bei Ihnen.",
        "fr": "Le colis a quitté notre entrepôt vendredi et arrivera chez vous avant mardi.",
        "es": "El paquete salió de nuestro almacén el viernes y llegará a su casa el martes.",
        "sv": "Paketet lämnade vårt lager i fredags och bör vara hos dig senast på tisdag.",
    }
    for language, text in texts.items():
        expected = [] if language in ("en", "de") else ["other_language"]
        assert _codes(_sample(text), languages=("en", "de")) == expected, language
        assert _codes(_sample(text), languages=(language,)) == []
    assert _codes(_sample("Sí, claro."), languages=("en",)) == []


def test_languages_that_nobody_knows() -> None:
    with pytest.raises(CurationError, match=r"quality\.languages: unknown language codes: qq"):
        QualityConfig(languages=("en", "qq")).build()
    with pytest.raises(CurationError, match="languages"):
        Pipeline.of([{"quality": {"languages": ["English"]}}])


def test_languages_need_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    assert _codes(_sample()) == []
    with pytest.raises(MissingExtraError, match=r"pip install 'wikiswarm\[data\]'"):
        QualityConfig(languages=("en",)).build()


@pytest.mark.requirement("S0-23")
def test_the_score_names_its_parts() -> None:
    assert score_of(_sample(rating=5)) == (1, 1, 1, 1, 1, 1, 1)
    assert score_of(_sample(rating=1, is_corrected=True)).total == 1
    assert score_of(_sample()).total == 0.7
    assert score_of(_sample(rating=2)).rating == 0.4
    assert score_of(_sample(status="failed")).total == 0
    assert score_of(_sample("Sorry, but I can't help with that.", rating=5)).helpful == 0
    assert score_of(_sample("Yes.", rating=5)).substantial == 1 / 8
    assert _codes(_sample(), min_quality_score=0.7) == []
    (note,) = _judge(_sample(), min_quality_score=0.8).notes
    assert note.detail.startswith("0.70: rating 0.70, answered 1.00, helpful 1.00")


def test_only_what_is_learnt_is_judged() -> None:
    refusal = "I'm sorry, but I can't help with that."
    weightless = SftRow(
        messages=(
            UserMessage(content=QUESTION),
            AssistantMessage(content=refusal, weight=0),
            UserMessage(content="Try again."),
            AssistantMessage(content=ANSWER),
        )
    )
    assert _codes(Sample(weightless)) == []
    good, bad = AssistantMessage(content=ANSWER), AssistantMessage(content=refusal)
    asked = DpoInput(messages=(UserMessage(content=QUESTION),))
    better = DpoRow(input=asked, preferred_output=(good,), non_preferred_output=(bad,))
    worse = DpoRow(input=asked, preferred_output=(bad,), non_preferred_output=(good,))
    assert _codes(Sample(better)) == []
    assert _codes(Sample(worse)) == ["refusal"]


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "i can't ",
        "i i i cannot ",
        "ich kann nicht ",
        "`a. b` ",
        "{",
        "$$a. ",
        "!a",
        "é",
        "``` ",
    ],
)
def test_long_answers_take_time_in_proportion(part: str) -> None:
    steps = [
        cast("RowStep", config.build())
        for config in (QualityConfig(), LengthConfig(max_answer_tokens=4_000))
    ]

    def seconds(size: int) -> float:
        sample = _sample(part * (size // len(part)))
        best = min(_cpu(steps, sample) for _ in range(3))
        return max(best, 0.002)

    # Four times the text; what is quadratic would take sixteen times as long.
    assert seconds(80_000) < 10 * seconds(20_000)


def _cpu(steps: list[RowStep], sample: Sample) -> float:
    start = time.process_time()
    for step in steps:
        step.judge(sample)
    return time.process_time() - start
