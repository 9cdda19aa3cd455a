"""What an unknown file is: told by its content, in bounded memory, with one finding for a fault."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from finetune.dataset import DatasetError, convert_file, detect_file
from finetune.dataset.json_array import ArrayError, read_values
from finetune.dataset.stream import open_utf8

CHAT: dict[str, Any] = {
    "messages": [{"role": "user", "content": "café?"}, {"role": "assistant", "content": "oui"}]
}
LINE = json.dumps(CHAT, ensure_ascii=False)
SPREAD = json.dumps([CHAT, CHAT], indent=2, ensure_ascii=False)


def write(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    """Write a file whose name tells nothing."""
    path = folder / "file.dat"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


@pytest.mark.requirement("S2-04")
@pytest.mark.parametrize(
    ("text", "container", "format_name", "fields"),
    [
        (f"{LINE}\n{LINE}\n", "jsonl", "openai", ("messages",)),
        (f"nonsense\n{LINE}", "jsonl", "openai", ("messages",)),
        (f"[{LINE}, {LINE}]", "json", "openai", ("messages",)),
        (f"[\n{LINE},\n{LINE}\n]\n", "json", "openai", ("messages",)),
        (SPREAD, "json", "openai", ("messages",)),
        (json.dumps(CHAT, indent=1), "json", "openai", ("messages",)),
        ("question,answer\nq,a\n", "csv", "alpaca", ("question", "answer")),
        ("Prompt;Completion\nq; a\n", "csv", "completion", ("Prompt", "Completion")),
        (
            "instruction\tinput\toutput\nq\t\ta\n",
            "tsv",
            "alpaca",
            ("instruction", "input", "output"),
        ),
        ('id,question,answer\n1,"a, b\nc",d\n', "csv", "alpaca", ("id", "question", "answer")),
        ("foo,bar\n1,2\n3,4\n", "csv", None, ("foo", "bar")),
        (",question,answer\n0,q,a\n", "csv", "alpaca", ("", "question", "answer")),
        ("Q: one?\nA: yes\n\nQ: two?\nA: no\n", "txt", "alpaca", ("instruction", "output")),
        ("one?\nyes\n\ntwo?\nno\n", "txt", "alpaca", ("instruction", "output")),
        ("Once upon a time, there\nwas.\nThree lines.\n", "txt", "completion", None),
        ('{"question": "q", "answer": "a"}\n', "jsonl", "alpaca", ("question", "answer")),
        ('{"text": "some words"}\n', "jsonl", "completion", ("text",)),
    ],
)
def test_containers_and_formats(
    text: str,
    container: str,
    format_name: str | None,
    fields: tuple[str, ...] | None,
    tmp_path: Path,
) -> None:
    found = detect_file(write(tmp_path, text))
    assert (found.container, found.format) == (container, format_name)
    if fields is not None:
        assert found.fields == fields


@pytest.mark.requirement("S2-04")
@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin-1", "windows-1252"),
        ("cp1252", "windows-1252"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "text", [f"{LINE}\n{LINE}\n", SPREAD, "question,answer\ncafé?,oui\n", "Q: café?\nA: oui\n"]
)
def test_encodings_and_gzip(
    encoding: str, told: str, packed: bool, text: str, tmp_path: Path
) -> None:
    data = text.encode(encoding)
    path = write(tmp_path, gzip.compress(data) if packed else data)
    found = detect_file(path)
    assert found.encoding == told
    assert found.compression == ("gzip" if packed else None)
    guessed = [problem.code for problem in found.problems]
    assert guessed == (
        ["guessed_encoding"] if told in ("windows-1252", "utf-16-le", "utf-16-be") else []
    )
    report = convert_file(path, tmp_path / "out.jsonl", to="openai")
    assert report.problems == ()
    rows = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row) for row in rows] == [CHAT] * report.rows


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n \n\t\n", "empty_file"),
        (b"\x1f\x8bnot really gzip", "unreadable_file"),
        (gzip.compress(b"x" * 10_000)[:-20], "unreadable_file"),
        (b"PK\x03\x04rest", "not_text"),
        (b"PAR1 but no table", "unreadable_file"),
        (b"\x00\x01\x02\x03" * 100, "not_text"),
        (b"\x28\xb5\x2f\xfd....", "not_text"),
    ],
)
@pytest.mark.requirement("S1-04")
def test_a_file_without_rows_is_one_finding(data: bytes, code: str, tmp_path: Path) -> None:
    path = write(tmp_path, data)
    with pytest.raises(DatasetError) as caught:
        detect_file(path)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="it is a folder"):
        detect_file(tmp_path)
    with pytest.raises(DatasetError, match="No such file"):
        detect_file(tmp_path / "none")


def test_a_person_may_say_what_the_columns_are(tmp_path: Path) -> None:
    path = write(tmp_path, "Frage,Antwort,Nr\nWie viel?,Fünf,1\nWann?,Heute,2\n")
    assert detect_file(path).format is None
    found = detect_file(path, columns={"Frage": "question", "Antwort": "answer"})
    assert found.format == "alpaca"
    assert found.columns == {"Frage": "instruction", "Antwort": "output"}
    with pytest.raises(DatasetError, match="cannot be 'mood'"):
        detect_file(path, columns={"Frage": "mood"})
    with pytest.raises(DatasetError, match="cannot both be 'output'"):
        detect_file(path, columns={"Frage": "answer", "Antwort": "output"})


def test_a_column_in_the_way_of_a_named_one_is_dropped_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, "question,answer,better\nq,a,b\nr,c,d\n")
    columns = {"question": "question", "better": "output", "answer": "input"}
    report = convert_file(path, tmp_path / "out.jsonl", to="openai", columns=columns)
    assert report.losses == {"input_joined": 2}
    path = write(tmp_path, "instruction,output,better\nq,a,b\n")
    report = convert_file(path, tmp_path / "out.jsonl", to="openai", columns={"better": "output"})
    assert report.losses == {"field_dropped": 1}
    assert '"content":"b"' in (tmp_path / "out.jsonl").read_text(encoding="utf-8")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "question,answer,answer\nq,a,b\n")
    with pytest.raises(DatasetError, match="two columns are named 'answer'"):
        convert_file(path, tmp_path / "out.jsonl", to="openai")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatasetError, match="a pipe or a device"):
        detect_file(tmp_path / "pipe")


@pytest.mark.parametrize("encoding", ["utf-99", "hex", "a\0b", "undefined"])
def test_an_unknown_encoding_is_refused(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no encoding of text"):
        detect_file(write(tmp_path, LINE), encoding=encoding)


def test_a_line_of_a_table_above_the_limit_is_refused_and_not_cut(tmp_path: Path) -> None:
    path = write(tmp_path, "question,answer\nq," + "x" * (33 * 1024 * 1024) + "\n")
    with pytest.raises(DatasetError, match="the line is longer"):
        convert_file(path, tmp_path / "out.jsonl", to="openai")


def test_rows_of_several_formats_are_told(tmp_path: Path) -> None:
    found = detect_file(write(tmp_path, f'{LINE}\n{{"instruction": "q", "output": "a"}}\n'))
    assert [problem.code for problem in found.problems] == ["mixed_formats"]


def test_an_encoding_may_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, "question,answer\ngröße,ja\n", "cp850")
    convert_file(path, tmp_path / "out.jsonl", to="alpaca", encoding="cp850")
    assert "größe" in (tmp_path / "out.jsonl").read_text(encoding="utf-8")


@pytest.mark.requirement("S1-04")
@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (f"[{LINE},\n{LINE}", "truncated_file", 2),
        (f"[{LINE},\n{LINE[:40]}", "truncated_file", 2),
        (f"[{LINE},\n{LINE[:-1]}", "truncated_file", 2),
        (f"[{LINE}\n{LINE}]", "invalid_json", 2),
        (f"[{LINE},\n]", "invalid_json", 2),
        (f"[{LINE}]\nmore", "invalid_json", 2),
        (f"[{LINE},\n{{'a': 1}}]", "invalid_json", 2),
        (f"[{LINE},\n{'[' * 2000}]", "line_too_deep", 2),
    ],
)
def test_a_broken_array_is_one_finding_with_its_line(
    text: str, code: str, line: int, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with open_utf8(path, "utf-8") as file, pytest.raises(ArrayError) as caught:
        list(read_values(file))
    assert (caught.value.code, caught.value.line) == (code, line)
    with pytest.raises(DatasetError):
        convert_file(path, tmp_path / "out.jsonl", to="openai")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file.dat"]


@pytest.mark.parametrize("size", [8, 37, 1024 * 1024])
def test_values_are_found_wherever_the_chunks_end(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finetune.dataset.json_array._CHUNK", size)
    values: list[Any] = [
        1,
        -2.5e3,
        'a]"}é\u2028😀',
        [],
        {},
        [1, [2, {"a": "[,"}]],
        None,
        True,
        10**20,
    ]
    text = json.dumps(values, indent=1, ensure_ascii=False)
    with open_utf8(write(tmp_path, text), "utf-8") as file:
        pieces = list(read_values(file))
    assert [json.loads(piece.text) for piece in pieces] == values
    lines = text.split("\n")
    for piece in pieces:
        assert lines[piece.line - 1][piece.column - 1 :].startswith(piece.text.split("\n")[0])


LARGE = """
import json, resource, sys
from pathlib import Path
from finetune.dataset import convert_file, detect_file

source, target = Path(sys.argv[1]), Path(sys.argv[2])
row = json.dumps({"instruction": "q" * 500, "output": "a" * 500})
count = 100_000
with source.open("w") as file:
    start, between, end = ("[\\n", ",\\n", "\\n]") if sys.argv[3] == "array" else ("", "\\n", "\\n")
    file.write(start + row)
    for _ in range(count - 1):
        file.write(between + row)
    file.write(end)
assert source.stat().st_size > 100_000_000
before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
# Far less than the file may be added to what the libraries take.
limit = before + 48 * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
assert detect_file(source).rows == 100
report = convert_file(source, target, to="openai")
assert report.written == count, report
print("done")
"""


@pytest.mark.requirement("S2-04")
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_large_file_is_read_in_bounded_memory(form: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        LARGE,
        str(tmp_path / "big"),
        str(tmp_path / "out.jsonl"),
        form,
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.stdout == "done\n", done.stderr[-2000:]
