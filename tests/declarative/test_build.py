"""`load` and `check`: from a document to a catalog, or to everything that is wrong with it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from declarative import check, load
from declarative.kinds import SECTIONS
from swarm import Catalog, add_tool, current_catalog, use_catalog
from swarm.errors import ValidationError
from wiki.spec import WIKIS

DESIGN = """\
# shop.yaml: keys under a kind are the names; every other key is the spec's field
completions: {openai: {model: openai/your-model}}
wikis:       {pharma_wiki: {doc_description: Products and policies, model: registry/pharma@live, fallback: openai/your-model}}
tools:
  find_pharma_product: {wiki: pharma_wiki}
  stock_level: {call: "shop_tools:stock_level"}
agents:      {seller: {completion: openai, prompt: "You sell ...", tools: [find_pharma_product, stock_level], wiki_list: [pharma_wiki]}}
swarms:      {shop: {agent_list: [seller], default_agent: seller}}
"""  # noqa: E501
SHOP_TOOLS = '''\
async def stock_level(sku: str) -> int:
    """How many boxes are in stock.

    Args:
        sku: The article number.
    """
    return len(sku)
'''


@pytest.mark.requirement("S4-11", "S4-12", "S4-13", "S4-14", "S4-15")
def test_the_document_of_the_design_loads(write: Callable[..., Path]) -> None:
    path = write(shop_yaml=DESIGN, shop_tools_py=SHOP_TOOLS)
    catalog = load(path, catalog=Catalog(), environment={})
    assert catalog.completions.get("openai").model == "openai/your-model"
    wiki = catalog.registry(WIKIS).get("pharma_wiki")
    assert (wiki.model, wiki.fallback) == ("registry/pharma@live", "openai/your-model")
    assert wiki.doc_description == "Products and policies"
    tool = catalog.tools.get("stock_level")
    assert tool.description == "How many boxes are in stock."
    assert tool.call is not None
    assert tool.call.__name__ == "stock_level"
    assert catalog.tools.get("find_pharma_product").wiki == "pharma_wiki"
    agent = catalog.agents.get("seller")
    assert (agent.completion, agent.prompt) == ("openai", "You sell ...")
    assert agent.tools == ("find_pharma_product", "stock_level")
    assert agent.wiki_list == ("pharma_wiki",)
    swarm = catalog.swarms.get("shop")
    assert (swarm.agent_list, swarm.default_agent) == (("seller",), "seller")
    counts = check(path, environment={}).counts
    assert {section: count for section, count in counts.items() if count} == {
        "completions": 1,
        "wikis": 1,
        "tools": 2,
        "agents": 1,
        "swarms": 1,
    }


def test_what_was_loaded_can_be_written_and_loaded_again(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    first = load(write(shop_yaml=DESIGN, shop_tools_py=SHOP_TOOLS), catalog=Catalog())
    data = {
        section: {
            getattr(spec, kind.key): spec.model_dump(
                mode="json", exclude={kind.key, "call"}, exclude_defaults=True
            )
            | ({"call": "shop_tools:stock_level"} if getattr(spec, "call", None) else {})
            for spec in first.registry(kind)
        }
        for section, kind in SECTIONS.items()
    }
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(data), encoding="utf-8")
    second = load(again, catalog=Catalog())
    for kind in SECTIONS.values():
        assert {getattr(spec, kind.key): spec for spec in first.registry(kind)} == {
            getattr(spec, kind.key): spec for spec in second.registry(kind)
        }


BASE = """\
completions:
  small: {model: offline}
tools:
  stock: {call: "tools:stock"}
agents:
  seller: {completion: small, tools: [stock]}
swarms:
  shop: {agent_list: [seller], default_agent: seller}
"""
TOOLS = '''\
def stock(sku: str) -> int:
    """Count boxes."""
    return 3

def untyped(sku):
    return 3

class Thing: ...

def strange(thing: Thing) -> str:
    return ""

NUMBER = 3
'''


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # the document and its sections
        (BASE, "", ["1:1: document: must be a mapping with the sections completions, wikis,"]),
        (BASE, "- a", ["1:1: document: must be a mapping with the sections"]),
        ("tools:\n", "tool:\n", [
            "3:1: tool: unknown section 'tool' (did you mean 'tools'?)",
            "6:39: agents.seller.tools[0]: no tool named 'stock' (no tool is declared)",
        ]),
        ("swarms:\n", "cron:\n", ["7:1: cron: unknown section 'cron' (known: compl"]),
        (BASE[BASE.index("swarms"):], "swarms: [a]", ["7:9: swarms: must be a mapping of swarm n"]),
        ("{model: offline}", "offline", [
            "2:10: completions.small: must be a mapping of the completion's fields",
        ]),
        ("{model: offline}", "", ["2:9: completions.small: must be a mapping of the completion's"]),
        # fields
        ("tools: [stock]", "tols: [stock]", [
            "6:31: agents.seller.tols: unknown field 'tols' (did you mean 'tools'?)",
        ]),
        ("tools: [stock]", "agent_name: seller", [
            "6:31: agents.seller.agent_name: unknown field 'agent_name' (the key above is the name",
        ]),
        ("tools: [stock]", "tools: stock", [
            "6:38: agents.seller.tools: Input should be a list",
        ]),
        ("tools: [stock]", "keep_messages: many", [
            "6:46: agents.seller.keep_messages: Input should be a valid integer",
        ]),
        ("tools: [stock]", "keep_messages: 0", [
            "6:46: agents.seller.keep_messages: Input should be greater than or equal to 1",
        ]),
        ("tools: [stock]", "prompt: 3", [
            "6:39: agents.seller.prompt: Input should be a valid string",
        ]),
        ("tools: [stock]", "tools: [stock, [x]]", [
            "6:46: agents.seller.tools[1]: Input should be a valid string",
        ]),
        ("completion: small, ", "", ["6:3: agents.seller: give a `completion`"]),
        ("{model: offline}", "{}", [
            "2:3: completions.small: give exactly one of `model` and `get_completion`",
        ]),
        ("small: {", "'my small': {", [
            "2:3: completions.my small.completion_name: String should match pattern",
            "6:24: agents.seller.completion: no completion named 'small'",
        ]),
        ('{call: "tools:stock"}', '{call: "tools:stock", function: 3}', [
            "4:42: tools.stock.function: must be a mapping",
        ]),
        ('{call: "tools:stock"}', '{call: "tools:stock", function: {namee: a}}', [
            "4:32: tools.stock.function.name: Field required",
            "4:43: tools.stock.function.namee: unknown field 'namee' (did you mean 'name'?)",
        ]),
        ('{call: "tools:stock"}', '{call: "tools:stock", parameters: {type: array}}', [
            "4:3: tools.stock: `parameters` must be a JSON Schema of type object",
        ]),
        ('{call: "tools:stock"}',
         '{call: "tools:stock", parameters: {properties: {a: {type: strings}}}}', [
            "4:68: tools.stock.parameters.properties.a.type: not a JSON Schema: 'strings' is not",
        ]),
        # functions
        ('"tools:stock"', '"tools:stok"', [
            "4:17: tools.stock.call: module 'tools' has no function 'stok' (did you mean 'stock'?)",
        ]),
        ('"tools:stock"', '"tool:stock"', [
            "4:17: tools.stock.call: no module 'tool' under the folder of the document (did you "
            "mean 'tools'?)",
        ]),
        ('"tools:stock"', '"tools:NUMBER"', ["4:17: tools.stock.call: 'tools:NUMBER' is int, not"]),
        ('"tools:stock"', '"tools"', ["4:17: tools.stock.call: 'tools' does not read module:func"]),
        ('"tools:stock"', "3", ["4:17: tools.stock.call: must be the text module:function"]),
        ('"tools:stock"', '"../tools:stock"', ["4:17: tools.stock.call: '../tools:stock' does no"]),
        ('"tools:stock"', '"/tools:stock"', ["4:17: tools.stock.call: '/tools:stock' does not re"]),
        ('"tools:stock"', '"os:getcwd"', [
            "4:17: tools.stock.call: no module 'os' under the folder of the document (installed "
            "modules must be allowed by the program that loads the document)",
        ]),
        ('"tools:stock"', '"discount.ts#discount"', [
            "4:17: tools.stock.call: no file 'discount.ts' under the folder of the document (write "
            "file.ts#export, with the file beside this document)",
        ]),
        ('"tools:stock"', '"tools:untyped"', [
            "4:17: tools.stock.call: tool function 'untyped': parameter 'sku' has no type annot",
        ]),
        ('"tools:stock"', '"tools:strange"', [
            "4:17: tools.stock.call: tool function 'strange': an annotation cannot be described",
        ]),
        ("model: offline", "model: python:tools:stok", [
            "2:18: completions.small.model: module 'tools' has no function 'stok' (did you mean",
        ]),
        ("model: offline", "model: offline, fallback: [offline, python:tools]", [
            "2:47: completions.small.fallback[1]: 'tools' does not read module:function",
        ]),
        # references
        ("model: offline", "model: opnai/x", [
            "2:18: completions.small.model: no model provider 'opnai'; did you mean 'openai'?",
        ]),
        ("completion: small", "completion: smallx", [
            "6:24: agents.seller.completion: no completion named 'smallx' (did you mean 'small'?)",
        ]),
        ("[stock]", "[stock, stok]", [
            "6:46: agents.seller.tools[1]: no tool named 'stok' (did you mean 'stock'?)",
        ]),
        ("[stock]", "[stock, stock]", [
            "6:38: agents.seller.tools: tool 'stock' is listed 2 times",
        ]),
        ("tools: [stock]", "wiki_list: [w]", [
            "6:43: agents.seller.wiki_list[0]: no wiki named 'w' (no wiki is declared)",
        ]),
        ('{call: "tools:stock"}', "{wiki: w}", [
            "4:17: tools.stock.wiki: no wiki named 'w' (no wiki is declared)",
        ]),
        ('{call: "tools:stock"}', "{navigate_to: sellr}", [
            "4:24: tools.stock.navigate_to: no agent named 'sellr' (did you mean 'seller'?)",
        ]),
        ("tools: [stock]", "handoffs: [seller]", [
            "6:3: agents.seller: an agent cannot hand over to itself",
        ]),
        ("default_agent: seller", "default_agent: selr", [
            "8:47: swarms.shop.default_agent: default agent 'selr' is not in agent_list (did you",
        ]),
        ("agent_list: [seller]", "agent_list: [seller, buyer]", [
            "8:31: swarms.shop.agent_list[1]: no agent named 'buyer'",
        ]),
        (
            "swarms:\n  shop: {agent_list: [seller],",
            "  a: {completion: small, handoffs: [b]}\n"
            "  b: {completion: small, handoffs: [a]}\n"
            "swarms:\n  shop: {agent_list: [seller, a, b],",
            ["10:22: swarms.shop.agent_list: the hand-offs between 'a' and 'b' form a cycle"],
        ),
        # what is wrong in one place is not reported again where that is named
        ('stock: {call: "tools:stock"}', "stock: {}", [
            "4:3: tools.stock: give exactly one of `call`, `wiki` and `navigate_to`",
        ]),
        ("{model: offline}", "{model: ${MODEL}}", [
            "2:19: document: not valid YAML: while parsing a flow mapping",
        ]),
        ("{model: offline}", "{model: '${MODEL}'}", [
            "2:18: completions.small.model: the variable MODEL is not set (set MODEL, or write",
        ]),
        ("keep_messages", "keep_messages", []),
    ],
)  # fmt: skip
def test_every_problem_has_its_line_and_column(
    write: Callable[..., Path], old: str, new: str, expected: list[str]
) -> None:
    path = write(shop_yaml=BASE.replace(old, new, 1), tools_py=TOOLS)
    found = [
        str(problem).removeprefix(f"{path}:") for problem in check(path, environment={}).problems
    ]
    assert len(found) == len(expected), "\n".join(found)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start), f"{line}\nis not\n{start}"


def test_all_problems_come_at_once_and_in_order(write: Callable[..., Path]) -> None:
    path = write(
        shop_yaml="""\
        swarms:
          shop: {agent_list: [seler], default_agent: seller, max_handoffs: -1}
        agents:
          seller: {completion: smallx, prompty: x, tools: [stok]}
        tools:
          stock: {call: "tools:stok", timeout: 0}
        completions:
          small: {model: !!str offline, model: x}
        """,
        tools_py=TOOLS,
    )
    with pytest.raises(ValidationError) as caught:
        load(path, catalog=Catalog(), environment={})
    problems = caught.value.problems
    assert [(problem.line, problem.column, problem.where) for problem in problems] == [
        (2, 23, "swarms.shop.agent_list[0]"),
        (2, 46, "swarms.shop.default_agent"),
        (2, 68, "swarms.shop.max_handoffs"),
        (4, 24, "agents.seller.completion"),
        (4, 32, "agents.seller.prompty"),
        (4, 52, "agents.seller.tools[0]"),
        (6, 17, "tools.stock.call"),
        (6, 40, "tools.stock.timeout"),
        (8, 18, "completions.small.model"),
        (8, 33, "completions.small.model"),
    ]
    assert str(caught.value).startswith(f"10 problems\n  {path}:2:23: swarms.shop.agent_list[0]: ")


def test_an_exit_that_may_only_seem_missing_is_not_reported(write: Callable[..., Path]) -> None:
    text = """\
        completions: {small: {model: offline}}
        agents:
          start: {completion: small, handoffs: [a]}
          a: {completion: small, handoffs: [b]}
          b: {completion: small, handoffs: [a, c]}
          c: {completion: small, handoffs: start}
        swarms: {shop: {agent_list: [start, a, b, c], default_agent: start}}
        """
    problems = check(write(shop_yaml=text), environment={}).problems
    assert [problem.where for problem in problems] == ["agents.c.handoffs"]


def test_a_failed_load_adds_nothing(write: Callable[..., Path]) -> None:
    path = write(shop_yaml=BASE.replace("[stock]", "[stok]"), tools_py=TOOLS)
    catalog = Catalog()
    with pytest.raises(ValidationError):
        load(path, catalog=catalog, environment={})
    assert all(len(catalog.registry(kind)) == 0 for kind in SECTIONS.values())


def test_a_document_goes_into_the_current_catalog(write: Callable[..., Path]) -> None:
    text = BASE.replace('stock: {call: "tools:stock"}', "other: {navigate_to: seller}")

    def stock() -> int:
        """Count."""
        return 1

    with use_catalog(Catalog()) as catalog:
        add_tool(stock)
        assert load(write(shop_yaml=text), environment={}) is catalog is current_catalog()
        assert catalog.agents.get("seller").tools == ("stock",)
        with pytest.raises(ValidationError) as caught:
            load(write(shop_yaml=text), environment={})
    assert [str(problem).split(": ", 1)[1] for problem in caught.value.problems] == [
        "completions.small: completion 'small' is declared already "
        "(the program declared it before loading this)",
        "tools.other: tool 'other' is declared already "
        "(the program declared it before loading this)",
        "agents.seller: agent 'seller' is declared already "
        "(the program declared it before loading this)",
        "swarms.shop: swarm 'shop' is declared already "
        "(the program declared it before loading this)",
    ]


def test_a_missing_document_is_a_problem(tmp_path: Path) -> None:
    report = check(tmp_path / "none.yaml")
    assert [problem.message for problem in report.problems] == [
        "cannot be read: No such file or directory"
    ]


SECRET = "sk-live-0123'456\\789"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("completion: small", 'completion: "${SHOP_API_KEY}"'),
        ("model: offline", 'model: "${SHOP_API_KEY}"'),
        ("model: offline", 'model: "python:${SHOP_API_KEY}:x"'),
        ("model: offline", 'model: "${PART_TOKEN}"'),
        ('"tools:stock"', '"${SHOP_API_KEY}"'),
        ('"tools:stock"', '"tools:${PART_TOKEN}"'),
        ('"tools:stock"', '"leaks:stock"'),
        ("[stock]", '["${SHOP_API_KEY}"]'),
        ("default_agent: seller", 'default_agent: "${SHOP_API_KEY}"'),
        ("tools: [stock]", 'keep_messages: "${SHOP_API_KEY}"'),
        ("swarms:", 'include: "${SHOP_API_KEY}"\nswarms:'),
        ('"tools:stock"', '"tools:stock", parameters: {type: "${SHOP_API_KEY}"}'),
        (
            '"tools:stock"',
            '"tools:stock", parameters: {properties: {a: {type: "${SHOP_API_KEY}"}}}',
        ),
    ],
)
def test_no_message_holds_a_key(write: Callable[..., Path], old: str, new: str) -> None:
    leaks = "import os\nraise KeyError('no ' + os.environ['SHOP_API_KEY'])\n"
    path = write(shop_yaml=BASE.replace(old, new, 1), tools_py=TOOLS, leaks_py=leaks)
    environment = {"SHOP_API_KEY": SECRET, "PART_TOKEN": "abc/defghi"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SHOP_API_KEY", SECRET)
        problems = check(path, environment=environment).problems
    assert problems
    text = "\n".join(f"{problem} {problem.hint}" for problem in problems)
    for part in (SECRET, repr(SECRET)[1:-1], "sk-live", "abc", "defghi"):
        assert part not in text
    says_which = "${SHOP_API_KEY}" in text or "${PART_TOKEN}" in text
    assert says_which or "must be a JSON Schema of type object" in text


def test_nothing_of_a_check_stays_importable(write: Callable[..., Path]) -> None:
    before = set(sys.modules)
    check(write(shop_yaml=BASE, tools_py=TOOLS), environment={})
    added = {name for name in set(sys.modules) - before if not name.startswith("_wikiswarm_")}
    assert "tools" not in added
