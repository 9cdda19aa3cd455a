"""Random conversations with tools and any text survive writing, reading and the real loader."""

import hashlib
import json
import os
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from finetune.dataset import (
    AssistantMessage,
    DeveloperMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    FunctionDefinition,
    Message,
    OutputMessage,
    SftRow,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    UserMessage,
    check_file,
    detect,
    encode_row,
    parse_row,
    read_rows,
    write_rows,
)

# Every character that UTF-8 can carry, with the awkward ones more often than chance.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("\n\r\t\\\"'{}[]:,\x00\x7f\u0085\u2028\u2029\ufeff\ufffd😀é中"),
    ),
    max_size=12,
)
SAID = TEXT.filter(lambda text: bool(text.strip()))
CONTENT = st.one_of(
    SAID, st.lists(st.builds(TextPart, text=SAID), min_size=1, max_size=3).map(tuple)
)
NAME = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=12)
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT
)
MAYBE_NAME = st.none() | NAME


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, JsonValue]:
    names = draw(st.lists(TEXT, max_size=3, unique=True))
    return {
        "type": "object",
        "properties": {name: {} for name in names},
        "default": draw(SCALAR),
        "additionalProperties": True,
    }


@st.composite
def tool_definitions(draw: st.DrawFn) -> tuple[ToolDefinition, ...]:
    return tuple(
        ToolDefinition(
            type="function",
            function=FunctionDefinition(
                name=name,
                description=draw(st.none() | TEXT),
                parameters=draw(st.none() | schemas()),
                strict=draw(st.none() | st.booleans()),
            ),
        )
        for name in draw(st.lists(NAME, max_size=3, unique=True))
    )


def arguments(draw: st.DrawFn, tool: ToolDefinition) -> str:
    if tool.function.parameters is None:
        return draw(st.sampled_from(["{}", " { } "]))
    value = draw(st.dictionaries(TEXT, SCALAR, max_size=3))
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@st.composite
def turns(
    draw: st.DrawFn, tools: Sequence[ToolDefinition], first_id: int
) -> tuple[list[Message], int]:
    """One question, any number of tool rounds, and the answer."""
    said: list[Message] = [UserMessage(content=draw(CONTENT), name=draw(MAYBE_NAME))]
    at = first_id
    for _ in range(draw(st.integers(0, 2)) if tools else 0):
        count = draw(st.integers(1, 2))
        calls = tuple(
            ToolCall(
                id=f"call_{at + number}",
                type="function",
                function=FunctionCall(name=tool.function.name, arguments=arguments(draw, tool)),
            )
            for number, tool in enumerate(
                draw(st.lists(st.sampled_from(tools), min_size=count, max_size=count))
            )
        )
        said.append(AssistantMessage(content=draw(st.none() | CONTENT), tool_calls=calls))
        answers = [ToolMessage(tool_call_id=call.id, content=draw(TEXT)) for call in calls]
        said.extend(draw(st.permutations(answers)))
        at += count
    said.append(draw(answer()))
    return said, at


@st.composite
def answer(draw: st.DrawFn) -> AssistantMessage:
    refusal = draw(st.none() | SAID)
    return AssistantMessage(
        content=draw(CONTENT) if refusal is None else None,
        refusal=refusal,
        name=draw(MAYBE_NAME),
        weight=draw(st.sampled_from([None, 1])),
    )


@st.composite
def conversations(draw: st.DrawFn, tools: Sequence[ToolDefinition]) -> list[Message]:
    system = draw(st.sampled_from([SystemMessage, DeveloperMessage]))
    said: list[Message] = [system(content=draw(CONTENT)) for _ in range(draw(st.integers(0, 2)))]
    at = 0
    for _ in range(draw(st.integers(1, 2))):
        more, at = draw(turns(tools, at))
        said += more
    return said


@st.composite
def sft_rows(draw: st.DrawFn) -> SftRow:
    tools = draw(tool_definitions())
    return SftRow(
        messages=tuple(draw(conversations(tools))),
        tools=tools or draw(st.sampled_from([None, ()])),
        parallel_tool_calls=draw(st.sampled_from([None, True])),
    )


@st.composite
def dpo_rows(draw: st.DrawFn) -> DpoRow:
    tools = draw(tool_definitions())
    said = draw(conversations(tools))

    def output(extra: str) -> tuple[OutputMessage, ...]:
        if tools and draw(st.booleans()):
            tool = draw(st.sampled_from(tools))
            call = FunctionCall(name=tool.function.name, arguments=arguments(draw, tool))
            calls = (ToolCall(id=f"out_{extra}", type="function", function=call),)
            return (AssistantMessage(content=draw(SAID) + extra, tool_calls=calls),)
        return (AssistantMessage(content=draw(SAID) + extra),)

    return DpoRow(
        input=DpoInput(messages=tuple(said[:-1]), tools=tools, parallel_tool_calls=True),
        preferred_output=output("A"),
        non_preferred_output=output("B"),
    )


def round_trip(folder: Path, rows: Sequence[SftRow] | Sequence[DpoRow]) -> None:
    path = folder / "rows.jsonl"
    written = write_rows(path, rows)
    assert list(read_rows(path)) == list(rows)
    raw = path.read_bytes()
    assert len(raw.decode().splitlines()) == len(rows)
    assert raw == b"".join(encode_row(row) + b"\n" for row in rows)
    assert written.sha256 == hashlib.sha256(raw).hexdigest()
    for line, row in zip(raw.splitlines(), rows, strict=True):
        assert parse_row(json.loads(line)) == row
    report = check_file(path, minimum=1)
    assert report.problems == ()
    assert report.rows == len(rows)


QUICK = settings(
    max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.requirement("S1-03")
@pytest.mark.requirement("S4-03")
@QUICK
@given(rows=st.lists(sft_rows(), min_size=1, max_size=2))
def test_supervised_rows(rows: list[SftRow], tmp_path_factory: pytest.TempPathFactory) -> None:
    round_trip(tmp_path_factory.getbasetemp(), rows)


@pytest.mark.requirement("S4-04")
@QUICK
@given(rows=st.lists(dpo_rows(), min_size=1, max_size=2))
def test_preference_rows(rows: list[DpoRow], tmp_path_factory: pytest.TempPathFactory) -> None:
    round_trip(tmp_path_factory.getbasetemp(), rows)


@QUICK
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_crash_the_readers(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.jsonl"
    path.write_bytes(data)
    assert not check_file(path).is_ok
    assert list(read_rows(path, on_problem=lambda problem: None)) == []


KEYS = [
    *("messages", "role", "content", "name", "weight", "tool_calls", "tool_call_id"),
    *("id", "type", "function", "arguments", "tools", "parameters", "text"),
    *("input", "preferred_output", "non_preferred_output"),
]
JSON = st.recursive(
    SCALAR | st.sampled_from(["user", "assistant", "tool", "function", "text"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=25,
)


@QUICK
@given(row=st.fixed_dictionaries({"messages": JSON}, optional={"tools": JSON, "input": JSON}))
def test_no_json_crashes_the_check(row: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.jsonl"
    line = json.dumps(row)
    path.write_text(line + "\n", encoding="utf-8")
    for problem in check_file(path, minimum=0).problems:
        assert 0 <= problem.column <= len(line)


@pytest.mark.requirement("S2-09")
@pytest.mark.requirement("S4-03")
@pytest.mark.requirement("S4-04")
def test_the_real_loader_gives_the_rows_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    for kind, rows in (("sft", SFT_ROWS), ("dpo", DPO_ROWS)):
        path = tmp_path / f"{kind}.jsonl"
        write_rows(path, [*rows, *rows])
        assert detect(path) == kind
        loaded = datasets.load_dataset(
            "json", data_files=os.fspath(path), split="train", cache_dir=os.fspath(tmp_path / "hf")
        )
        assert len(loaded) == 2 * len(rows)
        # Arrow gives every row the union of all keys; null means absent in both directions.
        assert [pruned(row) for row in loaded] == [pruned(r.model_dump()) for r in [*rows, *rows]]


def pruned(value: Any) -> Any:
    if isinstance(value, dict):
        kept = cast("dict[str, Any]", value)  # a loaded row comes without types
        return {k: pruned(v) for k, v in kept.items() if v is not None}
    if isinstance(value, list | tuple):
        return [pruned(item) for item in cast("Sequence[Any]", value)]  # likewise
    return value


DOSE = ToolDefinition(
    function=FunctionDefinition(
        name="dose",
        parameters={
            "type": "object",
            "properties": {"drug": {"type": "string"}, "grams": {"type": "number"}},
            "required": ["drug"],
        },
    )
)
STOCK = ToolDefinition(
    function=FunctionDefinition(
        name="stock",
        description="Boxes left",
        parameters={
            "type": "object",
            "properties": {"sku": {"type": "string", "enum": ["A", "B"]}},
            "additionalProperties": False,
        },
    )
)
ASK_DOSE = ToolCall(id="1", function=FunctionCall(name="dose", arguments='{"drug": "Velorin"}'))
ASK_STOCK = ToolCall(id="2", function=FunctionCall(name="stock", arguments='{"sku": "A"}'))
TALK: tuple[Message, ...] = (
    SystemMessage(content="You sell."),
    UserMessage(content="How much Velorin? 😀\u2028"),
    AssistantMessage(tool_calls=(ASK_DOSE, ASK_STOCK), weight=0),
    ToolMessage(tool_call_id="1", content="5 mg"),
    ToolMessage(tool_call_id="2", content=""),
)
SFT_ROWS = [
    SftRow(messages=(UserMessage(content="hello"), AssistantMessage(content="hello to you"))),
    SftRow(
        messages=(*TALK, AssistantMessage(content="Five.", weight=1)),
        tools=(DOSE, STOCK),
        parallel_tool_calls=True,
    ),
    SftRow(messages=(UserMessage(content="x"), AssistantMessage(refusal="no")), tools=(STOCK,)),
]
DPO_ROWS = [
    DpoRow(
        input=DpoInput(messages=TALK, tools=(DOSE, STOCK), parallel_tool_calls=True),
        preferred_output=(AssistantMessage(content="Five."),),
        non_preferred_output=(AssistantMessage(content="Ten."),),
    ),
    DpoRow(
        input=DpoInput(messages=(UserMessage(content="Velorin?"),), tools=(DOSE,)),
        preferred_output=(AssistantMessage(tool_calls=(ASK_DOSE,)),),
        non_preferred_output=(AssistantMessage(content="Noop"),),
    ),
]


def test_the_example_rows_are_valid(tmp_path: Path) -> None:
    for rows in (SFT_ROWS, DPO_ROWS):
        report = check_file(write_rows(tmp_path / "rows.jsonl", rows).path, minimum=1)
        # Rows made in Python need no `type`; the file has it all the same.
        assert report.problems == ()
    assert b'"type":"function"' in encode_row(SFT_ROWS[1])
