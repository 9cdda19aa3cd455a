"""Check digits of cards, accounts and identity numbers.

Each function is given the characters that count, without separators and in upper case, and says
whether they hold; a string of another shape does not.
"""

import hashlib
from datetime import date

__all__ = [
    "IBAN_LENGTHS",
    "holds_aadhaar",
    "holds_base58",
    "holds_bech32",
    "holds_bsn",
    "holds_codice_fiscale",
    "holds_cpf",
    "holds_dni",
    "holds_iban",
    "holds_insee",
    "holds_luhn",
    "holds_my_number",
    "holds_nhs",
    "holds_nino",
    "holds_personnummer",
    "holds_pesel",
    "holds_steuer_id",
    "is_card",
    "is_itin",
    "is_ssn",
]

_IBANS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28
EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26
IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28
NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25
SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
"""How many characters an IBAN of a country has."""

_BASE58 = {c: n for n, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {c: n for n, c in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
# Bitcoin (two kinds), Litecoin (two), Dogecoin (two), Dash, Tron.
_COIN_VERSIONS = frozenset((0x00, 0x05, 0x30, 0x32, 0x1E, 0x16, 0x4C, 0x41))


def _digits(text: str, length: int) -> list[int]:
    if len(text) != length or not (text.isascii() and text.isdigit()):
        return []
    return [int(c) for c in text]


def _weighted(digits: list[int], weights: list[int] | range) -> int:
    return sum(d * w for d, w in zip(digits, weights, strict=False))


def holds_luhn(text: str) -> bool:
    """Say whether digits satisfy the Luhn check."""
    total = 0
    for at, character in enumerate(reversed(text)):
        digit = int(character)
        doubled = digit * 2 if at % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def is_card(text: str) -> bool:
    """Say whether digits are a card of an issuer that exists, by prefix, length and Luhn."""
    two, four, length = int(text[:2]), int(text[:4]), len(text)
    if text[0] == "4":
        known = length in (13, 16, 19)
    elif 51 <= two <= 55 or 2221 <= four <= 2720:
        known = length == 16
    elif two in (34, 37):
        known = length == 15
    elif two in (36, 38, 39, 30):
        known = 14 <= length <= 19
    elif 3528 <= four <= 3589 or two in (60, 64, 65, 62, 81, 82):
        known = 16 <= length <= 19
    elif two in (50, 56, 57, 58, 63, 67):
        known = 13 <= length <= 19
    else:
        known = False
    return known and len(set(text)) > 1 and holds_luhn(text)


def holds_iban(text: str) -> bool:
    """Say whether an IBAN has its country's length and satisfies mod 97."""
    if IBAN_LENGTHS.get(text[:2]) != len(text) or not (text.isascii() and text.isalnum()):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def is_ssn(text: str) -> bool:
    """Say whether nine digits lie in the ranges of US social security numbers."""
    area, group, serial = text[:3], text[3:5], text[5:]
    valid = area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"
    return bool(_digits(text, 9)) and valid and len(set(text)) > 1


def is_itin(text: str) -> bool:
    """Say whether nine digits lie in the ranges of US individual taxpayer numbers."""
    if not _digits(text, 9) or text[0] != "9":
        return False
    group = int(text[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def holds_nhs(text: str) -> bool:
    """Check a number of the British health service: ten digits, mod 11."""
    digits = _digits(text, 10)
    return bool(digits) and _weighted(digits, range(10, 0, -1)) % 11 == 0 and len(set(text)) > 1


def holds_nino(text: str) -> bool:
    """Check a British national insurance number: allowed prefixes and suffix."""
    if len(text) != 9 or not text[2:8].isdigit() or text[8] not in "ABCD":
        return False
    first, second = text[0], text[1]
    if text[:2] in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
        return False
    return first in "ABCEGHJKLMNOPRSTWXYZ" and second in "ABCEGHJKLMNPRSTWXYZ"


def holds_steuer_id(text: str) -> bool:
    """Check a German tax id: eleven digits, one of them repeated, ISO 7064 mod 11,10."""
    digits = _digits(text, 11)
    if not digits or digits[0] == 0:
        return False
    most = max(digits[:10].count(d) for d in set(digits[:10]))
    if len(set(digits[:10])) not in (8, 9) or most not in (2, 3):
        return False
    product = 10
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == digits[10]


def holds_dni(text: str) -> bool:
    """Check a Spanish DNI or NIE: mod 23 gives the letter."""
    if len(text) != 9:
        return False
    number = str("XYZ".find(text[0])) + text[1:8] if text[0] in "XYZ" else text[:8]
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[8]


def holds_insee(text: str) -> bool:
    """Check a French social security number: 13 characters and their mod 97 key."""
    if len(text) != 15 or text[0] not in "1278" or not text[7:].isdigit():
        return False
    month = text[3:5]
    if not month.isdigit() or not (1 <= int(month) <= 12 or 20 <= int(month) <= 42):
        return False
    # Corsica's departments count as 19 and 18.
    number = text[:13].replace("2A", "19", 1) if text[5:7] == "2A" else text[:13]
    number = number.replace("2B", "18", 1) if text[5:7] == "2B" else number
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def holds_codice_fiscale(text: str) -> bool:
    """Check an Italian tax code: sixteen characters, the last from the others."""
    if len(text) != 16 or not text.isascii() or not text.isalnum() or not text[:6].isalpha():
        return False
    if text[8] not in "ABCDEHLMPRST" or not text[15].isalpha():
        return False
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25)
    odd += (24, 23)
    total = 0
    for at, character in enumerate(text[:15]):
        value = int(character) if character.isdigit() else ord(character) - 65
        total += value if at % 2 else odd[value]
    return total % 26 == ord(text[15]) - 65


def holds_bsn(text: str) -> bool:
    """Check a Dutch citizen number: eight or nine digits, the eleven test."""
    digits = _digits(text.zfill(9), 9) if len(text) >= 8 else []
    weights = [9, 8, 7, 6, 5, 4, 3, 2, -1]
    return len(set(digits)) > 1 and _weighted(digits, weights) % 11 == 0


def holds_cpf(text: str) -> bool:
    """Check a Brazilian taxpayer number: eleven digits, two of them check digits."""
    digits = _digits(text, 11)
    if len(set(digits)) < 2:
        return False
    first = _weighted(digits[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(digits[:10], range(11, 1, -1)) * 10 % 11 % 10
    return [first, second] == digits[9:]


def holds_aadhaar(text: str) -> bool:
    """Check an Indian Aadhaar number: twelve digits, Verhoeff."""
    digits = _digits(text, 12)
    if not digits or digits[0] < 2:
        return False
    check = 0
    for at, digit in enumerate(reversed(digits)):
        check = _dihedral(check, _permuted(digit, at))
    return check == 0


def _dihedral(a: int, b: int) -> int:
    """Multiply in the dihedral group of order ten, which is Verhoeff's table."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _permuted(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def holds_personnummer(text: str) -> bool:
    """Check a Swedish personal number of ten or twelve digits: a date and Luhn."""
    if len(text) not in (10, 12) or not (text.isascii() and text.isdigit()):
        return False
    if len(text) == 12 and text[:2] not in ("18", "19", "20"):
        return False
    short = text[-10:]
    day = int(short[4:6])
    # Coordination numbers have 60 added to the day. 2000 stands for any year: it is a leap year.
    return _is_date(2000, int(short[2:4]), day - 60 if day > 60 else day) and holds_luhn(short)


def holds_pesel(text: str) -> bool:
    """Check a Polish PESEL: eleven digits, a date whose month tells the century, mod 10."""
    digits = _digits(text, 11)
    if not digits or not _is_date(2000, int(text[2:4]) % 20, int(text[4:6])):
        return False
    return _weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 == 0


def holds_my_number(text: str) -> bool:
    """Check a Japanese individual number: twelve digits, mod 11."""
    digits = _digits(text, 12)
    if len(set(digits)) < 2:
        return False
    rest = _weighted(digits[:11], [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return digits[11] == (0 if rest <= 1 else 11 - rest)


def holds_base58(text: str) -> bool:
    """Check a Base58Check address of a known coin."""
    number = 0
    for character in text:
        if character not in _BASE58:
            return False
        number = number * 58 + _BASE58[character]
    if number >> 200:
        return False
    raw = number.to_bytes(25, "big")
    checksum = hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4]
    return raw[0] in _COIN_VERSIONS and checksum == raw[21:]


def holds_bech32(text: str) -> bool:
    """Check a bech32 or bech32m address of a known coin."""
    low = text.lower()
    prefix, _, data = low.rpartition("1")
    if prefix not in ("bc", "ltc", "tb") or text not in (low, low.upper()):
        return False
    if not all(c in _BECH32 for c in data):
        return False
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    state = 1
    for value in values + [_BECH32[c] for c in data]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, polynomial in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            state ^= polynomial if top >> bit & 1 else 0
    return state in (1, 0x2BC830A3)
