"""What training and evaluation share is found in both sets, with its lines."""

import random

import pytest

from benchmarks.duplicates_data import generate
from finetune.curate.duplicates import NearDuplicates, leakage
from finetune.dataset.sample import Sample


@pytest.mark.requirement("S2-08")
def test_exact_and_near_leaks_name_both_lines() -> None:
    seed = random.SystemRandom().randrange(10**9)
    labelled = generate(seed, 30)
    of_edit: dict[tuple[str, int], list[Sample]] = {}
    for sample, edit, cluster in zip(
        labelled.samples, labelled.edits, labelled.clusters, strict=True
    ):
        of_edit.setdefault((edit, cluster), []).append(sample)
    train = [rows[0] for (edit, _), rows in of_edit.items() if edit == "base"]
    clusters = [cluster for edit, cluster in of_edit if edit == "base"]
    valid: list[Sample] = []
    expected: set[tuple[int, int, str]] = set()
    for edit, kind in (("case", "same"), ("polite", "near"), ("other_price", "")):
        for (name, cluster), rows in of_edit.items():
            if name == edit and (not kind or cluster in clusters):
                valid.append(rows[0])
                if kind:
                    line = train[clusters.index(cluster)].provenance.line
                    expected.add((line, rows[0].provenance.line, kind))
    report = leakage(train, valid)
    found = {(leak.train_line, leak.valid_line, leak.kind) for leak in report.leaks}
    # The case of a name at the start of a sentence changes nothing; added words may be too many.
    missed = {one for one in expected - found if one[2] == "same"}
    assert not missed, f"seed {seed}"
    assert found <= expected, f"seed {seed}"
    assert len(found) >= 0.8 * len(expected) > 0, f"seed {seed}"
    assert not report.is_ok
    assert len(report.leaked_valid) == len({leak.valid for leak in report.leaks})
    assert {train[at].provenance.line for at in report.leaked_train} == {f[0] for f in found}


def test_a_leak_reads_well_and_counts_without_lines() -> None:
    samples = [sample._replace(provenance=sample.provenance.model_copy(update={"line": 0}))
               for sample in generate(1, 3).samples]  # fmt: skip
    report = leakage(samples[:4], [samples[7], samples[2]], near=NearDuplicates(threshold=0.99))
    same = next(leak for leak in report.leaks if leak.kind == "same" and leak.valid == 1)
    assert str(same) == "held-out line 2 is the same as training line 3"
    assert (report.train_rows, report.valid_rows) == (4, 2)


def test_sets_that_share_nothing_are_fine() -> None:
    train, valid = generate(1, 5).samples, generate(2, 5).samples
    assert leakage(train, valid).is_ok
    assert leakage([], valid).is_ok
    assert leakage(train, []).is_ok
