"""OpenAI's rows as a format: old functions, samples, and keys that the format does not have."""

import json
from typing import Any

import pytest

from finetune.dataset import encode_row
from finetune.dataset.formats import FORMATS, RowRefusedError, get_format, recognise
from finetune.dataset.problem import DatasetError

OPENAI = FORMATS["openai"]


@pytest.mark.requirement("S1-03", "S2-09")
def test_old_functions_become_tools_and_are_told() -> None:
    declared: Any = {"name": "dose", "parameters": {"type": "object", "properties": {}}}
    value: Any = {
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "dose", "arguments": "{}"},
            },
            {"role": "function", "name": "dose", "content": "5 mg"},
            {"role": "assistant", "content": "Five."},
        ],
        "functions": [declared],
    }
    before = json.dumps(value)
    read = OPENAI.decode(value)
    assert [loss.code for loss in read.losses] == ["functions_translated"]
    assert json.loads(encode_row(read.row)) == {
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "dose", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "5 mg", "name": "dose"},
            {"role": "assistant", "content": "Five."},
        ],
        "tools": [{"type": "function", "function": declared}],
    }
    assert json.dumps(value) == before


def test_a_key_of_the_row_that_is_unknown_is_dropped_and_told() -> None:
    messages: Any = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    read = OPENAI.decode({"messages": messages, "source": "forum", "empty": None})
    assert [(loss.code, loss.path) for loss in read.losses] == [("field_dropped", ("source",))]
    with pytest.raises(RowRefusedError) as caught:
        OPENAI.decode({"messages": [*messages, {"role": "user", "content": "x", "mood": "good"}]})
    [finding] = caught.value.findings
    assert (finding.code, finding.path) == ("message_unrecognized_key", ("messages", 2, "mood"))


def test_a_line_of_samples_is_read_without_its_provenance() -> None:
    row: Any = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant"}]}
    value: Any = {"row": row, "provenance": {"client_id": "c"}}
    assert recognise(value) == (OPENAI, "sft")
    read = OPENAI.decode(value)
    assert [(loss.code, loss.path) for loss in read.losses] == [("field_dropped", ("provenance",))]
    assert read.row == OPENAI.decode(row).row


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
@pytest.mark.parametrize("name", list(FORMATS))
def test_no_format_takes_what_is_no_object(name: str, value: Any) -> None:
    with pytest.raises(RowRefusedError):
        FORMATS[name].decode(value)


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_empty_object_is_refused(name: str) -> None:
    with pytest.raises(RowRefusedError):
        FORMATS[name].decode({})


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(DatasetError, match="did you mean 'sharegpt'"):
        get_format("sharegtp")


@pytest.mark.parametrize(
    ("value", "name", "kind"),
    [
        ({"messages": [{"role": "user", "content": "q"}]}, "openai", "sft"),
        ({"input": {}, "preferred_output": [], "non_preferred_output": []}, "openai", "dpo"),
        ({"messages": [{"role": "User", "content": "q"}]}, "cohere", "sft"),
        ({"instruction": "q", "output": "a"}, "alpaca", "sft"),
        ({"instruction": "q", "chosen": "a", "rejected": "b"}, "alpaca", "dpo"),
        ({"prompt": "q", "completion": "a"}, "completion", "sft"),
        ({"text": "<|im_start|>user\nq<|im_end|>\n"}, "chatml", "sft"),
        (
            {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant"}]},
            "trl-prompt-completion",
            "sft",
        ),
    ],
)
@pytest.mark.requirement("S2-04")
def test_formats_are_recognised(value: dict[str, Any], name: str, kind: str) -> None:
    found = recognise(value)
    assert found is not None
    assert (found[0].name, found[1]) == (name, kind)


@pytest.mark.parametrize("value", [{}, {"a": 1}, {"text": "plain"}, {"messages": 5, "input": 5}])
def test_what_no_format_has_is_not_recognised(value: dict[str, Any]) -> None:
    assert recognise(value) is None
