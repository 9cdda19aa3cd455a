"""Documentation of a catalog: Markdown, the graph, and the JSON Schema of documents."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from declarative import add_agent, add_completion, add_swarm, add_tool, add_wiki, describe, load
from declarative.kinds import SECTIONS
from swarm import Catalog, use_catalog

SHOP = """\
completions: {main: {model: openai/small, api_key_env: SHOP_API_KEY, temperature: 0.5}}
wikis:
  pharma: {doc_description: "Doses | prices", model: registry/pharma@live, fallback: openai/big}
tools:
  ask_pharma: {wiki: pharma, description: Ask about medicines.}
  stock: {call: "tools:stock"}
  to_buyer: {navigate_to: buyer, description: Hand over.}
agents:
  seller:
    completion: main
    prompt: |
      You sell.
      ```
      ${SHOP_API_KEY}
    system: [Be short.]
    tools: [ask_pharma, stock, to_buyer]
    wiki_list: [pharma]
    doc_description: |
      Sells | gives
      advice
  buyer: {completion: main, prompt: You buy., handoffs: [seller]}
swarms:
  shop: {agent_list: [seller, buyer], default_agent: seller, doc_description: "A *shop*."}
"""
TOOLS = '''\
from typing import Literal

def stock(sku: str, sizes: list[int], unit: Literal["box", "pill"] = "box", note: str | None = None) -> int:
    """How many | boxes
    are in stock.

    Args:
        sku: The number | of
            the article.
    """
    return 3
'''  # noqa: E501
KEY = "sk-0123456789"


@pytest.fixture
def catalog(write: Callable[..., Path]) -> Catalog:
    path = write(shop_yaml=SHOP, tools_py=TOOLS)
    return load(path, catalog=Catalog(), environment={"SHOP_API_KEY": KEY})


@pytest.mark.requirement("kit:docs:swarm")
def test_markdown_says_what_was_declared(catalog: Catalog) -> None:
    text = describe(catalog)
    main = "[`main`](#model-main), the model `openai/small`"
    for line in (
        "# Swarm `shop`",
        "A \\*shop\\*.",
        "| [`seller`](#agent-seller) | starts | Sells \\| gives advice |"
        f" {main} | [`buyer`](#agent-buyer) |",
        "## Agent `seller`",
        f"- **Answers by**: {main}",
        "- **Wikis that it may ask**: [`pharma`](#wiki-pharma)",
        "- **Hands over to**: [`buyer`](#agent-buyer)",
        "- **Hands over to**: [`seller`](#agent-seller)",
        "- **Takes over from**: [`buyer`](#agent-buyer)",
        "### Tool `ask_pharma`",
        "- Asks the wiki [`pharma`](#wiki-pharma).",
        "The model is told: “Ask about medicines.”",
        "- Hands over to [`buyer`](#agent-buyer).",
        "The model is told: “How many \\| boxes are in stock.”",
        "| Parameter | Type | Required | Description |",
        "| `sku` | text | yes | The number \\| of the article. |",
        "| `sizes` | list of whole number | yes |  |",
        "| `unit` | one of `box`, `pill` | no | `box` when it is left out. |",
        "| `note` | text or nothing | no |  |",
        "### Wiki `pharma`",
        "Doses \\| prices",
        "- **Answers by**: the fine-tuned model `registry/pharma@live`",
        "- **Otherwise**: the model `openai/big`, when that fails",
        "- **Key**: in the environment variable `SHOP_API_KEY`",
        "- **Used by**: [`seller`](#agent-seller), [`buyer`](#agent-buyer)",
    ):
        assert line in text.splitlines(), f"{line}\n\n{text}"
    # The prompt's own fence does not end the block.
    assert "````text\nYou sell.\n```\n${SHOP_API_KEY}\n\nBe short.\n````" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1, table
    assert "Contents" not in text


@pytest.mark.parametrize("format", ["markdown", "mermaid", "schema"])
def test_documentation_holds_no_key(catalog: Catalog, format: Any) -> None:
    assert KEY not in describe(catalog, format)


def test_documentation_hides_the_keys_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", KEY)
    with use_catalog(Catalog()) as catalog:
        add_agent(agent_name="a", completion="c", prompt=f"Say {KEY}.")
    assert "Say ${SHOP_TOKEN}." in describe(catalog)


@pytest.mark.parametrize(
    "key", ["sk_live-0|1`2<3>4&5", "*start_and_end*", "a #key~ [x](y)", "quo\"ted's"]
)
def test_a_key_in_a_text_is_hidden_before_its_signs_are_escaped(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", key)
    parameters: Any = {"properties": {"a": {"default": key, "description": key}}}
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="c", model="offline", doc_description=key)
        add_tool(tool_name="t", call=print, description=key, parameters=parameters)
        add_agent(agent_name="a", completion="c", tools=["t"], prompt=key, doc_description=key)
    text = describe(catalog)
    assert key[:7] not in text
    assert text.count(r"$\{SHOP\_TOKEN\}") == 4
    assert text.count("${SHOP_TOKEN}") == 2


def test_names_are_no_syntax_of_the_graph() -> None:
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="c", model="offline")
        add_agent(agent_name="end", completion="c", tools=["subgraph"])
        add_agent(agent_name="a.b-c", completion="c")
        add_tool(tool_name="subgraph", navigate_to="a.b-c")
        add_swarm(swarm_name="graph", agent_list=["end", "a.b-c", "nobody"], default_agent="end")
        add_wiki(wiki_name="class", model="offline")
    text = describe(catalog, "mermaid")
    assert "nobody" not in text
    for name in ("end", "a.b-c", "graph"):
        assert len(re.findall(rf'^    [a-z]+\d+\W+"{re.escape(name)}"', text, re.MULTILINE)) == 1


def test_markdown_of_functions_and_of_what_is_missing() -> None:
    def prompt(client_id: str, agent_name: str) -> str:
        return ""

    parameters: Any = {
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"oneOf": [{"type": "array"}, {"$ref": "#/$defs/Size"}]},
            "c": {},
        }
    }
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="own", get_completion=prompt)
        add_wiki(wiki_name="facts", completion="own")
        add_wiki(wiki_name="more", get_chat=prompt)
        add_tool(tool_name="other", call=prompt, parameters=parameters, doc_note="A `note`.")
        add_tool(tool_name="lost", wiki="nowhere")
        add_agent(agent_name="a", completion="own", prompt=prompt, tools=["other", "lost", "no"])
        add_agent(agent_name="b", completion="none")
        add_swarm(swarm_name="s", agent_list=["a", "c"], default_agent="a")
    text = describe(catalog)
    for line in (
        "| `c` (not declared) |  |  |",
        "- **Answers by**: [`own`](#model-own), the function `prompt`",
        "Its instructions are written by the function `prompt`.",
        "A \\`note\\`.",
        "| `a` | text or nothing | no |",
        "| `b` | list or anything | no |",
        "| `c` | anything | no |",
        "- Asks the wiki `nowhere` (not declared).",
        "It takes no parameters.",
        "- **Tools**: [`other`](#tool-other), [`lost`](#tool-lost), `no` (not declared)",
        "- **Answers by**: `none` (not declared)",
        "- **Part of**: no swarm",
        "- **Tools**: none",
        "- **Answers by**: the function `prompt`",
    ):
        assert line in text.splitlines(), f"{line}\n\n{text}"


def test_an_unknown_format_is_refused() -> None:
    wrong: Any = "pdf"
    with pytest.raises(ValueError, match="no format 'pdf'; known: markdown, mermaid, schema"):
        describe(Catalog(), wrong)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(describe(Catalog(), "schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def errors(validator: jsonschema.Draft202012Validator, text: str) -> list[str]:
    # One of the stub's overloads, which is not the one used here, has a type without a name.
    found = validator.iter_errors(yaml.safe_load(text))  # pyright: ignore[reportUnknownMemberType]
    return [error.json_path for error in found]


def test_the_schema_accepts_a_good_document(
    validator: jsonschema.Draft202012Validator,
) -> None:
    assert errors(validator, SHOP) == []
    assert errors(validator, "include: a.yaml\nagents:\n") == []
    assert errors(validator, "agents: {a: {completion: '${C}', keep_messages: '${N:-3}'}}") == []
    assert errors(validator, "completions: {a: {model: x/y, fallback: [x/y, z/a]}}") == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("agents:", "agnts:", "$"),
        ("completion: main\n", "completon: main\n", "$.agents.seller"),
        ("temperature: 0.5", "temperature: -1", "$.completions.main.temperature"),
        ("[seller, buyer]", "seller", "$.swarms.shop.agent_list"),
        ("default_agent: seller, ", "", "$.swarms.shop"),
        ("tools:stock", "not a function", "$.tools.stock.call"),
        ("  buyer: {", "  'a buyer': {", "$.agents"),
        ("  buyer: {", "  buyer: {agent_name: buyer, ", "$.agents.buyer"),
    ],
)
def test_the_schema_refuses_a_bad_document(
    validator: jsonschema.Draft202012Validator, old: str, new: str, path: str
) -> None:
    assert path in errors(validator, SHOP.replace(old, new))


def test_the_schema_has_the_notes_of_the_fields(
    validator: jsonschema.Draft202012Validator,
) -> None:
    schema: dict[str, Any] = validator.schema  # pyright: ignore[reportAssignmentType] - an object
    fields = schema["$defs"]["AgentSpec"]["properties"]
    assert (
        fields["completion"]["description"]
        == "The name of a declared completion; an `operator` needs none."
    )
    assert fields["prompt"]["type"] == "string"
    assert set(schema["properties"]) == {"include", *SECTIONS}
