"""`models compare`, on conversations that were held, answered and rated by real runs."""

import sys
from pathlib import Path

import pytest

from tests.bindings.cli.conftest import Wikiswarm
from wiki import ModelRegistry
from wiki.candidate import is_in_share

_VERSIONS = '''\
"""Two versions of a model."""


def version(request):
    """Answer as either."""
    return "4.80 euros"
'''

_SHOP = """\
completions: {model: {model: offline}}
wikis:
  pharma: {model: registry/pharma@live, candidate: {share: 0.5}, doc_description: Prices}
tools: {price: {wiki: pharma, examples: [What does it cost?]}}
agents: {seller: {completion: model, prompt: You sell., tools: [price], wiki_list: [pharma]}}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""


@pytest.mark.requirement("S2-30")
def test_the_whole_trial_from_the_command_line(
    wikiswarm: Wikiswarm, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trial_versions.py").write_text(_VERSIONS, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    shop = tmp_path / "shop.yaml"
    shop.write_text(_SHOP, encoding="utf-8")
    registry = ModelRegistry(home / "models")
    for _ in range(2):
        registry.register("pharma", remote="python:trial_versions:version")
    wikiswarm("models", "promote", "pharma@1")
    wikiswarm("models", "alias", "pharma@2", "candidate")
    clients = [f"client-{number}" for number in range(12)]
    for client in clients:
        wikiswarm("chat", shop, "--client", client, "--message", "What does it cost?")
    first = wikiswarm("models", "compare", "pharma", "--minimum-clients", 3)
    assert "pharma@2 against pharma@1: not enough data; 0 clients rated pharma@2" in first.out
    for run in wikiswarm("runs", "list", "--json").json:
        rating = 5 if is_in_share("pharma", run["client_id"], 0.5) else 2
        wikiswarm("feedback", run["run_id"], "--rating", rating)
    found = wikiswarm("models", "compare", "pharma", "--minimum-clients", 3)
    assert "pharma@2 against pharma@1: better; a client of pharma@2 is the more" in found.out
    assert "warning" not in found.err
    figures = wikiswarm("models", "compare", "pharma", "--minimum-clients", 3, "--json").json
    assert figures["candidate"]["mean"] == 5.0
    assert figures["live"]["mean"] == 2.0
    assert figures["candidate"]["clients"] + figures["live"]["clients"] == 12
    # Once it was promoted, the live version is compared with the one before it.
    wikiswarm("models", "promote", "pharma@2")
    after = wikiswarm("models", "compare", "pharma", "--minimum-clients", 3)
    assert "pharma@2 against pharma@1: better" in after.out
    other = ("--candidate", "1", "--against", "2", "--minimum-clients", 3)
    assert (
        "pharma@1 against pharma@2: worse" in wikiswarm("models", "compare", "pharma", *other).out
    )


def test_versions_that_are_not_there_are_named(wikiswarm: Wikiswarm, home: Path) -> None:
    assert "pharma" in wikiswarm("models", "compare", "pharma", code=1).err
    registry = ModelRegistry(home / "models")
    registry.register("pharma", remote="offline")
    wikiswarm("models", "promote", "pharma@1")
    assert "live before" in wikiswarm("models", "compare", "pharma", code=1).err
    same = wikiswarm("models", "compare", "pharma", "--candidate", "1", code=1)
    assert "cannot be compared with itself" in same.err
