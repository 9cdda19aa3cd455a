"""TRL: the shapes of its rows, and its own functions on files that we wrote."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from finetune.dataset import DpoRow, SftRow, convert_file, encode_row, parse_row, write_rows
from finetune.dataset.formats import EXTRA_KEY, FORMATS, recognise
from tests.finetune.dataset.test_round_trip import DPO_ROWS, SFT_ROWS

TRL = FORMATS["trl"]

TEMPLATE = """\
{%- if tools %}{{ '<tools>' + (tools | tojson) + '</tools>' }}{% endif %}
{%- for message in messages %}{{ '<' + message.role + '>' }}
{%- if message.name %}{{ '[' + message.name + ']' }}{% endif %}
{%- if message.content %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}
{{- '{' + call.function.name }}
{%- for name, value in call.function.arguments.items() %}{{ ' ' + name + '=' + value }}{% endfor %}
{{- '}' }}
{%- endfor %}{{ '</s>' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"""


def test_arguments_are_objects_and_results_carry_the_name_of_their_tool() -> None:
    made = TRL.encode(SFT_ROWS[1]).value
    messages: Any = made["messages"]
    assert [call["function"]["arguments"] for call in messages[2]["tool_calls"]] == [
        {"drug": "Velorin"},
        {"sku": "A"},
    ]
    assert [message["name"] for message in messages[3:5]] == ["dose", "stock"]
    assert isinstance(made["tools"], list)
    assert all("weight" not in message for message in messages)
    assert isinstance(made[EXTRA_KEY], str)


@pytest.mark.parametrize(
    ("value", "roles"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, (["user"], ["assistant"])),
        (
            {
                "chosen": [
                    {"role": "user", "content": "q"},
                    {"role": "assistant", "content": "a"},
                ],
                "rejected": [
                    {"role": "user", "content": "q"},
                    {"role": "assistant", "content": "b"},
                ],
            },
            (["user"], ["assistant"]),
        ),
    ],
)
@pytest.mark.requirement("S4-04")
def test_shorter_preferences_are_read(
    value: dict[str, Any], roles: tuple[list[str], list[str]]
) -> None:
    found = recognise(value)
    assert found is not None
    assert (found[0].name, found[1]) == ("trl", "dpo")
    row = TRL.decode(value).row
    assert isinstance(row, DpoRow)
    assert [m.role for m in row.input.messages] == roles[0]
    assert [m.role for m in row.preferred_output] == roles[1]
    assert row.preferred_output[0].content == "a"
    assert row.non_preferred_output[0].content == "b"


def test_tools_may_be_a_string() -> None:
    value = TRL.encode(SFT_ROWS[2]).value
    value["tools"] = json.dumps(value["tools"])
    value.pop(EXTRA_KEY, None)
    row = TRL.decode(value).row
    assert isinstance(row, SftRow)
    assert row.tools == SFT_ROWS[2].tools


def test_images_have_the_shape_of_the_chat_templates() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    row = parse_row(
        {
            "messages": [
                {"role": "user", "content": [image, {"type": "text", "text": "What is it?"}]},
                {"role": "assistant", "content": "A box."},
            ]
        }
    )
    messages: Any = TRL.encode(row).value["messages"]
    assert messages[0]["content"][0] == {"type": "image", "url": "https://example.com/a.png"}
    assert TRL.decode(TRL.encode(row).value).row == row


@pytest.mark.requirement("S2-09", "S4-03", "S4-04")
def test_the_real_loader_and_trl_take_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    data_utils = pytest.importorskip("trl.data_utils")
    tokenizer = small_tokenizer()

    def load(path: Path) -> Any:
        cache = os.fspath(tmp_path / "cache")
        files = os.fspath(path)
        return datasets.load_dataset("json", data_files=files, split="train", cache_dir=cache)

    for kind, rows in (("sft", SFT_ROWS), ("dpo", DPO_ROWS)):
        source = write_rows(tmp_path / f"{kind}.jsonl", [*rows, *rows]).path
        convert_file(source, tmp_path / f"{kind}-trl.jsonl", to="trl")
        loaded = load(tmp_path / f"{kind}-trl.jsonl")
        assert len(loaded) == 2 * len(rows)
        for example, row in zip(loaded, [*rows, *rows], strict=True):
            example = {key: said for key, said in example.items() if said is not None}
            assert data_utils.is_conversational(example)
            # What the loader gives is what we wrote, so it reads back as the same row.
            assert encode_row(TRL.decode(pruned(example)).row) == encode_row(row)
            shown = data_utils.maybe_apply_chat_template(
                example, tokenizer, tools=example.get("tools")
            )
            if kind == "dpo":
                assert shown["chosen"] != shown["rejected"]
                assert shown["prompt"].endswith("<assistant>")
    example = dict(load(tmp_path / "sft-trl.jsonl")[1])
    text = data_utils.apply_chat_template(example, tokenizer, tools=example["tools"])["text"]
    assert "{dose drug=Velorin}{stock sku=A}</s><tool>[dose]5 mg</s><tool>[stock]</s>" in text
    unpaired = data_utils.maybe_unpair_preference_dataset(load(tmp_path / "dpo-trl.jsonl"))
    assert len(unpaired) == 4 * len(DPO_ROWS)
    assert set(unpaired["label"]) == {True, False}
    convert_file(tmp_path / "sft.jsonl", tmp_path / "pc.jsonl", to="trl-prompt-completion")
    example = dict(load(tmp_path / "pc.jsonl")[0])
    shown = data_utils.apply_chat_template(example, tokenizer)
    assert shown == {"prompt": "<user>hello</s><assistant>", "completion": "hello to you</s>"}
    convert_file(tmp_path / "sft.jsonl", tmp_path / "share.jsonl", to="sharegpt")
    shared = load(tmp_path / "share.jsonl")
    for example, row in zip(shared, [*SFT_ROWS, *SFT_ROWS], strict=True):
        assert encode_row(FORMATS["sharegpt"].decode(pruned(example)).row) == encode_row(row)


def pruned(value: Any) -> Any:
    """Leave out what the loader fills up with null; messages keep their content."""
    return {key: said for key, said in value.items() if said is not None}


def small_tokenizer() -> Any:
    """Build a tokenizer of single bytes with a template for chats and tools."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.models.BPE({letter: at for at, letter in enumerate(alphabet)}, [])
    core = tokenizers.Tokenizer(model)
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=core)
    tokenizer.chat_template = TEMPLATE
    return tokenizer
