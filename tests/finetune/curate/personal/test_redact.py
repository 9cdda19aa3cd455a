# ruff: noqa: RUF001
"""No part of a value is left, in any place of a row and in any writing."""

import json
import re
from random import SystemRandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.curate.personal import PersonalData, find_personal_data, redact
from finetune.dataset import (
    AssistantMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    SftRow,
    TextPart,
    ToolCall,
    ToolMessage,
    UserMessage,
    encode_row,
)
from finetune.dataset.sample import Sample
from finetune.dataset.texts import texts_of
from tests.finetune.curate.personal.generate_personal import documents, row_of

ASCII_DIGITS = {ord(w): str(n) for n, w in enumerate("０１２３４５６７８９")} | {
    ord(w): str(n) for n, w in enumerate("٠١٢٣٤٥٦٧٨٩")
}


def called(arguments: dict[str, object]) -> AssistantMessage:
    function = FunctionCall(name="save", arguments=json.dumps(arguments))
    return AssistantMessage(tool_calls=(ToolCall(id="c1", function=function),))


def judged(*messages: UserMessage | AssistantMessage | ToolMessage, **settings: str) -> SftRow:
    step = PersonalData.model_validate(settings).build()
    row = step.judge(Sample(SftRow(messages=messages))).sample
    assert row is not None
    assert isinstance(row.row, SftRow)
    return row.row


def compact(text: str) -> str:
    """Return a text without what separates the characters of a value."""
    text = re.sub(r"\\u[0-9a-f]{4}", " ", text).translate(ASCII_DIGITS)
    return re.sub(r"[\s\u00ad\u200b-\u200d\u2010-\u2015\u2060.\-/()]", "", text)


def leftovers(kind: str, plain: str, text: str) -> list[str]:
    """Return what a redacted text still tells of a value."""
    if kind == "email":
        local, _, domain = plain.lower().partition("@")
        return [part for part in (local, domain) if part in text.lower()]
    return [run for run in re.findall(r"\d{4,}", compact(plain)) if run in compact(text)]


@pytest.mark.requirement("S0-22", "S0-42", "S1-26")
def test_generated_rows_keep_nothing_of_a_value() -> None:
    seed = SystemRandom().randrange(2**32)
    step = PersonalData().build()
    leaks: list[str] = []
    lost = total = wanted = missed = 0
    for at, document in enumerate(documents(seed, 1600)):
        sample = step.judge(Sample(row_of(document))).sample
        assert sample is not None, f"seed {seed}: document {at}"
        wanted += len(document.values)
        left = "\n".join(text.text for text in texts_of(sample.row))
        harmless = compact("".join(document.harmless))
        for item in document.values:
            parts = leftovers(item.kind, item.plain, left)
            if compact(item.plain).lower() in compact(left).lower():
                missed += 1
            elif any(part not in harmless for part in parts):
                leaks.append(f"{at} {item.kind} {document.locale}")
        total += len(document.harmless)
        lost += sum(sentence not in left for sentence in document.harmless)
    assert not leaks, f"seed {seed}: {leaks[:9]}"
    assert missed / wanted <= 0.005, f"seed {seed}: {missed} of {wanted} were missed"
    assert lost / total <= 0.01, f"seed {seed}: {lost} of {total} harmless sentences were changed"


def test_a_value_is_replaced_wherever_it_stands() -> None:
    row = judged(
        UserMessage(content="My passport number is C01X00T47.", name="c01x00t47"),
        called({"id": "c01x-00t47", "n": 1}),
        ToolMessage(tool_call_id="c1", content="found C01 X00 T47 twice: C01X00T47"),
        AssistantMessage(content=(TextPart(text="So C01X00T47 it is."),)),
    )
    assert b"t47" not in encode_row(row).lower()
    assert [text.text for text in texts_of(row)] == [
        "[PASSPORT]",
        "My passport number is [PASSPORT].",
        "[PASSPORT]",
        "1",
        "found [PASSPORT] twice: [PASSPORT]",
        "So [PASSPORT] it is.",
    ]


def test_numbers_of_arguments_are_replaced() -> None:
    row = judged(UserMessage(content="Call 212-555-0123"), called({"to": 2125550123, "count": 212}))
    assert [text.text for text in texts_of(row)] == ["Call [PHONE]", "[PHONE]", "212"]


def test_the_key_of_an_argument_announces_its_value() -> None:
    row = judged(
        UserMessage(content="Save this"),
        called(
            {
                "dateOfBirth": "1980-05-03",
                "customer": {"passport_number": ["PA1234567"]},
                "bsn": 111222333,
            }
        ),
    )
    assert [text.text for text in texts_of(row)] == [
        "Save this",
        "[DATE_OF_BIRTH]",
        "[PASSPORT]",
        "[NATIONAL_ID]",
    ]


def test_the_question_before_announces_the_answer() -> None:
    row = judged(
        AssistantMessage(content="Your passport number?"), UserMessage(content="C01X00T47")
    )
    assert [text.text for text in texts_of(row)] == ["Your passport number?", "[PASSPORT]"]


def test_a_telephone_number_is_one_with_and_without_its_country() -> None:
    text = "+49 171 2345678 is mine; again 01712345678 and 171 2345678"
    assert redact(text, mode="pseudonym") == "[PHONE_1] is mine; again [PHONE_1] and [PHONE_1]"


def test_a_date_of_birth_is_one_in_both_orders() -> None:
    assert redact("born 03.05.1980, file 1980-05-03, sold 04.05.1980") == (
        "born [DATE_OF_BIRTH], file [DATE_OF_BIRTH], sold 04.05.1980"
    )


def test_pseudonyms_tell_values_apart() -> None:
    text = "a@example.org, b@example.org, A@Example.org, 4111 1111 1111 1111"
    expected = "[EMAIL_1], [EMAIL_2], [EMAIL_1], [PAYMENT_CARD_1]"
    assert redact(text, mode="pseudonym") == expected
    row = judged(
        UserMessage(content=text), AssistantMessage(content="b@example.org"), mode="pseudonym"
    )
    assert [text.text for text in texts_of(row)] == [expected, "[EMAIL_2]"]


def test_both_outputs_of_a_preference_are_read() -> None:
    row = DpoRow(
        input=DpoInput(messages=(UserMessage(content="q"),)),
        preferred_output=(AssistantMessage(content="ask a@example.org"),),
        non_preferred_output=(AssistantMessage(content="ask b@example.org"),),
    )
    sample = PersonalData().build().judge(Sample(row)).sample
    assert sample is not None
    assert [text.text for text in texts_of(sample.row)] == ["q", "ask [EMAIL]", "ask [EMAIL]"]


@given(st.text(alphabet=st.sampled_from("ab1290 .@:-/()+\u200b\u0661ß日\\n"), max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=80))
def test_hits_lie_in_the_text_and_apart(text: str) -> None:
    at = 0
    for hit in find_personal_data(f"call +1 212-555-0123 {text} a@example.org"):
        assert at <= hit.start < hit.end <= len(text) + 36
        at = hit.end
    assert "212-555" not in redact(f"call +1 212-555-0123 {text}")
