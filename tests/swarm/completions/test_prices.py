"""Prices and costs: where they come from, and that an unknown one never passes for zero."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from swarm import Catalog, CompletionResult, CompletionSpec, Host, Message, Usage
from swarm.completions.prices import (
    FREE,
    LongPrice,
    Price,
    PriceTable,
    shipped_date,
    shipped_prices,
)
from swarm.errors import DataError, ProviderDownError
from swarm.reference import parse_reference
from swarm.testing import StubServer
from tests.swarm.completions.asking import MODES, ask, opener, request

pytestmark = pytest.mark.anyio

_OWN = {"openai/m": {"input": 1.0, "output": 2.0}}


def _find(reference: str, base_url: str | None = None, own: Any = None) -> Price | None:
    return PriceTable(own).find(parse_reference(reference), base_url)


def _host(home: Path, prices: Any = None, **environment: str) -> Host:
    return Host(catalog=Catalog(), home=home, environment=environment, prices=prices)


def test_every_shipped_price_has_its_source_and_date() -> None:
    prices = shipped_prices()
    assert len(prices) > 20
    for name, price in prices.items():
        assert parse_reference(name)
        assert price.input > 0
        assert price.output > 0
        assert price.source != "prices.json", name
        assert len(price.date.split("-")) == 2, name
        assert price.date <= shipped_date()


@pytest.mark.parametrize(
    "reference",
    ["gguf/a.gguf", "ollama/m", "llama-server/m", "vllm/m", "registry/a@live", "offline"],
)
@pytest.mark.parametrize("base_url", [None, "http://10.0.0.1/v1"])
def test_what_runs_on_ones_own_machine_is_free(reference: str, base_url: str | None) -> None:
    assert _find(reference, base_url) == FREE
    assert _find("python:module:function") == FREE


def test_the_programs_own_price_comes_first() -> None:
    own = {
        "openai/gpt-5": {"input": 7, "output": 8},
        "ollama/m": {"input": 0.1, "output": 0.1},
        "azure/mine": {"input": 1, "output": 1},
    }
    for name, row in own.items():
        found = _find(name, "http://10.0.0.1/v1", own)
        assert found is not None
        assert (found.input, found.output) == (row["input"], row["output"])
    assert _find("openai/gpt-5-mini", own=own) == shipped_prices()["openai/gpt-5-mini"]


def test_a_price_holds_for_the_providers_own_address_only() -> None:
    assert _find("openai/gpt-5") is not None
    assert _find("openai/gpt-5", "http://10.0.0.1/v1") is None
    assert _find("azure/gpt-5") is None, "a deployment may be called like a model that it is not"
    assert _find("litellm/openai/gpt-5") == _find("openai/gpt-5")
    assert _find("openai/no-such-model") is None


def test_an_installed_litellm_knows_further_prices() -> None:
    found = importlib.util.find_spec("litellm")
    if found is None or found.origin is None:
        pytest.skip("needs litellm")
    path = Path(found.origin).parent / "model_prices_and_context_window_backup.json"
    rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    name, row = next(
        (name, row)
        for name, row in rows.items()
        if name.startswith("xai/") and row.get("input_cost_per_token")
    )
    assert name not in shipped_prices()
    price = _find(f"litellm/{name}")
    assert price is not None
    assert price.input == pytest.approx(row["input_cost_per_token"] * 1e6)
    assert price.output == pytest.approx(row["output_cost_per_token"] * 1e6)


def _charge(price: Price, **usage: Any) -> Usage:
    message = Message(role="assistant", content="x")
    return price.charge(CompletionResult(message, "m", Usage(**usage))).usage


def test_a_call_costs_what_its_tokens_cost() -> None:
    price = Price(1.0, 2.0, "test", "")
    used = _charge(price, input_tokens=1_000_000, output_tokens=500_000)
    assert (used.cost, used.priced_tokens, used.known_cost) == (2.0, 1_500_000, 2.0)
    long = price._replace(long=LongPrice(1000, 10.0, 20.0))
    assert _charge(long, input_tokens=1000, output_tokens=0).cost == pytest.approx(0.001)
    assert _charge(long, input_tokens=1001, output_tokens=1).cost == pytest.approx(0.01003)
    own = _charge(price, input_tokens=5, output_tokens=5, cost=0.5, priced_tokens=10)
    assert own.cost == 0.5, "what an answer says itself is kept"


def test_a_sum_with_unknown_parts_is_not_complete() -> None:
    known = Usage(input_tokens=10, output_tokens=5, cost=0.25, priced_tokens=15)
    unknown = Usage(input_tokens=3, output_tokens=4)
    assert (known + known).known_cost == 0.5
    both = known + unknown
    assert (both.cost, both.known_cost, both.unpriced_tokens) == (0.25, None, 7)
    assert unknown.known_cost is None
    assert Usage().known_cost == 0
    free = Usage(input_tokens=3, priced_tokens=3)
    assert free.known_cost == 0


def test_usage_of_an_older_journal_has_no_known_cost() -> None:
    used = TypeAdapter(Usage).validate_json('{"input_tokens": 3, "output_tokens": 4}')
    assert used.known_cost is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("keys", ["", "A", "A B"])
async def test_an_answer_carries_its_cost(tmp_path: Path, mode: str, keys: str) -> None:
    fields: dict[str, Any] = {"api_key_env": keys.split()} if keys else {}
    async with StubServer(lambda _: "Yes.") as server, _host(tmp_path, _OWN, A="1", B="2") as host:
        priced = await opener(host)("openai/m", server.base_url, **fields)
        used = (await ask(priced, mode)).result.usage
        assert used.known_cost == pytest.approx((used.input_tokens + 2 * used.output_tokens) / 1e6)
        assert used.cost > 0
        other = await opener(host)("openai/other", server.base_url, **fields)
        assert (await ask(other, mode)).result.usage.known_cost is None


async def test_a_fallback_costs_its_own_price(tmp_path: Path) -> None:
    async with StubServer(lambda _: "Yes.") as server, _host(tmp_path, _OWN) as host:
        fields: dict[str, Any] = {"fallback": "openai/m", "base_url": server.base_url}
        spec = CompletionSpec(completion_name="m", get_completion=_broken, max_retries=0, **fields)
        result = await (await host.completion(spec)).complete(request())
    assert result.model == "openai/m"
    assert result.usage.cost > 0


async def test_a_functions_own_cost_is_kept(tmp_path: Path) -> None:
    used = Usage(input_tokens=10, output_tokens=10, cost=0.5, priced_tokens=20)

    def answer(_: object) -> CompletionResult:
        return CompletionResult(Message(role="assistant", content="x"), "m", used)

    async with _host(tmp_path) as host:
        spec = CompletionSpec(completion_name="m", get_completion=answer)
        assert (await (await host.completion(spec)).complete(request())).usage == used


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
@pytest.mark.parametrize("shape", ["bare", "dated"])
async def test_prices_come_from_a_file(tmp_path: Path, suffix: str, shape: str) -> None:
    path = tmp_path / f"prices{suffix}"
    rows = _OWN if shape == "bare" else {"date": "2026-11", "models": _OWN}
    path.write_text(json.dumps(rows), encoding="utf-8")
    hosts = _host(tmp_path, path), _host(tmp_path, WIKISWARM_PRICES=str(path))
    for opened in hosts:
        async with StubServer(lambda _: "Yes.") as server, opened as host:
            model = await opener(host)("openai/m", server.base_url)
            assert (await ask(model, "whole")).result.usage.cost > 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "no prices in it"),
        ('{"openai/m": {"input": 1}}', "'openai/m': output: Field required"),
        ('{"openai/m": {"input": -1, "output": 1}}', "'openai/m': input: "),
        ('{"openai/m": {"input": 1, "output": 1, "extra": 1}}', "'openai/m': extra: "),
        ('{"openai/m": {"input": 1, "output": 1, "above": 5}}', "go together"),
        ('{"openai/m": 5}', "'openai/m': no mapping; give `input` and `output`"),
    ],
)
async def test_a_wrong_file_of_prices_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text, encoding="utf-8")
    async with _host(tmp_path, path) as host:
        with pytest.raises(DataError) as caught:
            await opener(host)("offline")
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)


async def test_a_missing_file_of_prices_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(DataError, match=r"cannot read the prices in .*none\.yaml"):
        PriceTable(path)
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [", encoding="utf-8")
    with pytest.raises(DataError, match="is not YAML"):
        PriceTable(bad)


def _broken(_: object) -> str:
    raise ProviderDownError("down", provider="python")
