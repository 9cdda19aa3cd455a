"""The tool made from a wiki, and what `validate` finds about wikis."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from swarm import (
    Catalog,
    Host,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    session,
    use_catalog,
    validate,
)
from swarm.errors import ValidationError
from swarm.runtime.tools import bind_tool
from swarm.testing import ScriptedCompletion, call_tool
from tests.wiki.shop import shop
from wiki import add_wiki


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ({}, "How much is it?"),
        ({"question": ""}, "How much is it?"),
        ({"question": "What does Dolanex cost?"}, "What does Dolanex cost?"),
    ],
)
@pytest.mark.requirement("S4-10", "S4-16", "S4-17")
async def test_the_tool_asks_its_question_or_the_users_last_message(
    tmp_path: Path, arguments: dict[str, Any], asked: str
) -> None:
    heard: list[str] = []

    def get_chat(message: str) -> str:
        heard.append(message)
        return "4.80 euros."

    model = ScriptedCompletion(
        ["Hello!", call_tool("ask_pharma", **arguments), "It costs 4.80 euros."]
    )
    catalog = shop(model, get_chat=get_chat)
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "shop", host=host) as chat,
    ):
        await chat.complete("Good morning")
        assert await chat.complete("How much is it?") == "It costs 4.80 euros."
    model.assert_complete()
    assert heard == [asked]
    output = model.requests[-1].messages[-1]
    assert (output.role, output.content) == ("tool", "4.80 euros.")


@pytest.mark.anyio
async def test_an_agent_is_offered_what_the_wiki_says_of_itself(tmp_path: Path) -> None:
    model = ScriptedCompletion(["Hello!"])
    catalog = shop(
        model, get_chat=str.upper, doc_description="Prices and doses", examples=["How much?"]
    )
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "shop", host=host) as chat,
    ):
        await chat.complete("Hi")
    [tool] = model.requests[0].tools
    assert (tool.name, tool.description) == ("ask_pharma", "Prices and doses")
    assert tool.examples == ("How much?",)
    assert tool.parameters["type"] == "object"
    properties = tool.parameters["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == ["question"]
    assert "required" not in tool.parameters


@pytest.mark.anyio
async def test_a_tools_own_words_come_before_the_wikis(tmp_path: Path) -> None:
    model = ScriptedCompletion(["Hello!"])
    catalog = shop(model, get_chat=str.upper, doc_description="Prices")
    with use_catalog(catalog):
        add_tool(tool_name="find", wiki="pharma", description="Finds a product", examples=["a"])
        add_agent(agent_name="finder", completion="model", tools=["find"], wiki_list=["pharma"])
        add_swarm(swarm_name="search", agent_list=["finder"], default_agent="finder")
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "search", host=host) as chat,
    ):
        await chat.complete("Hi")
    [tool] = model.requests[0].tools
    assert (tool.description, tool.examples) == ("Finds a product", ("a",))


@pytest.mark.anyio
async def test_a_wiki_that_fails_is_told_to_the_model(tmp_path: Path) -> None:
    def broken(message: str) -> str:
        raise LookupError("the index is gone")

    model = ScriptedCompletion([call_tool("ask_pharma"), "I cannot look that up now."])
    catalog = shop(model, get_chat=broken)
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "shop", host=host) as chat,
    ):
        assert await chat.complete("How much?") == "I cannot look that up now."
    output = model.requests[-1].messages[-1].content
    assert "LookupError: the index is gone" in output


@pytest.mark.anyio
@pytest.mark.requirement("S3-21")
async def test_the_tool_waits_for_the_fallback_of_a_wiki_that_hangs(tmp_path: Path) -> None:
    async def hanging(message: str) -> str:
        await anyio.sleep_forever()
        return message

    model = ScriptedCompletion([call_tool("ask_pharma"), "Fine."])
    catalog = shop(model, get_chat=hanging, fallback="offline", timeout=0.2)
    async with (
        Host(catalog=catalog, home=tmp_path, environment={}) as host,
        session("ada", "shop", host=host) as chat,
    ):
        with anyio.fail_after(10):
            await chat.complete("How much?")
    assert model.requests[-1].messages[-1].content.startswith("I answer offline")


def test_a_wiki_with_more_time_than_a_tool_gets_it() -> None:
    catalog = shop(ScriptedCompletion([]), get_chat=str.upper, timeout=90)
    with use_catalog(catalog):
        add_tool(tool_name="hasty", wiki="pharma", timeout=5)
    assert bind_tool(catalog.tools.get("ask_pharma"), catalog).timeout > 90
    assert bind_tool(catalog.tools.get("hasty"), catalog).timeout == 5


def _problems(catalog: Catalog) -> dict[str, tuple[str, str | None]]:
    with pytest.raises(ValidationError) as caught:
        validate(catalog)
    return {problem.where: (problem.message, problem.hint) for problem in caught.value.problems}


@pytest.mark.requirement("S4-16")
def test_validation_finds_every_reference_that_leads_nowhere() -> None:
    catalog = Catalog()
    with use_catalog(catalog):
        add_completion(completion_name="model", model="offline")
        add_wiki(wiki_name="pharma", completion="modex")
        add_wiki(wiki_name="prices", model="opnai/some-model", fallback="no-reference")
        add_tool(tool_name="ask_prices", wiki="prices")
        add_tool(tool_name="ask_pharm", wiki="pharm")
        add_agent(
            agent_name="seller",
            completion="model",
            tools=["ask_prices"],
            wiki_list=["pharmacy"],
        )
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    found = _problems(catalog)
    assert found["wikis.pharma.completion"] == (
        "no completion named 'modex'",
        "did you mean 'model'?",
    )
    assert "did you mean 'openai'?" in found["wikis.prices.model"][0]
    assert "write provider/model" in found["wikis.prices.fallback"][0]
    assert found["tools.ask_pharm.wiki"] == ("no wiki named 'pharm'", "did you mean 'pharma'?")
    assert found["agents.seller.wiki_list[0]"] == (
        "no wiki named 'pharmacy'",
        "did you mean 'pharma'?",
    )
    assert found["agents.seller.tools[0]"] == (
        "tool 'ask_prices' asks wiki 'prices', which this agent does not list",
        "add 'prices' to wiki_list",
    )
    assert len(found) == 6


def test_a_completion_for_outlines_is_none_for_a_wiki() -> None:
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="model", model="offline", json_mode=True)
        add_wiki(wiki_name="pharma", completion="model")
        with pytest.raises(ValidationError, match=r"wikis\.pharma\.completion: .* outlines only"):
            validate(catalog)
