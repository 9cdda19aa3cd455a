"""Hosted services and models that their providers withdraw; dated data, not advice.

As of 2026-11-20, from the providers' deprecation pages.
"""

import re

__all__ = ["SERVICES", "retirement"]

SERVICES = (
    ("openai fine-tuning", "new organisations closed 2026-05-07; ends for everyone 2027-01-06"),
    ("cohere fine-tuning", "ended 2025-09-15; models that were tuned there are gone"),
)
"""Services: name, and what happens to them."""

_MODELS = (
    (r"openai/(gpt-3\.5-turbo|gpt-4(-turbo)?|gpt-4o-2024-05-13|gpt-4\.1-nano|o4-mini)$",
     "retired 2026-10-23"),
    (r"openai/(ft:)?gpt-(4o(-2024-08-06|-2024-11-20)?|4o-mini|4\.1(-mini)?)(:|-\d|$)",
     "retires 2027-01-14, fine-tuned models of it too"),
)  # fmt: skip


def retirement(model: str) -> str | None:
    """Return when a model reference stops working, or None when nothing is known."""
    return next((date for pattern, date in _MODELS if re.match(pattern, model)), None)
