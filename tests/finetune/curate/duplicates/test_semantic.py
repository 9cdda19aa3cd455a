"""Rows that mean the same are found as far as an embedding can, and facts are never merged."""

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from benchmarks.duplicates import our_groups, score
from benchmarks.duplicates_data import paraphrases
from finetune.curate.duplicates import NearDuplicates, SemanticDuplicates, lexicon
from finetune.curate.duplicates.cosine import copies_among
from finetune.dataset import AssistantMessage, SftRow, UserMessage
from finetune.dataset.sample import Provenance, Sample


def row(question: str, answer: str = "Yes.", rating: int | None = None) -> Sample:
    messages = (UserMessage(content=question), AssistantMessage(content=answer))
    return Sample(SftRow(messages=messages), Provenance(rating=rating))


def dropped(*samples: Sample, **options: object) -> list[tuple[int, int]]:
    step = SemanticDuplicates.model_validate(options).build()
    found = step.decide(step.summarise(samples))
    return [(d.position, d.twin) for d in found if d.twin is not None]


@pytest.mark.requirement("S0-21")
@pytest.mark.parametrize(("embedding", "least"), [("wordllama", 0.85), ("hash", 0.5)])
def test_rewordings_are_found_and_other_subjects_are_not(embedding: str, least: float) -> None:
    seed = random.SystemRandom().randrange(10**9)
    labelled = paraphrases(seed, 60)
    step = SemanticDuplicates(embedding=embedding).build()
    groups = our_groups(labelled.samples, step)
    wrong = [
        row
        for row, group in enumerate(groups)
        if labelled.clusters[row] != labelled.clusters[group]
    ]
    assert len(wrong) <= 4, f"seed {seed}: {wrong}"
    found = score(labelled, groups)
    assert found.macro_f1 >= least, f"seed {seed}: {found}"


@pytest.mark.requirement("S0-21")
def test_the_better_rated_of_two_stays() -> None:
    text = "We are open from Monday to Friday, from eight in the morning until late at night."
    one, other = row("When are you open?", text), row("At which times are you open?", text, 5)
    assert dropped(one, other, embedding="wordllama") == [(0, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The box of Velorin costs 5 euros today.", "The box of Velorin costs 7 euros today."),
        ("You can take the Velorin tablets now.", "You can not take the Velorin tablets now."),
        ("A box of Velorin is in stock again.", "A box of Dormexa is in stock again."),
    ],
)
def test_facts_are_never_merged(one: str, other: str) -> None:
    options = {"embedding": "hash", "threshold": 0.5}
    assert dropped(row("Well?", one), row("Well?", other), **options) == []
    assert dropped(row("Well?", one), row("Well?", other), **options, same_facts=False) == [(1, 0)]


def test_a_function_makes_the_vectors(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("colours.py").write_text(
        "def embed(texts):\n    return [[float('red' in t), float('blue' in t)] for t in texts]\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "path", [".", *sys.path])
    rows = [row("red rose"), row("blue sea"), row("a red car"), row("neither")]
    options = {"embedding": "python:colours:embed", "home": home}
    assert dropped(*rows, **options) == [(2, 0)]
    step = SemanticDuplicates.model_validate(options).build()
    assert "python:colours:embed" in step.described


def test_an_unknown_embedding_is_refused_with_a_hint() -> None:
    with pytest.raises(ValidationError, match="wordllama"):
        SemanticDuplicates(embedding="wordlama")


@pytest.mark.parametrize("embedding", ["wordllama", "hash"])
def test_parts_of_a_corpus_are_summed_up_apart(embedding: str) -> None:
    samples = paraphrases(3, 40).samples
    step = SemanticDuplicates(embedding=embedding).build()
    parts = [step.summarise(samples[at : at + 50]) for at in range(0, len(samples), 50)]
    whole = step.summarise(samples)
    assert np.array_equal(np.concatenate([*parts, step.summarise([])]), whole)


@pytest.mark.parametrize("exact", [10**6, 0])
def test_every_row_that_goes_is_like_the_one_that_stays(exact: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 40, (300, 64))
    rows = centres[rng.integers(0, 300, 1500)] + rng.normal(0, 4, (1500, 64))
    vectors = np.clip(np.rint(rows), -127, 127).astype(np.int8)
    ranks = rng.integers(0, 3, 1500).astype(np.uint8)
    units = vectors / np.linalg.norm(vectors.astype(float), axis=1)[:, None]
    copies = {copy.position: copy for copy in copies_among(vectors, ranks, 0.95, exact)}
    for copy in copies.values():
        assert copy.twin not in copies, f"seed {seed}"
        assert units[copy.position] @ units[copy.twin] >= 0.949, f"seed {seed}"
        assert (ranks[copy.twin], -copy.twin) > (ranks[copy.position], -copy.position)
    # Of what stays, hardly any pair is alike: none where all are compared.
    stays = [at for at in range(1500) if at not in copies]
    cosines = np.triu(units[stays] @ units[stays].T, 1)
    assert int((cosines >= 0.951).sum()) <= (0 if exact else 15), f"seed {seed}"


def test_summaries_do_not_depend_on_the_parts_nor_on_what_was_asked_before() -> None:
    samples = [
        row(f"Where is parcel {number}? It left on day {number % 7}.") for number in range(600)
    ]
    step = SemanticDuplicates().build()
    whole = step.summarise(samples)
    parts = [step.summarise(samples[at : at + 37]) for at in range(0, len(samples), 37)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert SemanticDuplicates().build().summarise(samples).tobytes() == whole.tobytes()
    near = NearDuplicates().build()
    assert near.summarise(samples[:300]).tobytes() == near.summarise(samples)[:300].tobytes()
    assert len(near.summarise([])) == 0


def test_words_are_forgotten_and_learnt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [row(f"Where is the {number:x}abc {number:x}def box?") for number in range(400)]
    whole = SemanticDuplicates().build().summarise(samples)
    monkeypatch.setattr(lexicon, "_MOST", 50)
    monkeypatch.setattr(lexicon, "_PLACES", 16)
    step = SemanticDuplicates().build()
    parts = [step.summarise(samples[at : at + 100]) for at in range(0, 400, 100)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_threads_learn_words_apart_from_each_other() -> None:
    samples = [row(f"Where is the {number:x}uvw {number:x}xyz box?") for number in range(1500)]

    def summarise(start: int) -> bytes:
        step = SemanticDuplicates().build()
        return step.summarise(samples[start:] + samples[:start]).tobytes()

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # whatever may come between two steps does
    try:
        with ThreadPoolExecutor(6) as pool:
            together = list(pool.map(summarise, range(0, 1500, 250)))
    finally:
        sys.setswitchinterval(usual)
    assert together == [summarise(start) for start in range(0, 1500, 250)]
