"""A judge against people; the figures are scikit-learn's and scipy's."""

import json
from pathlib import Path

import pytest

from finetune.evaluate.agreement import (
    HumanRating,
    JudgeRefusedError,
    calibrate,
    measure_agreement,
    read_ratings,
    require_agreement,
)
from finetune.evaluate.judge import open_judge
from swarm import CompletionRequest
from swarm.errors import DataError
from tests.finetune.evaluate.judges import honest, spec_of

PEOPLE = [1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 3, 4]
JUDGE = [1, 2, 3, 5, 5, 4, 4, 2, 2, 1, 3, 3]


@pytest.mark.requirement("S3-07")
def test_agreement_has_the_figures_of_the_references() -> None:
    found = measure_agreement(PEOPLE, JUDGE)
    assert found.kappa == pytest.approx(0.9051383399209486, abs=1e-12)
    assert found.spearman == pytest.approx(0.9236363636363635, abs=1e-12)
    assert (found.rows, found.exact, found.within_one) == (12, 8 / 12, 1.0)
    assert found.bias == pytest.approx(-2 / 12)


@pytest.mark.parametrize(
    ("people", "judge", "kappa", "spearman"),
    [
        ([3, 3, 3], [3, 3, 3], 1.0, None),
        ([3, 3, 3], [4, 4, 4], 0.0, None),
        ([1, 5], [5, 1], -1.0, -1.0),
    ],
)
def test_agreement_at_the_edges(
    people: list[int], judge: list[int], kappa: float, spearman: float | None
) -> None:
    found = measure_agreement(people, judge)
    assert (found.kappa, found.spearman) == (pytest.approx(kappa), spearman)


def test_what_is_no_score_is_refused() -> None:
    for people, judge in ([], []), ([1], [1, 2]), ([0], [1]):
        with pytest.raises(ValueError):
            measure_agreement(people, judge)


def test_a_judge_below_the_floor_is_refused() -> None:
    found = measure_agreement(PEOPLE * 2, [*reversed(JUDGE), *JUDGE])
    assert found.kappa < 0.6
    with pytest.raises(JudgeRefusedError, match="m is refused: its weighted kappa") as caught:
        require_agreement("m", found)
    assert caught.value.agreement == found
    with pytest.raises(JudgeRefusedError, match="12 ratings by people are too few"):
        require_agreement("m", measure_agreement(PEOPLE, JUDGE))
    require_agreement("m", measure_agreement(PEOPLE, JUDGE), minimum=12)


def _ratings() -> list[HumanRating]:
    answers = {5: "We open at nine.", 3: "We open at ten.", 1: "Bananas."}
    return [
        HumanRating(question="When?", expected=answers[5], answer=answers[rating], rating=rating)
        for rating in (5, 3, 1) * 8
    ]


@pytest.mark.anyio
@pytest.mark.requirement("S3-07", "S2-30")
async def test_a_judge_is_let_in_by_the_ratings_of_people(tmp_path: Path) -> None:
    def generous(request: CompletionRequest) -> str:
        return '{"reason": "fine", "score": 5}'

    async with open_judge(spec_of(honest), home=tmp_path) as judge:
        assert (await calibrate(judge, _ratings())).kappa == pytest.approx(1.0)
        with pytest.raises(DataError, match="no ratings"):
            await calibrate(judge, [])
    async with open_judge(spec_of(generous), home=tmp_path) as judge:
        with pytest.raises(JudgeRefusedError, match=r"kappa with people is 0\.00"):
            await calibrate(judge, _ratings())


def test_ratings_are_read_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text("".join(f"{r.model_dump_json()}\n\n" for r in _ratings()), encoding="utf-8")
    assert read_ratings(path) == _ratings()
    path.write_text(json.dumps({"question": "q", "rating": 6}), encoding="utf-8")
    with pytest.raises(DataError, match=r"ratings.jsonl:1: expected: Field required"):
        read_ratings(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"ratings.jsonl:1: not JSON"):
        read_ratings(path)
