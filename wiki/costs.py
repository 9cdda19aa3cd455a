"""What models cost, by day, model and wiki, and what the local ones saved: read from the journal.

Counted is what conversations asked: agents' model calls and the wikis' answers. What `ask` is
asked outside of conversations is in no journal.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from swarm.completions.prices import Price, PriceTable
from swarm.errors import DataError
from swarm.events import HistorySummarized, MessageAdded, Noted
from swarm.messages import Usage
from swarm.reference import parse_reference
from swarm.store import Database
from swarm.store.journal import decode_row

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["CostRow", "Ledger", "read_costs"]

_SUMMARY = "summaries"
"""The model of what was spent on summing up histories, which the journal does not name."""
_KINDS = ("message_added", "noted", "history_summarized")


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one model took on one day, for one wiki or for agents."""

    day: str
    """`YYYY-MM-DD`, in UTC."""
    model: str
    wiki: str | None
    """The wiki whose answers they are; None for what agents asked."""
    calls: int
    fallbacks: int
    """How many of the answers came from the wiki's fallback."""
    usage: Usage
    against_cost: float | None = None
    """US dollars that the same tokens would have cost at the model that it is compared with."""

    @property
    def cost(self) -> float | None:
        """US dollars, or None where a part of the tokens has no known price."""
        return self.usage.known_cost

    @property
    def saved(self) -> float | None:
        """US dollars that were not spent; None where either side is not known."""
        if self.against_cost is None or self.cost is None:
            return None
        return self.against_cost - self.cost


@dataclass(frozen=True, slots=True)
class Ledger:
    """All rows, oldest day first."""

    rows: tuple[CostRow, ...]
    against: str | None = None
    """The model that costs are compared with."""

    @property
    def usage(self) -> Usage:
        """What all rows took together."""
        return sum((row.usage for row in self.rows), Usage())

    @property
    def saved(self) -> float | None:
        """US dollars saved, over the rows of which it is known; None without a comparison."""
        if self.against is None:
            return None
        return sum((row.saved for row in self.rows if row.saved is not None), 0.0)


@dataclass(slots=True)
class _Sum:
    usage: Usage = field(default_factory=Usage)
    calls: int = 0
    fallbacks: int = 0


async def read_costs(
    database: Database,
    *,
    days: int | None = None,
    against: str | None = None,
    prices: Mapping[str, Any] | Path | str | None = None,
) -> Ledger:
    """Return what models cost.

    Args:
        database: The journal's database.
        days: Only the last so many days, today included.
        against: The reference of a paid model to compare with, such as `openai/gpt-5`.
        prices: The program's own; see `Host`.

    Raises:
        DataError: Nobody knows the price of the model to compare with.
        DeclarationError: `against` is no model reference.
        StoreError: The journal cannot be read.
    """
    price = None if against is None else _price(against, prices)
    since = 0.0 if days is None else (time.time() // 86_400 - days + 1) * 86_400

    def work(connection: "sqlalchemy.Connection") -> dict[tuple[str, str, str], _Sum]:
        return _sums(connection, database, since)

    sums = await database.run(work)
    rows = [
        CostRow(
            day=day,
            model=model,
            wiki=wiki or None,
            calls=found.calls,
            fallbacks=found.fallbacks,
            usage=found.usage,
            against_cost=None if price is None else _cost(price, found.usage),
        )
        for (day, wiki, model), found in sorted(sums.items())
    ]
    return Ledger(tuple(rows), against)


def _sums(
    connection: "sqlalchemy.Connection", database: Database, since: float
) -> dict[tuple[str, str, str], _Sum]:
    import sqlalchemy as sa

    events = database.tables.events
    query = sa.select(events).where(events.c.kind.in_(_KINDS), events.c.at >= since)
    sums: dict[tuple[str, str, str], _Sum] = {}
    # Read in portions: a journal may be larger than the memory.
    for row in connection.execution_options(yield_per=1000).execute(query):
        event = decode_row(row.kind, row.payload)
        day = time.strftime("%Y-%m-%d", time.gmtime(row.at))
        is_fallback = False
        if isinstance(event, MessageAdded) and event.usage is not None:
            key, usage = (day, "", event.model or "unknown"), event.usage
        elif isinstance(event, HistorySummarized) and event.usage is not None:
            key, usage = (day, "", _SUMMARY), event.usage
        elif isinstance(event, Noted) and event.topic == "wiki.answer":
            data = event.data
            key = (day, str(data.get("wiki_name", "")), str(data.get("model", "unknown")))
            usage, is_fallback = _usage(data.get("usage")), data.get("is_fallback") is True
        else:
            continue
        found = sums.setdefault(key, _Sum())
        found.usage += usage
        found.calls += 1
        found.fallbacks += is_fallback
    return sums


_USAGE: TypeAdapter[Usage] = TypeAdapter(Usage)


def _usage(value: object) -> Usage:
    try:
        return _USAGE.validate_python(value or {})
    except ValidationError:
        return Usage()


def _price(against: str, prices: Mapping[str, Any] | Path | str | None) -> Price:
    found = PriceTable(prices).find(parse_reference(against))
    if found is None:
        raise DataError(
            f"nobody knows what {against} costs; name its price in the file of WIKISWARM_PRICES"
        )
    return found


def _cost(price: Price, usage: Usage) -> float:
    """Return what tokens cost at a price; how long each call was is not known any more."""
    return (usage.input_tokens * price.input + usage.output_tokens * price.output) / 1_000_000
