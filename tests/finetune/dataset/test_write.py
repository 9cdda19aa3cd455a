"""Files appear whole or not at all, with the same bytes for the same rows."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune.dataset import (
    AssistantMessage,
    DatasetError,
    DpoInput,
    DpoRow,
    FunctionCall,
    FunctionDefinition,
    SftRow,
    SystemMessage,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    UserMessage,
    write_rows,
)
from swarm.errors import DataError, StoreError

# The example of the format's documentation, key by key.
SFT_LINE = (
    '{"messages":[{"role":"system","content":"You are a pharma seller."},'
    '{"role":"user","content":"What is the weather in San Francisco?"},'
    '{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",'
    '"function":{"name":"get_current_weather",'
    '"arguments":"{\\"location\\": \\"San Francisco, USA\\", \\"format\\": \\"celsius\\"}"}}],'
    '"weight":0},{"role":"tool","tool_call_id":"call_1","content":"21.0"},'
    '{"role":"assistant","content":"It is 21 degrees.","weight":1}],'
    '"tools":[{"type":"function","function":{"name":"get_current_weather",'
    '"description":"Get the current weather","parameters":{"type":"object",'
    '"properties":{"location":{"type":"string"},'
    '"format":{"type":"string","enum":["celsius","fahrenheit"],"default":null}},'
    '"required":["location","format"]}}}],"parallel_tool_calls":false}\n'
)
DPO_LINE = (
    '{"input":{"messages":[{"role":"user","content":"Hello, how cold is it today?"}],'
    '"tools":[],"parallel_tool_calls":true},'
    '"preferred_output":[{"role":"assistant","content":"It is 12 °C."}],'
    '"non_preferred_output":[{"role":"assistant","content":"It is not very cold."}]}\n'
)
ROW = SftRow(messages=(UserMessage(content="q"), AssistantMessage(content="a")))
PAIR = DpoRow(
    input=DpoInput(messages=(UserMessage(content="q"),)),
    preferred_output=(AssistantMessage(content="a"),),
    non_preferred_output=(AssistantMessage(content="b"),),
)


def weather_row() -> SftRow:
    schema = json.loads(SFT_LINE)["tools"][0]["function"]["parameters"]
    arguments = '{"location": "San Francisco, USA", "format": "celsius"}'
    call = FunctionCall(name="get_current_weather", arguments=arguments)
    return SftRow(
        messages=(
            SystemMessage(content="You are a pharma seller."),
            UserMessage(content="What is the weather in San Francisco?"),
            AssistantMessage(tool_calls=(ToolCall(id="call_1", function=call),), weight=0),
            ToolMessage(tool_call_id="call_1", content="21.0"),
            AssistantMessage(content="It is 21 degrees.", weight=1),
        ),
        tools=(
            ToolDefinition(
                function=FunctionDefinition(
                    name="get_current_weather",
                    description="Get the current weather",
                    parameters=schema,
                )
            ),
        ),
        parallel_tool_calls=False,
    )


@pytest.mark.requirement("S1-03")
@pytest.mark.requirement("S4-03")
def test_supervised_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    written = write_rows(tmp_path / "rows.jsonl", [weather_row()])
    assert written.path.read_text(encoding="utf-8") == SFT_LINE
    assert (written.rows, written.bytes) == (1, len(SFT_LINE))


@pytest.mark.requirement("S4-04")
def test_preference_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    written = write_rows(tmp_path / "rows.jsonl", [json.loads(DPO_LINE)])
    assert written.path.read_text(encoding="utf-8") == DPO_LINE
    assert written.bytes == len(DPO_LINE.encode("utf-8"))


def test_equal_rows_give_equal_bytes_however_they_were_made(tmp_path: Path) -> None:
    explicit = AssistantMessage(role="assistant", content="a", name=None, tool_calls=None)
    twin = SftRow(messages=(UserMessage(content="q"), explicit), tools=None)
    assert twin == ROW
    one = write_rows(tmp_path / "one.jsonl", [twin])
    two = write_rows(tmp_path / "two.jsonl", [ROW.model_dump()])
    assert one.sha256 == two.sha256


def test_the_file_is_replaced_and_never_written_in_place(tmp_path: Path) -> None:
    path, old = tmp_path / "rows.jsonl", tmp_path / "old"
    path.write_text("old", encoding="utf-8")
    os.link(path, old)  # a reader that has the old file open sees it to its end
    write_rows(path, [ROW])
    assert old.read_text(encoding="utf-8") == "old"


BAD_ROWS: list[tuple[object, str]] = [
    ({"messages": []}, "missing_messages_list"),
    ({"messages": [{"role": "bot", "content": "x"}]}, "unrecognized_role"),
    ({"text": "x"}, "unknown_format"),
    ("not a row", "data_type"),
    (PAIR, "mixed_formats"),
    (SftRow.model_construct(messages=(UserMessage.model_construct(content=5),)), "wrong_type"),
    (SftRow(messages=(UserMessage(content="\ud800"),)), "invalid_unicode"),
    (
        ROW.model_copy(
            update={
                "tools": (
                    ToolDefinition(
                        function=FunctionDefinition(name="f", parameters={"x": float("nan")})
                    ),
                )
            }
        ),
        "not_finite",
    ),
]


@pytest.mark.requirement("S0-24")
@pytest.mark.parametrize(("bad", "code"), BAD_ROWS)
def test_a_failing_row_leaves_the_old_file_untouched(
    bad: SftRow, code: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        write_rows(path, [ROW, bad])
    assert [(p.line, p.code) for p in caught.value.problems] == [(2, code)]
    assert isinstance(caught.value, DataError)
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["rows.jsonl"]


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def rows() -> Iterator[SftRow]:
        yield ROW
        raise KeyError("the source broke")

    with pytest.raises(KeyError):
        write_rows(tmp_path / "rows.jsonl", rows())
    assert os.listdir(tmp_path) == []


def test_a_process_killed_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old", encoding="utf-8")
    program = f"""
import os, signal
from finetune.dataset import write_rows
def rows():
    for n in range(100_000):
        if n == 5_000:
            os.kill(os.getpid(), signal.SIGKILL)
        yield {ROW.model_dump()!r}
write_rows({str(path)!r}, rows())
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == -9
    assert path.read_text(encoding="utf-8") == "old"


def test_a_full_disk_is_one_typed_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old", encoding="utf-8")
    program = f"""
import resource, signal
from finetune.dataset import write_rows
from swarm.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_rows({str(path)!r}, ({ROW.model_dump()!r} for _ in range(5_000)))
except StoreError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.startswith(f"cannot write {path}: ")
    assert os.listdir(tmp_path) == ["rows.jsonl"]
    assert path.read_text(encoding="utf-8") == "old"


def test_an_os_error_of_the_source_is_not_ours(tmp_path: Path) -> None:
    def rows() -> Iterator[SftRow]:
        yield ROW
        raise FileNotFoundError("the source is gone")

    with pytest.raises(FileNotFoundError):
        write_rows(tmp_path / "rows.jsonl", rows())


def test_an_unwritable_place_is_one_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot write"):
        write_rows(tmp_path / "file" / "rows.jsonl", [ROW])
