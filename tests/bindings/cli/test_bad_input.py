"""Bad input to every command: a message, the right exit code, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm

QUESTIONS = """\
- id: price
  answer: 4.80 euros.
  train: ["How much is it?"]
"""


@pytest.fixture
def files(shop: Path, tmp_path: Path) -> Path:
    """A folder with everything that is not what a command wants."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "q.yaml").write_text(QUESTIONS, encoding="utf-8")
    (tmp_path / "file").write_text("text", encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "wrong.json").write_text('{"epoch": 3, "seed": -1}', encoding="utf-8")
    for name in ("bin", "bin.yaml", "bin.jsonl", "bin.json"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    for name in ("empty", "empty.yaml", "empty.jsonl"):
        (tmp_path / name).touch()
    run = tmp_path / "run"
    (run / "evaluations" / "train").mkdir(parents=True)
    (run / "manifest.json").write_text("{}", encoding="utf-8")
    (run / "config.json").write_text("[1]", encoding="utf-8")
    measured = tmp_path / "measured"
    (measured / "evaluations" / "train").mkdir(parents=True)
    (measured / "evaluations" / "train" / "report.json").write_text("no", encoding="utf-8")
    return tmp_path


INPUT_PROBLEMS = [
    *(f"{command} {file}" for command in ("check", "describe") for file in
      ("none.yaml", "folder", "bin", "empty", "list.json")),
    *(f"{command} {file}" for command in ("chat -m x", "doctor") for file in
      ("none.yaml", "folder", "bin", "empty")),
    "ask none.yaml pharma x",
    "ask shop.yaml none x",
    "chat shop.yaml -m x --client a/b",
    "chat shop.yaml -m x --client ..",
    "chat shop.yaml -m x --swarm none",
    "runs show zz",
    "feedback zz --rating 3",
    *(f"dataset check {file}" for file in ("none", "folder", "bin", "empty", "list.json")),
    *(f"train {file}" for file in
      ("none.yaml", "none", "folder", "bin", "bin.yaml", "bin.jsonl", "empty.yaml", "empty.jsonl")),
    *(f"train q.yaml --config {file}" for file in
      ("none", "folder", "bin.json", "list.json", "wrong.json", "empty")),
    "train q.yaml --method sfx",
    "train q.yaml --base none",
    "train q.yaml --base file",
    "train q.yaml --output run",
    "train q.yaml --rehearsal none",
    "train q.yaml --method dpo --base scratch",
    *(f"evaluate {model} q.yaml" for model in
      ("none", "file", "folder", "run", "no/such", "registry/none@live", "registry/..@live",
       "python:none:answer", "gguf/none.gguf")),
    *(f"evaluate offline:x {file}" for file in ("none.yaml", "folder", "bin.yaml", "bin.jsonl")),
    "evaluate folder q.yaml --held-out",
    "evaluate folder bin.jsonl --held-out",
    *(f"package {run} --name x" for run in ("none", "file", "folder", "run", "measured")),
    "package run --name X!",
    "package run --name ../x",
    "models list none",
    "models show @@",
]  # fmt: skip

ENVIRONMENT_PROBLEMS = [
    *(f"{command} --home {home}" for home in ("file", "file/below") for command in
      ("chat shop.yaml -m x", "ask shop.yaml pharma x", "runs", "runs list", "runs show x",
       "feedback x --rating 3", "dataset collect", "train q.yaml", "doctor")),
    *(f"models {command} --home file" for command in ("list", "show x@1", "rollback x")),
    "dataset collect --output file",
    "dataset collect --output file/below",
    "train q.yaml --output file",
    "train q.yaml --output file/below",
]  # fmt: skip


@pytest.mark.parametrize("line", INPUT_PROBLEMS)
def test_a_problem_of_the_input_ends_with_1(wikiswarm: Wikiswarm, files: Path, line: str) -> None:
    output = wikiswarm(*line.split(), code=1)
    assert output.err.strip()


@pytest.mark.parametrize("line", ENVIRONMENT_PROBLEMS)
def test_a_problem_of_the_environment_ends_with_3(
    wikiswarm: Wikiswarm, files: Path, line: str
) -> None:
    output = wikiswarm(*line.split(), code=3)
    assert output.err.count("\n") == 1, output.err


def test_a_configuration_is_told_what_is_wrong_with_it(wikiswarm: Wikiswarm, files: Path) -> None:
    output = wikiswarm("train", "q.yaml", "--config", "wrong.json", code=1)
    assert "epoch: Extra inputs are not permitted" in output.err
    assert "seed: Input should be greater than or equal to 0" in output.err


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\x00" + bytes(200)])
def test_a_journal_that_is_none_is_named(
    wikiswarm: Wikiswarm, shop: Path, home: Path, content: bytes
) -> None:
    home.mkdir()
    (home / "journal.sqlite3").write_bytes(content)
    output = wikiswarm("chat", shop, "-m", "Hello", code=3)
    assert str(home / "journal.sqlite3") in output.err
    assert output.out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="the shell has no ulimit")
def test_a_full_disk_is_told_before_a_message_is_accepted(shop: Path, home: Path) -> None:
    command = [Path(sys.executable).with_name("wikiswarm"), "chat", shop]
    # No file may grow: what a disk without any space left does to a program.
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command]
    # Coverage writes files of its own, and says so where it cannot.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    result = subprocess.run(
        limited,
        input="How much is it?\n",
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "space left" in result.stderr


@pytest.mark.parametrize("package", ["xllamacpp", "litellm", "cohere"])
def test_a_missing_extra_is_one_line_that_says_what_to_install(
    shop: Path, home: Path, tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHERE_API_KEY", "a-key")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    program = (
        "import sys, importlib.metadata as metadata\n"
        f"sys.modules[{package!r}] = None\n"
        "known = metadata.version\n"
        "def version(name):\n"
        f"    if name == {package!r}:\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "metadata.version = version\n"
    )
    (hidden / "sitecustomize.py").write_text(program, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    model = {"xllamacpp": "gguf/tiny.gguf", "litellm": "litellm/a/b", "cohere": "cohere/any"}
    if package == "xllamacpp":
        from tests.wiki.tiny_gguf import write_tiny_gguf

        write_tiny_gguf(tmp_path / "tiny.gguf")
    text = shop.read_text(encoding="utf-8").replace("offline", model[package])
    shop.write_text(text, encoding="utf-8")
    command = [Path(sys.executable).with_name("wikiswarm"), "chat", shop, "-m", "Hello"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    extra = "gguf" if package == "xllamacpp" else package
    assert result.returncode == 3
    assert result.stderr.count("\n") == 1
    assert f"run: pip install 'wikiswarm[{extra}]'" in result.stderr
