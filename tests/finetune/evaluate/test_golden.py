"""Golden sets and the built-in general questions."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from finetune.evaluate.general import GeneralQuestion, compare_areas, general_questions
from finetune.evaluate.golden import GoldenSets
from swarm.errors import DataError, InvalidIdError, UnknownNameError


def _rows(answer: str) -> list[dict[str, JsonValue]]:
    return [
        {
            "messages": [
                {"role": "user", "content": "When do you open?"},
                {"role": "assistant", "content": answer},
            ]
        }
    ]


@pytest.mark.requirement("S3-27")
def test_a_golden_set_is_kept_and_changed_only_on_purpose(tmp_path: Path) -> None:
    sets = GoldenSets(tmp_path / "golden")
    assert sets.list() == ()
    kept = sets.add("opening", _rows("At nine."))
    assert (kept.name, kept.rows) == ("opening", 1)
    assert sets.add("opening", _rows("At nine.")) == kept
    with pytest.raises(DataError, match="holds other rows"):
        sets.add("opening", _rows("At ten."))
    assert sets.rows("opening") == _rows("At nine.")
    changed = sets.add("opening", _rows("At ten."), replace=True)
    assert changed.sha256 != kept.sha256
    assert sets.list() == (changed,)


def test_what_cannot_be_a_golden_set_is_refused(tmp_path: Path) -> None:
    sets = GoldenSets(tmp_path)
    for name in ("../up", "", "A", "a.b"):
        with pytest.raises(InvalidIdError):
            sets.add(name, _rows("At nine."))
    with pytest.raises(DataError, match="there are no rows"):
        sets.add("empty", [])
    with pytest.raises(DataError, match="row"):
        sets.add("broken", [{"messages": []}])
    sets.add("opening", _rows("At nine."))
    with pytest.raises(UnknownNameError, match="did you mean 'opening'"):
        sets.rows("open")


@pytest.mark.requirement("S2-23", "S3-15")
def test_there_are_general_questions_of_three_kinds() -> None:
    areas = general_questions()
    assert {area: len(questions) for area, questions in areas.items()} == {
        "general": 10,
        "maths": 10,
        "code": 10,
    }
    asked = [one.question for questions in areas.values() for one in questions]
    assert len(set(asked)) == 30
    for questions in areas.values():
        for one in questions:
            assert one.is_answered_by(f"I think it is {one.accept[0]}.")
            # The question itself gives no answer away.
            assert not one.is_answered_by(one.question), one.question


def test_an_answer_counts_as_whole_words() -> None:
    question = GeneralQuestion(question="How many?", accept=("12", "twelve"))
    assert question.is_answered_by("There are Twelve.")
    assert not question.is_answered_by("There are 120.")


def test_more_than_a_tenth_lost_is_a_warning() -> None:
    questions = [GeneralQuestion(question=f"q{at}", accept=("yes",)) for at in range(10)]
    all_right = {one.question: "yes" for one in questions}
    one_lost = {**all_right, "q0": "no"}
    two_lost = {**one_lost, "q1": "no"}
    verdicts = [
        compare_areas(all_right, answers, {"code": questions})[0].verdict
        for answers in (all_right, one_lost, two_lost)
    ]
    assert verdicts == ["OK", "OK", "WARN"]
