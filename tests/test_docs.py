"""The README and the pages of docs/ are true: their programs run, their commands exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import codes
from scripts.fields import rendered

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

TOOLS = '''
"""The functions that the README's shop.yaml names."""


def look_up(message: str) -> str:
    """Answer as the wiki."""
    return "We are open from Monday to Friday, 8:30 to 19:00."


def stock_level(sku: int) -> str:
    """How many boxes are in stock."""
    return f"There are 3 boxes of {sku}."
'''


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "WIKISWARM_HOME"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def test_the_python_example_of_the_readme_runs(tmp_path: Path) -> None:
    (program,) = blocks(README, "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("We are open from Monday to Friday")
    assert "There are 3 boxes of 4711." in done.stdout


def test_the_yaml_example_of_the_readme_checks_and_chats(tmp_path: Path) -> None:
    (document,) = blocks(README, "yaml")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    (tmp_path / "shop_tools.py").write_text(TOOLS, encoding="utf-8")
    console = next(text for text in blocks(README, "console") if "shop.yaml" in text)
    commands = [line.removeprefix("$ ") for line in console.splitlines()]
    assert len(commands) == 4
    outputs: list[str] = []
    for command in commands:
        _, *words = shlex.split(command)
        done = run(sys.executable, "-m", "bindings.cli", *words, folder=tmp_path)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        outputs.append(done.stdout)
    assert "no problems" in outputs[0]
    assert "flowchart" in outputs[1] or "graph" in outputs[1]
    assert outputs[2].strip() == "We are open from Monday to Friday, 8:30 to 19:00."
    assert "What are your opening hours?" in outputs[3]


def test_the_program_about_tools_says_what_the_page_means(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "tools.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    assert run(sys.executable, "program.py", folder=tmp_path).stdout.splitlines() == [
        "Until seven.",
        "Your table waits. [4]",
        "['You book.', 'The guest is a regular.']",
        "True front",
        "Gladly.",
    ]


def test_the_program_about_serving_says_what_the_page_means(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "serving.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "0 servers",
        "{'model': 'ollama/qwen3'}",
        "('maths', 'reasoning')",
        "local - A pack costs 4.80 euros.",
        "complex - That takes some thought.",
        "local None",
    ], done.stderr


def test_the_program_about_testing_passes(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "testing.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.count("passed") == 2, done.stderr


def test_the_program_about_checks_says_what_is_wrong(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "dataset-check.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "2:86: error: the assistant message says nothing [missing_content]",
        "3:2: error: Invalid JSONL format: single quotes; JSON strings need double quotes "
        "[invalid_json]",
        "2 2 22 True",
    ], done.stderr
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("<svg") == 4


def test_the_tables_of_codes_and_providers_fit_the_code() -> None:
    text = (ROOT / "docs" / "dataset-check.md").read_text(encoding="utf-8")
    assert codes.rendered(text) == text, "run: python -m scripts.codes"


def test_the_program_about_secrets_finds_and_hides_them(tmp_path: Path) -> None:
    programs = blocks(ROOT / "docs" / "curation.md", "python")
    (program,) = [text for text in programs if "scan_for_secrets" in text]
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "0 named_secret ('messages', 0, 'content')",
        "postgres://shop:[SECRET]@db/shop",
    ], done.stderr


def test_the_program_about_datasets_freezes_a_version(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "datasets.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.strip() == "2 1", done.stderr


def test_the_rules_of_the_page_about_datasets_can_be_read(tmp_path: Path) -> None:
    from finetune.dataset.acceptance import AcceptanceRules

    (text,) = blocks(ROOT / "docs" / "datasets.md", "yaml")
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    assert len(AcceptanceRules.read(tmp_path / "rules.yaml").rules) == 3


def test_the_program_about_formats_says_what_the_page_means(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "formats.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "csv utf-8 alpaca {'Question': 'instruction', 'Answer': 'output'}",
        "1 {'field_dropped': 1}",
        "{'conversations': [{'from': 'human', 'value': 'When do you open?'}, "
        "{'from': 'gpt', 'value': 'At nine.'}], 'system': '', 'tools': ''} []",
        "{'prompt': 'When do you open?', 'completion': 'At nine.'} ['no_boundary_space']",
    ], done.stderr


def test_the_page_about_formats_names_every_format_and_only_known_losses() -> None:
    from finetune.dataset.formats import FORMATS, LOSSES

    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| `?\{?", text, flags=re.MULTILINE)
    assert set(FORMATS) <= set(rows)
    table = text.split("| code | what happened |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", table)) - {"function_call"} <= set(LOSSES)


def test_the_program_about_evaluation_promotes_the_better_model(tmp_path: Path) -> None:
    page = ROOT / "docs" / "evaluation.md"
    (program,) = blocks(page, "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == ["promote 80", "exact 0.6625 0.9"], done.stderr
    assert "## Side by side" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_probes_of_the_page_can_be_read(tmp_path: Path) -> None:
    from finetune.evaluate import read_probes

    (probes,) = blocks(ROOT / "docs" / "evaluation.md", "yaml")
    (tmp_path / "probes.yaml").write_text(probes, encoding="utf-8")
    found = read_probes(tmp_path / "probes.yaml")
    assert (len(found.triggers), len(found.canaries)) == (2, 1)


@pytest.mark.requirement("S3-18", "S3-19")
def test_the_program_about_the_watch_says_what_the_page_means(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "watch.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == [
        "Not enough data for drift detection yet. (150 ratings; 200 are needed)",
        "True Significant quality drop detected! Consider retraining.",
        "pharma",
        "300 [('ratings', 'the loop was started')]",
        "0",
    ], done.stderr


def test_the_document_of_the_page_about_the_watch_has_no_problems(tmp_path: Path) -> None:
    (document,) = blocks(ROOT / "docs" / "watch.md", "yaml")
    (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
    done = run(sys.executable, "-m", "bindings.cli", "watch", "shop.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_documents_and_the_program_about_the_loop_plan_a_round(tmp_path: Path) -> None:
    page = ROOT / "docs" / "loop.md"
    for document in reversed(blocks(page, "yaml")):
        (tmp_path / "shop.yaml").write_text(document, encoding="utf-8")
        done = run(sys.executable, "-m", "bindings.cli", "check", "shop.yaml", folder=tmp_path)
        assert done.returncode == 0, done.stderr
    shutil.copy(ROOT / "examples" / "pharma" / "questions.yaml", tmp_path)
    (program,) = blocks(page, "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.stdout.splitlines() == ["pharma 7 days True", "528 144 198 ask"], done.stderr
    assert not (tmp_path / "home" / "loops").exists()


@pytest.mark.requirement("S0-31")
def test_the_program_about_training_trains(tmp_path: Path) -> None:
    (program,) = blocks(ROOT / "docs" / "training.md", "python")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = run(sys.executable, "program.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"True True {Path('tuned/adapter')}", "healthy"]
    assert (tmp_path / "base" / "report.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    from typer.main import get_command

    from bindings.cli import app

    root = get_command(app)
    for block in blocks(page, "console"):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ ").partition("#")[0])
            assert words[0] == "wikiswarm", line
            command = root
            options: list[str] = [word for word in words if word.startswith("--")]
            for word in words[1:]:
                inner = getattr(command, "commands", {}).get(word)
                if inner is None:
                    break
                command = inner
            assert command is not root, line
            known = {name for p in command.params for name in p.opts}
            assert set(options) <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_tables_of_fields_fit_the_declarations() -> None:
    page = ROOT / "docs" / "declarations.md"
    text = page.read_text(encoding="utf-8")
    assert rendered(text) == text, "run: python scripts/fields.py"
