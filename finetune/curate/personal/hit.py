"""Where personal data stands in a text, and of which kind it is."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

__all__ = ["KINDS", "Hit", "Kind", "merged"]

Kind = Literal[
    "url_credentials",
    "email",
    "mac_address",
    "ip_address",
    "iban",
    "payment_card",
    "crypto_address",
    "passport",
    "driving_licence",
    "date_of_birth",
    "bank_account",
    "us_ssn",
    "national_id",
    "street_address",
    "vehicle_plate",
    "phone",
    "person",
    "location",
]
"""What a hit is. Where two kinds claim the same text, the one that stands first here wins."""

KINDS: tuple[Kind, ...] = get_args(Kind)
"""All kinds. `location` comes from named-entity recognisers only."""

_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


class Hit(NamedTuple):
    """One piece of personal data in a text."""

    kind: Kind
    start: int
    """Where it begins, in characters."""
    end: int
    """One past its last character."""


def merged(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits in order without overlaps: those that overlap become one that covers them all."""
    result: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not result or hit.start >= result[-1].end:
            result.append(hit)
            continue
        last = result[-1]
        kind = last.kind if _RANK[last.kind] <= _RANK[hit.kind] else hit.kind
        result[-1] = Hit(kind, last.start, max(last.end, hit.end))
    return result
