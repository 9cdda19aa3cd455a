"""Sketches estimate how alike sets are, whichever library makes them."""

import importlib.util
import random
import sys
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from finetune.curate.duplicates.characters import mix
from finetune.curate.duplicates.sketch import SLOTS, Sketcher, choose_bands, open_sketcher, sketch
from swarm.errors import MissingExtraError, SetupError

SKETCHERS: list[Sketcher] = ["rensa", "numpy"]


@pytest.mark.parametrize("sketcher", SKETCHERS)
@pytest.mark.parametrize("size", [3, 40, 400])
def test_the_estimate_is_near_the_truth(sketcher: Sketcher, size: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = np.random.default_rng(seed)
    errors: list[float] = []
    for _ in range(60):
        shared = int(rng.integers(0, size + 1))
        numbers = mix(rng.integers(0, 2**62, 2 * size - shared, dtype=np.uint64))
        both = np.concatenate((numbers[:size], numbers[size - shared :]))
        one, other = sketch(sketcher, both, np.array([0, size, 2 * size]))
        agree = int(np.count_nonzero(np.equal(one, other)))
        errors.append(agree / SLOTS - shared / (2 * size - shared))
    # The standard error of one estimate is at most 0.044, of the mean of 60 at most 0.006.
    assert abs(float(np.mean(errors))) < 0.025, f"seed {seed}"
    assert float(np.std(errors)) < 0.06, f"seed {seed}"


@pytest.mark.parametrize("sketcher", SKETCHERS)
def test_order_repeats_and_neighbours_change_nothing(sketcher: Sketcher) -> None:
    numbers = mix(np.arange(50, dtype=np.uint64))
    alone = sketch(sketcher, numbers, np.array([0, 50]))
    twice = np.concatenate((numbers[::-1], numbers, numbers[:1]))
    among = sketch(sketcher, twice, np.array([0, 50, 100, 101]))
    assert np.array_equal(among[0], alone[0])
    assert np.array_equal(among[1], alone[0])


@pytest.mark.parametrize("threshold", [0.4, 0.5, 0.7, 0.8, 0.9, 0.99])
def test_bands_find_pairs_at_the_threshold(threshold: float) -> None:
    bands, length = choose_bands(threshold)
    assert bands * length <= 128
    assert 1 - (1 - threshold**length) ** bands >= 0.99


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def find_all_but_rensa(name: str) -> ModuleSpec | None:
        return None if name == "rensa" else find(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_all_but_rensa)
    assert open_sketcher(None) == "numpy"
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(SetupError, match=r"wikiswarm\[data\]") as caught:
        open_sketcher("rensa")
    assert isinstance(caught.value, MissingExtraError)
