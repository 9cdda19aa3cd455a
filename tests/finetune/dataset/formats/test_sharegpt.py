"""ShareGPT: the rules of LLaMA-Factory's loader, and the dialects of others."""

import json
import random
from typing import Any

import pytest

from finetune.dataset import DatasetKind, DpoRow, SftRow, encode_row, parse_row
from finetune.dataset.formats import FORMATS, RowRefusedError, recognise
from tests.finetune.dataset.formats.generate_rows import dpo_rows, sft_rows

SHAREGPT = FORMATS["sharegpt"]
ASKING, ANSWERING = ("human", "observation"), ("gpt", "function_call")


def check_loader_rules(value: dict[str, Any], hint: str) -> None:
    """What LLaMA-Factory documents and its loader enforces."""
    turns = value["conversations"]
    for at, turn in enumerate(turns):
        assert turn["from"] in (ANSWERING if at % 2 else ASKING), hint
        assert isinstance(turn["value"], str), hint
    assert len(turns) % 2 == (1 if "chosen" in value else 0), hint
    assert turns, hint
    for said in [*turns, *(value[key] for key in ("chosen", "rejected") if key in value)]:
        if said["from"] == "function_call":
            called = json.loads(said["value"])
            calls: list[dict[str, Any]] = [called] if isinstance(called, dict) else called
            for call in calls:
                assert set(call) == {"name", "arguments"}, hint
    for key in ("chosen", "rejected"):
        if key in value:
            assert value[key]["from"] in ANSWERING, hint
    assert isinstance(value["system"], str), hint
    for tool in json.loads(value["tools"] or "[]"):
        assert isinstance(tool["name"], str), hint
        assert isinstance(tool["parameters"]["properties"], dict), hint
    if images := value.get("images"):
        texts = " ".join(turn["value"] for turn in turns)
        assert all(isinstance(url, str) for url in images), hint
        assert texts.count("<image>") == len(images), hint


@pytest.mark.requirement("S0-19", "S2-09")
def test_every_row_fits_the_rules_of_the_loader() -> None:
    seed = random.randrange(2**32)
    for number, row in enumerate((*sft_rows(seed, 1500), *dpo_rows(seed, 500))):
        value = json.loads(json.dumps(SHAREGPT.encode(row).value))
        check_loader_rules(value, f"row {number}, seed {seed}")


CALLS = {
    "messages": [
        {"role": "system", "content": "You sell."},
        {"role": "user", "content": "Dose and stock?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "a1",
                    "type": "function",
                    "function": {"name": "dose", "arguments": '{"drug": "Velorin"}'},
                },
                {
                    "id": "b2",
                    "type": "function",
                    "function": {"name": "stock", "arguments": "{}"},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "a1", "content": "5 mg"},
        {"role": "tool", "tool_call_id": "b2", "content": "Error: timeout"},
        {"role": "assistant", "content": "Five."},
    ],
    "tools": [{"type": "function", "function": {"name": "dose"}}],
}


@pytest.mark.requirement("S0-19", "S2-09")
def test_parallel_calls_and_results_are_lists() -> None:
    value = SHAREGPT.encode(parse_row(CALLS)).value
    assert value["conversations"] == [
        {"from": "human", "value": "Dose and stock?"},
        {
            "from": "function_call",
            "value": '[{"name": "dose", "arguments": {"drug": "Velorin"}}, '
            '{"name": "stock", "arguments": {}}]',
        },
        {"from": "observation", "value": '["5 mg", "Error: timeout"]'},
        {"from": "gpt", "value": "Five."},
    ]
    assert value["system"] == "You sell."
    assert value["tools"] == (
        '[{"name": "dose", "parameters": {"type": "object", "properties": {}}}]'
    )


def test_what_the_loader_does_not_see_is_told() -> None:
    row = parse_row(
        {
            "messages": [
                {"role": "system", "content": "A"},
                {"role": "developer", "content": "B"},
                {"role": "assistant", "content": "Hello", "weight": 0},
                {"role": "user", "content": "q"},
                {"role": "user", "content": "r"},
                {"role": "assistant", "content": "a"},
                {"role": "user", "content": "bye"},
            ]
        }
    )
    made = SHAREGPT.encode(row)
    assert sorted({loss.code for loss in made.losses}) == [
        "developer_as_system",
        "systems_joined",
        "turn_inserted",
        "turn_left_out",
        "turns_merged",
        "weight_not_applied",
    ]
    assert made.value["conversations"] == [
        {"from": "human", "value": ""},
        {"from": "gpt", "value": "Hello"},
        {"from": "human", "value": "q\n\nr"},
        {"from": "gpt", "value": "a"},
    ]
    assert made.value["system"] == "A\n\nB"
    assert SHAREGPT.decode(made.value).row == row


@pytest.mark.parametrize(
    ("value", "roles"),
    [
        ({"conversations": [["user", "q"], ["assistant", "a"]]}, ["user", "assistant"]),
        ({"conversations": [["system", "s"], ["human", "q"], ["chatgpt", "a"]]}, None),
        ({"conversation": [["human", "q"], ["bing", "a"]]}, ["user", "assistant"]),
        (
            {
                "conversations": [
                    ["human", "q"],
                    ["function_call", '{"name": "f", "arguments": "{\\"a\\": 1}"}'],
                    ["tool", "1"],
                    ["gpt", "a"],
                ]
            },
            ["user", "assistant", "tool", "assistant"],
        ),
        (
            {
                "conversations": [
                    ["human", "q"],
                    ["function_call", '[{"name": "f"}, {"name": "g"}]'],
                    ["observation", "1"],
                    ["observation", "2"],
                    ["gpt", "a"],
                ]
            },
            ["user", "assistant", "tool", "tool", "assistant"],
        ),
        (
            {
                "conversations": [
                    ["human", "q"],
                    ["function_call", '[{"name": "f"}, {"name": "g"}]'],
                    ["observation", "1\n</tool_response>\n<tool_response>\n2"],
                    ["gpt", "a"],
                ]
            },
            ["user", "assistant", "tool", "tool", "assistant"],
        ),
    ],
)
@pytest.mark.parametrize("keys", [("from", "value"), ("role", "content")])
def test_dialects_are_read(
    value: dict[str, list[list[str]]], roles: list[str] | None, keys: tuple[str, str]
) -> None:
    ((name, turns),) = value.items()
    given: dict[str, Any] = {name: [dict(zip(keys, turn, strict=True)) for turn in turns]}
    assert recognise(given) == (SHAREGPT, "sft")
    row = SHAREGPT.decode(given).row
    assert isinstance(row, SftRow)
    assert [m.role for m in row.messages] == (roles or ["system", "user", "assistant"])
    data = row.model_dump()
    calls = [call["id"] for m in data["messages"] for call in m.get("tool_calls") or ()]
    answered = [m["tool_call_id"] for m in data["messages"] if m["role"] == "tool"]
    assert calls == answered == [f"call_{at + 1}" for at in range(len(calls))]
    # Reading is repeatable: ids are counted, not drawn.
    assert SHAREGPT.decode(given).row == row


@pytest.mark.requirement("S4-04")
@pytest.mark.parametrize("form", ["turn", "text"])
def test_preferences_are_read(form: str) -> None:
    chosen, rejected = "better", "worse"
    given: dict[str, Any] = {
        "conversations": [{"from": "human", "value": "q"}],
        "chosen": {"from": "gpt", "value": chosen} if form == "turn" else chosen,
        "rejected": {"from": "gpt", "value": rejected} if form == "turn" else rejected,
    }
    kind: DatasetKind = "dpo"
    assert recognise(given) == (SHAREGPT, kind)
    row = SHAREGPT.decode(given).row
    assert isinstance(row, DpoRow)
    assert row.preferred_output[0].content == chosen
    assert row.non_preferred_output[0].content == rejected


def test_images_stand_where_the_loader_looks_for_them() -> None:
    given: dict[str, Any] = {
        "conversations": [
            {"from": "human", "value": "<image>What is it?"},
            {"from": "gpt", "value": "A box."},
        ],
        "images": ["https://example.com/box.png"],
    }
    row = SHAREGPT.decode(given).row
    assert b'"image_url":{"url":"https://example.com/box.png"}' in encode_row(row)
    again = SHAREGPT.encode(row).value
    assert again["images"] == given["images"]
    assert again["conversations"] == [
        {"from": "human", "value": "<image>\nWhat is it?"},
        {"from": "gpt", "value": "A box."},
    ]


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        ([{"from": "alien", "value": "x"}], "unrecognized_role"),
        ([{"from": "human", "value": 5}], "wrong_type"),
        (["x"], "wrong_type"),
        ([{"from": "function_call", "value": "dose(Velorin)"}], "invalid_json"),
        ([{"from": "function_call", "value": "[]"}], "empty_tool_calls"),
        ([{"from": "function_call", "value": "3"}], "wrong_type"),
        ([], "missing_messages_list"),
    ],
)
def test_what_is_no_row_is_refused_with_its_reason(turns: list[Any], code: str) -> None:
    with pytest.raises(RowRefusedError) as caught:
        SHAREGPT.decode({"conversations": turns})
    assert caught.value.findings[0].code == code


def test_a_text_that_looks_like_an_image_is_refused_beside_one() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    content = [image, {"type": "text", "text": "what is <image> here?"}]
    row = parse_row(
        {"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": "a"}]}
    )
    with pytest.raises(RowRefusedError, match="takes for one"):
        SHAREGPT.encode(row)
