"""Addresses of machines and of wallets: IP, MAC, and coins with a checksum."""

import ipaddress
import re
from collections.abc import Iterable, Iterator

from finetune.curate.personal.checksums import holds_base58, holds_bech32
from finetune.curate.personal.hit import Hit
from finetune.curate.personal.view import goes_on

__all__ = ["crypto_addresses", "ip4_addresses", "ip6_addresses", "mac_addresses"]

_IP4_MIDDLE = re.compile(r"\.[0-9]{1,3}\.")
_IP4 = re.compile(
    r"(?<![A-Za-z0-9_])(?<![0-9]\.)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![A-Za-z0-9_])(?!\.[0-9])"
)
_VERSION = re.compile(
    r"(?<![a-z])(?:v|vers\w*|wersj\w*|release|build|firmware|patch|update|"
    r"バージョン|section|kapitel|chapter|clause|ver\.?|package|sdk|driver|chrome|plugin|"
    r"api|library|lib|kernel|app)[\s:=\"'/(v]{0,4}(?:is|ist|to|auf|from|von|est|es|è|to|na|är)?"
    r"[\s:=\"'/(v]{0,3}$"
)
_HOST = re.compile(
    r"(?<![a-z])ip|addres|adres|host|server|ping|dns|gateway|router|client|login|log in|from|"
    r"subnet|netmask|proxy|dirección|indirizzo|endereço|serv|アドレス|connect|network|netz|réseau"
)
_IP6_MIDDLE = re.compile(r":[0-9A-Fa-f]{0,4}:")
_IP6_PART = frozenset("0123456789abcdefABCDEF:.")
_IP6_LONGEST = 45
# Patterns that begin with a plain character are found much faster.
_MAC_MIDDLES = (
    (re.compile(r":[0-9A-Fa-f]{2}:"), 2),
    (re.compile(r"-[0-9A-Fa-f]{2}-"), 2),
    (re.compile(r"\.[0-9A-Fa-f]{4}\."), 4),
)
_MAC = re.compile(
    r"(?<![A-Za-z0-9:\-])(?:[0-9A-Fa-f]{2}(?P<s>[:\-])(?:[0-9A-Fa-f]{2}(?P=s)){4}[0-9A-Fa-f]{2}"
    r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![A-Za-z0-9]|[:\-][0-9A-Fa-f]{2})"
)
_ETHEREUM = re.compile(r"(?<![A-Za-z0-9])0[xX][0-9a-fA-F]{40}(?![A-Za-z0-9])")
_LONG = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{26,90}(?![A-Za-z0-9])")


def ip4_addresses(text: str, low: str) -> Iterator[Hit]:
    """Yield IPv4 addresses, public and private, that are no versions."""
    done = 0
    for middle in _IP4_MIDDLE.finditer(text):
        if middle.start() < done:
            continue
        match = _IP4.search(
            text, max(done, middle.start() - 3), min(len(text), middle.start() + 14)
        )
        # The window may have cut off a last digit.
        match = match and _IP4.match(text, match.start())
        if match is None:
            continue
        done = match.end()
        octets = match.group().split(".")
        before = low[max(0, match.start() - 24) : match.start()]
        if any(int(octet) > 255 for octet in octets) or _VERSION.search(before):
            continue
        around = low[max(0, match.start() - 48) : match.end() + 24]
        if all(len(octet) == 1 for octet in octets) and not _HOST.search(around):
            continue
        yield Hit("ip_address", *match.span())


def ip6_addresses(text: str) -> Iterator[Hit]:
    """Yield IPv6 addresses, compressed or not."""
    done = 0
    for middle in _IP6_MIDDLE.finditer(text):
        if middle.start() < done:
            continue
        start, end = middle.start(), middle.end()
        lowest, highest = max(done, start - _IP6_LONGEST), start + _IP6_LONGEST
        while start > lowest and text[start - 1] in _IP6_PART:
            start -= 1
        while end < len(text) and end < highest and text[end] in _IP6_PART:
            end += 1
        while (end > start and text[end - 1] == ".") or text[end - 2 : end] in (":.", ":,"):
            end -= 1
        if text[end - 1] == ":" and text[end - 2] != ":":
            end -= 1
        done = end
        value = text[start:end]
        if value.count(":") < 7 and "::" not in value:
            continue
        is_cut = goes_on(text, start - 1) or goes_on(text, end)
        if not is_cut and any(c.isdigit() for c in value) and _is_ip6(value):
            yield Hit("ip_address", start, end)


def _is_ip6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def mac_addresses(text: str) -> Iterator[Hit]:
    """Yield hardware addresses with colons, hyphens or in Cisco's groups of four."""
    for middle, lead in _MAC_MIDDLES:
        for found in middle.finditer(text):
            if match := _MAC.match(text, max(0, found.start() - lead)):
                yield Hit("mac_address", *match.span())


def crypto_addresses(text: str, words: Iterable[str]) -> Iterator[Hit]:
    """Yield wallet addresses whose checksum holds, and Ethereum's.

    Args:
        text: The text.
        words: Its long words; nothing is looked for where there is none.
    """
    if not any(len(word) >= 26 for word in words):
        return
    for match in _ETHEREUM.finditer(text):
        yield Hit("crypto_address", *match.span())
    for match in _LONG.finditer(text):
        value = match.group()
        if (26 <= len(value) <= 35 and holds_base58(value)) or holds_bech32(value):
            yield Hit("crypto_address", *match.span())
