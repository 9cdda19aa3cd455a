"""Registration: every kind, by its own verb, in Python and in YAML."""

from collections.abc import Callable
from typing import Any

import pytest

import swarm
from declarative.kinds import SECTIONS
from swarm import Catalog, Message, add_agent, add_tool, use_catalog
from swarm.errors import DuplicateNameError
from swarm.testing import call_tool
from tests.swarm.program import Program, output_of
from wiki import add_wiki

pytestmark = pytest.mark.anyio


def function(text: str = "") -> str:
    """Stand for any function of a program."""
    return "3 boxes"


FIELDS: dict[str, dict[str, Any]] = {
    "advisor": {"advisor_name": "x", "get_chat": function},
    "agent": {"agent_name": "x", "completion": "m"},
    "completion": {"completion_name": "x", "model": "offline"},
    "compute": {"compute_name": "x", "get": function},
    "embedding": {"embedding_name": "x", "model": "hash"},
    "mcp": {"mcp_name": "x", "command": ["server"]},
    "outline": {"outline_name": "x", "completion": "m", "format": {"type": "object"}},
    "pipeline": {"pipeline_name": "x", "execute": function},
    "policy": {"policy_name": "x", "max_length": 10},
    "state": {"state_name": "x", "default": 0},
    "storage": {"storage_name": "x"},
    "swarm": {"swarm_name": "x", "agent_list": ["a"], "default_agent": "a"},
    "tool": {"tool_name": "x", "call": function, "parameters": {"type": "object"}},
    "wiki": {"wiki_name": "x", "get_chat": function},
}
"""The fewest fields of each kind."""


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.requirement("kit:register:every-kind", "kit:register:duplicate")
def test_each_kind_is_declared_once_and_returns_its_name(kind: str) -> None:
    add: Callable[..., str] = add_wiki if kind == "wiki" else getattr(swarm, f"add_{kind}")
    with use_catalog(Catalog()):
        assert add(**FIELDS[kind]) == "x"
        with pytest.raises(DuplicateNameError, match=f"{kind} 'x' is declared already"):
            add(**FIELDS[kind])


@pytest.mark.requirement("kit:register:every-kind", "kit:register:yaml")
def test_each_kind_has_a_section_in_documents() -> None:
    assert {kind.name for kind in SECTIONS.values()} == set(FIELDS)


@pytest.mark.requirement("kit:register:model-name-of-tool")
async def test_models_see_another_name_than_programs(program: Program) -> None:
    shape = {"name": "look_up", "description": "Looks it up.", "parameters": {"type": "object"}}
    with use_catalog(program.catalog):
        add_tool(tool_name="stock_of_shop", function=shape, call=function)  # pyright: ignore[reportArgumentType] - as YAML and the kit have it
    model = program.agent(steps=[call_tool("look_up"), "3."], tools=["stock_of_shop"])
    async with program.chat() as chat:
        assert await chat.complete("How many?") == "3."
    assert [tool.name for tool in model.requests[0].tools] == ["look_up"]
    assert output_of(model.requests[1]) == "3 boxes"


@pytest.mark.requirement("kit:register:one-line-or-many")
async def test_system_prompts_are_a_text_or_a_list(program: Program) -> None:
    fields: dict[str, Any] = {"prompt": "You sell.", "system": "One."}
    one = program.agent("one", ["ok"], **fields)
    many = program.agent("many", ["ok"], prompt="You sell.", system_static=["One.", "Two."])
    for name in ("one", "many"):
        with use_catalog(program.catalog):
            swarm.add_swarm(swarm_name=name, agent_list=[name], default_agent=name)
        async with program.chat("client", name) as chat:
            await chat.complete("hi")
    assert one.requests[0].messages[0] == Message(role="system", content="You sell.\nOne.")
    assert many.requests[0].messages[0] == Message(role="system", content="You sell.\nOne.\nTwo.")


@pytest.mark.requirement("kit:register:catalogs")
def test_two_catalogs_are_two_programs() -> None:
    first, second = Catalog(), Catalog()
    for catalog, prompt in ((first, "You sell."), (second, "You buy.")):
        with use_catalog(catalog):
            add_agent(agent_name="x", completion="m", prompt=prompt)
    assert [c.agents.get("x").prompt for c in (first, second)] == ["You sell.", "You buy."]


@pytest.mark.requirement("kit:misc:settings")
async def test_two_agents_may_have_other_limits(program: Program) -> None:
    strict = program.agent("strict", [call_tool("nothing"), ""], max_repairs=1, placeholder="No.")
    loose = program.agent("loose", [""], max_repairs=0, placeholder="Sorry.")
    for name in ("strict", "loose"):
        with use_catalog(program.catalog):
            swarm.add_swarm(swarm_name=name, agent_list=[name], default_agent=name)
    async with program.chat("client", "strict") as chat:
        assert await chat.complete("hi") == "No."
    async with program.chat("client", "loose") as chat:
        assert await chat.complete("hi") == "Sorry."
    assert (len(strict.requests), len(loose.requests)) == (2, 1)
