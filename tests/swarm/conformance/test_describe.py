"""The documentation of a program, for people who do not read its code."""

from typing import Any

import pytest

from declarative.describe import describe
from swarm import add_outline, add_pipeline, add_policy, add_state, add_storage, use_catalog
from tests.swarm.program import Program


def runs(client_id: str, agent_name: str, payload: Any) -> None:
    """Do nothing in a pipeline."""


@pytest.mark.requirement("kit:docs:swarm", "kit:schema:doc-fields")
def test_a_swarm_is_described_with_its_agents_and_tools(program: Program) -> None:
    def stock(sku: str, shelf: int = 1) -> int:
        """How many boxes are in stock."""
        return 3

    program.tool(stock)
    program.agent("seller", [], tools=["stock"], prompt="You sell.", doc_description="Sells boxes.")
    program.swarm(doc_description="A shop.")
    text = describe(program.catalog)
    for part in (
        "# Swarm `shop`", "A shop.", "Sells boxes.", "You sell.", "seller_model",
        "How many boxes are in stock.", "| `sku` | text | yes |", "| `shelf` | whole number | no |",
    ):  # fmt: skip
        assert part in text


@pytest.mark.requirement("kit:docs:everything")
def test_what_else_is_used_is_described_too(program: Program) -> None:
    with use_catalog(program.catalog):
        add_state(state_name="cart", doc_description="What the client buys.")
        add_storage(storage_name="notes", doc_description="What the client said.")
        add_policy(policy_name="calm", doc_description="No swearing.")
        add_pipeline(pipeline_name="restock", execute=runs, doc_description="Orders boxes.")
        add_outline(
            outline_name="order",
            completion="seller_model",
            format={"type": "object"},
            doc_description="An order.",
        )
    program.agent("seller", [], states=["cart"], storages=["notes"])
    program.swarm(policies=["calm"])
    text = describe(program.catalog)
    for part in (
        "What the client buys.", "What the client said.", "No swearing.", "An order.",
        "Orders boxes.",
    ):  # fmt: skip
        assert part in text
