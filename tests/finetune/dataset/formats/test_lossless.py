"""Every row goes through OpenAI's, TRL's and ShareGPT's format and comes back the same."""

import contextlib
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from finetune.dataset import DpoRow, SftRow, encode_row
from finetune.dataset.formats import EXTRA_KEY, FORMATS, LOSSES
from finetune.dataset.formats.edits import apply_edits, differences
from tests.finetune.dataset import test_round_trip as drawn
from tests.finetune.dataset.formats.generate_rows import dpo_rows, sft_rows

PATH = ("trl", "sharegpt", "openai")


def through_all(row: SftRow | DpoRow, hint: str) -> None:
    """Write and read the row in one format after the other, as files do."""
    before = encode_row(row)
    for name in PATH:
        made = FORMATS[name].encode(row)
        read = FORMATS[name].decode(json.loads(json.dumps(made.value)))
        assert read.row == row, f"{name}, {hint}"
        assert read.losses == [], f"{name}, {hint}"
        # What the standard keys do not say is kept aside, and nothing is lost.
        assert all(loss.is_kept for loss in made.losses), f"{name}, {hint}"
        assert {loss.code for loss in made.losses} <= set(LOSSES)
        row = read.row
    assert encode_row(row) == before, hint  # 1 and 1.0 are equal, but no difference is allowed


@pytest.mark.requirement("S0-19", "S2-06", "S2-09")
def test_ten_thousand_conversations_come_back_without_a_difference() -> None:
    seed = random.randrange(2**32)
    for number, row in enumerate(sft_rows(seed, 10_000)):
        through_all(row, f"row {number} of sft_rows({seed})")


@pytest.mark.requirement("S4-04", "S2-06")
def test_preferences_come_back_without_a_difference() -> None:
    seed = random.randrange(2**32)
    for number, row in enumerate(dpo_rows(seed, 2_000)):
        through_all(row, f"row {number} of dpo_rows({seed})")


def test_the_generator_draws_what_makes_formats_fail() -> None:
    said = [encode_row(row) for row in sft_rows(1, 500)]
    for awkward in (
        *(b'"weight":0', b'"role":"developer"', b'"refusal"', b'"image_url"', b'"name":"ann"'),
        *(b"<image>", b'"parallel_tool_calls":false', b"\\u2028", b'"tools":[]', b'"strict"'),
    ):
        assert any(awkward in line for line in said), awkward
    assert any(line.count(b'"arguments"') > 2 for line in said)
    assert any(line.count(b'"role":"system"') > 1 for line in said)


QUICK = settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUICK
@given(row=drawn.sft_rows())
def test_drawn_conversations(row: SftRow) -> None:
    through_all(row, "drawn")


@QUICK
@given(row=drawn.dpo_rows())
def test_drawn_preferences(row: DpoRow) -> None:
    through_all(row, "drawn")


@pytest.mark.requirement("S2-06")
def test_prompt_and_completion_of_messages_come_back() -> None:
    seed = random.randrange(2**32)
    form, count = FORMATS["trl-prompt-completion"], 0
    for number, row in enumerate(sft_rows(seed, 500)):
        if len(row.messages) < 2 or row.messages[-1].role != "assistant":
            continue
        count += 1
        value = json.loads(json.dumps(form.encode(row).value))
        read = form.decode(value).row
        assert encode_row(read) == encode_row(row), f"row {number} of sft_rows({seed})"
        assert len(value["completion"]) == 1
    assert count > 300


@pytest.mark.parametrize("name", ["trl", "sharegpt"])
def test_plain_rows_need_no_extra_key(name: str) -> None:
    row = FORMATS["openai"].decode(
        {
            "messages": [
                {"role": "system", "content": "You sell."},
                {"role": "user", "content": "How much?"},
                {"role": "assistant", "content": "Five."},
            ]
        }
    )
    assert EXTRA_KEY not in FORMATS[name].encode(row.row).value


@pytest.mark.parametrize("name", ["trl", "sharegpt"])
@pytest.mark.parametrize("extra", ["damaged", "edited", "foreign", "deep"])
def test_an_extra_key_that_does_not_fit_gives_way_to_the_standard_keys(
    name: str, extra: str
) -> None:
    form = FORMATS[name]
    row = FORMATS["openai"].decode(
        {
            "messages": [
                {"role": "user", "content": "q", "name": "ann"},
                {"role": "assistant", "content": "a", "weight": 0},
            ]
        }
    )
    value: dict[str, Any] = json.loads(json.dumps(form.encode(row.row).value))
    key = "messages" if name == "trl" else "conversations"
    if extra == "damaged":
        value[EXTRA_KEY] = "[[["
    elif extra == "edited":
        value[key][1]["content" if name == "trl" else "value"] = "b"
        # An edit of the text the edits do not touch leaves them usable only if the view agrees.
        value[EXTRA_KEY] = json.dumps([[["messages", 1, "content"], "a"]])
    elif extra == "foreign":
        value[EXTRA_KEY] = json.dumps([[["messages", 7, "name"], "x"]])
    else:
        value[EXTRA_KEY] = "[" * 5000
    read = form.decode(value)
    assert [loss.code for loss in read.losses] == ["extra_unusable"]
    assert isinstance(read.row, SftRow)
    last = read.row.messages[1]
    assert last.content == ("b" if extra == "edited" else "a")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(before=JSON, after=JSON)
def test_edits_lead_from_any_value_to_any_other(before: JsonValue, after: JsonValue) -> None:
    kept = json.dumps(before)
    edited = apply_edits(before, json.loads(json.dumps(differences(before, after))))
    assert json.dumps(edited, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert json.dumps(before) == kept
    assert differences(after, after) == []


@given(value=JSON, edits=JSON)
def test_no_edits_crash(value: JsonValue, edits: JsonValue) -> None:
    with contextlib.suppress(ValueError):
        apply_edits(value, edits)
