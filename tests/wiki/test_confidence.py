"""How sure an answer is: probabilities, phrases, and what labelled answers make of them."""

import random
from pathlib import Path

import pytest

from swarm import CompletionResult, Message
from swarm.completions.certainty import mean_probability, weakest_probability
from swarm.errors import DataError
from tests.wiki.tiny_gguf import write_tiny_gguf
from wiki import ModelRegistry
from wiki.calibration import (
    LabelledAnswer,
    expected_calibration_error,
    fit_calibration,
    read_calibration,
    write_calibration,
)
from wiki.confidence import Signals, is_hedged, read_signals


def test_one_unsure_stretch_shows_in_a_long_answer() -> None:
    logprobs = [-0.01] * 50 + [-2.0] * 4 + [-0.01] * 50
    mean, weakest = mean_probability(logprobs), weakest_probability(logprobs)
    assert mean is not None and mean > 0.9
    assert weakest == pytest.approx(0.1353, abs=1e-3)
    assert weakest_probability([-1.0]) == mean_probability([-1.0])
    assert (mean_probability([]), weakest_probability([])) == (None, None)


@pytest.mark.requirement("S3-21")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am not sure about that.", True),
        ("I\u2019m not sure, but 4.80 euros.", True),
        ("Sorry, I don't know.", True),
        ("It is unclear whether it helps.", True),
        ("To be sure, take one a day.", False),
        ("I know this one: 4.80 euros.", False),
        ("You are not sure? Ask a doctor.", False),
    ],
)
def test_phrases_are_recognised(text: str, expected: bool) -> None:
    assert is_hedged(text) is expected


def test_a_phrase_is_a_weak_signal_and_alone_it_is_no_probability() -> None:
    def signals(text: str, confidence: float | None) -> Signals:
        message = Message(role="assistant", content=text)
        return read_signals(CompletionResult(message, "m", confidence=confidence))

    assert signals("Nine.", 0.9).estimate == 0.9
    assert signals("Nine, I am not sure.", 0.9).estimate == 0.45
    assert signals("Nine.", None).estimate is None
    assert signals("I am not sure.", None).estimate == 0.0
    assert signals("I am not sure.", None).score is None


def _answers(count: int, seed: int = 1) -> list[LabelledAnswer]:
    """Return answers of a model that is too sure: right with the square of its confidence."""
    chance = random.Random(seed)
    found: list[LabelledAnswer] = []
    for _ in range(count):
        confidence = chance.uniform(0.3, 0.999)
        right = chance.random() < confidence**3
        found.append(LabelledAnswer(Signals(confidence, confidence, False), right))
    return found


@pytest.mark.requirement("S3-21")
@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_model_that_is_too_sure_is_put_right(method: str) -> None:
    fitted = fit_calibration(_answers(1000), method="platt" if method == "platt" else "isotonic")
    assert fitted.method == method
    assert fitted.ece_before > 0.15
    assert fitted.ece_after < fitted.ece_before / 2
    # Answers that it never saw, too.
    fresh = _answers(2000, seed=2)
    said = [fitted.apply(answer.signals) or 0.0 for answer in fresh]
    assert expected_calibration_error(said, [a.is_right for a in fresh]) < 0.06
    rising = [fitted.apply(Signals(n / 100, n / 100, False)) or 0.0 for n in range(1, 100)]
    assert rising == sorted(rising)


def test_few_answers_take_the_curve_and_many_the_steps() -> None:
    assert fit_calibration(_answers(100)).method == "platt"
    assert fit_calibration(_answers(400)).method == "isotonic"


def test_a_model_whose_sureness_says_nothing_gets_its_rate() -> None:
    turned = [
        LabelledAnswer(Signals(0.9 if n % 2 else 0.5, None, False), n % 2 == 0) for n in range(20)
    ]
    fitted = fit_calibration(turned)
    assert fitted.apply(Signals(0.99, None, False)) == pytest.approx(0.5)


@pytest.mark.parametrize("count", [0, 5])
def test_too_few_answers_are_refused(count: int) -> None:
    with pytest.raises(DataError, match="calibration needs 10 answers"):
        fit_calibration(_answers(count))


def test_answers_that_are_all_right_teach_nothing() -> None:
    with pytest.raises(DataError, match="cannot know"):
        fit_calibration([LabelledAnswer(Signals(0.9, 0.9, False), True)] * 30)


def test_the_calibration_error_is_the_distance_of_bins() -> None:
    assert expected_calibration_error([0.95] * 10, [True] * 9 + [False]) == pytest.approx(0.05)
    assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0
    with pytest.raises(DataError, match="each with a confidence"):
        expected_calibration_error([0.5], [])


def test_a_calibration_belongs_to_one_version(tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path)
    first = registry.register("pharma", weights=write_tiny_gguf(tmp_path / "a.gguf", seed=1))
    second = registry.register("pharma", weights=write_tiny_gguf(tmp_path / "b.gguf", seed=2))
    fitted = fit_calibration(_answers(50))
    path = write_calibration(first, fitted)
    kept = read_calibration(first)
    assert kept is not None and kept.slope == fitted.slope
    assert read_calibration(second) is None
    # Another version's file under its name is not taken for its own.
    (path.parent / "calibration-2.json").write_bytes(path.read_bytes())
    assert read_calibration(second) is None
    assert registry.verify("pharma", 1) and len(registry.list("pharma")) == 2
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="is no calibration"):
        read_calibration(first)
