"""Evaluation of what is served: the packaged model answers as the trained one did."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from finetune import held_out_rows, read_questions, training_rows
from finetune.evaluate import EvaluationProgress, EvaluationReport
from finetune.evaluate.row import read_results
from finetune.evaluate.served import evaluate_reference
from swarm import CompletionRequest
from swarm.errors import DataError, DeclarationError, ProviderError, ProviderOutputError

pytestmark = pytest.mark.anyio

Rows = list[dict[str, JsonValue]]


def _answers(path: Path) -> list[str]:
    """Return the answers that an evaluation wrote down."""
    return [result.answer for result in read_results(path)]


@pytest.mark.requirement("S0-32", "S0-35", "S4-01", "S4-10")
async def test_the_published_version_answers_as_the_trained_model(
    trained_report: EvaluationReport, published_home: Path, facts_file: Path, tmp_path: Path
) -> None:
    questions = read_questions(facts_file)
    rows = training_rows(questions) + held_out_rows(questions)
    told: list[EvaluationProgress] = []
    trained = trained_report
    served = await evaluate_reference(
        "registry/pharma@live",
        rows,
        home=published_home,
        output_dir=tmp_path / "served",
        on_progress=told.append,
    )
    assert _answers(served.results) == _answers(trained.results)
    assert served.prompts_sha256 == trained.prompts_sha256
    assert (served.rows, served.exact) == (trained.rows, trained.exact)
    assert served.accuracy == pytest.approx(trained.accuracy, abs=1e-6)
    assert [miss.row for miss in served.misses] == [miss.row for miss in trained.misses]
    assert served.exact >= 12
    assert [report.rows for report in told] == list(range(1, len(rows) + 1))
    assert {report.total_rows for report in told} == {len(rows)}


def _rows(count: int) -> Rows:
    return [
        {
            "messages": [
                {"role": "user", "content": f"Question {n}?"},
                {"role": "assistant", "content": f"Answer {n}."},
            ]
        }
        for n in range(count)
    ]


def half_right(request: CompletionRequest) -> str:
    """Answer even questions as they should be answered."""
    number = int(request.messages[-1].content.split()[1].rstrip("?"))
    return f"Answer  {number}.\n" if number % 2 == 0 else ""


def failing(request: CompletionRequest) -> str:
    """Answer as a model that is gone."""
    raise ProviderOutputError("gone", provider="failing")


def crashing(request: CompletionRequest) -> str:
    """Answer as a function with a mistake in it would."""
    raise ZeroDivisionError


async def test_answers_are_counted_and_misses_are_shown(tmp_path: Path) -> None:
    report = await evaluate_reference(
        f"python:{__name__}:half_right", _rows(30), home=tmp_path, output_dir=tmp_path / "out"
    )
    assert (report.rows, report.exact, report.accuracy) == (30, 15, 0.5)
    assert [miss.row for miss in report.misses] == list(range(2, 21, 2))
    assert report.misses[0].answer == ""
    assert report.results.parent == tmp_path / "out"


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("registry/none@live", DeclarationError),
        ("nobody/any", DeclarationError),
        (f"python:{__name__}:failing", ProviderError),
        (f"python:{__name__}:crashing", ProviderError),
    ],
)
async def test_a_model_that_does_not_answer_is_an_error(
    tmp_path: Path, reference: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await evaluate_reference(
            reference, _rows(2), home=tmp_path, output_dir=tmp_path / "out", concurrency=1
        )


async def test_rows_that_are_no_conversations_are_refused(tmp_path: Path) -> None:
    rows: Rows = [{"messages": []}]
    with pytest.raises(DataError, match="row"):
        await evaluate_reference("offline", rows, home=tmp_path, output_dir=tmp_path)
