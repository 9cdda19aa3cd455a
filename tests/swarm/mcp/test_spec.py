"""The declaration of an MCP server, in Python and in YAML."""

from pathlib import Path
from typing import Any

import pytest

from declarative import check, describe, load
from swarm import Catalog, McpSpec, add_agent, add_completion, add_mcp, use_catalog
from swarm.errors import ValidationError
from swarm.mcp import MCPS
from swarm.validate import find_problems


def tools(client_id: str) -> list[object]:
    """List nothing."""
    return []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "exactly one of"),
        ({"command": ["a"], "url": "https://a.example/mcp"}, "exactly one of"),
        ({"command": []}, "at least 1 item"),
        ({"command": "a"}, "Input should be a list"),
        ({"list_tools": tools}, "go together"),
        ({"command": ["a"], "api_key_env": "KEY"}, "are for a `url`"),
        ({"url": "https://a.example/mcp", "env": ["KEY"]}, "are for a `command`"),
        ({"url": "ftp://a.example/mcp"}, "must start with http"),
        ({"url": "https://me:key@a.example/mcp"}, "must hold no key"),
        ({"url": "http://a.example/mcp", "api_key_env": "KEY"}, "https:// address only"),
        ({"url": "https://a.example", "headers": {"X-Key": "Bearer abc"}}, "match pattern"),
        ({"command": ["a"], "env": ["KEY=value"]}, "match pattern"),
        ({"command": ["a"], "prefix": "shop."}, "match pattern"),
        ({"command": ["a"], "timeout": 0}, "greater than 0"),
    ],
)
def test_a_wrong_declaration_is_refused(fields: dict[str, Any], message: str) -> None:
    with use_catalog(Catalog()), pytest.raises(ValidationError, match=message):
        add_mcp(mcp_name="shelves", **fields)


def test_keys_may_be_sent_to_this_machine() -> None:
    spec = McpSpec(mcp_name="a", url="http://127.0.0.1:8000/mcp", api_key_env="KEY")
    assert spec.timeout == 30.0


def test_an_unknown_name_is_found_with_the_nearest() -> None:
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="m", model="offline")
        add_mcp(mcp_name="shelves", command=["a"])
        add_agent(agent_name="seller", completion="m", mcp=["shelve"])
    (problem,) = find_problems(catalog)
    assert problem.where == "agents.seller.mcp[0]"
    assert problem.hint == "did you mean 'shelves'?"


DOCUMENT = """\
completions: {model: {model: offline}}
mcp:
  shelves: {command: [python, shelves.py], env: [SHOP], tools: [stock], prefix: shop_}
  web: {url: "https://example.com/mcp", headers: {X-Key: WEB_KEY}, timeout: 5}
  own: {list_tools: "own:list_tools", call_tool: "own:call_tool"}
agents:
  seller: {completion: model, mcp: [shelves, web, own]}
swarms: {shop: {agent_list: [seller], default_agent: seller}}
"""


def test_yaml_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        '"""Own."""\n\n\ndef list_tools(client_id):\n    return []\n\n\n'
        "def call_tool(name, context):\n    return name\n",
        encoding="utf-8",
    )
    path = tmp_path / "shop.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    catalog = load(path, catalog=Catalog())
    specs = {spec.mcp_name: spec for spec in catalog.registry(MCPS)}
    assert specs["shelves"] == McpSpec(
        mcp_name="shelves",
        command=["python", "shelves.py"],
        env=["SHOP"],
        tools=["stock"],
        prefix="shop_",
    )
    assert specs["web"].headers == {"X-Key": "WEB_KEY"}
    assert specs["own"].list_tools is not None
    assert catalog.agents.get("seller").mcp == ("shelves", "web", "own")
    text = describe(catalog)
    assert [f"| `{name}` |" in text for name in ("shelves", "web", "own")] == [True] * 3


def test_yaml_problems_have_their_line(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    text = DOCUMENT.replace("  own:", "  # own:").replace("web, own]", "wob]")
    path.write_text(text.replace("timeout: 5", "timeouts: 5"), encoding="utf-8")
    found = [(p.line, p.where, p.hint) for p in check(path).problems]
    assert found == [
        (4, "mcp.web.timeouts", "did you mean 'timeout'?"),
        (7, "agents.seller.mcp[1]", "did you mean 'web'?"),
    ]
