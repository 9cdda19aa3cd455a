"""Large labels lose their worst rows up to a limit; small ones and unlabelled rows stay."""

import random
import sys
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.curate import Pipeline, curate
from finetune.curate.balance import BalanceConfig, count_labels, largest_allowed
from finetune.curate.step import CorpusStep, Decision
from finetune.dataset.rows import AssistantMessage, SftRow, UserMessage
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.sample_file import read_samples, write_samples
from swarm.errors import MissingExtraError

ANSWER = "It left our warehouse on Friday and usually takes three days."


def _sample(label: str | None, question: str = "Where?", **origin: object) -> Sample:
    row = SftRow(messages=(UserMessage(content=question), AssistantMessage(content=ANSWER)))
    return Sample(row, Provenance.model_validate({"label": label, **origin}))


def _decide(config: BalanceConfig, samples: list[Sample]) -> list[Decision]:
    step = cast("CorpusStep", config.build())
    return step.decide(step.summarise(samples))


def _set() -> list[Sample]:
    labels = ["billing"] * 100 + ["delivery"] * 10 + ["returns"] * 8 + [None] * 300
    samples = [_sample(label, f"q{at}", rating=at % 5 + 1) for at, label in enumerate(labels)]
    random.Random(3).shuffle(samples)
    return samples


@pytest.mark.requirement("S2-07")
def test_the_largest_label_is_cut_to_its_best_rows() -> None:
    samples = _set()
    assert count_labels(samples) == {"": 300, "billing": 100, "delivery": 10, "returns": 8}
    decisions = _decide(BalanceConfig(max_ratio=3), samples)
    gone = {decision.position for decision in decisions}
    left = [sample for at, sample in enumerate(samples) if at not in gone]
    assert count_labels(left) == {"": 300, "billing": 30, "delivery": 10, "returns": 8}
    ratings = Counter(one.provenance.rating for one in left if one.provenance.label == "billing")
    assert ratings == {5: 20, 4: 10}
    assert {one.note for one in decisions} == {
        ("too_many", "label billing: 30 of 100 rows stay", ())
    }


@pytest.mark.requirement("S2-07")
def test_a_share_holds_for_what_stays() -> None:
    samples = _set()
    gone = {one.position for one in _decide(BalanceConfig(max_ratio=None, max_share=0.6), samples)}
    left = count_labels(one for at, one in enumerate(samples) if at not in gone)
    assert left["billing"] == 27
    assert left["billing"] <= 0.6 * (27 + 10 + 8) < left["billing"] + 1


def test_balanced_sets_stay() -> None:
    samples = [_sample(f"label {at % 4}") for at in range(80)]
    assert _decide(BalanceConfig(), samples) == []
    assert _decide(BalanceConfig(max_ratio=1, max_share=0.1), samples) == []
    one_label = [_sample("only")] * 50 + [_sample(None)] * 5
    assert _decide(BalanceConfig(max_ratio=1, max_share=0.1), one_label) == []
    assert _decide(BalanceConfig(), []) == []
    assert _decide(BalanceConfig(max_ratio=None), _set()) == []


@given(
    st.lists(st.integers(min_value=1, max_value=60), min_size=2, max_size=8),
    st.floats(min_value=0.05, max_value=1),
)
def test_the_limit_of_a_share_is_the_largest_that_holds(counts: list[int], share: float) -> None:
    share = max(share, 1 / len(counts))

    def holds(limit: int) -> bool:
        cut = [min(count, limit) for count in counts]
        return max(cut) <= share * sum(cut) + 1e-9

    limit = largest_allowed(counts, None, share)
    # One row of each label is less than any share can be unfair about.
    assert limit == max(one for one in range(1, max(counts) + 1) if holds(one))


def test_rows_are_counted_by_agent() -> None:
    samples = [_sample(None, agent_name="seller")] * 40 + [_sample(None, agent_name="buyer")] * 4
    decisions = _decide(BalanceConfig(by="agent_name", max_ratio=1), samples)
    assert [one.position for one in decisions] == list(range(22, 40))
    assert decisions[0].note.detail == "agent_name seller: 22 of 40 rows stay"


def test_rows_are_counted_by_language(monkeypatch: pytest.MonkeyPatch) -> None:
    english = _sample(None, "Where is the parcel that I ordered from you last week?")
    german = _sample(None, "Wo ist das Paket, das ich letzte Woche bei Ihnen bestellt habe?")
    samples = [*[english] * 9, *[german] * 3, _sample(None, "?")]
    assert count_labels(samples, "language") == {"en": 9, "de": 3, "": 1}
    decisions = _decide(BalanceConfig(by="language", max_share=0.5, max_ratio=None), samples)
    assert [one.position for one in decisions] == [3, 4, 5, 6, 7, 8]
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(MissingExtraError):
        BalanceConfig(by="language").build()


@pytest.mark.requirement("S2-07")
def test_balance_in_a_curation(tmp_path: Path) -> None:
    write_samples(tmp_path / "in.jsonl", _set())
    steps = Pipeline.of(["quality", {"balance": {"max_ratio": 2}}])
    report = curate([tmp_path / "in.jsonl"], tmp_path / "out", pipeline=steps)
    assert report.steps[-1].removed == {"too_many": 80}
    assert report.rows_out == 338
    assert len(list(read_samples(tmp_path / "out" / "sft.jsonl"))) == 338
