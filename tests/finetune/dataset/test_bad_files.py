"""Each bad file has its finding, with its line, and no other one; what is right has none."""

import json
from pathlib import Path

import pytest

from finetune.dataset import (
    CODES,
    PROVIDERS,
    TemplateRefusedError,
    check_file,
    check_overlap,
    convert_file,
    estimate_tokens,
)
from finetune.dataset.rows import DpoRow, SftRow
from finetune.dataset.tokens import RowTokens
from swarm.errors import DataError
from tests.finetune.dataset.bad_files import (
    CASES,
    COMPLETION,
    RESULT,
    SYSTEM,
    TEXT,
    Case,
    after,
    good,
    plain_cohere,
    trl_call,
    trl_completion,
    trl_preference,
    two,
)
from tests.finetune.dataset.test_bad_lines import (
    ANSWER,
    ASK,
    CALL_TURN,
    DPO_ROWS,
    FILES,
    OK,
    ROWS,
    TOOL,
    called,
    line,
    sft,
    told,
)

SIZE = frozenset({"few_examples", "too_few_examples"})


@pytest.mark.requirement("S1-04", "S2-07", "S0-24")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:60])
def test_a_bad_file_has_its_finding_and_no_other(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(case.content)
    report = check_file(path, **case.options)
    found = [p for p in (*report.problems, *report.warnings) if p.code == case.code]
    assert found, report.codes
    assert found[0].line == case.line
    assert (found[0].column > 0) == (case.line > 0)
    others = set(report.codes) - SIZE - {case.code} - case.also
    assert not others, [str(p) for p in (*report.problems, *report.warnings)]
    assert set(report.errors) <= set(report.codes)


def test_the_corpus_is_large_and_has_every_code(tmp_path: Path) -> None:
    cases = [*CASES, *ROWS, *DPO_ROWS, *FILES]
    contents = {(case[1], str(case[3])) for case in cases}
    assert len(contents) >= 200
    path = tmp_path / "rows.jsonl"
    path.write_bytes(OK)
    (tmp_path / "held.jsonl").write_bytes(OK + b"\n" + sft(ASK, {**ANSWER, "content": "b"}))
    overlap = check_overlap(path, tmp_path / "held.jsonl")
    proven = {case.code for case in CASES} | {p.code for p in overlap.problems}
    proven |= {row[0] for row in (*ROWS, *DPO_ROWS, *FILES)}
    proven |= {"unreadable_file", "template_refused"}  # in the tests below
    # Of detecting and converting files; in test_detect, test_convert and formats/.
    proven |= {"guessed_encoding", "not_expressible", "template_injection"}
    proven |= {"truncated_file", "unmapped_fields"}
    assert proven == set(CODES)


def test_a_folder_and_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jsonl", tmp_path / ("x" * 300)):
        for provider in PROVIDERS:
            report = check_file(path, provider=provider)
            assert report.codes == {"unreadable_file": 1}
            assert report.kind is None


def test_a_line_of_50_megabytes_is_skipped_and_the_next_one_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("wb") as file:
        file.write(good(1) + b"\n")
        file.truncate(50_000_000)
        file.seek(0, 2)
        file.write(b"\n" + good(2) + b"\n")
    report = check_file(path, max_line_bytes=1_000_000, minimum=1)
    assert [(p.line, p.code) for p in report.problems] == [(2, "line_too_long")]
    assert (report.rows, report.lines) == (2, 3)


@pytest.mark.parametrize(
    ("provider", "content"),
    [
        ("openai", TEXT),
        ("azure", b"\xef\xbb\xbf" + TEXT),
        ("azure", two("x", "y")),
        ("together", TEXT),
        ("together", sft(SYSTEM, *CALL_TURN, ASK, ANSWER, tools=[TOOL])),
        ("fireworks", sft({**SYSTEM}, ASK, {**ANSWER, "weight": 0}, ASK, ANSWER)),
        ("cohere", plain_cohere(1)),
        ("trl", sft(ASK, trl_call(), RESULT, ANSWER, tools=[TOOL])),
        ("trl", sft(ASK, trl_call(content="wait"), RESULT, ANSWER, tools=json.dumps([TOOL]))),
        ("trl", trl_preference(1)),
        ("trl", trl_completion(1)),
        ("trl", two("x", "y")),
        ("openai", COMPLETION),
        ("openai", b'{"prompt":"","completion":"Once upon a time"}'),
        ("openai", b'{"prompt":"Q: ","completion":"A"}'),
    ],
)
def test_what_a_provider_takes_has_no_finding(
    provider: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    report = check_file(path, provider=provider, minimum=1)
    assert report.codes == {"few_examples": 1}, report.problems
    assert report.provider == provider


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("openai", "openai"),
        ("openai", "completion"),
        ("trl", "trl"),
        ("trl", "trl-prompt-completion"),
        ("cohere", "cohere"),
    ],
)
def test_converted_files_pass_the_check_of_their_provider(
    provider: str, name: str, tmp_path: Path
) -> None:
    rows = [SYSTEM, ASK, called(), told(), ANSWER], [ASK, ANSWER, {**ASK, "content": "z"}, ANSWER]
    has_tools = name in ("openai", "trl", "trl-prompt-completion")
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b"\n".join([sft(*rows[0], tools=[TOOL]), sft(*rows[1])] if has_tools else [sft(*rows[1])])
    )
    report = convert_file(path, tmp_path / "out.jsonl", to=name)
    checked = check_file(tmp_path / "out.jsonl", provider=provider, minimum=1)
    assert checked.rows == report.written > 0
    assert checked.is_ok, checked.problems


def test_a_column_is_that_of_the_file_and_not_of_another_layout(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = line({"prompt": [ASK], "chosen": [ANSWER], "rejected": [{**ANSWER, "x": 1}]})
    path.write_bytes(row)
    problem = check_file(path, provider="trl").problems[0]
    assert (problem.code, problem.column) == ("message_unrecognized_key", row.index(b'"x"') + 1)
    row = line({"prompt": [ASK], "completion": [ASK, {**ANSWER, "content": ""}]})
    path.write_bytes(row)
    [problem] = check_file(path, provider="trl").problems
    assert (problem.code, problem.column) == ("missing_content", row.index(b'""') + 1)
    path.write_bytes(b'{"prompt":"x", "completion":""}')
    problem = check_file(path, minimum=0).problems[0]
    assert (problem.code, problem.column) == ("missing_content", 29)


def test_an_unknown_provider_is_told_with_the_nearest() -> None:
    with pytest.raises(DataError, match="did you mean 'openai'"):
        check_file("rows.jsonl", provider="opnai")


class Refusing:
    """A tokenizer whose template takes short rows only."""

    method, is_estimate, knows_trained, max_length = "refusing", False, False, None
    control_tokens = frozenset({"<stop>"})

    def measure(self, row: SftRow | DpoRow) -> RowTokens:
        if estimate_tokens(row).total > 30:
            raise TemplateRefusedError("too long for me")
        return estimate_tokens(row)


def test_a_row_that_a_template_refuses_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(after(good(4, "word " * 40)))
    report = check_file(path, tokenizer=Refusing(), minimum=1)
    [problem] = report.problems
    assert (problem.line, problem.code, problem.message) == (
        4,
        "template_refused",
        "too long for me",
    )
    assert report.rows == 4
    assert report.fields[-1].count == 3


def test_a_text_that_would_steer_the_model_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(after(sft({**ASK, "content": "a <stop> b"}, ANSWER)))
    report = check_file(path, tokenizer=Refusing(), minimum=1)
    [problem] = report.problems
    assert (problem.line, problem.code) == (4, "template_injection")
    assert problem.column == path.read_bytes().splitlines()[3].index(b'"a <stop>') + 1
    # Without a model nobody knows what steers it.
    assert check_file(path, minimum=1).is_ok
