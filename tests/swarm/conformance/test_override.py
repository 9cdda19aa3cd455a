"""Overrides: some fields of a declaration, inside a block, for the sessions that open in it."""

from typing import Any

import pytest

import swarm
import wiki
from swarm import (
    AgentCallbacks,
    Kind,
    Spec,
    get_agent,
    override_agent,
    override_completion,
    override_swarm,
    override_tool,
    session,
    use_catalog,
)
from swarm.errors import UnknownNameError, ValidationError
from swarm.testing import ScriptedCompletion, call_tool
from tests.swarm.program import Program, output_of

pytestmark = pytest.mark.anyio


def silent(*told: object) -> None:
    """Hear nothing."""


@pytest.mark.requirement("kit:override:partial", "kit:override:callbacks-whole")
def test_only_what_is_given_is_replaced(program: Program) -> None:
    callbacks = AgentCallbacks(on_init=silent, on_output=silent)
    program.agent(prompt="You sell.", keep_messages=7, callbacks=callbacks)
    with use_catalog(program.catalog):
        with override_agent("seller", prompt="You buy.", callbacks={"on_run": silent}) as changed:
            assert changed == get_agent("seller")
            assert (changed.prompt, changed.keep_messages) == ("You buy.", 7)
            assert changed.callbacks == AgentCallbacks(on_run=silent)
        assert get_agent("seller").callbacks == callbacks


@pytest.mark.requirement("kit:override:scoped")
def test_the_block_is_the_end_of_it_also_after_an_error(program: Program) -> None:
    program.agent(prompt="You sell.")
    with use_catalog(program.catalog):
        with (
            pytest.raises(LookupError),
            override_agent("seller", prompt="You buy."),
            override_agent("seller", keep_messages=3),
        ):
            assert (get_agent("seller").prompt, get_agent("seller").keep_messages) == (
                "You buy.",
                3,
            )
            raise LookupError
        assert (get_agent("seller").prompt, get_agent("seller").keep_messages) == ("You sell.", 50)


@pytest.mark.requirement("kit:override:later-sessions")
async def test_sessions_keep_what_they_opened_with(program: Program) -> None:
    async def stock() -> str:
        return "3 boxes"

    async def fake() -> str:
        return "a hundred"

    program.agent(steps=["as declared", "as declared too"], tools=[stock])
    other = ScriptedCompletion([call_tool("stock"), "as overridden"])
    program.swarm()
    async with program.host() as host:
        with use_catalog(program.catalog):
            async with session("before", "shop", host=host) as before:
                with (
                    override_completion("seller_model", get_completion=other),
                    override_tool("stock", call=fake),
                    override_swarm("shop", turn_timeout=1.0),
                ):
                    async with session("inside", "shop", host=host) as inside:
                        assert await before.complete("hi") == "as declared"
                        assert await inside.complete("hi") == "as overridden"
                assert output_of(other.requests[1]) == "a hundred"
            async with session("after", "shop", host=host) as after:
                assert await after.complete("hi") == "as declared too"


@pytest.mark.requirement("kit:override:refused")
def test_what_cannot_be_replaced_changes_nothing(program: Program) -> None:
    program.agent(prompt="You sell.")
    with use_catalog(program.catalog):
        version = program.catalog.version
        with (
            pytest.raises(UnknownNameError, match="did you mean 'seller'"),
            override_agent("seler", prompt="x"),
        ):
            raise NotImplementedError
        with (
            pytest.raises(ValidationError, match="did you mean 'prompt'"),
            override_agent("seller", promt="x"),
        ):
            raise NotImplementedError
        assert program.catalog.version == version


@pytest.mark.requirement("kit:override:every-kind", "kit:register:read-back")
def test_every_kind_can_be_declared_read_and_overridden(kinds: tuple[Kind[Spec], ...]) -> None:
    modules: list[Any] = [swarm, wiki]
    for kind in kinds:
        for verb in ("add", "get", "override"):
            name = f"{verb}_{kind.name}"
            found = [getattr(module, name, None) for module in modules]
            assert any(callable(function) for function in found), name
