"""`check` and `describe`."""

from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm


def test_a_right_document_is_counted(wikiswarm: Wikiswarm, shop: Path) -> None:
    output = wikiswarm("check", shop)
    assert "1 completions, 1 wikis, 3 tools, 2 agents, 1 swarms; no problems" in output.out
    report = wikiswarm("check", shop, "--json").json
    assert report["problems"] == []
    declared = {section: count for section, count in report["counts"].items() if count}
    assert declared == {"completions": 1, "wikis": 1, "tools": 3, "agents": 2, "swarms": 1}


def test_every_problem_is_told_with_its_place(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "completions:\n"
        "  model: {model: offlin}\n"
        "agents:\n"
        "  seller:\n"
        "    completion: modex\n"
        "    max_tool_calls: many\n"
        "    prompts: You sell.\n"
        "  seller: {completion: model}\n"
        "  doctor: !!python/name:os.system {}\n"
        "swarms:\n"
        "  shop: {agent_list: [seler], default_agent: seller}\n",
        encoding="utf-8",
    )
    output = wikiswarm("check", path, code=1)
    assert output.out == ""
    problems = output.err.splitlines()
    assert problems[-1] == f"{len(problems) - 1} problems"

    def told(line: int, *words: str) -> bool:
        return any(
            problem.startswith(f"error: {path}:{line}:") and all(word in problem for word in words)
            for problem in problems
        )

    assert told(5, "agents.seller.completion", "no completion named 'modex'", "'model'?")
    assert told(6, "agents.seller.max_tool_calls")
    assert told(7, "unknown field 'prompts'", "did you mean 'prompt'?")
    assert told(8, "seller", "twice")
    assert told(9, "not allowed")
    assert told(11, "no agent named 'seler'", "did you mean 'seller'?")
    listed = wikiswarm("check", path, "--json", code=1).json["problems"]
    assert len(listed) == len(problems) - 1
    assert {"message", "where", "file", "line", "column", "hint"} == set(listed[0])
    for command in (("chat", path, "--message", "x"), ("ask", path, "a", "b"), ("describe", path)):
        assert wikiswarm(*command, code=1).err == output.err


@pytest.mark.parametrize(
    ("format", "part"),
    [
        ("markdown", "## "),
        ("mermaid", "flowchart"),
        ("schema", '"$schema"'),
    ],
)
def test_a_document_is_described(wikiswarm: Wikiswarm, shop: Path, format: str, part: str) -> None:
    assert part in wikiswarm("describe", shop, "--format", format).out


def test_markdown_is_the_usual_description(wikiswarm: Wikiswarm, shop: Path) -> None:
    assert (
        wikiswarm("describe", shop).out == wikiswarm("describe", shop, "--format", "markdown").out
    )


@pytest.mark.requirement("kit:docs:pages")
def test_the_pages_are_written_into_a_folder(
    wikiswarm: Wikiswarm, shop: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    output = wikiswarm("describe", shop, "--output", folder)
    pages = [path for path in folder.rglob("*") if path.is_file()]
    assert output.out == f"{folder / 'index.md'}: {len(pages)} pages\n"
    assert {path.parent.name for path in pages} == {"docs", "swarms", "agents"}
    for format in ("mermaid", "schema"):
        refused = wikiswarm("describe", shop, "--format", format, "--output", folder, code=2)
        assert refused.err == f"error: --output writes markdown; print {format} without it\n"
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert "cannot write" in wikiswarm("describe", shop, "--output", tmp_path / "taken", code=3).err
