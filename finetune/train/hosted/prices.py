"""What a hosted job will cost, before it starts.

The prices are dated data in `prices.json`. A price that nobody knows is unknown, never zero.
"""

import functools
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from finetune.dataset import DatasetReport
from finetune.train.hosted.config import HostedConfig
from finetune.train.hosted.host import HostAddress

__all__ = ["CostEstimate", "estimate_cost", "training_price"]

# A model's name ends with the day of its version; fine-tuned ones carry their base's name.
_VERSION = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_MILLION = 1_000_000


class CostEstimate(BaseModel):
    """What a job should cost; its tokens are an estimate as well."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tokens: int
    """Estimated tokens of one pass over the data."""
    epochs: int
    """Passes: as configured, else what providers usually choose for so many rows."""
    price: float | None
    """US dollars per million trained tokens; None when it is unknown."""
    dollars: float | None
    """The whole job; None when the price is unknown."""
    prices_from: str
    """The month, `YYYY-MM`, of the table of prices."""

    def __str__(self) -> str:
        passes = f"{self.epochs} epoch{'s' if self.epochs != 1 else ''}"
        text = f"about {self.tokens:,} tokens x {passes}"
        if self.dollars is None:
            return f"{text}; the price is not known, look it up at the provider"
        rate = f"${self.price:g} per million (prices of {self.prices_from})"
        return f"{text} = ${self.dollars:,.2f} at {rate}"


def estimate_cost(config: HostedConfig, report: DatasetReport) -> CostEstimate:
    """Return what a job should cost.

    Args:
        config: The job.
        report: The check of its training file, which counts its tokens.
    """
    tokens = report.tokens.total if report.tokens is not None else 0
    epochs = config.epochs or _usual_epochs(report.rows)
    price = training_price(config)
    return CostEstimate(
        tokens=tokens,
        epochs=epochs,
        price=price,
        dollars=None if price is None else round(tokens * epochs * price / _MILLION, 4),
        prices_from=str(_table()["date"]),
    )


def training_price(config: HostedConfig) -> float | None:
    """Return US dollars per million trained tokens, or None where nobody knows it."""
    if not HostAddress(config.backend, config.base_url).is_own:
        return None
    name = config.model.removeprefix("ft:").partition(":")[0]
    return _table()["models"].get(f"{config.backend}/{_VERSION.sub('', name)}")


def _usual_epochs(rows: int) -> int:
    """Return passes as OpenAI chooses them: three, more for small files, fewer for large ones."""
    if rows * 3 < 100:
        return min(25, -(-100 // max(rows, 1)))
    return max(1, min(3, 25_000 // rows))


@functools.cache
def _table() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "prices.json").read_bytes())
