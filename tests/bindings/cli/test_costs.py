"""`costs` on the command line."""

from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm

SHOP = """\
completions: {local: {model: offline}}
wikis: {hours: {model: offline, doc_description: Opening hours}}
tools: {opening_hours: {wiki: hours, examples: ["When do you open?"]}}
agents: {seller: {completion: local, tools: [opening_hours], wiki_list: [hours]}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""


@pytest.mark.requirement("S0-41")
def test_costs_are_shown_by_day_model_and_wiki(wikiswarm: Wikiswarm, tmp_path: Path) -> None:
    assert "nothing was asked yet" in wikiswarm("costs").err
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    wikiswarm("chat", "shop.yaml", "--message", "When do you open?")
    shown = wikiswarm("costs", "--against", "openai/gpt-5")
    assert any("offline\thours\t1\t0" in line for line in shown.lines)
    assert shown.lines[-1].startswith("saved $0")
    told = wikiswarm("costs", "--against", "openai/gpt-5", "--json").json
    assert told["against"] == "openai/gpt-5"
    assert {(row["model"], row["wiki"]) for row in told["rows"]} >= {("offline", "hours")}
    refused = wikiswarm("costs", "--against", "openai/none-such", code=1)
    assert "nobody knows what openai/none-such costs" in refused.err
