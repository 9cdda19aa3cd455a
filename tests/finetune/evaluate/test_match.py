"""What counts as exactly right."""

import pytest

from finetune.evaluate import exact_match, score_matches


@pytest.mark.parametrize(
    ("expected", "answer", "exact"),
    [
        ("We open at nine.", "We open at nine.", True),
        ("We open at nine.", " We open\n at  nine. ", True),
        ("We open at nine.", "we open at nine.", False),
        ("We open at nine.", "We open at nine", False),
        ("We open at nine.", "", False),
    ],
)
def test_only_white_space_is_forgiven(expected: str, answer: str, exact: bool) -> None:
    assert exact_match(expected, answer) is exact


def test_scores_count() -> None:
    score = score_matches([("a", "a"), ("b", "c"), ("d e", "d  e"), ("f", "")])
    assert (score.rows, score.exact, score.accuracy) == (4, 2, 0.5)
    assert score_matches([]).accuracy == 0.0
