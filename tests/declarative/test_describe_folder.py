"""`dump_docs`: pages that lead to each other, written whole and nowhere else."""

import re
from pathlib import Path
from typing import Any

import pytest

from declarative import (
    add_agent,
    add_completion,
    add_outline,
    add_policy,
    add_swarm,
    add_tool,
    add_wiki,
    dump_docs,
)
from declarative.describe.places import anchor
from swarm import AgentSpec, Catalog, override_agent, use_catalog
from swarm.errors import StoreError

LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")


def look_up(text: str) -> str:
    """Look something up."""
    raise NotImplementedError


@pytest.fixture
def shop() -> Any:
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", model="offline")
        add_wiki(wiki_name="facts", model="offline")
        add_policy(policy_name="short", max_length=10)
        add_tool(look_up)
        add_tool(tool_name="ask_facts", wiki="facts")
        add_agent(
            agent_name="seller",
            completion="model",
            tools=["look_up", "ask_facts"],
            wiki_list=["facts"],
            handoffs=["Seller"],
        )
        add_agent(agent_name="Seller", completion="model", tools=["look_up"])
        add_outline(outline_name="order", completion="model", format={"type": "object"})
        add_swarm(
            swarm_name="shop",
            agent_list=["seller", "Seller"],
            default_agent="seller",
            policies=["short"],
        )
        yield catalog


@pytest.mark.requirement("kit:docs:pages")
def test_every_link_leads_to_a_heading_of_a_page(shop: Catalog, tmp_path: Path) -> None:
    pages = dump_docs(tmp_path / "docs" / "shop")
    root = tmp_path / "docs" / "shop"
    assert [page.relative_to(root).as_posix() for page in pages] == [
        "swarms/shop.md",
        "agents/seller.md",
        "agents/Seller-2.md",  # also where Seller.md and seller.md are the same file
        "outlines/order.md",
        "index.md",
    ]
    links = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for path, fragment in LINK.findall(text):
            target = (page.parent / path).resolve() if path else page
            assert target in [known.resolve() for known in pages], f"{page.name}: {path}"
            if fragment:
                headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
                assert fragment[1:] in [anchor(heading) for heading in headings]
            links += 1
    assert links > 20
    # Each agent's page describes the tools itself.
    for page in pages[1:3]:
        assert "Tool `look_up`" in page.read_text(encoding="utf-8")


@pytest.mark.requirement("kit:docs:pages")
def test_pages_of_what_is_gone_are_removed_and_others_stay(shop: Catalog, tmp_path: Path) -> None:
    dump_docs(tmp_path)
    own = tmp_path / "agents" / "notes.md"
    own.write_text("# My notes\n", encoding="utf-8")
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", model="offline")
        add_agent(agent_name="buyer", completion="model")
    dump_docs(tmp_path, catalog=catalog)
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert left == ["agents/buyer.md", "agents/notes.md", "index.md"]
    assert own.read_text(encoding="utf-8") == "# My notes\n"


def test_two_runs_write_the_same(shop: Catalog, tmp_path: Path) -> None:
    first = {page: page.read_text(encoding="utf-8") for page in dump_docs(tmp_path)}
    assert {page: page.read_text(encoding="utf-8") for page in dump_docs(tmp_path)} == first
    with override_agent("seller", doc_description="Sells."):
        dump_docs(tmp_path)
    assert (tmp_path / "agents" / "seller.md").read_text(encoding="utf-8") not in first.values()


def test_a_folder_that_leads_elsewhere_is_refused(shop: Catalog, tmp_path: Path) -> None:
    docs, elsewhere = tmp_path / "docs", tmp_path / "elsewhere"
    docs.mkdir()
    elsewhere.mkdir()
    (docs / "agents").symlink_to(elsewhere)
    with pytest.raises(StoreError, match=r"agents.*outside of"):
        dump_docs(docs)
    assert list(elsewhere.iterdir()) == []


def test_a_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    wrong = AgentSpec(agent_name="a", operator=True).model_copy(update={"agent_name": "../../evil"})
    catalog = Catalog()
    catalog.agents.add(wrong)
    with pytest.raises(StoreError, match="outside of"):
        dump_docs(tmp_path / "docs", catalog=catalog)
    assert not list(tmp_path.rglob("evil*"))


def test_a_place_that_cannot_be_written(shop: Catalog, tmp_path: Path) -> None:
    (tmp_path / "docs").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot write"):
        dump_docs(tmp_path / "docs")


def test_a_page_takes_the_place_of_a_link_and_not_of_its_target(
    shop: Catalog, tmp_path: Path
) -> None:
    target = tmp_path / "precious.txt"
    target.write_text("precious", encoding="utf-8")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").symlink_to(target)
    dump_docs(docs)
    assert target.read_text(encoding="utf-8") == "precious"
    assert (docs / "index.md").read_text(encoding="utf-8").count("# Documentation") == 1
