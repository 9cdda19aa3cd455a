"""Splits: the right share, balanced, repeatable, and without a leak between the sides."""

import random
from collections import Counter

import pytest

from finetune.dataset.sample import Sample
from finetune.dataset.split import split_samples
from swarm.errors import DataError
from tests.finetune.dataset.samples import sample, varied


@pytest.mark.requirement("S2-08")
def test_a_tenth_is_held_out_of_each_label() -> None:
    seed = random.randrange(10**6)
    samples = varied(seed, 400, labels=("dose", "price", "price", "hours"))
    parted = split_samples(samples, seed=seed)
    assert len(parted.train) + len(parted.valid) == 400, seed
    assert Counter(s.provenance.label for s in parted.valid) == {
        "dose": 10,
        "price": 20,
        "hours": 10,
    }, seed
    assert parted.groups == 400
    assert [s for s in samples if s in parted.train] == parted.train


@pytest.mark.requirement("S2-08")
def test_the_same_seed_gives_the_same_split_in_any_order() -> None:
    samples = varied(3, 120, labels=("a", "b"))
    shuffled = random.Random(1).sample(samples, len(samples))
    first, second = split_samples(samples, seed=7), split_samples(shuffled, seed=7)
    assert {s.id for s in first.valid} == {s.id for s in second.valid}
    assert {s.id for s in split_samples(samples, seed=8).valid} != {s.id for s in first.valid}


@pytest.mark.requirement("S2-08")
def test_what_belongs_together_stays_on_one_side() -> None:
    seed = random.randrange(10**6)
    source = random.Random(seed)
    samples: list[Sample] = []
    families: dict[str, int] = {}
    for number, one in enumerate(varied(seed, 60)):
        text = one.row.model_dump()["messages"][0]["content"]
        words = text.split()
        words[source.randrange(5, 25)] = "changed"
        twins = [
            one,
            sample(" ".join(words), one.row.model_dump()["messages"][1]["content"]),
            sample(text, "Another answer to it."),
        ]
        shared = f"shop/client-{number}"
        unlike = sample(f"nothing like it {number} {source.random()}", session_id=shared)
        twins += [unlike, sample(f"quite other words {source.random()}", session_id=shared)]
        for index, twin in enumerate(twins):
            families[twin.id] = 2 * number + (index > 2)
        samples += twins
    source.shuffle(samples)
    for split_seed in range(5):
        parted = split_samples(samples, seed=split_seed, valid=0.2)
        sides = [{families[s.id] for s in side} for side in (parted.train, parted.valid)]
        assert not sides[0] & sides[1], (seed, split_seed)
        share = len(parted.valid) / len(samples)
        assert 0.15 < share < 0.25, (seed, split_seed)


def test_sessions_of_two_projects_with_one_name_are_not_one_group() -> None:
    rows = [sample(f"one {n} two {n * n}", session_id="shop/a", project=str(n)) for n in range(4)]
    assert split_samples(rows, valid=0.25).groups == 4


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_small_set_still_holds_something_out(count: int) -> None:
    parted = split_samples(varied(1, count))
    assert len(parted.valid) == 1
    assert len(parted.train) == count - 1


def test_what_cannot_be_split_says_why() -> None:
    one = sample("How much is it?", session_id="a")
    with pytest.raises(DataError, match="nothing can be held out"):
        split_samples([one, sample("And tomorrow?", session_id="a")])
    with pytest.raises(DataError, match="nothing can be held out"):
        split_samples([])
    for part in (0.0, 1.0, -1.0):
        with pytest.raises(DataError, match="between 0 and 1"):
            split_samples(varied(1, 5), valid=part)
