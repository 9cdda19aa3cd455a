"""`dataset check` and `dataset mask`, as a person calls them."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bindings
from finetune.train import TrainResult
from tests.bindings.cli.conftest import Wikiswarm


def row(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages}, ensure_ascii=False)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    lines = [row(f"Question {n}?", f"Answer \x1b[2J {n}.") for n in range(12)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.requirement("S2-10", "S2-03")
def test_a_report_is_written_in_three_forms(
    wikiswarm: Wikiswarm, rows: Path, tmp_path: Path
) -> None:
    for name in ("report.md", "report.html", "new/report.json"):
        target = tmp_path / name
        output = wikiswarm("dataset", "check", rows, "--report", target, "--date", "2026-11-25")
        assert output.lines == [f"{rows}: sft, 12 rows, no problems, 1 warning"]
        first = target.read_bytes()
        wikiswarm("dataset", "check", rows, "--report", target, "--date", "2026-11-25")
        assert target.read_bytes() == first
    assert "2026-11-25" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "new/report.json").read_bytes())["rows"] == 12


@pytest.mark.parametrize(
    "arguments",
    [["--report", "report.pdf"], ["{rows}", "--report", "report.md"], ["--report", "{rows}"]],
)
def test_a_report_that_cannot_be_meant_is_refused(
    wikiswarm: Wikiswarm, rows: Path, arguments: list[str]
) -> None:
    before = rows.read_bytes()
    words = [word.replace("{rows}", str(rows)) for word in arguments]
    output = wikiswarm("dataset", "check", rows, *words, code=2)
    assert output.err.startswith("error: --report")
    assert rows.read_bytes() == before


def test_a_training_file_is_never_replaced_by_its_report(wikiswarm: Wikiswarm, rows: Path) -> None:
    odd = rows.rename(rows.with_name("rows.json"))
    before = odd.read_bytes()
    wikiswarm("dataset", "check", odd, "--report", odd, code=2)
    assert odd.read_bytes() == before


def test_a_bad_file_has_its_report_too(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("nonsense\n", encoding="utf-8")
    wikiswarm("dataset", "check", path, "--report", "r.md", code=1)
    assert "invalid_json" in Path("r.md").read_text(encoding="utf-8")


@pytest.mark.requirement("S0-24")
def test_the_rules_of_a_provider_can_be_chosen(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    turn = {"role": "assistant", "content": "x"}
    line = json.dumps({"messages": [{"role": "user", "content": "q"}, turn, turn]})
    path.write_text(line + "\n", encoding="utf-8")
    wikiswarm("dataset", "check", path, "--minimum", "1")
    output = wikiswarm("dataset", "check", path, "--provider", "together", code=1)
    column = line.rindex('{"role"') + 1
    assert f"{path}:1:{column}: error: together wants user and assistant in turns" in output.err
    output = wikiswarm("dataset", "check", path, "--provider", "togethr", code=1)
    assert "did you mean 'together'?" in output.err


@pytest.mark.requirement("S1-05")
def test_guidance_is_told_where_something_is_to_be_done(wikiswarm: Wikiswarm, rows: Path) -> None:
    output = wikiswarm("dataset", "check", rows)
    assert f"{rows}: size: 12 rows" in output.err
    assert "hint: gains are usual from 50 to 100 rows; collect more" in output.err


def test_tokens_are_counted_by_the_model(
    wikiswarm: Wikiswarm, rows: Path, trained_run: TrainResult
) -> None:
    [report] = wikiswarm("dataset", "check", rows, "--model", trained_run.run_dir, "--json").json
    assert report["tokens"]["is_estimate"] is False
    assert report["max_tokens"] == 128
    output = wikiswarm("dataset", "check", rows, "--model", "absent", code=1)
    assert "no tokenizer here" in output.err


def test_an_encoding_whose_file_is_not_here_is_never_fetched(
    wikiswarm: Wikiswarm, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "encodings"))
    output = wikiswarm("dataset", "check", rows, "--model", "o200k_base", code=3)
    assert "nothing is downloaded here" in output.err


@pytest.mark.requirement("S2-07")
def test_the_mask_is_shown_in_brackets(
    wikiswarm: Wikiswarm, rows: Path, trained_run: TrainResult
) -> None:
    output = wikiswarm("dataset", "mask", rows, "--model", trained_run.run_dir)
    assert re.fullmatch(
        rf"{re.escape(str(rows))}:1: \d+ of \d+ tokens trained \(\d+\.\d%\)", output.lines[0]
    )
    text = "\n".join(output.lines)
    assert "<|im_start|>assistant\n[Answer [2J 0.<|im_end|>]\n" in text
    assert "\x1b" not in output.out  # what a file says must not steer the terminal
    assert text.count("tokens trained (") == 6  # five rows, and the file
    assert output.lines[-1].startswith(f"{rows}: 12 rows, ")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
@pytest.mark.parametrize("without", [False, True])
def test_the_mask_is_coloured_in_a_terminal(
    rows: Path, trained_run: TrainResult, without: bool
) -> None:
    import pty

    main, terminal = pty.openpty()
    words = ["dataset", "mask", rows, "--row", "2", "--model", trained_run.run_dir]
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-m", "bindings.cli", *map(str, words)],
        cwd=Path(bindings.__file__).parent.parent,
        env={**environment, **({"NO_COLOR": "1"} if without else {})},
        stdout=terminal,
        check=True,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # a terminal that nobody writes to any more
        while piece := os.read(main, 65536):
            shown += piece
    os.close(main)
    answer = "Answer [2J 1.<|im_end|>"
    if without:
        assert f"[{answer}]" in shown.decode()
        assert b"\x1b" not in shown
    else:
        assert f"\x1b[1;32m{answer}\x1b[0m" in shown.decode()
        assert b"\x1b[2J" not in shown


def test_one_row_of_the_mask_can_be_chosen(
    wikiswarm: Wikiswarm, rows: Path, trained_run: TrainResult
) -> None:
    found = wikiswarm(
        "dataset", "mask", rows, "--row", "9", "--model", trained_run.run_dir, "--json"
    ).json
    [mask] = found["masks"]
    assert mask["line"] == 9
    trained = "".join(mask["text"][low:high] for low, high in mask["spans"])
    assert trained == "Answer \x1b[2J 8.<|im_end|>"
    assert found["rows"] == 12
    output = wikiswarm(
        "dataset", "mask", rows, "--row", "99", "--model", trained_run.run_dir, code=1
    )
    assert "no row on line 99" in output.err


def test_a_mask_of_bad_lines_fails_and_names_them(
    wikiswarm: Wikiswarm, rows: Path, trained_run: TrainResult
) -> None:
    with rows.open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    output = wikiswarm("dataset", "mask", rows, "--model", trained_run.run_dir, code=1)
    assert f"{rows}:13:1: error: Invalid JSONL format" in output.err
