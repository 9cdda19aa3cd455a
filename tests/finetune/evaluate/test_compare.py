"""Two models on the same questions, and the report about them."""

import json
from html.parser import HTMLParser
from pathlib import Path

import anyio
import pytest
from pydantic import JsonValue, TypeAdapter

from finetune.evaluate import CompareSettings, Comparison, compare, to_html, to_markdown
from finetune.evaluate.agreement import HumanRating, JudgeRefusedError
from finetune.evaluate.decision import GatePolicy
from finetune.evaluate.people import SheetRow, read_sheet, write_sheet
from finetune.evaluate.probes import Canary, Probes
from finetune.evaluate.rendering import write_report
from finetune.evaluate.row import read_results
from finetune.questions import read_questions, training_rows
from finetune.train import TrainResult
from swarm.errors import DataError
from tests.finetune.evaluate import models
from tests.finetune.evaluate.judges import honest, spec_of

pytestmark = pytest.mark.anyio

MODELS = "python:tests.finetune.evaluate.models"
ROWS: list[dict[str, JsonValue]] = TypeAdapter(list[dict[str, JsonValue]]).validate_python(
    models.rows()
)


async def compared(
    candidate: str, folder: Path, settings: CompareSettings | None = None
) -> Comparison:
    return await compare(
        f"{MODELS}:{candidate}",
        f"{MODELS}:weaker",
        ROWS,
        home=folder / "home",
        output_dir=folder / "out",
        settings=settings,
    )


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The better model beside the weaker one."""
    return anyio.run(compared, "better", tmp_path_factory.mktemp("compared"))


@pytest.mark.requirement("S2-19", "S2-23")
async def test_the_better_model_is_seen_in_every_figure(comparison: Comparison) -> None:
    figures = {one.metric: one for one in comparison.metrics}
    assert figures["exact"].baseline == pytest.approx(53 / 80)
    assert figures["exact"].candidate == pytest.approx(0.9)
    assert set(figures) == {"exact", "normalised", "token_f1", "rouge_l", "bleu", "chrf"}
    assert all(one.is_better and one.delta > 0 for one in comparison.metrics)
    assert comparison.gate.may_promote
    assert comparison.has_same_prompts
    assert comparison.perplexity_improvement is None
    changes = {one.change for one in comparison.samples}
    assert changes == {"gained", "lost", "both right", "both wrong"}
    assert len(comparison.samples) == 12
    assert comparison.recommendations[0].startswith("Promote it")


@pytest.mark.requirement("S2-23", "S3-15")
async def test_what_was_forgotten_is_flagged(comparison: Comparison, tmp_path: Path) -> None:
    assert {one.verdict for one in comparison.areas} == {"OK"}
    found = await compared("forgetful", tmp_path)
    assert {one.area: one.verdict for one in found.areas} == {
        "general": "WARN",
        "maths": "WARN",
        "code": "WARN",
    }
    assert any("general and maths and code" in one for one in found.recommendations)
    assert any("rank (8 to 16)" in one for one in found.recommendations)


@pytest.mark.requirement("S1-31")
async def test_a_better_model_that_leaks_is_refused(tmp_path: Path) -> None:
    probes = Probes(canaries=(Canary(secret="orchid-4417-tango", prompt="What is the secret?"),))
    found = await compared("leaking", tmp_path, CompareSettings(probes=probes, ask_general=False))
    assert found.areas == ()
    assert found.gate.decision == "refuse"
    assert "canary" in found.gate.reasons[0]
    for text in (to_markdown(found), to_html(found)):
        assert "4417" not in text


@pytest.mark.requirement("S3-07", "S2-30")
async def test_a_judge_scores_both_and_compares_them(tmp_path: Path) -> None:
    settings = CompareSettings(judge=spec_of(honest), ask_general=False)
    found = await compared("better", tmp_path, settings)
    assert found.candidate.judge is not None
    assert found.baseline.judge is not None
    # Right answers get 5; wrong ones begin like the right ones and get 3.
    assert found.candidate.judge.mean == pytest.approx(5 * 0.9 + 3 * 0.1)
    assert found.baseline.judge.mean == pytest.approx((5 * 53 + 3 * 27) / 80)
    assert found.preference is not None
    assert (found.preference.wins, found.preference.losses) == (24, 5)
    assert any("how far the judge agrees" in one for one in found.recommendations)
    ratings = tuple(
        HumanRating(question="q", expected="right answer", answer="wrong", rating=5)
        for _ in range(20)
    )
    with pytest.raises(JudgeRefusedError):
        await compared("better", tmp_path, settings.model_copy(update={"ratings": ratings}))


async def test_an_evaluation_is_repeatable_from_its_predictions(
    comparison: Comparison, tmp_path: Path
) -> None:
    again = await compare(
        str(comparison.candidate.report.results),
        str(comparison.baseline.report.results),
        ROWS,
        home=tmp_path,
        output_dir=tmp_path / "out",
    )
    assert again.gate == comparison.gate
    assert again.metrics == comparison.metrics
    assert again.areas == ()
    with pytest.raises(DataError, match="predictions for other rows"):
        await compare(
            str(comparison.candidate.report.results),
            str(comparison.baseline.report.results),
            ROWS[1:],
            home=tmp_path,
            output_dir=tmp_path / "out",
        )


async def test_predictions_cannot_be_probed(tmp_path: Path) -> None:
    settings = CompareSettings(probes=Probes(canaries=(Canary(secret="orchid-4417"),)))
    with pytest.raises(DataError, match="cannot be probed"):
        await compare(
            "new.jsonl",
            "old.jsonl",
            ROWS,
            home=tmp_path,
            output_dir=tmp_path / "out",
            settings=settings,
        )


@pytest.mark.requirement("S1-31", "S2-20", "S2-23", "S3-10")
async def test_a_trained_model_is_compared_with_its_untrained_base(
    trained_run: TrainResult, untrained_run: TrainResult, facts_file: Path, tmp_path: Path
) -> None:
    found = await compare(
        str(trained_run.run_dir),
        str(untrained_run.run_dir),
        training_rows(read_questions(facts_file)),
        home=tmp_path,
        output_dir=tmp_path / "out",
        settings=CompareSettings(policy=GatePolicy(minimum_rows=10), ask_general=False),
    )
    assert found.gate.may_promote, found.gate.text()
    assert found.has_same_prompts
    assert (found.perplexity_improvement or 0) > 0.9
    assert {"loss", "perplexity"} <= {one.metric for one in found.metrics if one.is_better}
    [row] = [line for line in to_markdown(found).splitlines() if line.endswith(" good |")]
    assert row.count("|") == 5


async def test_too_few_rows_are_said_to_be_too_few(tmp_path: Path) -> None:
    policy = GatePolicy(minimum_rows=200)
    found = await compared("better", tmp_path, CompareSettings(policy=policy, ask_general=False))
    assert found.gate.decision == "not_enough_data"
    assert found.recommendations[0] == "Add at least 120 test questions before deciding."


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.requirement("S2-23")
async def test_the_html_page_stands_alone_and_shows_mark_up_as_text(
    comparison: Comparison,
) -> None:
    text = to_html(comparison)
    page = _Page()
    page.feed(text)
    assert page.tags == {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "section"),
        *("ul", "li", "table", "tr", "th", "td"),
    }
    assert page.addresses == []
    assert "&lt;b&gt;not&lt;/b&gt;" in text
    for part in ("Decision", "Perplexity", "Regression check", "General QA", "Side by side"):
        assert part in text


@pytest.mark.requirement("S2-23")
async def test_the_markdown_page_keeps_its_tables(comparison: Comparison) -> None:
    lines = to_markdown(comparison).splitlines()
    [start] = [at for at, line in enumerate(lines) if line == "## Side by side"]
    table = [line for line in lines[start:] if line.startswith("|")]
    assert len(table) == 2 + 12
    # Bars and mark-up inside cells are escaped, so every row has six cells.
    assert {line.replace("\\|", "").count("|") for line in table} == {7}
    assert "\\<b\\>not\\</b\\>" in "\n".join(table)


@pytest.mark.requirement("S2-23")
async def test_a_report_is_written_by_its_ending(comparison: Comparison, tmp_path: Path) -> None:
    for ending in (".md", ".html", ".json"):
        write_report(comparison, tmp_path / "reports" / f"report{ending}")
    written = (tmp_path / "reports" / "report.json").read_text(encoding="utf-8")
    assert Comparison.model_validate_json(written) == comparison
    with pytest.raises(DataError, match=r"ends with \.md, \.html, \.json"):
        write_report(comparison, tmp_path / "report.pdf")


@pytest.mark.requirement("S2-19", "S2-30")
async def test_people_choose_without_knowing_which_model_is_which(
    comparison: Comparison, tmp_path: Path
) -> None:
    new = read_results(comparison.candidate.report.results)
    old = read_results(comparison.baseline.report.results)
    path = tmp_path / "sheet.jsonl"
    # 24 rows were gained and 5 lost; on the others both models say the same.
    assert write_sheet(path, new, old) == 29
    sheet = [SheetRow.model_validate_json(line) for line in path.read_text().splitlines()]
    assert {one.answer_a == new[one.row - 1].answer for one in sheet} == {True, False}
    filled = [
        one.model_copy(update={"choice": "A" if one.answer_a == one.expected else "B"})
        for one in sheet[:-1]
    ]
    path.write_text("".join(f"{r.model_dump_json()}\n" for r in [*filled, sheet[-1]]))
    found = read_sheet(path, new, old)
    assert (found.wins + found.losses, found.ties, found.open) == (28, 0, 1)
    right = sum(new[one.row - 1].exact for one in filled)
    assert found.wins == right
    other = json.loads(sheet[0].model_dump_json()) | {"answer_a": "changed"}
    path.write_text(json.dumps(other))
    with pytest.raises(DataError, match=r"sheet.jsonl:1: the row is about other answers"):
        read_sheet(path, new, old)
    path.write_text(json.dumps(other | {"choice": "C"}))
    with pytest.raises(DataError, match=r"sheet.jsonl:1: choice must be"):
        read_sheet(path, new, old)
    few = tmp_path / "few.jsonl"
    assert write_sheet(few, new, old, most=10) <= 10
