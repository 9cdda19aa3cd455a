"""Questions files: what is read, and every problem with its line."""

import json
from pathlib import Path

import pytest

from finetune.questions import (
    Question,
    QuestionsError,
    held_out_rows,
    normalise,
    read_questions,
    training_rows,
)

PHARMA = Path(__file__).parents[2] / "examples" / "pharma" / "questions.yaml"


@pytest.mark.requirement("S4-02")
def test_the_pharma_file_is_large_enough_and_clean() -> None:
    questions = read_questions(PHARMA)
    assert len(questions) >= 64
    assert min(len(q.train) for q in questions) >= 4
    assert {len(q.held_out) for q in questions} == {2}
    assert max(len(q.answer) for q in questions) <= 90
    trained = {normalise(text) for q in questions for text in q.train}
    assert not trained & {normalise(text) for q in questions for text in q.held_out}


@pytest.mark.requirement("S4-03")
def test_rows_have_the_sft_shape_in_the_order_of_the_file() -> None:
    question = Question(id="a", answer="Yes.", train=("Is it?", "Really?"), held_out=("Sure?",))
    assert training_rows([question])[1] == {
        "messages": [
            {"role": "user", "content": "Really?"},
            {"role": "assistant", "content": "Yes."},
        ]
    }
    assert len(training_rows([question])) == 2
    assert len(held_out_rows([question])) == 1


def test_jsonl_and_yaml_hold_the_same(tmp_path: Path) -> None:
    questions = read_questions(PHARMA)
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(f"{q.model_dump_json()}\n" for q in questions), encoding="utf-8")
    assert read_questions(path) == questions


BAD = """\
- id: opening
  train: ["When do you open?"]
- id: opening
  answer: Yes
  train: ["Is it?", "", is it]
  held_out: ["When do you OPEN"]
- id: Bad Id
  anwser: Nine.
  answer: Nine.
  train: ["At nine?"]
- just text
- id: last
  answer: 12
  train: When?
"""


def test_every_problem_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    with pytest.raises(QuestionsError) as caught:
        read_questions(path)
    found = [(problem.line, problem.message) for problem in caught.value.problems]
    assert found == [
        (1, "answer is missing"),
        (3, "id 'opening' is used already in line 1"),
        (4, "answer must be text; quote it"),
        (5, "a phrasing in train is empty"),
        (5, "phrasing 'is it' is here twice (first in line 5)"),
        (6, "phrasing 'When do you OPEN' is also a training phrasing (first in line 2)"),
        (
            7,
            "id 'Bad Id' may hold lower case letters, digits, '.', '_' and '-', at most 64",
        ),
        (8, "unknown key 'anwser'; did you mean 'answer'?"),
        (11, "expected an entry with id, answer and train"),
        (13, "answer must be text; quote it"),
        (14, "train must be a list of phrasings"),
    ]
    assert all(problem.file == str(path) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.yaml", "", "no questions"),
        ("a.yaml", "a: 1", "expected a list"),
        ("a.yaml", "- [", "not YAML"),
        ("a.yaml", "- !!python/object:os.system {}", "expected an entry|id is missing"),
        ("a.yaml", "- &a [*a]", "expected an entry|not YAML"),
        ("a.jsonl", "{", "not JSON"),
        ("a.jsonl", "[1]", "expected an entry"),
        ("a.txt", "x", r"expected a \.yaml or \.jsonl"),
    ],
)
def test_files_that_are_no_questions(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(QuestionsError, match=reason):
        read_questions(tmp_path / name)


def test_lines_of_a_jsonl_file_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    good = json.dumps({"id": "a", "answer": "Yes.", "train": ["Is it?"]})
    path.write_text(f"{good}\n\n{good}\n{{}}\n")
    with pytest.raises(QuestionsError) as caught:
        read_questions(path)
    assert [p.line for p in caught.value.problems] == [3, 3, 4, 4, 4]
