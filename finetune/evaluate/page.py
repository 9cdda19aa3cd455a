"""What a comparison says, as sections of sentences and tables; how they look is for others.

`finetune.evaluate.rendering` writes them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from finetune.evaluate.comparison import Comparison, ModelSide

__all__ = ["Section", "Table", "sections"]


class Table(NamedTuple):
    """A table of texts; columns after the first hold numbers where `is_numeric`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_numeric: bool = True


class Section(NamedTuple):
    """A part of the report."""

    title: str
    sentences: Sequence[str]
    table: Table | None = None


def sections(comparison: Comparison) -> Iterator[Section]:
    """Yield the parts of a report, the decision first."""
    gate = comparison.gate
    verdict = {"promote": "Promote", "refuse": "Refuse", "not_enough_data": "Not enough data"}
    yield Section(
        "Decision",
        [f"{verdict[gate.decision]}, on {gate.rows} questions.", *_sentences(gate.reasons)],
        Table(
            ("figure", "live", "candidate", "difference", "at least", "at most", "p"),
            [
                (
                    one.metric,
                    f"{one.live:.4f}",
                    f"{one.candidate:.4f}",
                    f"{one.difference:+.4f}",
                    f"{one.low:+.4f}",
                    f"{one.high:+.4f}",
                    f"{one.p_value:.4f}",
                )
                for one in gate.metrics
            ],
        ),
    )
    yield Section("Recommendations", list(comparison.recommendations))
    yield from _perplexity(comparison)
    yield Section(
        "Figures",
        [],
        Table(
            ("figure", "baseline", "candidate", "change", ""),
            [
                (
                    one.metric,
                    f"{one.baseline:.4f}",
                    f"{one.candidate:.4f}",
                    f"{one.delta:+.4f}",
                    "better" if one.is_better else "same" if not one.delta else "worse",
                )
                for one in comparison.metrics
            ],
        ),
    )
    yield from _judges(comparison)
    yield from _benchmarks(comparison)
    yield from _regression(comparison)
    yield from _samples(comparison)


def _perplexity(comparison: Comparison) -> Iterator[Section]:
    before = comparison.baseline.report.metrics
    after = comparison.candidate.report.metrics
    if comparison.perplexity_improvement is None or before is None or after is None:
        yield Section("Perplexity", ["It is known only of models that run in our own process."])
        return
    row = (
        f"{before.perplexity or 0:.3f}",
        f"{after.perplexity or 0:.3f}",
        f"{comparison.perplexity_improvement:+.1%}",
        after.perplexity_verdict or "",
    )
    columns = ("baseline", "candidate", "improvement", "verdict (good is below 20)")
    yield Section("Perplexity", [], Table(columns, [row]))


def _judges(comparison: Comparison) -> Iterator[Section]:
    sentences = [
        *_judged("baseline", comparison.baseline),
        *_judged("candidate", comparison.candidate),
    ]
    if (found := comparison.preference) is not None:
        sentences.append(
            f"Side by side, in both orders, {found.judge} prefers the candidate {found.wins} times"
            f" and the baseline {found.losses} times, with {found.ties} ties, {found.inconsistent}"
            " of them because the order decided."
        )
    if (agreement := comparison.agreement) is not None:
        sentences.append(
            f"The judge agrees with people on {agreement.rows} ratings: weighted kappa"
            f" {agreement.kappa:.2f}, {agreement.within_one:.0%} within one point."
        )
    if (people := comparison.people) is not None:
        sentences.append(
            f"People prefer the candidate {people.wins} times and the baseline {people.losses}"
            f" times, with {people.ties} ties and {people.open} rows open."
        )
    if sentences:
        yield Section("Judges", sentences)


def _judged(name: str, side: ModelSide) -> Iterator[str]:
    if (report := side.judge) is not None:
        cost = "" if report.cost is None else f", ${report.cost:.4f}"
        passed = "above" if report.passed else "not above"
        yield (
            f"{report.judge} gives the {name} {report.mean:.2f} of 5, {passed} 4.0"
            f" ({report.tokens:,} tokens{cost}; {report.invalid} rows without a valid judgement)."
        )


def _benchmarks(comparison: Comparison) -> Iterator[Section]:
    if comparison.benchmarks:
        rows = [
            (
                one.task,
                one.metric,
                f"{one.baseline:.4f}",
                f"{one.candidate:.4f}",
                f"{one.delta:+.4f}",
            )
            for one in comparison.benchmarks
        ]
        columns = ("benchmark", "figure", "baseline", "candidate", "change")
        yield Section("Benchmarks", [], Table(columns, rows))


def _regression(comparison: Comparison) -> Iterator[Section]:
    if not comparison.areas:
        yield Section("Regression check", ["General questions were not asked."])
        return
    names = {"general": "General QA", "maths": "Math", "code": "Code"}
    rows = [
        (
            names[one.area],
            str(one.questions),
            f"{one.baseline:.0%}",
            f"{one.candidate:.0%}",
            one.verdict,
        )
        for one in comparison.areas
    ]
    said: list[str] = []
    if not any(one.baseline for one in comparison.areas):
        said.append("The baseline answers none of them, so there was nothing to forget.")
    columns = ("area", "questions", "baseline", "candidate", "verdict")
    yield Section("Regression check", said, Table(columns, rows))


def _samples(comparison: Comparison) -> Iterator[Section]:
    rows = [
        (str(one.row), one.question, one.expected, one.baseline, one.candidate, one.change)
        for one in comparison.samples
    ]
    columns = ("row", "question", "expected", "baseline", "candidate", "")
    yield Section("Side by side", [], Table(columns, rows, is_numeric=False))


def _sentences(reasons: Sequence[str]) -> list[str]:
    return [f"{reason[:1].upper()}{reason[1:].rstrip('.')}." for reason in reasons]
