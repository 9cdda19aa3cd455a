"""A questions file answers before anything is trained."""

from pathlib import Path

import pytest

from finetune import Question, read_questions
from finetune.lookup import Lookup
from finetune.questions import QuestionsError
from swarm import CompletionRequest, Message

PHARMACY = Path(__file__).parents[2] / "examples" / "pharma" / "questions.yaml"
UNKNOWN = "I do not know that."


def test_phrasings_of_the_file_find_their_answer() -> None:
    facts = read_questions(PHARMACY)
    lookup = Lookup(facts)
    found = [lookup.look_up(fact.train[0]) == fact.answer for fact in facts]
    assert sum(found) / len(found) >= 0.99


@pytest.mark.parametrize("text", ["", "?!", "Sing me a song about whales", "\u0000", "a" * 10_000])
def test_what_no_question_is_near_to_is_not_known(text: str) -> None:
    assert Lookup.read(PHARMACY).look_up(text) == UNKNOWN


def test_rare_words_decide_and_case_and_signs_do_not() -> None:
    lookup = Lookup(
        [
            Question(id="tea-price", answer="4 euros.", train=("What does the tea cost?",)),
            Question(id="cup-price", answer="9 euros.", train=("What does the cup cost?",)),
        ]
    )
    assert lookup.look_up("WHAT does the CUP cost") == "9 euros."
    assert lookup.look_up("the tea, please: what does it cost?") == "4 euros."


def test_it_answers_the_last_message_as_a_completion() -> None:
    lookup = Lookup(
        [Question(id="open", answer="At eight.", train=("When do you open?",))],
        unknown="Please call us.",
    )
    earlier = Message(role="user", content="When do you open?")
    asked = Message(role="user", content="Do whales sing?")
    assert lookup(CompletionRequest(messages=[earlier])) == "At eight."
    assert lookup(CompletionRequest(messages=[earlier, asked])) == "Please call us."


def test_no_facts_answer_nothing() -> None:
    assert Lookup([]).look_up("When do you open?") == UNKNOWN


def test_a_wrong_file_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "questions.yaml"
    path.write_text("- id: open\n  answer: At eight.\n", encoding="utf-8")
    with pytest.raises(QuestionsError, match=r"questions\.yaml:1"):
        Lookup.read(path)
