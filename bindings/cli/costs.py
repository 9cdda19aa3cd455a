"""`costs`: what models cost, and what the local ones saved."""

from typing import TYPE_CHECKING, Annotated

import typer

from bindings.cli.options import HomeOption, JsonOption, StoreOption, resolve_home
from bindings.cli.output import command, done, print_json, print_table, say
from bindings.cli.runs import with_database

if TYPE_CHECKING:
    from swarm.store import Database
    from wiki.costs import Ledger

__all__ = ["costs"]


@command
def costs(
    days: Annotated[int | None, typer.Option(help="Only the last so many days.", min=1)] = None,
    against: Annotated[
        str | None, typer.Option(help="A paid model to compare with, as openai/NAME.")
    ] = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what models cost by day, model and wiki, and what local ones saved."""
    from swarm.environment import read_environment

    prices = read_environment().get("WIKISWARM_PRICES") or None

    async def read(database: "Database") -> "Ledger":
        from wiki.costs import read_costs

        return await read_costs(database, days=days, against=against, prices=prices)

    ledger = with_database(resolve_home(home), read, store)
    if as_json:
        rows = [
            {
                "day": row.day,
                "model": row.model,
                "wiki": row.wiki,
                "calls": row.calls,
                "fallbacks": row.fallbacks,
                "input_tokens": row.usage.input_tokens,
                "output_tokens": row.usage.output_tokens,
                "cost": row.cost,
                "against_cost": row.against_cost,
                "saved": row.saved,
            }
            for row in ledger.rows
        ]
        print_json({"rows": rows, "against": ledger.against, "saved": ledger.saved})
        return
    print_table(
        ("day", "model", "wiki", "calls", "fallbacks", "tokens", "cost", "saved"),
        [
            (
                row.day,
                row.model,
                row.wiki or "-",
                row.calls,
                row.fallbacks,
                row.usage.tokens,
                _dollars(row.cost),
                "" if row.against_cost is None else _dollars(row.saved),
            )
            for row in ledger.rows
        ],
    )
    if not ledger.rows:
        say("nothing was asked yet; talk to a swarm with: wikiswarm chat FILE")
    elif ledger.saved is not None:
        done(f"saved {_dollars(ledger.saved)} against {ledger.against}")


def _dollars(amount: float | None) -> str:
    if amount is None:
        return "unknown"
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):.2f}" if abs(amount) >= 1 else f"{sign}${abs(amount):.6f}"
