"""The short way of plain rows gives what the strict way gives, and leaves to it all else."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.dataset import AssistantMessage, SftRow, UserMessage, parse_row
from finetune.dataset.json_text import JsonTextError, parse
from finetune.dataset.plain import parse_plain_row
from finetune.dataset.rows import encode_row
from finetune.dataset.rules import check_row
from finetune.dataset.texts import contents_of, texts_of

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30) | st.sampled_from(
    ["", " ", "\x00\x1f\x7f\x85\u2028\u2029", '"\\/', "\ufeff", "\U0001f600"]
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant"]), "content": _TEXT}
)
_MORE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | _TEXT},
    optional={
        "name": st.none() | _TEXT,
        "refusal": st.none() | _TEXT,
        "weight": st.none() | st.integers(0, 1),
    },
)
_ROWS = st.lists(_MESSAGE | _MORE, min_size=1, max_size=6)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.requirement("S2-04")
@given(st.lists(_MESSAGE, min_size=1, max_size=6))
def test_a_plain_line_gives_the_same_row(messages: list[dict[str, object]]) -> None:
    line = encode_row(parse_row({"messages": messages})).decode()
    read, strict = parse_plain_row(line), parse_row(json.loads(line))
    assert read == strict
    assert isinstance(strict, SftRow)
    if read is None:
        raise AssertionError(line)
    assert read.model_fields_set == strict.model_fields_set
    for message, other in zip(read.messages, strict.messages, strict=True):
        assert type(message) is type(other)
        assert message.model_fields_set == other.model_fields_set
        assert message.model_copy(update={"content": "new"}).content == "new"
    assert list(check_row(read)) == list(check_row(strict))


@pytest.mark.requirement("S2-04")
@pytest.mark.parametrize(
    "line",
    [
        '{"messages":[{"role":"user","role":"user","content":"a"}]}',
        '{"messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}',
        '{"messages":[{"role":"user","content":"a"}],"tools":null}',
        '{"messages":[{"role":"user","content":"a","name":null}]}',
        '{"messages":[{"role":"user","content":null}]}',
        '{"messages":[{"role":"user","content":1}]}',
        '{"messages":[{"role":"user","content":["a"]}]}',
        '{"messages":[{"role":"user","content":NaN}]}',
        '{"messages":[{"role":"user","content":"a"}]} ',
        '{"messages":[{"role":"user","content":"a"}]}{}',
        '{"messages":[{"role":"user", "content":"a"}]}',
        '{"messages":[{"role":"user","content":"\\u0061"}]}',
        '{"messages":[{"role":"user","content":"\\ud800"}]}',
        '{"messages":[{"role":"user","content":"a\tb"}]}',
        '{"messages":[{"role":"tool","content":"a"}]}',
        '{"messages":[{"role":"robot","content":"a"}]}',
        '{"messages":[]}',
        '{"messages":[{"role":"user"',
        "[]",
        "",
    ],
)
def test_a_line_that_is_not_just_plain_is_left_to_the_strict_way(line: str) -> None:
    assert parse_plain_row(line) is None


@given(_ROWS, st.integers(0, 2**32))
def test_a_changed_line_is_never_read_otherwise_than_by_the_strict_way(
    messages: list[dict[str, object]], seed: int
) -> None:
    chance = random.Random(seed)
    line = _line({"messages": messages})
    at = chance.randrange(len(line))
    line = line[:at] + chance.choice(["", '"', ",", "\\", "{", "}", " "]) + line[at + 1 :]
    row = parse_plain_row(line)
    if row is not None:
        try:
            assert parse_row(parse(line)) == row
        except JsonTextError as error:
            raise AssertionError(f"{line!r} is not strict: {error}") from error


@given(_ROWS)
def test_rows_are_encoded_as_the_general_encoder_does(messages: list[dict[str, object]]) -> None:
    row = parse_row({"messages": messages})
    text = _line(row.model_dump())
    for mark in ("\u0085", "\u2028", "\u2029"):
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    assert encode_row(row) == text.encode()


@given(_ROWS)
def test_contents_are_all_texts_or_none(messages: list[dict[str, object]]) -> None:
    row = parse_row({"messages": messages})
    contents = contents_of(row)
    is_plain = all(m.keys() == {"role", "content"} and m["content"] is not None for m in messages)
    assert (contents is not None) == is_plain
    if contents is not None:
        assert contents == [text.text for text in texts_of(row)]


def test_half_a_surrogate_pair_is_refused() -> None:
    row = SftRow(messages=(UserMessage(content="\ud800"), AssistantMessage(content="b")))
    with pytest.raises(ValueError, match="surrogates"):
        encode_row(row)
