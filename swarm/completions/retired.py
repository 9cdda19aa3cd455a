"""Hosted services and models that their providers withdraw; dated data, not advice.

As of 2026-11-20, from the providers' deprecation pages.
"""

import re
from datetime import date
from typing import NamedTuple

__all__ = ["SERVICES", "Retirement", "Service", "retirement", "service"]


class Service(NamedTuple):
    """A hosted service that ends, or ended."""

    provider: str
    """The provider, as in a model reference."""
    name: str
    ends: date
    detail: str


class Retirement(NamedTuple):
    """When a model stops working."""

    date: date
    detail: str


SERVICES = (
    Service("openai", "openai fine-tuning", date(2027, 1, 6),
            "new organisations closed 2026-05-07; ends for everyone 2027-01-06"),
    Service("openai", "openai evals", date(2026, 11, 30),
            "read-only since 2026-10-31, gone 2026-11-30; use wikiswarm evaluate"),
    Service("cohere", "cohere fine-tuning", date(2025, 9, 15),
            "ended 2025-09-15; models that were tuned there are gone"),
)  # fmt: skip
"""The services of the providers themselves; a provider's fine-tuning comes first."""

_DATED = r"(-\d{4}(-\d\d-\d\d)?(-preview)?)?"
"""A snapshot of a model goes with the model."""
_MODELS = (
    (rf"openai/(ft:)?(gpt-3\.5-turbo|gpt-4(-turbo)?|gpt-4\.1-nano|o4-mini){_DATED}(:|$)",
     Retirement(date(2026, 10, 23), "retired 2026-10-23")),
    (r"openai/(ft:)?gpt-4o-2024-05-13(:|$)",
     Retirement(date(2026, 10, 23), "retired 2026-10-23")),
    (r"openai/(ft:)?gpt-(4o(-2024-08-06|-2024-11-20)?|4o-mini|4\.1(-mini)?)(:|-\d|$)",
     Retirement(date(2027, 1, 14), "retires 2027-01-14, fine-tuned models of it too;"
                " gpt-6-luna, its successor, cannot be fine-tuned")),
    (r"cohere/(command|command-light|command-r(-03-2024)?|command-r-plus(-04-2024)?)$",
     Retirement(date(2025, 9, 15), "deprecated 2025-09-15 and closed to new customers; it may"
                " end any day")),
)  # fmt: skip


def retirement(model: str) -> Retirement | None:
    """Return when a model reference stops working, or None when nothing is known."""
    inner = model.removeprefix("litellm/")
    if inner != model:  # litellm takes a name without a provider for one of OpenAI
        model = inner if "/" in inner else f"openai/{inner}"
    return next((found for pattern, found in _MODELS if re.match(pattern, model)), None)


def service(provider: str) -> Service | None:
    """Return what is known of the end of a provider's fine-tuning service."""
    return next((found for found in SERVICES if found.provider == provider), None)
