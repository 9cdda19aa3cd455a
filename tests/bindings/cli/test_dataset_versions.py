"""The commands of dataset versions: candidates, split, mix, show, archive, forget."""

import json
from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm


def rows(path: Path, count: int, word: str = "row") -> Path:
    """Write a file of rows."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"{word} {n}: {n * n} {n * 7 % 11}?"},
                {"role": "assistant", "content": f"answer {n * 13} of {word}"},
            ]
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.requirement("S4-02")
def test_conversations_wait_are_accepted_and_frozen(
    wikiswarm: Wikiswarm, shop: Path, home: Path, tmp_path: Path
) -> None:
    wikiswarm("chat", shop, "--client", "ada", "-m", "How much is it?", "-m", "How many in stock?")
    wikiswarm("chat", shop, "--client", "bob", "-m", "What does the other one cost?")
    output = wikiswarm("dataset", "collect", "--quarantine")
    assert output.lines == ["3 new candidates, 0 changed, 0 known before"]
    assert not (home / "dataset").exists()
    listed = wikiswarm("dataset", "candidates", "list", "--json").json
    assert [one["state"] for one in listed] == ["candidate"] * 3
    assert "no candidate is accepted" in wikiswarm("dataset", "split", "--accepted", code=1).err
    first, second, third = (one["id"] for one in listed)
    wikiswarm("dataset", "candidates", "accept", first, third, "--by", "grace")
    wikiswarm("dataset", "candidates", "reject", second[:12], "--reason", "rude")
    made = wikiswarm("dataset", "split", "--accepted", "--valid", "0.5", "--json").json
    shown = wikiswarm("dataset", "show", made["id"][:10], "--json").json
    assert (shown["train"], shown["valid"], shown["removed"], shown["kind"]) == (1, 1, 1, "sft")
    assert shown["sources"] == [{"source": "journal", "project": None, "rows": 2}]
    assert wikiswarm("dataset", "show", made["id"]).lines[0].endswith(made["id"])
    copied = wikiswarm(
        "dataset", "archive", made["id"], "--bucket", tmp_path / "kept", "--json"
    ).json
    assert copied["uploaded"] == 5
    trial = wikiswarm("forget", "ada", "--json").json
    assert (trial["is_done"], trial["sessions"], trial["datasets"]) == (False, 1, [made["id"]])
    assert len(wikiswarm("runs", "list", "--json").json) == 3
    assert wikiswarm("forget", "ada", "--yes").lines[0].startswith("removed 1 session with 2 runs")
    assert [run["client_id"] for run in wikiswarm("runs", "list", "--json").json] == ["bob"]
    assert len(wikiswarm("dataset", "candidates", "list", "--json").json) == 1


def test_rules_of_a_file_decide(wikiswarm: Wikiswarm, shop: Path, tmp_path: Path) -> None:
    wikiswarm("chat", shop, "-m", "How much is it?", "-m", "How many in stock?")
    run = wikiswarm("runs", "list", "--json").json[0]["run_id"]
    wikiswarm("feedback", run, "--rating", "5")
    wikiswarm("dataset", "collect", "--quarantine")
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{name: good, then: accept, when: {min_rating: 4}}]", "utf-8")
    assert wikiswarm("dataset", "candidates", "apply", rules).lines == ["good: 1 row"]
    states = [one["state"] for one in wikiswarm("dataset", "candidates", "list", "--json").json]
    assert sorted(states) == ["accepted", "candidate"]
    rules.write_text("rules: [{name: all, then: accept, when: {}}]", "utf-8")
    error = wikiswarm("dataset", "candidates", "apply", rules, code=1).err
    assert "without a condition" in error


@pytest.mark.requirement("S2-08", "S3-14")
def test_files_are_split_and_mixed(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    domain, general = rows(tmp_path / "domain.jsonl", 40), rows(tmp_path / "more.jsonl", 40, "far")
    mixed = tmp_path / "mixed.jsonl"
    words = ("dataset", "mix", domain, general, "--output", mixed)
    assert wikiswarm(*words).lines == [f"{mixed}: 50 rows, 10 of them general"]
    made = wikiswarm("dataset", "split", mixed, "--seed", "3", "--json").json
    again = wikiswarm("dataset", "split", mixed, "--seed", "3", "--json").json
    assert again == made
    folder = Path(made["path"])
    sides = [folder / name for name in ("train.jsonl", "valid.jsonl")]
    assert [len(side.read_text("utf-8").splitlines()) for side in sides] == [45, 5]
    assert wikiswarm("dataset", "show", domain, "--rows", "1", "--json").json["rows"] == 40
    assert "too" not in wikiswarm("dataset", "mix", domain, general, "--output", mixed).err
    error = wikiswarm(*words, "--ratio", "0.9", code=1).err
    assert "needs 360 general rows" in error
    (folder / "valid.jsonl").chmod(0o644)
    (folder / "valid.jsonl").write_bytes(b"x" * (folder / "valid.jsonl").stat().st_size)
    assert "differs" in wikiswarm("dataset", "show", made["id"], code=1).err


@pytest.mark.requirement("S0-43")
def test_commands_see_one_project(
    wikiswarm: Wikiswarm, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for project, client_id in (("north", "ada"), ("south", "bob")):
        monkeypatch.setenv("WIKISWARM_PROJECT", project)
        wikiswarm("chat", shop, "--client", client_id, "-m", "How much is it?")
    (own,) = wikiswarm("runs", "list", "--json").json
    assert (own["client_id"], own["project"]) == ("bob", "south")
    wikiswarm("chat", shop, "--client", "ada", "-m", "What was said?", code=3)
    wikiswarm("dataset", "collect", "--quarantine")
    (one,) = wikiswarm("dataset", "candidates", "list", "--json").json
    assert one["provenance"]["client_id"] == "bob"
    monkeypatch.delenv("WIKISWARM_PROJECT")
    both = wikiswarm("runs", "list", "--json").json
    other = next(run["run_id"] for run in both if run["project"] == "north")
    assert len(both) == 2
    assert "several projects" in wikiswarm("dataset", "collect", code=1).err
    monkeypatch.setenv("WIKISWARM_PROJECT", "south")
    assert "no run begins" in wikiswarm("runs", "show", other, code=1).err
    assert "no run begins" in wikiswarm("feedback", other, "--rating", "1", code=1).err


def test_traces_of_other_tools_become_files(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    trace: dict[str, object] = {
        "id": "t",
        "input": "Who are you?",
        "output": "A seller.",
        "userId": "ada",
        "observations": [],
    }
    file = tmp_path / "export.json"
    file.write_text(json.dumps([trace]), encoding="utf-8")
    output = tmp_path / "out"
    words = ("dataset", "collect", "--from", "langfuse", file, "--output", output, "--json")
    written = wikiswarm(*words).json["files"]
    assert [one["rows"] for one in written] == [1, 0]
    origin = json.loads((output / "sft.provenance.jsonl").read_text("utf-8"))
    assert (origin["source"], origin["client_id"]) == ("export.json", "ada")
    wikiswarm("dataset", "collect", "--from", "langfuse", code=2)
    wikiswarm("dataset", "collect", "--from", "elsewhere", file, code=2)
    wikiswarm("dataset", "collect", file, code=2)
