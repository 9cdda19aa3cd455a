"""`validate`: every problem of a whole program, each with its place and a way out."""

from typing import Any

import pytest

from swarm import (
    Catalog,
    add_agent,
    add_completion,
    add_swarm,
    add_tool,
    use_catalog,
    validate,
)
from swarm.errors import Problem, UnknownNameError, ValidationError
from swarm.specs import ToolFunction
from swarm.validate import find_problems, handoff_edges


@pytest.fixture(autouse=True)
def catalog() -> Any:
    with use_catalog(Catalog()) as fresh:
        add_completion(completion_name="model", model="offline")
        yield fresh


def stock_level(sku: str) -> int:
    """How many boxes are in stock."""
    raise NotImplementedError


def _agent(name: str, **fields: Any) -> None:
    add_agent(agent_name=name, completion="model", **fields)


def _swarm(*names: str, **fields: Any) -> None:
    add_swarm(swarm_name="shop", agent_list=names, default_agent=names[0], **fields)


def _told(catalog: Catalog) -> list[str]:
    return [str(problem) for problem in find_problems(catalog)]


def test_a_program_without_problems(catalog: Catalog) -> None:
    add_tool(stock_level)
    _agent("seller", tools=["stock_level"], handoffs=["clerk"])
    _agent("clerk", handoffs=["seller"])
    _swarm("seller", "clerk")
    validate()
    validate(catalog)
    assert _told(catalog) == []


@pytest.mark.requirement("kit:register:all-problems")
def test_every_unknown_name_is_told_at_once_with_the_nearest_one(catalog: Catalog) -> None:
    add_tool(stock_level)
    add_tool(tool_name="to_boss", navigate_to="bos")
    add_agent(
        agent_name="seller",
        completion="modle",
        tools=["stock_levl", "zzz"],
        handoffs=["clrk"],
    )
    _agent("clerk")
    add_swarm(swarm_name="shop", agent_list=["seler", "clerk"], default_agent="seler")
    with pytest.raises(ValidationError) as caught:
        validate()
    assert [str(problem) for problem in caught.value.problems] == [
        "tools.to_boss.navigate_to: no agent named 'bos' (declared: seller, clerk)",
        "agents.seller.completion: no completion named 'modle' (did you mean 'model'?)",
        "agents.seller.tools[0]: no tool named 'stock_levl' (did you mean 'stock_level'?)",
        "agents.seller.tools[1]: no tool named 'zzz' (declared: stock_level, to_boss)",
        "agents.seller.handoffs[0]: no agent named 'clrk' (did you mean 'clerk'?)",
        "swarms.shop.agent_list[0]: no agent named 'seler' (did you mean 'seller'?)",
    ]
    assert str(caught.value).startswith("6 problems\n  tools.to_boss.navigate_to: ")


def test_a_name_where_nothing_is_declared(catalog: Catalog) -> None:
    _agent("seller", tools=["stock_level"])
    _swarm("seller")
    assert _told(catalog) == [
        "agents.seller.tools[0]: no tool named 'stock_level' (no tool is declared)"
    ]


def test_names_that_are_listed_twice(catalog: Catalog) -> None:
    add_tool(stock_level)
    _agent("seller", tools=["stock_level", "stock_level"], handoffs=["clerk", "clerk"])
    _agent("clerk")
    _swarm("seller", "clerk", "clerk")
    assert _told(catalog) == [
        "agents.seller.tools: tool 'stock_level' is listed 2 times",
        "agents.seller.handoffs: agent 'clerk' is listed 2 times",
        "swarms.shop.agent_list: agent 'clerk' is listed 2 times",
    ]


def test_two_tools_that_look_the_same_to_the_model(catalog: Catalog) -> None:
    for name in ("one", "two"):
        add_tool(tool_name=name, call=stock_level, function=ToolFunction(name="look"))
    add_tool(tool_name="transfer_to_the_clerk", call=stock_level)
    _agent("seller", tools=["one", "two", "transfer_to_the_clerk"], handoffs=["the.clerk"])
    _agent("the.clerk")
    _swarm("seller", "the.clerk")
    assert _told(catalog) == [
        "agents.seller.tools: 2 tools are offered to the model as 'look'",
        "agents.seller.tools: 2 tools are offered to the model as 'transfer_to_the_clerk'",
    ]


def test_a_hand_off_whose_tool_no_provider_would_take(catalog: Catalog) -> None:
    name = "x" * 60
    _agent("seller", handoffs=[name])
    _agent(name, handoffs=["seller"])
    _swarm("seller", name)
    assert _told(catalog) == [
        f"agents.seller.handoffs: 'transfer_to_{name}' has more than the 64 characters of a tool's"
        " name (declare a tool with `navigate_to` and a shorter name)"
    ]


@pytest.mark.requirement("kit:register:default-agent-listed")
def test_a_swarm_without_agents_or_with_another_start(catalog: Catalog) -> None:
    _agent("seller")
    add_swarm(swarm_name="empty", agent_list=[], default_agent="seller")
    add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seler")
    add_swarm(swarm_name="other", agent_list=["seller"], default_agent="boss")
    assert _told(catalog) == [
        "swarms.empty.agent_list: a swarm needs at least one agent",
        "swarms.empty.default_agent: default agent 'seller' is not in agent_list"
        " (add it to agent_list)",
        "swarms.shop.default_agent: default agent 'seler' is not in agent_list"
        " (did you mean 'seller'?)",
        "swarms.other.default_agent: default agent 'boss' is not in agent_list"
        " (add it to agent_list)",
    ]


def test_a_hand_off_out_of_the_swarm_or_to_itself(catalog: Catalog) -> None:
    add_tool(tool_name="to_clerk", navigate_to="clerk")
    _agent("seller", tools=["to_clerk"], handoffs=["seller"])
    _agent("clerk")
    _swarm("seller")
    assert _told(catalog) == [
        "agents.seller: an agent cannot hand over to itself",
        "swarms.shop.agent_list: agent 'seller' hands over to 'clerk', which is not in this swarm"
        " (add 'clerk' to agent_list)",
    ]
    assert handoff_edges(catalog.agents.get("seller"), catalog) == ["seller", "clerk"]


def test_what_tools_hand_over_to_is_checked_by_name_only(catalog: Catalog) -> None:
    _agent("seller", depends_on=["clrk", "clerk", "clerk"])
    _agent("clerk", depends_on=["clerk"])
    _swarm("seller")
    assert _told(catalog) == [
        "agents.seller.depends_on[0]: no agent named 'clrk' (did you mean 'clerk'?)",
        "agents.seller.depends_on: agent 'clerk' is listed 2 times",
        "agents.clerk: an agent cannot hand over to itself",
    ]
    assert handoff_edges(catalog.agents.get("seller"), catalog) == ["clrk", "clerk"]


CYCLES: list[tuple[dict[str, list[str]], list[str]]] = [
    ({"a": ["b"], "b": ["a"]}, []),
    ({"a": ["b"], "b": ["c"], "c": []}, []),
    ({"a": ["b"], "b": ["c"], "c": ["b"]}, ["'b' and 'c'"]),
    ({"a": ["b"], "b": ["c"], "c": ["b", "a"]}, []),
    ({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]}, ["'b' and 'c' and 'd'"]),
    ({"a": ["b"], "b": ["c"], "c": ["d", "b"], "d": []}, []),
    (
        {"a": ["b", "d"], "b": ["c"], "c": ["b"], "d": ["e"], "e": ["d"]},
        ["'b' and 'c'", "'d' and 'e'"],
    ),
]


@pytest.mark.requirement("kit:navigate:no-trap")
@pytest.mark.parametrize(("edges", "loops"), CYCLES)
def test_cycles_of_hand_offs_need_an_exit(
    catalog: Catalog, edges: dict[str, list[str]], loops: list[str]
) -> None:
    for name, targets in edges.items():
        _agent(name, handoffs=targets)
    _swarm(*edges)
    assert _told(catalog) == [
        f"swarms.shop.agent_list: the hand-offs between {loop} form a cycle without an exit"
        " (let one of them hand over to 'a')"
        for loop in loops
    ]


@pytest.mark.requirement("kit:navigate:no-trap", "kit:navigate:depends-on")
def test_a_tool_that_hands_over_is_an_exit_and_may_be_a_trap(catalog: Catalog) -> None:
    _agent("a", handoffs=["b", "d"])
    _agent("b", handoffs=["c"])
    _agent("c", handoffs=["b"], depends_on=["a"])
    _agent("d", depends_on=["e"])
    _agent("e", depends_on=["d"])
    _swarm("a", "b", "c", "d", "e")
    assert _told(catalog) == [
        "swarms.shop.agent_list: the hand-offs between 'd' and 'e' form a cycle without an exit"
        " (let one of them hand over to 'a')"
    ]


def test_model_references_are_read(catalog: Catalog) -> None:
    add_completion(completion_name="one", model="opnai/gpt")
    add_completion(completion_name="two", model="gpt")
    add_completion(completion_name="three", model="offline", fallback=["offline", "cohre/x"])
    add_completion(completion_name="four", model="python:no_function")
    told = _told(catalog)
    assert told[0] == "completions.one.model: no model provider 'opnai'; did you mean 'openai'?"
    assert told[1] == "completions.two.model: 'gpt' is no model reference; write provider/model"
    assert told[2].startswith("completions.three.fallback")
    assert told[2].endswith("no model provider 'cohre'; did you mean 'cohere'?")
    assert told[3].endswith("'python:no_function' should read python:module:function")
    assert len(told) == 4


def test_schemas_that_are_none(catalog: Catalog) -> None:
    properties: dict[str, Any] = {"x": {"type": "text"}}
    add_tool(tool_name="t", call=stock_level, parameters={"properties": properties})
    pattern: dict[str, Any] = {"properties": {"x": {"type": "string", "pattern": "("}}}
    add_tool(tool_name="u", call=stock_level, parameters=pattern)
    told = _told(catalog)
    assert len(told) == 2
    assert told[0].startswith(
        "tools.t.parameters.properties.x.type: not a JSON Schema: 'text' is not"
    )
    assert told[1].startswith("tools.u.parameters.properties.x.pattern: not a JSON Schema: ")


def test_functions_that_no_model_can_call(catalog: Catalog) -> None:
    def lost(sku: str) -> None:
        raise NotImplementedError

    lost.__annotations__["sku"] = "Unknown"
    add_tool(tool_name="t", call=lost)
    assert _told(catalog) == [
        "tools.t: tool function 'lost': unknown annotation: name 'Unknown' is not defined"
    ]


def test_a_name_that_is_asked_for_and_not_there(catalog: Catalog) -> None:
    _agent("seller")
    with pytest.raises(UnknownNameError, match="no agent named 'seler'; did you mean 'seller'"):
        catalog.agents.get("seler")


def test_a_problem_reads_like_a_compilers() -> None:
    place = Problem(
        "no tool named 'x'", "agents.a.tools[0]", "shop.yaml", 3, 7, "did you mean 'y'?"
    )
    assert str(place) == "shop.yaml:3:7: agents.a.tools[0]: no tool named 'x' (did you mean 'y'?)"
    assert str(Problem("wrong", "agents.a")) == "agents.a: wrong"
    assert str(Problem("wrong", "agents.a", "shop.yaml")) == "shop.yaml: wrong"
