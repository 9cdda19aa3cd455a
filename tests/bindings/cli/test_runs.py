"""`runs` and `feedback`."""

from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Serve, Wikiswarm


@pytest.fixture
def run_ids(wikiswarm: Wikiswarm, shop: Path) -> list[str]:
    """Two runs: the price and, newest, the stock."""
    wikiswarm("chat", shop, "-m", "How much is it?", "-m", "How many in stock?")
    return [run["run_id"] for run in wikiswarm("runs", "list", "--json").json]


@pytest.mark.requirement("S0-01", "S0-06", "S0-15")
def test_runs_are_listed_the_newest_first(wikiswarm: Wikiswarm, run_ids: list[str]) -> None:
    newest, oldest = wikiswarm("runs").lines
    assert newest.split("\t")[0] == run_ids[0]
    assert oldest.split("\t")[2:4] == ["seller", "answered"]
    assert oldest.split("\t")[5:] == ["", "How much is it?", "On 'How much is it?': 4.80 euros."]
    assert wikiswarm("runs", "list").lines == [newest, oldest]
    assert wikiswarm("runs", "list", "--limit", "1").lines == [newest]
    assert wikiswarm("runs", "list", "--agent", "doctor").lines == []
    assert wikiswarm("runs", "--json").json == wikiswarm("runs", "list", "--json").json


@pytest.mark.requirement("S0-03", "S0-04")
def test_a_run_is_shown_with_all_it_did(wikiswarm: Wikiswarm, run_ids: list[str]) -> None:
    output = wikiswarm("runs", "show", run_ids[1][:8])
    assert output.lines[0].startswith(f"run      {run_ids[1]}  (answered, ")
    assert output.lines[2:] == [
        "  user      How much is it?",
        "  assistant calls price({})",
        *(line for line in output.lines if line.startswith("  note      wiki.answer: ")),
        "  tool      On 'How much is it?': 4.80 euros.",
        "  assistant On 'How much is it?': 4.80 euros.",
    ]
    shown = wikiswarm("runs", "show", run_ids[1], "--json").json
    assert shown["run"]["run_id"] == run_ids[1]
    kinds = [event["kind"] for event in shown["events"]]
    assert kinds == [
        "turn_started", "message_added", "noted", "message_added", "message_added", "turn_ended",
    ]  # fmt: skip


def test_a_home_can_be_named(
    wikiswarm: Wikiswarm, run_ids: list[str], home: Path, tmp_path: Path
) -> None:
    assert len(wikiswarm("runs", "list", "--home", home).lines) == 2
    output = wikiswarm("runs", "--home", tmp_path / "empty")
    assert (output.out, output.err) == (
        "",
        "no runs yet; talk to a swarm with: wikiswarm chat FILE\n",
    )


@pytest.mark.parametrize("run", ["zz", "", "\udcff"])
def test_a_run_that_is_not_there_is_one_line(
    wikiswarm: Wikiswarm, run_ids: list[str], run: str
) -> None:
    for command in (("runs", "show", run), ("feedback", run, "--rating", "3")):
        output = wikiswarm(*command, code=1)
        assert output.err.startswith("error: no run begins with")
        assert output.err.count("\n") == 1


def test_feedback_is_kept(wikiswarm: Wikiswarm, run_ids: list[str]) -> None:
    output = wikiswarm("feedback", run_ids[0][:6], "--rating", "2", "--correct", "4 boxes.")
    assert output.out == f"kept feedback on run {run_ids[0]}\n"
    wikiswarm("feedback", run_ids[0], "--rating", "5")
    wikiswarm("dataset", "collect", "--output", "data")
    pair = Path("data/dpo.jsonl").read_text(encoding="utf-8")
    assert '"preferred_output":[{"role":"assistant","content":"4 boxes."}]' in pair


def test_costs_are_shown_where_they_are_known(
    wikiswarm: Wikiswarm, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda _: "Hello")
    path = tmp_path / "hosted.yaml"
    path.write_text(
        f"completions: {{main: {{model: openai/any, base_url: {server.base_url}}}}}\n"
        "agents: {seller: {completion: main}}\n"
        "swarms: {shop: {agent_list: [seller], default_agent: seller}}\n",
        encoding="utf-8",
    )
    wikiswarm("chat", path, "-m", "One")
    prices = tmp_path / "prices.yaml"
    prices.write_text("openai/any: {input: 10, output: 1000000}\n", encoding="utf-8")
    monkeypatch.setenv("WIKISWARM_PRICES", str(prices))
    wikiswarm("chat", path, "-m", "Two")
    rows = [line.split("\t") for line in wikiswarm("runs", "list").lines]
    assert rows[0][5].startswith("$2.0")
    assert rows[1][5] == ""
    shown = [wikiswarm("runs", "show", row[0]).lines[2] for row in rows]
    assert shown[0].startswith("usage    ")
    assert "$2.0" in shown[0]
    assert shown[1].endswith("out, cost unknown")
