"""Every text of a row is found, and changing some leaves the rest as it was."""

import json

import pytest

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
)
from finetune.dataset.texts import Text, change_texts, texts_of


def call(arguments: str) -> AssistantMessage:
    function = FunctionCall(name="send", arguments=arguments)
    return AssistantMessage(tool_calls=(ToolCall(id="c1", function=function),))


def test_texts_of_all_places() -> None:
    row = SftRow(
        messages=(
            UserMessage(content=(TextPart(text="hello"),), name="Ann"),
            call('{"to": ["ann@example.org", {"phone": 5550100}], "urgent": true, "cc": ""}'),
            ToolMessage(tool_call_id="c1", content="sent", name="send"),
            AssistantMessage(content="Done.", refusal="No."),
        )
    )
    found = [(text.part, text.role, text.text) for text in texts_of(row)]
    assert found == [
        ("name", "user", "Ann"),
        ("content", "user", "hello"),
        ("argument", "assistant", "ann@example.org"),
        ("argument", "assistant", "5550100"),
        ("content", "tool", "sent"),
        ("content", "assistant", "Done."),
        ("refusal", "assistant", "No."),
    ]


def test_texts_of_both_outputs_of_a_preference() -> None:
    row = DpoRow(
        input=DpoInput(messages=(UserMessage(content="q"),)),
        preferred_output=(AssistantMessage(content="good"),),
        non_preferred_output=(AssistantMessage(content="bad"),),
    )
    assert [text.text for text in texts_of(row)] == ["q", "good", "bad"]


def test_changed_arguments_are_json_still() -> None:
    row = SftRow(messages=(UserMessage(content="q"), call('{"to": {"mail": "a@b.org"}, "n": 7}')))

    def change(text: Text) -> str | None:
        return '["x"]' if text.text in ("a@b.org", "7") else None

    changed = change_texts(row, change)
    message = changed.messages[1] if isinstance(changed, SftRow) else None
    assert isinstance(message, AssistantMessage)
    assert message.tool_calls is not None
    arguments = json.loads(message.tool_calls[0].function.arguments)
    assert arguments == {"to": {"mail": '["x"]'}, "n": '["x"]'}


def test_arguments_that_are_no_json_are_one_text() -> None:
    row = SftRow(messages=(UserMessage(content="q"), call("{broken a@b.org")))
    assert [text.text for text in texts_of(row)] == ["q", "{broken a@b.org"]
    changed = change_texts(row, lambda text: text.text.replace("a@b.org", "[EMAIL]"))
    assert [text.text for text in texts_of(changed)] == ["q", "{broken [EMAIL]"]


def test_a_row_without_changes_is_the_same_object() -> None:
    row = SftRow(messages=(UserMessage(content="q"), AssistantMessage(content="a")))
    assert change_texts(row, lambda text: text.text) is row


@pytest.mark.parametrize("key", ["arguments", "a.b", "0"])
def test_keys_of_arguments_may_be_called_anything(key: str) -> None:
    inner = json.dumps({key: {key: "old"}})
    row = SftRow(messages=(UserMessage(content="q"), call(inner)))
    changed = change_texts(row, lambda text: "new" if text.text == "old" else None)
    assert [text.text for text in texts_of(changed)] == ["q", "new"]
