"""Private things with a shape of their own, and what stands in their place.

It is meant for what slips into a conversation, not against people who disguise what they write.
All searches take time linear in the text.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

__all__ = ["Redaction", "Redactor"]

Redaction = Literal["card", "email", "iban", "secret"]
"""`card`: numbers of payment cards (with a right check digit); `email`: e-mail addresses; `iban`:
bank accounts (with a right checksum); `secret`: API keys, access tokens, private keys, and the
values of the keys in the host's environment."""

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,256}@(?:[\w-]{1,63}\.){1,8}(?:xn--[\w-]{1,59}|[^\W\d_]{2,24})"
)
_CARD = re.compile(r"(?<!\d)\d(?:[ \u00a0-]?\d){12,}")
_IBAN_START = re.compile(
    r"(?<![^\W_])[A-Z]{2}[0-9]{2}(?=[ \u00a0A-Z0-9])", re.ASCII | re.IGNORECASE
)
_IBANS = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18
    DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23
    IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31
    MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24
    SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
"""How long the accounts of each country are."""

_NO_SIGN = re.compile(r"[ \u00a0-]")

_SECRETS = (
    re.compile(
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    ),
    # Providers' keys, by the way they begin.
    re.compile(
        r"(?<![\w-])(?:"
        r"(?:sk|pk|rk)[-_](?=[A-Za-z_-]{0,100}[0-9])[A-Za-z0-9_-]{16,}"
        r"|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
        r"|xox[abeprs]-[A-Za-z0-9-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}"
        r"|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}"
        r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
        r")"
    ),
    # What stands behind the name of an environment variable that holds a key.
    re.compile(
        r"(?<![A-Za-z0-9_])(?P<before>(?:[A-Z0-9_]{1,60}_)?"
        r"(?:API)?(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)"
        r"(?:_[A-Z0-9_]{1,30})?\s{0,3}[=:]\s{0,3}[\"']?)[^\s\"']{6,}"
    ),
    re.compile(
        r"(?P<before>(?<![A-Za-z0-9])(?:api|secret|access|private|auth)[ _-]?(?:key|token)"
        r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[A-Za-z0-9_./+=-]{16,}",
        re.IGNORECASE,
    ),
)


class Redactor:
    """Replaces what one `redact` list names."""

    def __init__(self, names: Sequence[Redaction], secrets: Mapping[str, str]) -> None:
        """Prepare a list.

        Args:
            names: What to replace.
            secrets: The keys of the environment, which `secret` replaces too.
        """
        self._names = tuple(names)
        self._values = sorted(set(secrets.values()), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a text with `[email]` where an address stood, and so on."""
        # A long number is first taken for an account: part of one may pass for a card.
        steps: dict[Redaction, Callable[[str], str]] = {
            "secret": self._without_secrets,
            "iban": _without_ibans,
            "card": _without_cards,
            "email": _without_emails,
        }
        for name, step in steps.items():
            if name in self._names:
                text = step(text)
        return text

    def _without_secrets(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, "[secret]")
        for shape in _SECRETS:
            text = shape.sub(_secret, text)
        return text


def _secret(match: re.Match[str]) -> str:
    return match.groupdict().get("before", "") + "[secret]"


def _without_emails(text: str) -> str:
    return _EMAIL.sub("[email]", text) if "@" in text else text


def _without_cards(text: str) -> str:
    return _CARD.sub(lambda match: _replace_cards(match.group()), text)


def _replace_cards(numbers: str) -> str:
    """Replace the cards in a row of numbers; each begins and ends where a number does."""
    groups = [match.span() for match in re.finditer(r"\d+", numbers)]
    pieces, kept, place = list[str](), 0, 0
    while place < len(groups):
        for end in range(min(place + 5, len(groups)), place, -1):
            parts = [numbers[slice(*span)] for span in groups[place:end]]
            if _is_card(parts):
                pieces += [numbers[kept : groups[place][0]], "[card]"]
                kept, place = groups[end - 1][1], end
                break
        else:
            place += 1
    return "".join(pieces) + numbers[kept:]


def _is_card(parts: list[str]) -> bool:
    if not 13 <= sum(map(len, parts)) <= 19:
        return False
    if len(parts) > 1 and not all(4 <= len(part) <= 6 for part in parts[:-1]):
        return False
    digits = [int(digit) for part in parts for digit in part]
    if not 2 <= digits[0] <= 6:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _without_ibans(text: str) -> str:
    pieces, kept, place = list[str](), 0, 0
    while start := _IBAN_START.search(text, place):
        place = _iban_end(text, start.start()) or start.end()
        if place > start.end():
            pieces += [text[kept : start.start()], "[iban]"]
            kept = place
    return "".join(pieces) + text[kept:]


def _iban_end(text: str, start: int) -> int | None:
    """Return where the account that may begin at a place ends; None when none does."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    found = _iban_shape(length).match(text, start) if length else None
    if found is None:
        return None
    signs = _NO_SIGN.sub("", found.group())
    number = int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4]))
    return found.end() if number % 97 == 1 else None


@functools.cache
def _iban_shape(length: int) -> re.Pattern[str]:
    rest = rf"(?:[ \u00a0-]?[A-Z0-9]){{{length - 4}}}(?![^\W_])"
    return re.compile(rf"[A-Z]{{2}}[0-9]{{2}}{rest}", re.ASCII | re.IGNORECASE)
