"""Whole files from format to format: containers, losses by row, bad input, nothing half done."""

import csv
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from finetune.dataset import (
    DatasetError,
    check_file,
    convert_file,
    encode_row,
    read_rows,
    write_rows,
)
from finetune.dataset.formats import FORMATS
from finetune.dataset.sample import Provenance, Sample
from finetune.dataset.sample_file import write_samples
from swarm.errors import StoreError
from tests.finetune.dataset.formats.generate_rows import dpo_rows, sft_rows
from tests.finetune.dataset.test_round_trip import DPO_ROWS, SFT_ROWS

GOOD = '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}'


def names(folder: Path) -> list[str]:
    """Return the names of a folder's files."""
    return sorted(entry.name for entry in folder.iterdir())


def lines(path: Path) -> list[Any]:
    """Return the values of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.requirement("S2-06", "S0-19", "S4-03", "S4-04")
@pytest.mark.parametrize("kind", ["sft", "dpo"])
@pytest.mark.parametrize(
    "step", ["trl.jsonl", "sharegpt.jsonl", "sharegpt.json", "sharegpt.parquet"]
)
def test_files_come_back_byte_for_byte(kind: str, step: str, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    rows = sft_rows(seed, 300) if kind == "sft" else dpo_rows(seed, 300)
    source = write_rows(tmp_path / "rows.jsonl", rows).path
    name = step.split(".")[0]
    there = convert_file(source, tmp_path / step, to=name)
    assert (there.written, there.skipped, there.losses) == (300, 0, {}), seed
    back = convert_file(tmp_path / step, tmp_path / "back.jsonl", to="openai")
    assert (back.written, back.skipped, back.losses) == (300, 0, {}), (seed, back.problems)
    assert (tmp_path / "back.jsonl").read_bytes() == source.read_bytes(), seed
    assert back.kind == kind
    assert back.from_format == name


@pytest.mark.requirement("S2-06", "S2-02")
def test_every_loss_is_in_the_side_file_with_its_line(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", SFT_ROWS).path
    report = convert_file(source, tmp_path / "out.jsonl", to="alpaca")
    assert report.losses == {
        "refusal_as_content": 1,
        "tool_call_lost": 2,
        "tool_result_lost": 2,
        "tools_lost": 2,
    }
    assert (report.rows, report.written, report.skipped, report.changed) == (3, 3, 0, 2)
    side = tmp_path / "out.jsonl.losses.jsonl"
    assert report.losses_path == side
    told = lines(side)
    assert [(loss["line"], loss["code"]) for loss in told] == [
        (2, "tools_lost"),
        (2, "tool_call_lost"),
        (2, "tool_call_lost"),
        (2, "tool_result_lost"),
        (2, "tool_result_lost"),
        (3, "tools_lost"),
        (3, "refusal_as_content"),
    ]
    assert told[1]["path"] == ["messages", 2]
    # A later conversion without losses leaves no list of an earlier one behind.
    convert_file(source, tmp_path / "out.jsonl", to="openai")
    assert not side.exists()


@pytest.mark.requirement("S1-04", "S0-24")
def test_bad_rows_are_left_out_and_told(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    bad = [
        '{"messages": [}',
        '{"messages": [{"role": "user", "content": NaN}]}',
        "[1]",
        '{"messages": []}',
        '{"instruction": "q", "output": "a"}',
        GOOD[:-1],
    ]
    text = "\n".join([GOOD, *bad[:4], GOOD, *bad[4:]])
    source.write_bytes(text.encode() + b"\n" + GOOD.encode().replace(b"q", b"\xff") + b"\n")
    report = convert_file(source, tmp_path / "out.jsonl", to="chatml")
    assert (report.rows, report.written, report.skipped) == (9, 2, 7)
    told = [(entry["line"], entry["code"]) for entry in lines(tmp_path / "out.jsonl.losses.jsonl")]
    assert told == [
        (2, "invalid_json"),
        (3, "not_finite"),
        (4, "data_type"),
        (5, "missing_messages_list"),
        (7, "mixed_formats"),
        (8, "invalid_json"),
        (9, "invalid_unicode"),
    ]
    assert [(problem.line, problem.code) for problem in report.problems] == told
    assert report.problems[0].column == 15
    before = (tmp_path / "out.jsonl").read_bytes()
    with pytest.raises(DatasetError, match=r"rows\.jsonl:2:15: error: Invalid JSONL format"):
        convert_file(source, tmp_path / "out.jsonl", to="chatml", on_bad="stop")
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert names(tmp_path) == ["out.jsonl", "out.jsonl.losses.jsonl", "rows.jsonl"]


@pytest.mark.requirement("S1-04")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\x1f\x8bno gzip at all", "unreadable_file"),
        (GOOD.encode()[:-3], "invalid_json"),
        (b'{"messages": NaN}\n', "not_finite"),
        (b"\xff\xff\xff", "invalid_unicode"),
        (b'{"foo": 1}\n', "unknown_format"),
        (b"foo,bar\n1,2\n3,4\n", "unmapped_fields"),
        (b'question,answer\n"q,a\n', "wrong_value"),
        (f"[{GOOD},".encode(), "truncated_file"),
        (b"PAR1xxxx", "unreadable_file"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_nothing_behind(
    data: bytes, code: str, tmp_path: Path
) -> None:
    source = tmp_path / "rows.dat"
    source.write_bytes(data)
    with pytest.raises(DatasetError) as caught:
        convert_file(source, tmp_path / "out.jsonl", to="openai")
    assert caught.value.problems[0].code == code
    assert names(tmp_path) == ["rows.dat"]


def test_a_folder_is_neither_source_nor_target(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="it is a folder"):
        convert_file(tmp_path, tmp_path / "out.jsonl", to="openai")
    source = write_rows(tmp_path / "rows.jsonl", SFT_ROWS).path
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreError, match="cannot write"):
        convert_file(source, tmp_path / "out", to="openai")
    assert names(tmp_path) == ["out", "rows.jsonl"]
    assert names(tmp_path / "out") == []


@pytest.mark.requirement("S1-04")
def test_a_line_of_fifty_megabytes_is_one_finding(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    with source.open("w") as file:
        file.write(f"{GOOD}\n")
        file.write('{"messages":[{"role":"user","content":"' + "x" * 50_000_000 + '"}]}\n')
        file.write(f"{GOOD}\n")
    report = convert_file(source, tmp_path / "out.jsonl", to="openai")
    assert [(problem.line, problem.code) for problem in report.problems] == [(2, "line_too_long")]
    assert report.written == 2


def test_rows_of_the_other_kind_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    mixed = [*SFT_ROWS, *DPO_ROWS]
    source.write_bytes(b"".join(encode_row(row) + b"\n" for row in mixed))
    report = convert_file(source, tmp_path / "out.jsonl", to="sharegpt")
    assert (report.kind, report.written) == ("sft", 3)
    assert {problem.code for problem in report.problems} == {"mixed_formats"}


def test_a_file_of_trl_that_begins_with_plain_rows_is_read_whole(tmp_path: Path) -> None:
    rows = [*[SFT_ROWS[0]] * 200, *SFT_ROWS]
    source = write_rows(tmp_path / "rows.jsonl", rows).path
    convert_file(source, tmp_path / "trl.jsonl", to="trl")
    report = convert_file(tmp_path / "trl.jsonl", tmp_path / "back.jsonl", to="openai")
    assert report.skipped == 0
    assert (tmp_path / "back.jsonl").read_bytes() == source.read_bytes()
    # Who names the format means it.
    strict = convert_file(
        tmp_path / "trl.jsonl", tmp_path / "back.jsonl", to="openai", from_="openai"
    )
    assert {problem.code for problem in strict.problems} == {
        "mixed_formats",
    }


@pytest.mark.requirement("S2-04", "S2-06")
def test_a_table_goes_into_every_format_and_back(tmp_path: Path) -> None:
    source = tmp_path / "table.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Question", "Answer"])
        writer.writerows([["How much?", ' Five, "about"'], ["Où?\nDis!", "Ici 😀"]])
    for number, name in enumerate(FORMATS):
        report = convert_file(source, tmp_path / f"{number}.jsonl", to=name)
        assert (report.written, report.source.columns) == (
            2,
            {"Question": "instruction", "Answer": "output"},
        )
        back = convert_file(tmp_path / f"{number}.jsonl", tmp_path / f"{number}.csv", to="alpaca")
        assert back.losses == {}
        with (tmp_path / f"{number}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [(row["instruction"], row["output"]) for row in rows] == [
            ("How much?", ' Five, "about"'),
            ("Où?\nDis!", "Ici 😀"),
        ], name


@pytest.mark.parametrize("name", ["alpaca", "chatml", "completion", "sharegpt"])
def test_parquet_comes_back_and_loads_with_the_real_library(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    rows = [SFT_ROWS[0]] * 600
    source = write_rows(tmp_path / "rows.jsonl", rows).path
    target = tmp_path / "rows.parquet"
    convert_file(source, target, to=name)
    loaded = datasets.load_dataset(
        "parquet",
        data_files=os.fspath(target),
        split="train",
        cache_dir=os.fspath(tmp_path / "cache"),
    )
    assert len(loaded) == 600
    report = convert_file(target, tmp_path / "back.jsonl", to="openai")
    assert report.source.container == "parquet"
    assert (tmp_path / "back.jsonl").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("target", ["out.csv", "out.parquet"])
def test_rows_that_vary_in_shape_do_not_go_into_columns(target: str, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", SFT_ROWS).path
    with pytest.raises(DatasetError, match=r"write \.jsonl"):
        convert_file(source, tmp_path / target, to="trl")


@pytest.mark.requirement("S0-17", "S0-19")
@pytest.mark.parametrize("name", ["sharegpt", "alpaca"])
@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_llama_factory_gets_an_entry_for_the_file(name: str, kind: str, tmp_path: Path) -> None:
    pair = '{"prompt": "q", "chosen": "good", "rejected": "bad"}'
    (tmp_path / "rows.jsonl").write_text(GOOD if kind == "sft" else pair, encoding="utf-8")
    info = tmp_path / "dataset_info.json"
    info.write_text('{"other": {"file_name": "x.json"}}', encoding="utf-8")
    report = convert_file(tmp_path / "rows.jsonl", tmp_path / "shop.json", to=name)
    assert report.info_path == info
    entries = json.loads(info.read_text(encoding="utf-8"))
    assert list(entries) == ["other", "shop"]
    entry = entries["shop"]
    assert (entry["file_name"], entry["formatting"]) == ("shop.json", name)
    assert entry.get("ranking", False) is (kind == "dpo")
    [first, *_] = json.loads((tmp_path / "shop.json").read_text(encoding="utf-8"))
    # The loader takes a column from every row, so it must be there.
    assert set(entry["columns"].values()) <= set(first)
    wanted = {"messages"} if name == "sharegpt" else {"prompt", "query"}
    assert wanted <= set(entry["columns"])


def test_an_unusable_entry_file_is_told_before_the_work(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", SFT_ROWS).path
    (tmp_path / "dataset_info.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DatasetError, match="move it away or mend it"):
        convert_file(source, tmp_path / "out.json", to="sharegpt")
    assert names(tmp_path) == ["dataset_info.json", "rows.jsonl"]


def test_files_of_samples_are_read(tmp_path: Path) -> None:
    samples = [Sample(row, Provenance(client_id="c")) for row in SFT_ROWS]
    write_samples(tmp_path / "samples.jsonl", samples)
    report = convert_file(tmp_path / "samples.jsonl", tmp_path / "out.jsonl", to="openai")
    assert list(read_rows(tmp_path / "out.jsonl")) == SFT_ROWS
    assert report.losses == {"field_dropped": 3}


@pytest.mark.requirement("S2-06")
def test_a_template_is_for_completions(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", [SFT_ROWS[0]]).path
    convert_file(
        source, tmp_path / "out.jsonl", to="completion", template="Q: {question}\nA: {answer}"
    )
    assert lines(tmp_path / "out.jsonl") == [
        {"prompt": "Q: hello\nA: ", "completion": "hello to you"}
    ]
    with pytest.raises(DatasetError, match="a template is for completions"):
        convert_file(source, tmp_path / "out.jsonl", to="trl", template="{question}{answer}")


def test_a_file_may_be_converted_in_place(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", SFT_ROWS).path
    before = path.read_bytes()
    convert_file(path, path, to="sharegpt")
    convert_file(path, path, to="openai")
    assert path.read_bytes() == before


def test_text_with_a_question_that_nobody_answers(tmp_path: Path) -> None:
    source = tmp_path / "faq.txt"
    source.write_text("Intro\nQ: one\nA: yes\nand more\n\nthat\nQ: two\nQ: three\nA: ok\n")
    report = convert_file(source, tmp_path / "out.jsonl", to="alpaca")
    assert [(problem.line, problem.code) for problem in report.problems] == [
        (1, "wrong_value"),
        (7, "example_missing_assistant_message"),
    ]
    assert [row["output"] for row in lines(tmp_path / "out.jsonl")] == [
        "yes\nand more\n\nthat",
        "ok",
    ]


def test_a_table_with_a_bad_row_keeps_the_others(tmp_path: Path) -> None:
    source = tmp_path / "table.csv"
    source.write_bytes(b'question,answer\n"q\n1",a\nq2\nq\xc3\xa93,a3\nq4,\xff\xc3\xa9\nq5,a5\n')
    report = convert_file(source, tmp_path / "out.jsonl", to="openai")
    assert [(problem.line, problem.code) for problem in report.problems] == [
        (4, "wrong_value"),
        (6, "invalid_unicode"),
    ]
    assert report.written == 3


def test_progress_is_told(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", [SFT_ROWS[0]] * 2500).path
    told: list[int] = []
    convert_file(source, tmp_path / "out.jsonl", to="trl", on_progress=told.append)
    assert told == [1000, 2000, 2500]


@pytest.mark.requirement("S4-03", "S2-06")
def test_what_is_converted_to_openai_passes_the_check(tmp_path: Path) -> None:
    source = tmp_path / "rows.json"
    turns = [
        {"from": "human", "value": "q"},
        {"from": "function_call", "value": '[{"name": "f", "arguments": {}}, {"name": "f"}]'},
        {"from": "observation", "value": '["1", "2"]'},
        {"from": "gpt", "value": "a"},
    ]
    row = {"conversations": turns, "tools": '[{"name": "f"}]', "system": "s"}
    source.write_text(json.dumps([row]), encoding="utf-8")
    convert_file(source, tmp_path / "out.jsonl", to="openai")
    assert check_file(tmp_path / "out.jsonl", minimum=1).problems == ()
