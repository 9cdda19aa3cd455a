"""Too long answers end with a sentence, never inside what is no prose; nothing else changes."""

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from finetune.curate import Verdict
from finetune.curate.length import LengthConfig
from finetune.curate.sentences import cut_text
from finetune.curate.step import RowStep
from finetune.dataset.rows import (
    AssistantMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    SftRow,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from finetune.dataset.sample import Sample
from finetune.dataset.tokens import estimate_text

SENTENCE = "Hold the button for ten seconds. "


def _row(*answers: str, **last: Any) -> SftRow:
    messages: list[Any] = []
    for at, answer in enumerate(answers):
        extra = last if at == len(answers) - 1 else {}
        messages += [UserMessage(content="And then?"), AssistantMessage(content=answer, **extra)]
    return SftRow(messages=tuple(messages))


def _judge(row: SftRow | DpoRow, **settings: object) -> Verdict:
    config = LengthConfig.model_validate({"max_answer_tokens": 40, **settings})
    return cast("RowStep", config.build()).judge(Sample(row))


def _last(verdict: Verdict) -> str:
    assert verdict.sample is not None
    assert isinstance(verdict.sample.row, SftRow)
    content = verdict.sample.row.messages[-1].content
    assert isinstance(content, str)
    return content


@pytest.mark.requirement("S0-25")
def test_a_long_answer_is_cut_at_a_sentence_and_counted() -> None:
    verdict = _judge(_row(SENTENCE * 20))
    text = _last(verdict)
    assert text == (SENTENCE * 4).rstrip()
    assert 20 <= estimate_text(text) <= 40
    (note,) = verdict.notes
    assert note == ("trimmed_answer", "about 165 tokens, 33 are left", ("messages", 1, "content"))
    short = _row(SENTENCE)
    assert _judge(short) == Verdict(Sample(short))


@pytest.mark.requirement("S0-25")
def test_short_answers_are_dropped_or_flagged() -> None:
    row = _row("Yes.")
    dropped = _judge(row, min_answer_tokens=4)
    assert dropped.sample is None
    assert dropped.notes[0].code == "short_answer"
    flagged = _judge(row, min_answer_tokens=4, short="flag")
    assert flagged.sample == Sample(row)
    assert flagged.notes == dropped.notes
    with pytest.raises(ValidationError, match="at most half"):
        LengthConfig(min_answer_tokens=30, max_answer_tokens=40)


@pytest.mark.requirement("S0-25")
def test_what_becomes_of_long_answers_is_a_setting() -> None:
    row = _row(SENTENCE * 20)
    assert _judge(row, long="drop").sample is None
    flagged = _judge(row, long="flag")
    assert flagged.sample == Sample(row)
    assert [note.code for note in flagged.notes] == ["long_answer"]


CODE = "Run this:\n\n```python\n" + "print('a. b. c.')\n\n" * 12 + "```\n"


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "~~~\n" + SENTENCE * 12 + "\n~~~\nDone.",
        "```\nnever closed. " + SENTENCE * 12,
        json.dumps({"steps": [SENTENCE] * 12}),
        "Result: " + json.dumps({"steps": [SENTENCE] * 12}) + " That is all.",
        "| step | what |\n" + "| 1 | Do it. Wait. |\n" * 20,
        "word " * 100,
        "See `" + "a. b. " * 60 + "` for more.",
        "Call Dr. " + "Smith and Mrs. " * 30,
    ],
)
def test_what_has_no_place_to_cut_stays_whole(text: str) -> None:
    verdict = _judge(_row(text))
    assert _last(verdict) == text
    assert [note.code for note in verdict.notes] == ["long_answer"]


def test_a_cut_comes_before_a_code_block() -> None:
    text = _last(_judge(_row(SENTENCE * 3 + CODE)))
    assert text == (SENTENCE * 3).rstrip()


PARTS = (
    *("One. ", "Two! ", "```\na. b\n```\n", "`x. y` ", '{"a": "b. c"} ', "e.g. this "),
    *("\u7d42\u308f\u308a\u3002", "\n\n"),
)


@given(st.lists(st.sampled_from(PARTS), max_size=40), st.integers(min_value=10, max_value=200))
def test_a_cut_is_a_start_that_closes_what_it_opens(parts: list[str], most: int) -> None:
    text = "".join(parts)
    cut = cut_text(text, most)
    if cut is not None:
        assert text.startswith(cut)
        assert len(cut) <= most
        assert cut.count("```") % 2 == 0
        assert cut.replace("```", "").count("`") % 2 == 0
        assert cut.count("{") == cut.count("}")
        assert not cut.endswith("e.g.")


@pytest.mark.requirement("S0-25")
def test_tool_calls_and_what_tools_said_stay() -> None:
    arguments = json.dumps({"text": SENTENCE * 20})
    call = ToolCall(id="c1", function=FunctionCall(name="send", arguments=arguments))
    row = SftRow(
        messages=(
            UserMessage(content="Send it."),
            AssistantMessage(content=None, tool_calls=(call,)),
            ToolMessage(tool_call_id="c1", content=json.dumps([SENTENCE] * 20)),
            AssistantMessage(content="Sent."),
        )
    )
    assert _judge(row) == Verdict(Sample(row))
    only_a_call = row.model_copy(update={"messages": row.messages[:2]})
    assert _judge(only_a_call, min_answer_tokens=5) == Verdict(Sample(only_a_call))


def test_earlier_answers_and_answers_of_weight_0_stay() -> None:
    row = _row(SENTENCE * 20, "Done.")
    verdict = _judge(row)
    assert verdict.sample == Sample(row)
    assert [(note.code, note.path) for note in verdict.notes] == [
        ("long_answer", ("messages", 1, "content"))
    ]
    weightless = _row(SENTENCE * 20, weight=0)
    assert _judge(weightless) == Verdict(Sample(weightless))
    kept = _judge(_row(SENTENCE * 20, weight=1)).sample
    assert kept is not None
    assert isinstance(kept.row, SftRow)
    assert cast("AssistantMessage", kept.row.messages[-1]).weight == 1


def test_both_outputs_of_a_preference_row_are_cut() -> None:
    asked = DpoInput(messages=(UserMessage(content="How?"),))

    def row(better: str, worse: str) -> DpoRow:
        return DpoRow(
            input=asked,
            preferred_output=(AssistantMessage(content=better),),
            non_preferred_output=(AssistantMessage(content=worse),),
        )

    verdict = _judge(row(SENTENCE * 20, "Nope. " * 40))
    assert verdict.sample is not None
    assert [note.code for note in verdict.notes] == ["trimmed_answer"] * 2
    assert verdict.sample.row == row((SENTENCE * 4).rstrip(), ("Nope. " * 26).rstrip())
    # A cut must not make a preference of equals, and a worse answer may be bad for being short.
    alike = row(SENTENCE * 20 + "Good.", SENTENCE * 20 + "Bad.")
    assert _judge(alike).sample == Sample(alike)
    assert _judge(row(SENTENCE, "No"), min_answer_tokens=5).notes == ()
