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
    Service("cohere", "cohere fine-tuning", date(2025, 9, 15),
            "ended 2025-09-15; models that were tuned there are gone"),
)  # fmt: skip
"""The fine-tuning services of the providers themselves."""

_MODELS = (
    (r"openai/(gpt-3\.5-turbo|gpt-4(-turbo)?|gpt-4o-2024-05-13|gpt-4\.1-nano|o4-mini)$",
     Retirement(date(2026, 10, 23), "retired 2026-10-23")),
    (r"openai/(ft:)?gpt-(4o(-2024-08-06|-2024-11-20)?|4o-mini|4\.1(-mini)?)(:|-\d|$)",
     Retirement(date(2027, 1, 14), "retires 2027-01-14, fine-tuned models of it too")),
)  # fmt: skip


def retirement(model: str) -> Retirement | None:
    """Return when a model reference stops working, or None when nothing is known."""
    return next((found for pattern, found in _MODELS if re.match(pattern, model)), None)


def service(provider: str) -> Service | None:
    """Return what is known of the end of a provider's fine-tuning service."""
    return next((found for found in SERVICES if found.provider == provider), None)
