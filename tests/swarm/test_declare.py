"""`add_*`: what they keep, and what they say about fields that are wrong."""

import inspect
from enum import StrEnum
from typing import Any

import pytest

import swarm
from swarm import (
    Catalog,
    ToolContext,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    current_catalog,
    get_completion,
    get_swarm,
    use_catalog,
    validate,
)
from swarm.errors import (
    DeclarationError,
    DuplicateNameError,
    UnknownNameError,
    ValidationError,
)


class Names(StrEnum):
    """Names as a program may type them."""

    MODEL = "model"
    SELLER = "seller"
    STOCK = "stock_level"
    SHOP = "shop"


@pytest.fixture(autouse=True)
def catalog() -> Any:
    with use_catalog(Catalog()) as fresh:
        yield fresh


def stock_level(sku: str, context: ToolContext) -> int:
    """How many boxes are in stock.

    The second paragraph is for people.
    """
    return len(sku + context.tool_id)


@pytest.mark.requirement(
    "kit:register:any-order", "kit:register:typed-names", "kit:register:one-line-or-many"
)
@pytest.mark.requirement("S4-11", "S4-13", "S4-14", "S4-15", "S4-20")
def test_a_program_is_declared_in_any_order_and_names_may_be_enums() -> None:
    assert (
        add_swarm(
            swarm_name=Names.SHOP,
            agent_list=[Names.SELLER],
            default_agent=Names.SELLER,
            doc_description="A shop.",
        )
        == "shop"
    )
    assert (
        add_agent(
            agent_name=Names.SELLER,
            completion=Names.MODEL,
            prompt="You sell.",
            system="One line.",
            tools=[Names.STOCK],
            wiki_list=["pharma"],
            doc_description="Sells.",
        )
        == "seller"
    )
    assert add_tool(stock_level) is stock_level
    assert add_completion(completion_name=Names.MODEL, model="offline") == "model"
    found = current_catalog()
    assert found.agents.get("seller").system_lines == ("One line.",)
    assert found.agents.get("seller").tools == ("stock_level",)
    assert found.tools.get("stock_level").description == "How many boxes are in stock."
    assert found.swarms.get("shop").doc_description == "A shop."


@pytest.mark.requirement("S4-14")
def test_a_tool_in_the_shape_of_the_openai_api() -> None:
    shape: dict[str, Any] = {"type": "object", "properties": {"context": {"type": "string"}}}
    function: Any = {"name": "find_product", "description": "Finds it.", "parameters": shape}
    name = add_tool(
        tool_name="find_pharma_product",
        doc_note="Queries the wiki.",
        type="function",
        function=function,
        call=stock_level,
    )
    tool = current_catalog().tools.get(name)
    assert (tool.function_name, tool.description) == ("find_product", "Finds it.")
    assert tool.parameters == shape


def test_a_decorated_function_stays_what_it_is() -> None:
    @add_tool
    async def price(sku: str) -> str:
        """The price."""
        return sku

    assert inspect.iscoroutinefunction(price)
    assert current_catalog().tools.get("price").call is price


@pytest.mark.requirement("kit:register:duplicate")
@pytest.mark.parametrize(
    "declare",
    [
        lambda: add_completion(completion_name="x", model="offline"),
        lambda: add_agent(agent_name="x", completion="m"),
        lambda: add_tool(tool_name="x", call=stock_level),
        lambda: add_swarm(swarm_name="x", agent_list=["a"], default_agent="a"),
    ],
)
def test_a_name_is_declared_once(declare: Any) -> None:
    declare()
    with pytest.raises(DuplicateNameError, match="'x' is declared already; declare each name once"):
        declare()


@pytest.mark.requirement("kit:register:catalogs")
def test_the_same_name_may_stand_for_two_kinds_and_in_two_catalogs() -> None:
    add_completion(completion_name="x", model="offline")
    add_agent(agent_name="x", completion="x")
    with use_catalog(Catalog()):
        add_agent(agent_name="x", completion="x")


PROBLEMS: list[tuple[Any, dict[str, Any], list[str]]] = [
    (
        add_agent,
        {"agent_name": "a", "completion": "m", "promt": "x"},
        ["agents.a.promt: unknown field 'promt' (did you mean 'prompt'?)"],
    ),
    (
        add_agent,
        {"agent_name": "a", "completion": "m", "str": 1, "x[0]": 2, "zz": 3},
        ["unknown field 'str'", "unknown field 'x[0]'", "unknown field 'zz'"],
    ),
    (add_agent, {"agent_name": "a"}, ["agents.a: give a `completion`"]),
    (add_agent, {"completion": "m"}, ["agents.?.agent_name: Field required"]),
    (
        add_agent,
        {"agent_name": "a b", "completion": "m"},
        ["agents.a b.agent_name: String should match"],
    ),
    (add_agent, {"agent_name": "x" * 65, "completion": "m"}, ["at most 64 characters"]),
    (add_agent, {"agent_name": "a", "completion": "m", "tools": "t"}, ["agents.a.tools: "]),
    (add_agent, {"agent_name": "a", "completion": "m", "tools": ["t", 5]}, ["agents.a.tools[1]: "]),
    (
        add_agent,
        {"agent_name": "a", "completion": "m", "keep_messages": 0, "max_repairs": 11},
        ["agents.a.keep_messages: ", "agents.a.max_repairs: "],
    ),
    (add_agent, {"agent_name": "a", "completion": "m", "prompt": 5}, ["agents.a.prompt: "]),
    (
        add_completion,
        {"completion_name": "m"},
        ["completions.m: give exactly one of `model` and `get_completion`"],
    ),
    (
        add_completion,
        {"completion_name": "m", "model": "offline", "get_completion": stock_level},
        ["completions.m: give exactly one of `model` and `get_completion`"],
    ),
    (
        add_completion,
        {"completion_name": "m", "model": "offline", "temperature": -1, "top_p": 2},
        ["completions.m.temperature: ", "completions.m.top_p: "],
    ),
    (
        add_tool,
        {"tool_name": "t"},
        ["tools.t: give exactly one of `call`, `wiki` and `navigate_to`"],
    ),
    (
        add_tool,
        {"tool_name": "t", "wiki": "w", "navigate_to": "a"},
        ["tools.t: give exactly one of `call`, `wiki` and `navigate_to`"],
    ),
    (
        add_tool,
        {"tool_name": "t.x", "call": stock_level},
        ["tools.t.x.tool_name: String should match"],
    ),
    (
        add_tool,
        {"tool_name": "t", "call": stock_level, "parameters": {"type": "array"}},
        ["tools.t: `parameters` must be a JSON Schema of type object"],
    ),
    (
        add_tool,
        {"tool_name": "t", "call": stock_level, "function": {"name": "a b", "foo": 1}},
        ["tools.t.function.name: ", "tools.t.function.foo: unknown field 'foo'"],
    ),
    (add_tool, {"tool_name": "t", "call": stock_level, "function": "f"}, ["tools.t.function: "]),
    (add_tool, {"tool_name": "t", "call": "shop:stock"}, ["tools.t.call: "]),
    (
        add_swarm,
        {"swarm_name": "s", "agent_list": ["a"]},
        ["swarms.s.default_agent: Field required"],
    ),
    (
        add_swarm,
        {"swarm_name": "s", "agent_list": ["a"], "default_agent": "a", "turn_timeout": 0},
        ["swarms.s.turn_timeout: Input should be greater than 0"],
    ),
]


@pytest.mark.requirement("kit:register:unknown-field")
@pytest.mark.parametrize(("declare", "fields", "said"), PROBLEMS)
def test_fields_that_are_wrong_are_named_with_their_place(
    declare: Any, fields: dict[str, Any], said: list[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        declare(**fields)
    text = str(caught.value)
    assert [part for part in said if part not in text] == [], text
    assert len(caught.value.problems) == len(said)
    assert not any(len(each) for each in _registries())


def _registries() -> list[Any]:
    found = current_catalog()
    return [found.agents, found.completions, found.swarms, found.tools]


def test_what_is_passed_never_shows_in_the_message() -> None:
    with pytest.raises(ValidationError) as caught:
        add_completion(completion_name="m", model="offline", api_key="sk-planted-key")  # type: ignore[call-arg]
    assert "sk-planted-key" not in str(caught.value)
    assert "did you mean 'api_key_env'?" in str(caught.value)


def test_a_function_that_no_model_can_call_is_refused_where_it_is_decorated() -> None:
    with pytest.raises(DeclarationError, match="parameter 'sku' has no type annotation"):

        def broken(sku: str) -> None:
            raise NotImplementedError

        del broken.__annotations__["sku"]
        add_tool(broken)

    with pytest.raises(DeclarationError, match="parameter 'skus' must be a keyword parameter"):

        @add_tool
        def many(*skus: str) -> None:
            raise NotImplementedError

    assert len(current_catalog().tools) == 0


def test_help_shows_the_fields() -> None:
    assert list(inspect.signature(add_agent).parameters)[:2] == ["agent_name", "completion"]
    assert add_agent.__doc__ is not None
    assert "Declare an agent" in add_agent.__doc__
    assert validate in (getattr(swarm, name) for name in swarm.__all__)


def test_a_declaration_that_is_taken_out_may_be_declared_again() -> None:
    add_completion(completion_name="offline", model="offline")
    catalog = current_catalog()
    version = catalog.version
    assert catalog.completions.remove("offline").model == "offline"
    assert catalog.version == version + 1
    with pytest.raises(UnknownNameError):
        catalog.completions.remove("offline")
    add_completion(completion_name="offline", model="offline")


def test_a_field_without_its_name_is_named_as_it_should_be() -> None:
    with pytest.raises(DeclarationError) as caught:
        add_agent("seller", completion="model")  # pyright: ignore[reportCallIssue]
    assert str(caught.value) == "add_agent takes fields by name, such as agent_name='seller'"


def test_a_misspelled_field_of_a_nested_mapping_has_the_nearest_name() -> None:
    wrong: dict[str, Any] = {"budget": {"turn_token": 5}, "callbacks": {"on_outptu": print}}
    with pytest.raises(ValidationError) as caught:
        add_agent(agent_name="seller", completion="model", tools="stock", **wrong)
    assert [str(problem) for problem in caught.value.problems] == [
        "agents.seller.tools: Input should be a list",
        "agents.seller.budget.turn_token: unknown field 'turn_token' (did you mean 'turn_tokens'?)",
        "agents.seller.callbacks.on_outptu: unknown field 'on_outptu' (did you mean 'on_output'?)",
    ]


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match=r"^no swarm named 'shop'; there is none$"):
        get_swarm("shop")
    for number in range(12):
        add_completion(completion_name=f"m{number:02}", model="offline")
    with pytest.raises(UnknownNameError, match=r"known: m00, m01, .*, m09 and 2 more$"):
        get_completion("gpt")
    no_names: list[Any] = [None, 5, {}]
    for name in no_names:
        with pytest.raises(UnknownNameError, match="no completion named"):
            get_completion(name)
