"""Every code of the table, proven by one file: the code, the line and the column."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from finetune.dataset import CODES, check_file, check_overlap, read_rows
from finetune.dataset.json_text import MAX_DEPTH

TOOL = {
    "type": "function",
    "function": {
        "name": "dose",
        "parameters": {
            "type": "object",
            "properties": {"drug": {"type": "string"}, "unit": {"enum": ["mg", "ml"]}},
            "required": ["drug"],
        },
    },
}
ASK: dict[str, Any] = {"role": "user", "content": "q"}
ANSWER: dict[str, Any] = {"role": "assistant", "content": "a"}


def line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sft(*messages: object, **keys: object) -> bytes:
    return line({"messages": list(messages), **keys})


def called(arguments: object = '{"drug":"x"}', name: str = "dose", id: object = "c") -> Any:
    call = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def told(id: str = "c") -> dict[str, object]:
    return {"role": "tool", "tool_call_id": id, "content": "5"}


def called_twice() -> Any:
    return {**called(), "tool_calls": [*called()["tool_calls"], *called(id="d")["tool_calls"]]}


def named(name: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": name}}


def dpo(
    good: object = "good", bad: object = "bad", messages: object = (ASK,), **keys: object
) -> bytes:
    def output(said: object) -> object:
        return [{"role": "assistant", "content": said}] if isinstance(said, str) else said

    row = {"input": {"messages": messages}, "preferred_output": output(good)}
    return line({**row, "non_preferred_output": output(bad), **keys})


OK = sft(ASK, ANSWER)
CALL_TURN = (ASK, called(), told(), ANSWER)

# code, the bad line, the text at whose start the column is (the n-th occurrence, 0 = first)
ROWS: list[tuple[str, bytes, str, int]] = [
    ("invalid_json", b"{'messages': []}", "'messages", 0),
    ("invalid_json", b'{"messages":[{"role":"user","content":"a",}]}', ",}", 0),
    ("invalid_json", b'{"messages":[{"role":"user" "content":"a"}]}', '"content', 0),
    ("invalid_json", b'{"messages":[{"role" "user"}]}', '"user', 0),
    ("invalid_json", b'{"messages":[],"parallel_tool_calls":True}', "True", 0),
    ("invalid_json", b'{"messages":"a\tb"}', "\t", 0),
    ("invalid_json", b'{"messages":"a\\qb"}', "\\q", 0),
    ("invalid_json", b'{"messages":"open}', '"open', 0),
    ("invalid_json", b"{} {}", "{}", 1),
    ("invalid_json", b'{"messages":[1,2}', "}", 0),
    ("invalid_json", b'{"messages":' + b"7" * 5000 + b"}", "777", 0),
    ("line_too_deep", b'{"messages":' + b"[" * 100_000, "[", MAX_DEPTH - 1),
    ("invalid_unicode", b'{"messages":"\xc3\xa9\xff"}', "\ufffd", 0),
    ("invalid_unicode", rb'{"messages":"x \ud800"}', '"x', 0),
    ("not_finite", b'{"messages":[NaN]}', "NaN", 0),
    ("not_finite", b'{"messages":[-Infinity]}', "-Inf", 0),
    ("not_finite", b'{"messages":[1,-1e999]}', "-1e", 0),
    ("duplicate_key", b'{"messages":[{"role":"user","role":"user"}]}', '"role', 1),
    ("data_type", b'["messages"]', "[", 0),
    ("data_type", b"null", "null", 0),
    ("mixed_formats", dpo(), "{", 0),
    ("mixed_formats", sft(ASK, ANSWER, text="x"), '"text"', 0),
    ("mixed_formats", sft(ASK, ANSWER, preferred_output=[]), "{", 0),
    ("unrecognized_key", sft(ASK, ANSWER, source="x"), '"source"', 0),
    ("unrecognized_key", sft(*CALL_TURN, tools=[{**TOOL, "x": 1}]), '"x":1', 0),
    ("wrong_type", sft(ASK, ANSWER, parallel_tool_calls="yes"), '"yes"', 0),
    ("wrong_type", sft(ASK, ANSWER, tools={}), "{}", 0),
    ("wrong_type", sft(ASK, ANSWER, "x"), '"x"', 0),
    ("wrong_type", sft({**ASK, "name": 7}, ANSWER), "7", 0),
    ("wrong_type", sft({**ASK, "content": 7}, ANSWER), "7", 0),
    ("wrong_value", sft(*CALL_TURN, tools=[{**TOOL, "type": "mcp"}]), '"mcp"', 0),
    ("missing_key", sft(*CALL_TURN, tools=[{"type": "function"}]), '{"type":"function"}', 0),
    ("missing_key", sft(ASK, ANSWER, tools=[{"function": {"name": "f"}}]), '{"function":{"n', 0),
    ("null_key", sft({**ASK, "name": None}, ANSWER), '"name"', 0),
    ("null_key", sft(ASK, ANSWER, tools=None), '"tools"', 0),
    ("deprecated_functions", sft(ASK, ANSWER, functions=[]), '"functions"', 0),
    ("deprecated_functions", sft(ASK, {**ANSWER, "function_call": {}}), '"function_call"', 0),
    ("deprecated_functions", sft(ASK, {"role": "function", "content": "x"}), '"function"', 0),
    ("missing_messages_list", line({"tools": []}), "{", 0),
    ("missing_messages_list", sft(), "[]", 0),
    ("missing_messages_list", line({"messages": None}), "null", 0),
    ("missing_messages_list", line({"messages": "x"}), '"x"', 0),
    ("message_missing_key", sft({"content": "x"}, ANSWER), '{"content', 0),
    ("message_missing_key", sft({"role": "user"}, ANSWER), '{"role', 0),
    ("message_missing_key", sft(ASK, called(), {"role": "tool", "content": "x"}), '{"role":"to', 0),
    ("message_unrecognized_key", sft({**ASK, "data": 1}, ANSWER), '"data"', 0),
    ("message_unrecognized_key", sft({**ASK, "tool_calls": []}, ANSWER), '"tool_calls"', 0),
    ("unrecognized_role", sft(ASK, {"role": "Chatbot", "content": "x"}), '"Chatbot"', 0),
    ("unrecognized_role", sft(ASK, {"role": 5, "content": "x"}), "5", 0),
    ("missing_content", sft({**ASK, "content": ""}, ANSWER), '""', 0),
    ("missing_content", sft({**ASK, "content": " \n"}, ANSWER), '" ', 0),
    ("missing_content", sft({**ASK, "content": None}, ANSWER), "null", 0),
    ("missing_content", sft({**ASK, "content": []}, ANSWER), "[]", 0),
    ("missing_content", sft(ASK, {"role": "assistant"}), '{"role":"a', 0),
    ("unsupported_content", sft({**ASK, "content": [{"type": "file"}]}, ANSWER), '"file"', 0),
    ("unsupported_content", sft(ASK, {**ANSWER, "audio": {"id": "x"}}), '"audio"', 0),
    ("invalid_weight", sft({**ASK, "weight": 1}, ANSWER), '"weight"', 0),
    ("invalid_weight", sft(ASK, {**ANSWER, "weight": 2}), "2", 0),
    ("invalid_weight", sft(ASK, {**ANSWER, "weight": True}), "true", 0),
    ("invalid_weight", sft(ASK, {**ANSWER, "weight": 0.5}), "0.5", 0),
    ("example_missing_user_message", sft(ANSWER), "[", 0),
    ("example_missing_assistant_message", sft(ASK), "[", 0),
    ("example_untrained", sft(ASK, {**ANSWER, "weight": 0}), "[", 0),
    ("last_message_role", sft(ASK, ANSWER, {**ASK, "content": "z"}), '{"role":"user"', 1),
    ("system_not_first", sft(ASK, {"role": "system", "content": "s"}, ANSWER), '{"role":"s', 0),
    ("too_many_tools", sft(ASK, ANSWER, tools=[TOOL] * 129), '[{"type"', 0),
    ("tool_name_invalid", sft(ASK, ANSWER, tools=[named("a b")]), '"a b"', 0),
    ("duplicate_tool", sft(ASK, ANSWER, tools=[TOOL, TOOL]), '"dose"', 1),
    (
        "tool_schema_invalid",
        sft(ASK, ANSWER, tools=[{**TOOL, "function": {"name": "f", "parameters": {"type": "x"}}}]),
        '{"type":"x"',
        0,
    ),
    ("unknown_tool", sft(ASK, called(name="cure"), told(), ANSWER, tools=[TOOL]), '"cure"', 0),
    ("unknown_tool", sft(*CALL_TURN), '"dose"', 0),
    ("tool_arguments_not_string", sft(ASK, called({"drug": "x"}), tools=[TOOL]), '{"drug"', 0),
    ("tool_arguments_not_json", sft(ASK, called("{'drug':1}"), tools=[TOOL]), "\"{'drug", 0),
    ("tool_arguments_not_json", sft(ASK, called("[1]"), tools=[TOOL]), '"[1]"', 0),
    ("tool_arguments_not_json", sft(ASK, called('{"drug":1,"drug":2}'), tools=[TOOL]), '"{', 0),
    ("tool_arguments_not_json", sft(ASK, called("[" * 9999), tools=[TOOL]), '"[[', 0),
    ("tool_arguments_invalid", sft(ASK, called("{}"), tools=[TOOL]), '"{}"', 0),
    ("tool_arguments_invalid", sft(ASK, called('{"drug":5}'), tools=[TOOL]), '"{', 0),
    (
        "tool_arguments_invalid",
        sft(ASK, called('{"drug":"x","unit":"kg"}'), tools=[TOOL]),
        '"{',
        0,
    ),
    ("undeclared_argument", sft(ASK, called('{"drug":"x","how":1}'), tools=[TOOL]), '"{', 0),
    ("empty_tool_calls", sft(ASK, {**ANSWER, "tool_calls": []}), "[]", 0),
    ("tool_call_id_empty", sft(ASK, called(id=""), tools=[TOOL]), '""', 0),
    ("tool_call_id_empty", sft(ASK, called(), told(""), ANSWER, tools=[TOOL]), '""', 0),
    (
        "duplicate_tool_call_id",
        sft(*CALL_TURN, ASK, called(), told(), ANSWER, tools=[TOOL]),
        '"c"',
        2,
    ),
    ("unknown_tool_call_id", sft(ASK, told("z"), ANSWER), '"z"', 0),
    ("unknown_tool_call_id", sft(ASK, called(), told(), told(), ANSWER, tools=[TOOL]), '"c"', 2),
    ("unanswered_tool_call", sft(ASK, called(), ANSWER, tools=[TOOL]), '"c"', 0),
    ("unanswered_tool_call", sft(ASK, called_twice(), told(), tools=[TOOL]), '"d"', 0),
    (
        "parallel_calls_disallowed",
        sft(
            ASK,
            called_twice(),
            tools=[TOOL],
            parallel_tool_calls=False,
        ),
        '[{"id"',
        0,
    ),
]

DPO_ROWS: list[tuple[str, bytes, str, int]] = [
    ("missing_key", line({"input": {"messages": [ASK]}, "preferred_output": [ANSWER]}), "{", 0),
    ("missing_messages_list", dpo(input={}), "{}", 0),
    ("unrecognized_key", dpo(note=1), '"note"', 0),
    ("mixed_formats", OK, "{", 0),
    ("unknown_format", line({"question": "x"}), "{", 0),
    ("wrong_type", dpo(good="x", preferred_output="x"), '"x"', 0),
    ("output_role", dpo(good=[ASK]), '"user"', 1),
    ("unrecognized_role", dpo(good=[{"role": "bot", "content": "x"}]), '"bot"', 0),
    ("output_not_single", dpo(good=[ANSWER, {**ANSWER, "content": "z"}]), '[{"role":"a', 0),
    ("example_missing_assistant_message", dpo(good=[]), "[]", 0),
    ("last_input_role", dpo(messages=(ASK, ANSWER)), '{"role":"assistant"', 0),
    ("preferred_equals_non_preferred", dpo("a  b", " a b"), '[{"role":"a', 1),
    ("empty_rejected", dpo(bad="Noop"), '[{"role":"a', 1),
    ("empty_rejected", dpo(bad=""), '[{"role":"a', 1),
    ("missing_content", dpo(good=""), '""', 0),
    ("length_ratio", dpo("long " * 80), '[{"role":"a', 1),
    ("unknown_tool", dpo(good=[called(name="cure")]), '"cure"', 0),
    (
        "unsupported_content",
        dpo(messages=[{**ASK, "content": [{"type": "image_url", "image_url": {"url": "u"}}]}]),
        '[{"type"',
        0,
    ),
]


def column_of(raw: bytes, text: str, nth: int) -> int:
    decoded, at = raw.decode("utf-8", "replace"), -1
    for _ in range(nth + 1):
        at = decoded.index(text, at + 1)
    return at + 1


def prove(path: Path, good: bytes, code: str, bad: bytes, text: str, nth: int) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n" + bad + b"\n")
    report = check_file(path, minimum=1, kind="sft" if good == OK else "dpo")
    found = [p for p in (*report.problems, *report.warnings) if p.code == code]
    assert found, report.codes
    assert (found[0].line, found[0].column) == (2, column_of(bad, text, nth))
    assert found[0].severity == CODES[code].severity
    assert report.is_ok == (CODES[code].severity == "warning")
    assert report.bad_rows == (0 if report.is_ok else 1)


@pytest.mark.requirement("S1-04")
@pytest.mark.requirement("S4-03")
@pytest.mark.parametrize(("code", "bad", "text", "nth"), ROWS)
def test_bad_sft_row(code: str, bad: bytes, text: str, nth: int, tmp_path: Path) -> None:
    prove(tmp_path / "rows.jsonl", OK, code, bad, text, nth)


@pytest.mark.requirement("S4-04")
@pytest.mark.parametrize(("code", "bad", "text", "nth"), DPO_ROWS)
def test_bad_dpo_row(code: str, bad: bytes, text: str, nth: int, tmp_path: Path) -> None:
    prove(tmp_path / "rows.jsonl", dpo("other"), code, bad, text, nth)


FILES: list[tuple[str, bytes, int, int]] = [
    ("empty_file", b"", 0, 0),
    ("empty_file", b"\xef\xbb\xbf\n \r\n\n", 0, 0),
    ("not_text", b"\x1f\x8b\x08\x00broken", 1, 1),
    ("not_text", '{"messages":[]}'.encode("utf-16"), 1, 1),
    ("blank_line", OK + b"\n\n  \n" + OK.replace(b"q", b"r"), 2, 1),
    ("blank_line", b"\n" + OK, 1, 1),
    ("unknown_format", b'{"instruction":"a","output":"b"}\n', 1, 1),
    ("too_few_examples", OK + b"\n", 0, 0),
    ("few_examples", b"\n".join(OK.replace(b'"q"', b'"%d"' % n) for n in range(2)), 0, 0),
    ("duplicate_row", OK + b"\n" + json.dumps(json.loads(OK)).encode() + b"\n\n\n", 2, 1),
    ("line_too_long", OK + b"\n" + b"x" * 5000 + b"\n" + OK, 2, 1),
    ("too_many_tokens", sft({**ASK, "content": "long " * 50}, ANSWER), 1, 1),
    ("invalid_json", b"\n".join(json.dumps(json.loads(OK), indent=1).encode().split(b"\n")), 1, 2),
    ("invalid_json", OK + b'\n{"messages":[{"role":"us', 2, 22),
    ("invalid_json", OK + b"\n\xef\xbb\xbf" + OK, 2, 1),
]


@pytest.mark.requirement("S1-04")
@pytest.mark.parametrize(("code", "content", "at_line", "column"), FILES)
def test_bad_file(code: str, content: bytes, at_line: int, column: int, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    report = check_file(path, minimum=2, max_tokens=60, max_line_bytes=2000)
    found = [p for p in (*report.problems, *report.warnings) if p.code == code]
    assert found, report.codes
    assert (found[0].line, found[0].column) == (at_line, column)
    if code in ("empty_file", "not_text"):
        assert report.codes == {code: 1}


def test_folder_and_missing_file_are_one_finding_each(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jsonl"):
        assert check_file(path).codes == {"unreadable_file": 1}
    assert "folder" in check_file(tmp_path).problems[0].message


def test_a_sparse_large_file_is_named_large_and_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(OK + b"\n")
    with path.open("r+b") as file:
        file.truncate(151_000_000)
    report = check_file(path, minimum=1)
    assert report.codes == {"large_file": 1, "few_examples": 1, "line_too_long": 1}
    assert report.bytes == 151_000_000


def test_every_code_is_proven(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(OK)
    (tmp_path / "held.jsonl").write_bytes(OK + b"\n" + sft(ASK, {**ANSWER, "content": "b"}))
    overlap = check_overlap(path, tmp_path / "held.jsonl")
    proven = {row[0] for row in (*ROWS, *DPO_ROWS, *FILES)} | {p.code for p in overlap.problems}
    proven |= {"unreadable_file", "large_file"}  # in the two tests above
    # Of detecting and converting files; in test_detect, test_convert and formats/.
    proven |= {"guessed_encoding", "not_expressible", "template_injection"}
    proven |= {"truncated_file", "unmapped_fields"}
    assert proven == set(CODES)


@pytest.mark.requirement("S1-04")
def test_a_broken_line_is_named_the_way_people_search_for_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(OK + b"\n{'messages': []}\n")
    (problem,) = [p for p in check_file(path, minimum=1).problems if p.line == 2]
    assert str(problem) == (
        "2:2: error: Invalid JSONL format: single quotes; JSON strings need double quotes "
        "[invalid_json]"
    )


def test_all_problems_of_a_row_are_found_in_the_order_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(sft({"role": "x", "content": "é"}, {**ANSWER, "weight": 3}, note=1))
    report = check_file(path, minimum=0)
    assert [p.code for p in report.problems] == [
        "unrecognized_role",
        "invalid_weight",
        "unrecognized_key",
    ]


def test_listed_problems_are_bounded_and_counts_are_not(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"nonsense\n" * 500)
    report = check_file(path, max_problems=7)
    assert len(report.problems) == 7
    assert report.codes["invalid_json"] == report.bad_rows == 500


class Schemas(BaseHTTPRequestHandler):
    """A real server with a schema to fetch."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")


def test_a_schema_never_reaches_the_network(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Schemas) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/schema.json"
        tool = {"name": "dose", "parameters": {"$ref": url}}
        path = tmp_path / "rows.jsonl"
        path.write_bytes(sft(*CALL_TURN, tools=[{"type": "function", "function": tool}]))
        report = check_file(path, minimum=1)
        server.shutdown()
    assert Schemas.asked == []
    assert report.codes["tool_schema_invalid"] == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"drug": {"pattern": "("}}},
        {"type": "object", "properties": {"drug": {"$ref": "#/$defs/absent"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "minProperties": -1},
    ],
)
def test_an_unusable_schema_is_a_finding(schema: dict[str, object], tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "dose", "parameters": schema}}
    path = tmp_path / "rows.jsonl"
    path.write_bytes(sft(*CALL_TURN, tools=[tool]))
    assert check_file(path, minimum=1).codes["tool_schema_invalid"] >= 1


def test_reading_skips_and_reports_bad_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + OK + b"\r\nnonsense\r\n" + sft(ANSWER))
    seen: list[str] = []
    rows = list(read_rows(path, on_problem=lambda problem: seen.append(str(problem)[:4])))
    assert len(rows) == 2
    assert seen == ["2:1:"]
