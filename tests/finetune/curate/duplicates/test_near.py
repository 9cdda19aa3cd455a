"""Near duplicates are found with either sketcher, and rows that say something else stay."""

import random
from itertools import combinations

import numpy as np
import pytest

from benchmarks.duplicates import groups_of, our_groups, score
from benchmarks.duplicates_data import generate
from finetune.curate.duplicates import NearDuplicates
from finetune.curate.duplicates.sketch import Sketcher
from finetune.dataset import AssistantMessage, DpoInput, DpoRow, SftRow, SystemMessage, UserMessage
from finetune.dataset.sample import Provenance, Sample

SKETCHERS: list[Sketcher] = ["rensa", "numpy"]

LONG = (
    "Take one tablet in the morning with a glass of water. Keep the box away from light and out of "
    "the reach of children. If you forget a tablet, wait for the next morning. Call your doctor "
    "when the pain lasts longer than you expect, or when your skin turns red after a while."
)


def row(question: str, answer: str = LONG, provenance: Provenance | None = None) -> Sample:
    messages = (UserMessage(content=question), AssistantMessage(content=answer))
    return Sample(SftRow(messages=messages), provenance or Provenance())


def dropped(
    *samples: Sample, sketcher: Sketcher = "numpy", **options: int
) -> list[tuple[int, int]]:
    step = NearDuplicates.model_validate({"sketcher": sketcher, **options}).build()
    found = step.decide(step.summarise(samples))
    return [(d.position, d.twin) for d in found if d.twin is not None]


@pytest.mark.requirement("S0-20", "S2-05")
@pytest.mark.parametrize("sketcher", SKETCHERS)
def test_labelled_conversations_are_told_apart(sketcher: Sketcher) -> None:
    seed = random.SystemRandom().randrange(10**9)
    labelled = generate(seed, 60)
    found = score(labelled, our_groups(labelled.samples, NearDuplicates(sketcher=sketcher).build()))
    assert found.macro_f1 >= 0.95, f"seed {seed}: {found}"


@pytest.mark.parametrize("sketcher", SKETCHERS)
@pytest.mark.parametrize(
    "other",
    [
        LONG.replace("tablet in", "tabelt in"),
        LONG.upper(),
        LONG.replace(". ", "! ").replace(",", ""),
        LONG + " Thank you very much for asking.",
        " ".join(reversed(LONG.split(". "))),
        "Dear Anna, " + LONG,
    ],
)
def test_small_differences_do_not_count(other: str, sketcher: Sketcher) -> None:
    assert dropped(row("How?"), row("How?", other), sketcher=sketcher) == [(1, 0)]


@pytest.mark.parametrize("sketcher", SKETCHERS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row("What does Velorin cost?", "Five."), row("What does Dormexa cost?", "Five.")),
        (row("How?", f"{LONG} It costs 5.90."), row("How?", f"{LONG} It costs 9.50.")),
        (row("How?", f"{LONG} Take -5."), row("How?", f"{LONG} Take 5.")),
        (row("How?", f"{LONG} Do it."), row("How?", f"{LONG} Do not do it.")),
        (row("How?", f"{LONG} In May."), row("How?", f"{LONG} In July.")),
        (row("!", "..."), row("?", "---")),
        (
            row("ベロリンはいくらですか", "五ユーロです"),
            row("ドルメクサはいくらですか", "五ユーロです"),
        ),
    ],
)
def test_what_matters_counts(one: Sample, other: Sample, sketcher: Sketcher) -> None:
    assert dropped(one, other, sketcher=sketcher) == []
    assert dropped(one, one, other, other, sketcher=sketcher) == [(1, 0), (3, 2)]


def test_texts_without_spaces_are_compared_by_characters() -> None:
    text = "薬は涼しい場所に保管してください。子供の手の届かない所に置いてください。"
    assert dropped(row("保管は?", text), row("保管は?", text + "ありがとう。")) == [(1, 0)]
    thai = "กรุณาเก็บยาไว้ในที่แห้งและเย็น ห่างจากเด็ก และอ่านฉลากก่อนใช้ทุกครั้ง"
    assert dropped(row("?", thai), row("?", thai + " ครับ")) == [(1, 0)]


def test_another_setting_or_turned_preference_is_another_row() -> None:
    def with_system(text: str) -> Sample:
        said = (UserMessage(content="How?"), AssistantMessage(content=LONG))
        return Sample(SftRow(messages=(SystemMessage(content=text), *said)))

    def pair(better: str, worse: str) -> Sample:
        return Sample(
            DpoRow(
                input=DpoInput(messages=(UserMessage(content="How?"),)),
                preferred_output=(AssistantMessage(content=better),),
                non_preferred_output=(AssistantMessage(content=worse),),
            )
        )

    assert dropped(with_system("Be kind."), with_system("Be rude.")) == []
    assert dropped(with_system("Be kind."), with_system("be kind")) == [(1, 0)]
    other = "Drink a lot, sleep well, and ask a friend for some advice whenever things go wrong."
    assert dropped(pair(LONG, other), pair(other, LONG)) == []
    assert dropped(pair(LONG, other), pair(LONG.lower(), other)) == [(1, 0)]


def test_the_best_member_stays_and_short_words_can_be_allowed_to_differ() -> None:
    rated = Provenance(rating=5)
    copies = [row("How?"), row("How?", LONG + " Bye."), row("How?", LONG.upper(), rated)]
    assert dropped(*copies) == [(0, 2), (1, 2)]
    one, other = row("How?"), row("How?", LONG.replace("glass", "bottle"))
    assert dropped(one, other) == []
    assert dropped(one, other, replaced_words=1) == [(1, 0)]


@pytest.mark.parametrize("sketcher", SKETCHERS)
def test_the_result_depends_on_the_rows_alone(sketcher: Sketcher) -> None:
    seed = random.SystemRandom().randrange(10**9)
    samples = generate(seed, 20).samples
    step = NearDuplicates(sketcher=sketcher).build()
    whole = step.summarise(samples)
    parts = [step.summarise(samples[at : at + 11]) for at in range(0, len(samples), 11)]
    assert np.array_equal(np.concatenate(parts), whole), f"seed {seed}"
    assert step.decide(whole) == NearDuplicates(sketcher=sketcher).build().decide(whole)


def test_a_crowd_of_one_template_does_not_explode() -> None:
    names = ["".join(letters) for letters in combinations("bcdfghjklmnprst", 4)][:800]
    rows = [row(f"About {name}?", LONG.replace("tablet", name)) for name in names]
    copies = [rows[at] for at in range(0, len(rows), 10)]
    step = NearDuplicates(sketcher="numpy").build()
    everything = [*rows, *copies]
    groups = groups_of(len(everything), step.decide(step.summarise(everything)))
    assert groups[: len(rows)] == list(range(len(rows)))
    assert groups[len(rows) :] == list(range(0, len(rows), 10))


def test_the_manifest_says_what_made_the_sketches() -> None:
    for sketcher in SKETCHERS:
        assert sketcher in NearDuplicates(sketcher=sketcher).build().described


def test_sketches_of_two_kinds_are_not_joined() -> None:
    one, other = (NearDuplicates(sketcher=s).build().summarise([row("How?")]) for s in SKETCHERS)
    with pytest.raises(TypeError):
        np.concatenate((one, other))
