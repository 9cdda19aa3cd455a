"""The graphs: what is drawn, what each line means, and what stays legible."""

import re
from typing import Any

import pytest

from declarative import (
    add_agent,
    add_completion,
    add_mcp,
    add_policy,
    add_state,
    add_storage,
    add_swarm,
    add_tool,
    add_wiki,
    describe,
    dump_agent,
    dump_swarm,
)
from swarm import Catalog, use_catalog
from swarm.errors import UnknownNameError

ARROW = re.compile(r"^    (\w+) ([-<=.>]+)(?:\|([\w ]+)\|)? (\w+)$", re.MULTILINE)


def look_up(text: str) -> str:
    """Look something up."""
    raise NotImplementedError


@pytest.fixture
def shop() -> Any:
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", model="offline")
        add_wiki(wiki_name="facts", model="offline")
        add_wiki(wiki_name="law", model="offline")
        add_mcp(mcp_name="files", command=["files"])
        add_state(state_name="cart")
        add_storage(storage_name="notes")
        for name in ("calm", "short"):
            add_policy(policy_name=name)
        add_tool(look_up)
        add_tool(tool_name="ask_facts", wiki="facts")
        add_tool(tool_name="to_boss", navigate_to="boss")
        add_agent(
            agent_name="seller",
            completion="model",
            tools=["look_up", "ask_facts", "to_boss", "nothing"],
            wiki_list=["facts", "law"],
            mcp=["files"],
            handoffs=["clerk"],
            states=["cart"],
            storages=["notes"],
        )
        add_agent(agent_name="clerk", completion="model", depends_on=["seller", "boss"])
        add_agent(agent_name="boss", operator=True, handoffs=["seller"])
        add_agent(agent_name="lonely", completion="model")
        add_swarm(
            swarm_name="shop",
            agent_list=["seller", "clerk", "boss", "gone"],
            default_agent="seller",
            policies=["short", "calm"],
        )
        yield catalog


def drawn(graph: str) -> tuple[dict[str, str], set[tuple[str, str, str, str]]]:
    """Return the label of each node, and the arrows between labels."""
    nodes = dict(re.findall(r'^    (\w+)\W+"(.*)"\W*$', graph, re.MULTILINE))
    arrows = {
        (nodes[start], line, label, nodes[end])
        for start, line, label, end in ARROW.findall(graph)
        if start in nodes
    }
    return nodes, arrows


@pytest.mark.requirement("kit:docs:graph")
def test_a_swarm_is_drawn_with_its_policies_agents_tools_and_wikis(shop: Catalog) -> None:
    graph = dump_swarm("shop")
    nodes, arrows = drawn(graph)
    assert arrows == {
        ("shop", "-->", "", "short<br/>calm"),
        ("short<br/>calm", "-->", "starts", "seller"),
        ("seller", "-->", "", "look_up"),
        ("seller", "-->", "", "ask_facts"),
        ("ask_facts", "-->", "asks", "facts"),
        ("seller", "-.->", "may ask", "law"),
        ("seller", "-->", "uses the tools of", "files"),
        ("seller", "==>", "hands over", "clerk"),
        ("seller", "<==>", "hand over", "boss<br/>a person"),
        ("clerk", "-.->", "hands over by a tool", "seller"),
        ("clerk", "-.->", "hands over by a tool", "boss<br/>a person"),
    }
    shapes = {label: node for node, label in nodes.items()}
    assert f'    {shapes["boss<br/>a person"]}{{{{"boss<br/>a person"}}}}' in graph
    assert f'    {shapes["short<br/>calm"]}{{"short<br/>calm"}}' in graph
    assert f"    class {shapes['seller']} starts" in graph
    assert "lonely" not in graph
    assert f"```mermaid\n{graph}```" in describe(shop)


@pytest.mark.requirement("kit:docs:graph")
def test_an_agent_is_drawn_with_what_it_uses_and_its_neighbours(shop: Catalog) -> None:
    _, arrows = drawn(dump_agent("clerk", catalog=shop))
    assert arrows == {
        ("seller", "==>", "hands over", "clerk"),
        ("clerk", "-.->", "hands over by a tool", "seller"),
        ("clerk", "-.->", "hands over by a tool", "boss<br/>a person"),
    }
    _, arrows = drawn(dump_agent("seller", catalog=shop))
    assert ("seller", "-->", "keeps things in", "cart") in arrows
    assert ("seller", "-->", "keeps things in", "notes") in arrows
    assert ("boss<br/>a person", "==>", "hands over", "seller") not in arrows


def test_everything_together_has_a_frame_for_each_swarm(shop: Catalog) -> None:
    assert "subgraph" not in describe(shop, "mermaid")
    add_agent(agent_name="buyer", completion="model")
    add_swarm(swarm_name="store", agent_list=["buyer", "seller"], default_agent="buyer")
    graph = describe(shop, "mermaid")
    frames = re.findall(r'subgraph \w+\["(\w+)"\]\n((?:    agent.*\n)+)    end\n', graph)
    members = {name: re.findall(r'"(\w+)[<"]', body) for name, body in frames}
    assert members == {"shop": ["seller", "clerk", "boss"], "store": ["buyer"]}
    nodes, arrows = drawn(graph)
    assert ("store", "-.-", "has too", "seller") in arrows
    assert ("store", "-->", "starts", "buyer") in arrows
    assert "lonely" in nodes.values()


def test_thirty_agents_stay_legible() -> None:
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", model="offline")
        add_wiki(wiki_name="facts", model="offline")
        names = [f"agent_{n}" for n in range(30)]
        for name in names:
            add_tool(tool_name=f"{name}_tool", call=look_up)
            add_tool(tool_name=f"{name}_ask", wiki="facts")
            add_agent(
                agent_name=name,
                completion="model",
                tools=[f"{name}_tool", f"{name}_ask"],
                wiki_list=["facts"],
                handoffs=[other for other in names if other != name],
            )
        add_swarm(swarm_name="big", agent_list=names, default_agent="agent_0")
    graph = dump_swarm("big", catalog=catalog)
    nodes, arrows = drawn(graph)
    assert len(nodes) == 32, "no node for each tool"
    assert "agent_7<br/>2 tools" in nodes.values()
    assert ("agent_7<br/>2 tools", "-->", "asks", "facts") in arrows
    both = [arrow for arrow in arrows if arrow[1] == "<==>"]
    assert len(both) == 30 * 29 // 2, "one line for each pair"
    assert {label for _, _, label, _ in both} == {""}
    assert len(arrows) < 500, "Mermaid draws no more"


@pytest.mark.parametrize("dump", [dump_agent, dump_swarm])
def test_a_name_that_is_not_declared(shop: Catalog, dump: Any) -> None:
    nearest = {dump_agent: "seller", dump_swarm: "shop"}[dump]
    with pytest.raises(UnknownNameError, match=f"did you mean '{nearest}'"):
        dump(f"{nearest}s", catalog=shop)


def test_labels_hold_no_key_and_no_syntax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "seller-secret")
    with use_catalog(Catalog()):
        add_agent(agent_name="seller-secret", operator=True)
        graph = dump_agent("seller-secret")
    assert '{{"${SHOP_TOKEN}<br/>a person"}}' in graph
