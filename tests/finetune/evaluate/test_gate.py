"""The decision of the gate."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from finetune.evaluate.decision import GateDecision, GateMetric, GatePolicy
from finetune.evaluate.gate import decide
from finetune.evaluate.paired import paired_differences
from finetune.evaluate.probes import ProbeFinding
from finetune.evaluate.row import RowResult
from swarm.errors import DataError
from tests.finetune.evaluate.test_paired import is_better, pairs


def results(right: Sequence[bool], *, wrong: str = "Never.") -> list[RowResult]:
    """Return rows that are right where it says so."""
    return [
        RowResult(
            row=at,
            question=f"Question {at}?",
            expected=f"Answer {at}.",
            answer=f"Answer {at}." if is_right else wrong,
            exact=is_right,
        )
        for at, is_right in enumerate(right, start=1)
    ]


LIVE = results([True] * 160 + [False] * 40)
BETTER = results([True] * 190 + [False] * 10)


@pytest.mark.requirement("S1-31")
def test_a_better_candidate_is_promoted() -> None:
    found = decide(BETTER, LIVE)
    assert found.may_promote
    assert found.rows == 200
    first, second = found.metrics
    assert (first.metric, second.metric) == ("exact", "token_f1")
    assert first.live == pytest.approx(0.8)
    assert first.candidate == pytest.approx(0.95)
    assert first.difference == pytest.approx(0.15)
    assert 0 < first.low < 0.15 < first.high
    assert first.p_value <= 0.05
    assert "promote (200 questions)" in found.text()
    assert "exact is better: +0.1500" in found.text()
    assert GateDecision.model_validate_json(found.model_dump_json()) == found


@pytest.mark.requirement("S1-31")
def test_an_equal_candidate_is_refused_and_so_is_a_worse_one() -> None:
    equal = decide(LIVE, LIVE)
    assert equal.decision == "refuse"
    assert "exact is not better beyond chance" in equal.reasons[0]
    worse = decide(LIVE, BETTER)
    assert worse.decision == "refuse"
    assert "exact may be worse by more than 0.02: -0.1500" in worse.reasons[0]


def test_an_equal_candidate_passes_where_not_being_worse_is_enough() -> None:
    found = decide(LIVE, LIVE, GatePolicy(must_improve=False))
    assert found.may_promote
    assert "exact is not worse by 0.02" in found.reasons[0]


@pytest.mark.requirement("S1-31")
def test_the_decision_is_the_one_that_the_simulations_count() -> None:
    drawn = pairs(100, live=0.8, candidate=0.88, correlation=0.5, runs=12)
    policy = GatePolicy(others=())
    counted = [is_better(one) for one in paired_differences(drawn)]
    decided = [
        decide(results(list(column >= 0)), results(list(column <= 0)), policy).may_promote
        for column in drawn.T
    ]
    assert decided == counted
    assert len(set(decided)) == 2


@pytest.mark.requirement("S1-31")
def test_few_questions_decide_nothing() -> None:
    found = decide(BETTER[:49], LIVE[:49])
    assert found.decision == "not_enough_data"
    assert found.reasons == ("49 questions are too few; the policy wants 50",)
    assert decide([], []).decision == "not_enough_data"


def test_a_small_gain_says_how_many_questions_would_show_it() -> None:
    candidate = results([True] * 162 + [False] * 38)
    (reason,) = decide(candidate, LIVE).reasons
    # Two rows of 200: deviation 0.0995, and 0.1 were there none,
    # so ((1.645 * 0.1 + 0.842 * 0.0995) / 0.01) ** 2.
    assert "about 617 questions would show it" in reason


def test_another_figure_that_gets_worse_refuses_a_better_primary_one() -> None:
    # More exact answers, but where it is wrong it now says nothing of use.
    live = results([True] * 100 + [False] * 100, wrong="Answer 0 or so.")
    candidate = results([True] * 130 + [False] * 70, wrong="?")
    found = decide(candidate, live)
    assert found.decision == "refuse"
    assert found.metrics[0].is_better
    assert "token_f1 may be worse" in found.reasons[0]


@pytest.mark.requirement("S3-07")
def test_a_judges_scores_can_be_the_primary_figure() -> None:
    policy = GatePolicy(primary=GateMetric(metric="judge"), others=())
    good, poor = [5.0] * 150 + [3.0] * 50, [4.0] * 200
    found = decide(LIVE, LIVE, policy, judged=(good, poor))
    assert found.may_promote
    assert (found.metrics[0].live, found.metrics[0].candidate) == (0.75, 0.875)
    with pytest.raises(DataError, match="not as many"):
        decide(LIVE, LIVE, policy, judged=(good[:-1], poor))
    with pytest.raises(DataError, match="'judge' is not known"):
        decide(LIVE, LIVE, policy)


def test_a_failed_probe_refuses_whatever_the_figures_say() -> None:
    probe = ProbeFinding(kind="canary", reason="an answer holds it", question="q", answer="a")
    found = decide(BETTER, LIVE, probes=[probe])
    assert found.decision == "refuse"
    assert found.reasons == ("probe canary: an answer holds it",)
    assert decide(BETTER[:9], LIVE[:9], probes=[probe]).decision == "refuse"


def test_models_that_were_asked_different_questions_are_not_compared() -> None:
    with pytest.raises(DataError, match="200 questions and the live model 199"):
        decide(BETTER, LIVE[:-1])
    with pytest.raises(DataError, match="row 1: the models were asked different"):
        decide(BETTER, [*LIVE[1:], LIVE[0]])


def test_a_policy_names_each_figure_once() -> None:
    with pytest.raises(ValidationError, match="stands twice"):
        GatePolicy(others=(GateMetric(metric="exact"),))
