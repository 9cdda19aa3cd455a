"""Detection, streaming, and the errors that a reader raises."""

import json
import tracemalloc
from pathlib import Path

import pytest

from finetune.dataset import (
    AssistantMessage,
    DatasetError,
    DatasetKind,
    SftRow,
    ToolMessage,
    UnknownFormatError,
    UserMessage,
    check_file,
    detect,
    estimate_tokens,
    parse_row,
    read_rows,
    write_rows,
)
from finetune.dataset.json_text import locate

SFT = '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}'
DPO = (
    '{"input":{"messages":[{"role":"user","content":"q"}]},'
    '"preferred_output":[{"role":"assistant","content":"a"}],'
    '"non_preferred_output":[{"role":"assistant","content":"b"}]}'
)


@pytest.mark.requirement("S4-03")
@pytest.mark.requirement("S4-04")
@pytest.mark.parametrize(
    ("text", "kind"), [(SFT, "sft"), (DPO, "dpo"), ("nonsense\n" + DPO, "dpo")]
)
def test_detects_the_kind(text: str, kind: DatasetKind, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text, encoding="utf-8-sig")
    assert detect(path) == kind


def test_an_unknown_format_says_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"instruction":"a","output":"b"}\n', encoding="utf-8")
    with pytest.raises(UnknownFormatError, match="instruction, output") as caught:
        detect(path)
    assert caught.value.seen == ("instruction", "output")


def test_an_array_is_no_jsonl_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(f"[{SFT}]", encoding="utf-8")
    with pytest.raises(UnknownFormatError, match="no JSON object"):
        detect(path)


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x00"])
def test_a_file_without_text_is_a_dataset_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(DatasetError):
        detect(path)
    with pytest.raises(DatasetError):
        detect(tmp_path)


def test_the_first_bad_line_ends_the_reading_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{SFT}\n{DPO}\n", encoding="utf-8")
    rows = read_rows(path)
    assert isinstance(next(rows), SftRow)
    with pytest.raises(DatasetError, match=r"rows\.jsonl:2:1: error: a dpo row in a file of sft"):
        next(rows)


def test_roles_become_types() -> None:
    row = parse_row(json.loads(SFT))
    assert isinstance(row, SftRow)
    assert [type(m) for m in row.messages] == [UserMessage, AssistantMessage]
    assert ToolMessage(tool_call_id="1", content="x").role == "tool"


def test_a_bad_row_of_python_is_named_by_path() -> None:
    with pytest.raises(DatasetError, match=r"messages\.0: the key `role` is missing"):
        parse_row({"messages": [{"content": "x"}]})


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = ({"messages": [{"role": "user", "content": f"{n} " + "x" * 20_000}]} for n in range(500))
    size = write_rows(path, rows).bytes
    tracemalloc.start()
    assert sum(1 for _ in read_rows(path)) == 500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 10_000_000
    assert peak < 2_000_000


def test_paths_are_found_in_any_spacing() -> None:
    text = '{ "a,\\"[" : [ 1 , { "b" : "}" } , [ ] ] , "c" : null }'
    paths = [(), ('a,"[', 0), ('a,"[', 1, "b"), ('a,"[', 2), ("c",), ("d",)]
    places = locate(text, paths)
    assert [text[places[p].value] for p in paths if p in places] == ["{", "1", '"', "[", "n"]
    assert text[places[("c",)].key :].startswith('"c"')


def test_counts_and_estimates(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{SFT}\n{SFT.replace('q', 'q' * 40)}\n", encoding="utf-8")
    report = check_file(path, minimum=1)
    assert report.roles == {"user": 2, "assistant": 2}
    assert report.tokens is not None
    assert report.tokens.is_estimate
    assert (report.tokens.minimum, report.tokens.maximum) == (10, 19)
    assert report.tokens.trained == 10
    assert report.tokens.total == sum(estimate_tokens(row).total for row in read_rows(path))
    assert '"is_estimate":true' in report.model_dump_json()
