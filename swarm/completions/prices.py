"""What models cost: a dated table, the program's own prices over it, and litellm's beneath.

A price that nobody knows is unknown, never zero. Prices are for plain text in and out at the
standard rate; that providers take less for cached input is left out.
"""

import functools
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from swarm.completion import CompletionResult
from swarm.errors import DataError
from swarm.messages import Usage
from swarm.reference import ModelReference

__all__ = ["FREE", "LongPrice", "Price", "PriceTable", "shipped_date", "shipped_prices"]

_LOCAL = frozenset(
    {"gguf", "llama-server", "offline", "ollama", "python", "registry", "scripted", "vllm"}
)
"""Providers that run on machines of one's own."""
_MILLION = 1_000_000
_LONG = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


class LongPrice(NamedTuple):
    """What a call costs whose input is longer than so many tokens."""

    above: int
    input: float
    output: float


class Price(NamedTuple):
    """What a model costs, in US dollars per million tokens."""

    input: float
    output: float
    source: str
    """Where the price was read."""
    date: str
    """When, as `YYYY-MM`; empty where the source does not say."""
    long: "LongPrice | None" = None
    """What calls with a very long input cost instead."""

    def charge(self, result: CompletionResult) -> CompletionResult:
        """Return an answer with the cost of its tokens, unless it has one already."""
        usage = result.usage
        tokens = usage.input_tokens + usage.output_tokens
        if not tokens or usage.priced_tokens:
            return result
        rate = self if self.long is None or usage.input_tokens <= self.long.above else self.long
        cost = (usage.input_tokens * rate.input + usage.output_tokens * rate.output) / _MILLION
        priced = Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost=cost,
            priced_tokens=tokens,
        )
        return replace(result, usage=priced)


FREE = Price(0.0, 0.0, "runs on a machine of one's own", "")


class PriceTable:
    """The prices that hold in one host."""

    def __init__(self, own: Mapping[str, Any] | Path | str | None = None) -> None:
        """Take prices of the program's own.

        Args:
            own: A file in JSON or YAML, or what such a file holds: model references such as
                `openai/gpt-5`, each with `input` and `output` in US dollars per million tokens.

        Raises:
            DataError: The file cannot be read, or a row is wrong.
        """
        self.own: dict[str, Price] = {}
        """The program's own prices, by reference."""
        if own is None:
            return
        if isinstance(own, str | Path):
            place = str(own)
            rows = _rows(_read(Path(own)), place)
        else:
            place, rows = "prices", dict(own)
        self.own = {name: _price(row, f"{place}: {name!r}", place) for name, row in rows.items()}

    def find(self, reference: ModelReference, base_url: str | None = None) -> Price | None:
        """Return the price of a model, or None where nobody knows it.

        Args:
            reference: The model.
            base_url: The address, where it is not the provider's own. What somebody else takes
                for a model is only known where the program says it.
        """
        name = str(reference)
        if name in self.own:
            return self.own[name]
        if reference.provider in _LOCAL:
            return FREE
        # A deployment of Azure may be called like a model that it is not.
        if base_url is not None or reference.provider == "azure":
            return None
        bare = name.removeprefix("litellm/")
        return shipped_prices().get(bare) or _litellm_prices().get(bare)


@functools.cache
def shipped_prices() -> dict[str, Price]:
    """Return the prices that come with wikiswarm, by reference."""
    place = "prices.json"
    rows = _rows(_shipped(), place)
    return {name: _price(row, f"{place}: {name!r}", place) for name, row in rows.items()}


def shipped_date() -> str:
    """Return when the prices that come with wikiswarm were read, as `YYYY-MM`."""
    return str(_shipped()["date"])


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    above: Annotated[int, Field(gt=0)] | None = None
    """Calls with more input tokens than these cost what the next two say."""
    input_above: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    output_above: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    source: str = ""
    date: str = ""

    @property
    def long(self) -> LongPrice | None:
        if self.above is None or self.input_above is None or self.output_above is None:
            return None
        return LongPrice(self.above, self.input_above, self.output_above)

    @model_validator(mode="after")
    def _is_whole(self) -> "_Row":
        if len({value is None for value in (self.above, self.input_above, self.output_above)}) > 1:
            raise ValueError("`above`, `input_above` and `output_above` go together")
        return self


def _shipped() -> dict[str, Any]:
    return orjson.loads((Path(__file__).parent / "prices.json").read_bytes())


def _read(path: Path) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read the prices in {path}: {error.strerror}") from None
    if path.suffix == ".json":
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as wrong:
            raise DataError(f"{path} is not JSON: {wrong}") from None
    import yaml  # only a program with such a file pays for it

    try:
        return cast("object", yaml.safe_load(data))
    except yaml.YAMLError as wrong:
        raise DataError(f"{path} is not YAML: {' '.join(str(wrong).split())}") from None


def _rows(data: object, place: str) -> dict[str, Any]:
    """Return the rows of a file, which may stand under `models` beside a date."""
    found: Any = data
    if isinstance(found, dict) and "models" in found:
        found = cast("dict[str, Any]", found)["models"]
    if not isinstance(found, dict):
        text = "write model references, each with `input` and `output` in USD per million tokens"
        raise DataError(f"{place}: no prices in it; {text}")
    return {str(name): row for name, row in cast("dict[object, Any]", found).items()}


def _price(row: object, place: str, source: str) -> Price:
    try:
        read = _Row.model_validate(row)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        text = f"{where}: {first['msg']}" if where else first["msg"]
        if first["type"] == "model_type":
            text = "no mapping"  # pydantic would name a class of ours
        hint = "give `input` and `output` in US dollars per million tokens"
        raise DataError(f"{place}: {text}; {hint}") from None
    return Price(read.input, read.output, read.source or source, read.date, read.long)


def _litellm_prices() -> dict[str, Price]:
    """Return the prices that an installed litellm brings along, without importing it."""
    try:
        found = importlib.util.find_spec("litellm")
    except ValueError:
        found = None
    if found is None or found.origin is None:
        return {}
    return _read_litellm(Path(found.origin).parent / "model_prices_and_context_window_backup.json")


@functools.cache
def _read_litellm(path: Path) -> dict[str, Price]:
    try:
        table: Any = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    prices: dict[str, Price] = {}
    for name, row in cast("dict[str, Any]", table if isinstance(table, dict) else {}).items():
        fields = cast("dict[str, Any]", row if isinstance(row, dict) else {})
        rates = _rates(fields, "")
        if rates is None:
            continue
        provider = str(fields.get("litellm_provider") or "").removesuffix("_chat")
        reference = name if name.startswith(f"{provider}/") else f"{provider}/{name}"
        source = str(fields.get("source") or "litellm's price list")
        steps = sorted(int(found[1]) for key in fields if (found := _LONG.fullmatch(key)))
        longer = _rates(fields, f"_above_{steps[0]}k_tokens") if steps else None
        long = LongPrice(steps[0] * 1000, *longer) if longer is not None else None
        prices[reference] = Price(*rates, source, "", long)
    return prices


def _rates(fields: Mapping[str, Any], ending: str) -> tuple[float, float] | None:
    """Return US dollars per million tokens, in and out."""
    found: list[float] = []
    for direction in ("input", "output"):
        value = fields.get(f"{direction}_cost_per_token{ending}")
        # A hosted model for nothing is a preview, or a price that nobody filled in.
        if not isinstance(value, int | float) or value <= 0:
            return None
        found.append(round(value * _MILLION, 9))
    return found[0], found[1]
