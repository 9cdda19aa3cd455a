"""The one door: the same declarations in Python and in YAML."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

import declarative
from declarative import add_agent, add_completion, add_swarm, add_tool, add_wiki, load
from declarative.kinds import SECTIONS
from swarm import Catalog, use_catalog, validate

DOCUMENT = """\
completions: {small: {model: offline}}
wikis: {facts: {doc_description: Facts, model: registry/facts@live}}
tools:
  ask: {wiki: facts, doc_note: Ask it., examples: [What is it?]}
  raw:
    call: "tools:raw"
    type: function
    function:
      name: raw_data
      description: Raw data.
      parameters: {type: object, properties: {day: {type: string, enum: [mon, tue]}}}
agents:
  seller:
    completion: small
    prompt: You sell.
    system: [Be kind., Be short.]
    tools: [ask, raw]
    wiki_list: [facts]
    doc_description: Sells.
swarms: {shop: {agent_list: [seller], default_agent: seller, doc_description: A shop.}}
"""


class Names(StrEnum):
    """Names as a program may keep them."""

    SMALL = "small"
    FACTS = "facts"
    ASK = "ask"
    RAW = "raw"
    SELLER = "seller"
    SHOP = "shop"


@pytest.mark.requirement("S4-11", "S4-12", "S4-13", "S4-14", "S4-15", "S4-20")
def test_python_and_yaml_say_the_same(write: Callable[..., Path]) -> None:
    path = write(shop_yaml=DOCUMENT, tools_py="def raw(day): return day\n")
    from_yaml = load(path, catalog=Catalog(), environment={})
    with use_catalog(Catalog()) as from_python:
        add_swarm(
            swarm_name=Names.SHOP,
            agent_list=[Names.SELLER],
            default_agent=Names.SELLER,
            doc_description="A shop.",
        )
        add_agent(
            agent_name=Names.SELLER,
            completion=Names.SMALL,
            prompt="You sell.",
            system=["Be kind.", "Be short."],
            tools=[Names.ASK, Names.RAW],
            wiki_list=[Names.FACTS],
            doc_description="Sells.",
        )
        add_tool(
            tool_name=Names.ASK,
            wiki=Names.FACTS,
            doc_note="Ask it.",
            examples=["What is it?"],
        )
        raw = from_yaml.tools.get("raw")
        add_tool(tool_name=Names.RAW, call=raw.call, type="function", function=raw.function)
        add_wiki(wiki_name=Names.FACTS, doc_description="Facts", model="registry/facts@live")
        add_completion(completion_name=Names.SMALL, model="offline")
    validate(from_python)
    for kind in SECTIONS.values():
        first, second = (
            {getattr(spec, kind.key): spec for spec in catalog.registry(kind)}
            for catalog in (from_yaml, from_python)
        )
        assert first == second
    assert raw.function_name == "raw_data"
    assert raw.description == "Raw data."
    assert raw.parameters is not None
    assert raw.parameters["properties"] == {"day": {"type": "string", "enum": ["mon", "tue"]}}


def test_the_door_has_every_verb() -> None:
    verbs = [f"add_{kind.name}" for kind in SECTIONS.values()]
    assert set(verbs) <= set(declarative.__all__)
