"""The page on models: its document loads and its program runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from declarative import load
from swarm import BreakerSpec, BudgetSpec, Catalog, Host, validate
from swarm.completions.prices import PriceTable
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "models.md"


def test_the_document_of_the_page_loads(tmp_path: Path) -> None:
    document, prices = blocks(PAGE, "yaml")
    path = tmp_path / "models.yaml"
    path.write_text(document, encoding="utf-8")
    catalog = load(path, catalog=Catalog(), environment={})
    validate(catalog)
    completion = catalog.completions.get("main")
    assert completion.key_variables == ("OPENAI_KEY_A", "OPENAI_KEY_B")
    assert completion.key_budget == BudgetSpec(session_cost=20)
    assert completion.breaker == BreakerSpec(failures=5, cooldown=30)
    assert catalog.swarms.get("shop").budget == BudgetSpec(turn_tokens=20000, session_cost=0.5)
    assert catalog.agents.get("seller").budget == BudgetSpec(turn_seconds=45)
    path.write_text(prices, encoding="utf-8")
    assert PriceTable(path).own["openai/gpt-5.4"].long is not None


@pytest.mark.anyio
async def test_the_swarm_of_the_page_has_prices_for_its_budgets(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(blocks(PAGE, "yaml")[0], encoding="utf-8")
    keys = {"OPENAI_KEY_A": "a", "OPENAI_KEY_B": "b"}
    catalog = load(path, catalog=Catalog(), environment=keys)
    async with Host(catalog=catalog, home=tmp_path / "home", environment=keys) as host:
        session = await host.open_session("client", "shop")
    assert session.plan.agents["seller"].completion.model == "openai/gpt-5-mini"


def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    (program,) = blocks(PAGE, "python")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
