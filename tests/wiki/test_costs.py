"""Costs out of the journal: by day, model and wiki, and against a paid model."""

from pathlib import Path

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
)
from swarm.errors import DataError
from swarm.testing import StubReply, StubServer
from swarm.testing.stub_server import call_first_tool
from wiki import add_wiki
from wiki.costs import Ledger, read_costs

pytestmark = pytest.mark.anyio

_PRICES = {
    "openai/paid": {"input": 2.0, "output": 10.0},
    "openai/dear": {"input": 1000.0, "output": 1000.0},
}


def _catalog(agents: str, wikis: str) -> Catalog:
    """Return a shop whose agent speaks through a paid model and whose wiki is a local one."""
    with use_catalog(Catalog()) as catalog:
        add_completion(completion_name="paid", model="openai/paid", base_url=agents)
        add_completion(completion_name="local", model="vllm/small", base_url=wikis)
        add_wiki(wiki_name="pharma", completion="local")
        add_tool(tool_name="ask", wiki="pharma")
        add_agent(agent_name="seller", completion="paid", tools=["ask"], wiki_list=["pharma"])
        add_swarm(swarm_name="shop", agent_list=["seller"], default_agent="seller")
    return catalog


async def _ledger(tmp_path: Path, against: str | None, **options: int) -> Ledger:
    async with (
        StubServer(call_first_tool) as agents,
        StubServer(lambda _: StubReply("4.80 euros")) as wikis,
        Host(
            catalog=_catalog(agents.base_url, wikis.base_url),
            home=tmp_path,
            environment={},
            prices=_PRICES,
        ) as host,
    ):
        async with session("ann", "shop", host=host) as chat:
            await chat.complete("How much is Velorin?")
            await chat.complete("And Dolanex?")
        return await read_costs(host.database, against=against, prices=_PRICES, **options)


@pytest.mark.requirement("S0-41")
async def test_agents_and_wikis_have_rows_of_their_own(tmp_path: Path) -> None:
    ledger = await _ledger(tmp_path, "openai/dear")
    paid, local = ledger.rows
    assert (paid.model, paid.wiki, paid.calls) == ("openai/paid", None, 4)
    assert (local.model, local.wiki, local.calls) == ("vllm/small", "pharma", 2)
    tokens = paid.usage
    assert tokens.input_tokens > 0 and tokens.output_tokens > 0
    assert paid.cost == pytest.approx((tokens.input_tokens * 2 + tokens.output_tokens * 10) / 1e6)
    assert local.cost == 0.0 and local.usage.tokens > 0
    # What the local model saved is what its tokens would have cost.
    assert local.saved == pytest.approx(local.usage.tokens / 1000)
    assert paid.cost is not None
    assert ledger.saved == pytest.approx((local.usage.tokens + tokens.tokens) / 1000 - paid.cost)
    assert ledger.usage.tokens == local.usage.tokens + tokens.tokens


@pytest.mark.requirement("S0-41")
async def test_without_a_model_to_compare_with_nothing_is_saved(tmp_path: Path) -> None:
    ledger = await _ledger(tmp_path, None, days=1)
    assert ledger.saved is None
    assert [row.saved for row in ledger.rows] == [None, None]


async def test_a_model_without_a_price_cannot_be_compared_with(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nobody knows what openai/secret costs"):
        await _ledger(tmp_path, "openai/secret")
