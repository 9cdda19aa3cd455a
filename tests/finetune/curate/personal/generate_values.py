# ruff: noqa: E501
"""Made-up personal data in the writings of twelve countries, with check digits that hold.

Everything is computed here from the public descriptions of the numbers; nothing is shared with
the recognisers. No value is anybody's: all are drawn from a seeded generator.
"""

import hashlib
import string
from collections.abc import Callable
from random import Random

__all__ = ["KINDS", "LOCALES", "value"]

LOCALES = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "SE", "PL", "JP")
KINDS = (
    "email",
    "phone",
    "us_ssn",
    "payment_card",
    "iban",
    "ip_address",
    "mac_address",
    "passport",
    "driving_licence",
    "national_id",
    "date_of_birth",
    "street_address",
    "bank_account",
    "url_credentials",
    "crypto_address",
    "vehicle_plate",
)
_FIRST = {
    "US": "james mary robert linda ashley tyler",
    "GB": "oliver amelia harry isla george poppy",
    "DE": "lukas jürgen anna sofie björn käthe",
    "FR": "camille théo chloé hugo léa rené",
    "ES": "lucía hugo martín sofía josé maría",
    "IT": "giulia matteo francesca luca chiara nicolò",
    "NL": "daan emma sem lotte bram fleur",
    "BR": "joão ana pedro júlia lucas beatriz",
    "IN": "aarav priya rohan ananya vikram deepa",
    "SE": "elsa åke maja björn astrid nils",
    "PL": "zofia jakub hanna łukasz zuzanna michał",
    "JP": "haruto yui sota hina ren sakura",
}
_LAST = {
    "US": "johnson davis miller wilson anderson",
    "GB": "taylor clarke wright hughes edwards",
    "DE": "müller schneider weber becker hoffmann",
    "FR": "lefebvre moreau fournier girard dubois",
    "ES": "garcía fernández lópez sánchez romero",
    "IT": "rossi esposito bianchi ricci marino",
    "NL": "jansen devries bakker visser meijer",
    "BR": "silva santos oliveira pereira almeida",
    "IN": "sharma patel reddy iyer gupta",
    "SE": "andersson lindqvist sjöberg nyström ek",
    "PL": "nowak kowalski wiśniewska zieliński wójcik",
    "JP": "tanaka suzuki watanabe kobayashi ito",
}
_TLD = {
    "US": "com us org io", "GB": "co.uk org.uk uk", "DE": "de com", "FR": "fr com",
    "ES": "es com.es", "IT": "it", "NL": "nl", "BR": "com.br", "IN": "in co.in", "SE": "se",
    "PL": "pl com.pl", "JP": "jp co.jp ne.jp",
}  # fmt: skip
_ASCII = str.maketrans("äöüßéèåłńóśíúñãøçòê", "aouseealnosiunaocoe")


def value(kind: str, locale: str, random: Random) -> str:
    """Return a made-up value of a kind, as somebody of that country would write it."""
    return _MAKERS[kind](locale, random)


def _digits(random: Random, count: int, first: str = "0123456789") -> str:
    rest = "".join(random.choice(string.digits) for _ in range(count - 1))
    return random.choice(first) + rest


def _letters(random: Random, count: int, among: str = string.ascii_uppercase) -> str:
    return "".join(random.choice(among) for _ in range(count))


def _filled(pattern: str, random: Random) -> str:
    """Return a pattern with 9 for any digit, 1 for 1-9 and A for any letter filled in."""
    made = {"9": string.digits, "1": "123456789", "A": string.ascii_uppercase}
    return "".join(random.choice(made[c]) if c in made else c for c in pattern)


def _luhn_digit(body: str) -> str:
    total = sum(sum(divmod(int(d) * (2 - at % 2), 10)) for at, d in enumerate(reversed(body)))
    return str(-total % 10)


def _email(locale: str, random: Random) -> str:
    first = random.choice(_FIRST[locale].split()).translate(_ASCII)
    last = random.choice(_LAST[locale].split()).translate(_ASCII)
    local = random.choice((
        f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{_digits(random, 2)}",
        f"{last}-{first}", f"{first}+shop", f"{first.title()}.{last.title()}", f"{first}{_digits(random, 4)}",
    ))  # fmt: skip
    host = random.choice(("example", "mail", "my-post", "inbox.acme", "web3", "uni-nord"))
    return f"{local}@{host}.{random.choice(_TLD[locale].split())}"


_PHONES = {
    "US": "(212) 7##-####|415-6##-####|+1 646 5## ####|305555####|+1312666####|1-800-5##-####|202.4##.####",
    "GB": "020 7946 ####|07700 90####|+44 7911 12####|+44 (0)161 496 ####|07911 ######|0117 496 ####|07911######",
    "DE": "030 230####|0171 2######|+49 89 630####|+49 (0)170 2######|0221/47####|089-21####|0049 30 230####",
    "FR": "06 12 ## ## ##|01 42 68 ## ##|+33 6 12 ## ## ##|+33 (0)1 42 68 ## ##|0612######|06.12.##.##.##",
    "ES": "612 ## ## ##|+34 612 ### ###|911 2## ###|699 ### ###|612######|93 2## ## ##",
    "IT": "347 12#####|+39 06 6982####|02 7200####|+39 333 12# ####|333123####|06 6982 ####",
    "NL": "06-12######|020 623####|+31 6 12######|+31 20 623 ####|0612######|010-413####",
    "BR": "(11) 98###-####|+55 21 98###-####|(11) 30##-####|11 98###-####|1198#######|+551198#######",
    "IN": "+91 98### #####|98### #####|98########|+91-98###-#####|022 22## ####|080-222#####",
    "SE": "070-1## ## ##|08-12# ### ##|+46 70 1## ## ##|070#######|031-70# ## ##|+46 8 12# ### ##",
    "PL": "601 2## ###|+48 601 2## ###|22 62# ## ##|+48 22 62# ## ##|6012#####|501-2##-###",
    "JP": "090-12##-####|03-32##-####|+81 90-12##-####|080-12##-####|06-62##-####|09012######",
}


def _phone(locale: str, random: Random) -> str:
    pattern = random.choice(_PHONES[locale].split("|"))
    return "".join(random.choice(string.digits) if c == "#" else c for c in pattern)


def _us_ssn(_: str, random: Random) -> str:
    area = random.choice([n for n in range(1, 900) if n != 666])
    number = f"{area:03}", f"{random.randint(1, 99):02}", f"{random.randint(1, 9999):04}"
    return random.choice(("-", "-", "-", " ", "")).join(number)


def _payment_card(_: str, random: Random) -> str:
    prefix, length, groups = random.choice((
        ("4", 16, (4, 4, 4, 4)), (str(random.randint(51, 55)), 16, (4, 4, 4, 4)),
        (str(random.randint(2221, 2720)), 16, (4, 4, 4, 4)), ("34", 15, (4, 6, 5)), ("37", 15, (4, 6, 5)),
        ("6011", 16, (4, 4, 4, 4)), ("3530", 16, (4, 4, 4, 4)), ("36", 14, (4, 6, 4)),
        ("62", 19, (4, 4, 4, 4, 3)), ("4", 13, (4, 3, 3, 3)),
    ))  # fmt: skip
    body = prefix + _digits(random, length - len(prefix) - 1)
    number = body + _luhn_digit(body)
    if length == 13 or random.random() < 0.35:
        return number
    return random.choice(" -").join(_cut(number, groups))


def _cut(text: str, sizes: tuple[int, ...]) -> list[str]:
    pieces: list[str] = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return pieces


_BBAN = {
    "GB": "AAAA99999999999999", "DE": "999999999999999999", "FR": "9999999999A999999999999",
    "ES": "99999999999999999999", "IT": "A9999999999999999999999", "NL": "AAAA9999999999",
    "BR": "99999999999999999999999A9", "SE": "99999999999999999999", "PL": "999999999999999999999999",
}  # fmt: skip


def _iban(locale: str, random: Random) -> str:
    country = (
        locale if locale in _BBAN else random.choice(("DE", "GB", "FR", "NL", "CH", "AT", "BE"))
    )
    pattern = (
        _BBAN.get(country)
        or {"CH": "99999999999999999", "AT": "9999999999999999", "BE": "999999999999"}[country]
    )
    bban = _filled(pattern, random)
    number = "".join(
        str(string.digits.find(c)) if c.isdigit() else str(ord(c) - 55)
        for c in bban + country + "00"
    )
    iban = f"{country}{98 - int(number) % 97:02}{bban}"
    style = random.random()
    if style < 0.4:
        return iban
    grouped = [iban[at : at + 4] for at in range(0, len(iban), 4)]
    return (" " if style < 0.9 else "-").join(grouped)


def _ip_address(_: str, random: Random) -> str:
    if random.random() < 0.6:
        octets = [
            random.choice((10, 172, 192, 8, 84, 203, 46)),
            *(random.randint(10, 255) for _ in range(3)),
        ]
        return ".".join(map(str, octets))
    groups = [f"{random.randint(0x1000, 0xFFFF):x}" for _ in range(8)]
    return random.choice((
        ":".join(groups), f"2001:db8::{groups[0]}", f"fe80::{groups[1]}:{groups[2]}:{groups[3]}:{groups[4]}",
        f"2a02:{groups[5]}:{groups[6]}::1", ":".join(groups).upper(),
    ))  # fmt: skip


def _mac_address(_: str, random: Random) -> str:
    pairs = [f"{random.randint(0, 255):02x}" for _ in range(6)]
    joined = random.choice((":".join(pairs), "-".join(pairs).upper(), ":".join(pairs).upper()))
    dotted = ".".join("".join(pairs[at : at + 2]) for at in (0, 2, 4))
    return random.choice((joined, joined, joined, dotted))


_PASSPORTS = {
    "US": "199999999|A99999999", "GB": "199999999", "DE": "C01X09T47|C9F9K9P91|L01X99T47", "FR": "99AA99999",
    "ES": "AAA999999", "IT": "YA9999999|AA9999999", "NL": "NM9K9P9R1|AA9A9A9A1", "BR": "FZ999999|AA999999",
    "IN": "J9999999|A9999999", "SE": "99999999|AA999999", "PL": "ZS9999999|AA9999999", "JP": "TK9999999|AA9999999",
}  # fmt: skip


def _passport(locale: str, random: Random) -> str:
    number = _filled(random.choice(_PASSPORTS[locale].split("|")), random)
    if number[:2].isalpha() and number[2:].isdigit() and random.random() < 0.2:
        return f"{number[:2]} {number[2:]}"
    return number


def _driving_licence(locale: str, random: Random) -> str:
    surname = _letters(random, 5)
    born = f"{random.randint(5, 9)}{random.randint(1, 12):02}{random.randint(1, 28):02}{random.randint(0, 9)}"
    patterns = {
        "US": "A1234567|A999-9999-9999|99999999|A99999999999|AA999999A", "DE": "B999AAA9A99|J999AA9AA91",
        "FR": "999999999999|99AA99999", "IT": "U1A99A999A|MI9999999A", "NL": "9999999999", "BR": "99999999999",
        "IN": "MH14 20119999999|DL-0420119999999|KA0120159999999", "PL": "99999/09/9999", "JP": "309999999999",
    }  # fmt: skip
    if locale == "GB":
        initials, check = _letters(random, 2), _digits(random, 1) + _letters(random, 2)
        made = (surname, born, initials[:1] + "9" + check)
        return random.choice(("", " ")).join(made)
    if locale == "ES":
        return _dni(random)
    if locale == "SE":
        return _personnummer(random)
    return _filled(random.choice(patterns[locale].split("|")), random)


def _birth(random: Random) -> tuple[int, int, int]:
    return random.randint(1940, 2006), random.randint(1, 12), random.randint(1, 28)


def _dni(random: Random) -> str:
    number = _digits(random, 8)
    return number + random.choice(("", "-")) + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def _personnummer(random: Random) -> str:
    year, month, day = _birth(random)
    body = f"{year % 100:02}{month:02}{day:02}{random.randint(0, 999):03}"
    full = body + _luhn_digit(body)
    return random.choice(("", str(year)[:2])) + full[:6] + "-" + full[6:]


def _national_id(locale: str, random: Random) -> str:
    return _IDENTITIES[locale](random)


def _itin(random: Random) -> str:
    group = random.choice([*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100)])
    return f"9{_digits(random, 2)}-{group}-{_digits(random, 4)}"


def _british(random: Random) -> str:
    if random.random() < 0.5:
        made = (random.choice("ABCEHJLMPRSW") + random.choice("ABCEHJLMPRSX"), _digits(random, 2), _digits(random, 2),
                _digits(random, 2), random.choice("ABCD"))  # fmt: skip
        return random.choice(("", " ")).join(made)
    while True:
        body = _digits(random, 9, "4679")
        check = 11 - sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            number = body + str(check % 11)
            return random.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}"))


def _steuer_id(random: Random) -> str:
    # One of the ten digits stands twice, one is missing.
    digits = random.sample(string.digits, 9)
    digits.append(digits[0])
    random.shuffle(digits)
    if digits[0] == "0":
        return _steuer_id(random)
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10
        product = (2 * (total or 10)) % 11
    check = 11 - product
    number = "".join(digits) + str(0 if check == 10 else check)
    return random.choice((number, f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"))


def _spanish(random: Random) -> str:
    if random.random() < 0.6:
        return _dni(random)
    first, number = random.choice("XYZ"), _digits(random, 7)
    whole = int(str("XYZ".index(first)) + number)
    return first + number + "TRWAGMYFPDXBNJZSQVHLCKE"[whole % 23]


def _insee(random: Random) -> str:
    year, month, _ = _birth(random)
    body = f"{random.choice('12')}{year % 100:02}{month:02}{random.randint(1, 95):02}{_digits(random, 3)}{_digits(random, 3)}"
    if body[5:7] == "20":
        return _insee(random)
    full = f"{body}{97 - int(body) % 97:02}"
    return random.choice((full, " ".join(_cut(full, (1, 2, 2, 2, 3, 3, 2)))))


def _codice_fiscale(random: Random) -> str:
    year, month, day = _birth(random)
    consonants = "BCDFGLMNPRSTVZ"
    day += random.choice((0, 40))
    body = f"{_letters(random, 6, consonants)}{year % 100:02}{'ABCDEHLMPRST'[month - 1]}{day:02}{random.choice('ABCDEFGHL')}{_digits(random, 3)}"
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    odd |= dict(
        zip(
            string.ascii_uppercase,
            (
                1,
                0,
                5,
                7,
                9,
                13,
                15,
                17,
                19,
                21,
                2,
                4,
                18,
                20,
                11,
                3,
                6,
                8,
                12,
                14,
                16,
                10,
                22,
                25,
                24,
                23,
            ),
            strict=True,
        )
    )
    even = {c: n for n, c in enumerate(string.digits)} | {
        c: n for n, c in enumerate(string.ascii_uppercase)
    }
    total = sum(odd[c] if at % 2 == 0 else even[c] for at, c in enumerate(body))
    made = body + string.ascii_uppercase[total % 26]
    return random.choice((made, made, made.lower()))


def _bsn(random: Random) -> str:
    while True:
        body = _digits(random, 8, "1234567")
        rest = sum(int(d) * w for d, w in zip(body, range(9, 1, -1), strict=True)) % 11
        if rest < 10:
            return body + str(rest)


def _cpf(random: Random) -> str:
    body = _digits(random, 9)
    for length in (10, 11):
        total = sum(int(d) * w for d, w in zip(body, range(length, 1, -1), strict=True)) % 11
        body += str(0 if total < 2 else 11 - total)
    return random.choice((body, f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"))


_VERHOEFF = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
             "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip
_TURNS = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def _aadhaar(random: Random) -> str:
    body = _digits(random, 11, "23456789")
    for last in string.digits:
        check = 0
        for at, digit in enumerate(reversed(body + last)):
            check = int(_VERHOEFF[check][int(_TURNS[at % 8][int(digit)])])
        if check == 0:
            number = body + last
            return random.choice((" ", " ", "-", "")).join(_cut(number, (4, 4, 4)))
    raise AssertionError("one of ten digits holds")


def _pesel(random: Random) -> str:
    year, month, day = _birth(random)
    body = f"{year % 100:02}{month + (20 if year >= 2000 else 0):02}{day:02}{_digits(random, 4)}"
    total = sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9) * 3, strict=False))
    return body + str(-total % 10)


def _my_number(random: Random) -> str:
    body = _digits(random, 11)
    total = sum(
        int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(body), start=1)
    )
    check = 0 if total % 11 <= 1 else 11 - total % 11
    number = body + str(check)
    return random.choice((number, " ".join(_cut(number, (4, 4, 4)))))


_IDENTITIES: dict[str, Callable[[Random], str]] = {
    "US": _itin, "GB": _british, "DE": _steuer_id, "FR": _insee, "ES": _spanish, "IT": _codice_fiscale,
    "NL": _bsn, "BR": _cpf, "IN": _aadhaar, "SE": _personnummer, "PL": _pesel, "JP": _my_number,
}  # fmt: skip
_MONTHS = {
    "US": "January February March April May June July August September October November December",
    "DE": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "FR": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "ES": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "IT": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "NL": "januari februari maart april mei juni juli augustus september oktober november december",
    "BR": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "SE": "januari februari mars april maj juni juli augusti september oktober november december",
    "PL": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
}


def _date_of_birth(locale: str, random: Random) -> str:
    year, month, day = _birth(random)
    word = _MONTHS.get(locale, _MONTHS["US"]).split()[month - 1]
    iso = f"{year}-{month:02}-{day:02}"
    match locale:
        case "US":
            made = (
                f"{month:02}/{day:02}/{year}",
                f"{word} {day}, {year}",
                f"{month}/{day}/{year % 100:02}",
            )
        case "GB" | "IN":
            made = (
                f"{day:02}/{month:02}/{year}",
                f"{day} {word} {year}",
                f"{day}-{word[:3]}-{year}",
            )
        case "DE":
            made = (
                f"{day:02}.{month:02}.{year}",
                f"{day}. {word} {year}",
                f"{day}.{month}.{year % 100:02}",
            )
        case "FR" | "IT" | "NL" | "PL" | "SE":
            made = (
                f"{day:02}/{month:02}/{year}",
                f"{day} {word} {year}",
                f"{day:02}-{month:02}-{year}",
            )
        case "ES" | "BR":
            made = (f"{day:02}/{month:02}/{year}", f"{day} de {word} de {year}")
        case _:
            made = (f"{year}年{month}月{day}日", f"{year}/{month:02}/{day:02}")
    return random.choice((*made, iso))


def _street_address(locale: str, random: Random) -> str:
    number, small = random.randint(1, 180), random.randint(1, 40)
    pick = random.choice
    match locale:
        case "US":
            street = pick(
                (
                    "Oak Street",
                    "Maple Ave",
                    "W Lincoln Blvd",
                    "Elm St.",
                    "5th Avenue",
                    "Sunset Drive",
                    "Park Lane",
                )
            )
            city = pick(
                ("Springfield, IL", "Austin, TX", "Portland, OR", "San Jose, CA", "New York, NY")
            )
            extra = pick(("", "", ", Apt 4B", " Suite 210"))
            return f"{number * 13} {street}{extra}, {city} {_filled('19999', random)}"
        case "GB":
            street = pick(
                (
                    "Baker Street",
                    "High Street",
                    "Victoria Road",
                    "Church Lane",
                    "St John's Terrace",
                    "Mill Close",
                )
            )
            city, code = pick(
                (
                    ("London", "SW1A 1AA"),
                    ("Leeds", "LS1 4AP"),
                    ("Bristol", "BS8 1TH"),
                    ("Manchester", "M1 1AE"),
                )
            )
            return (
                f"{pick(('', '', 'Flat 3, '))}{number}{pick(('', '', 'a'))} {street}, {city} {code}"
            )
        case "DE":
            street = pick(
                (
                    "Hauptstraße",
                    "Bahnhofstr.",
                    "Goethestrasse",
                    "Lindenweg",
                    "Marktplatz",
                    "Unter den Linden",
                    "Karl-Marx-Allee",
                )
            )
            return f"{street} {number}{pick(('', 'a', ' b'))}, {_filled('19999', random)} {pick(('Berlin', 'München', 'Köln', 'Bad Homburg'))}"
        case "FR":
            street = pick(
                (
                    "rue de la Paix",
                    "avenue Victor Hugo",
                    "boulevard Saint-Michel",
                    "place de l'Église",
                    "chemin des Vignes",
                )
            )
            return f"{small}{pick(('', ' bis', ','))} {street}, {_filled('75019', random)} {pick(('Paris', 'Lyon', 'Aix-en-Provence'))}"
        case "ES":
            street = pick(
                (
                    "Calle Mayor",
                    "C/ Gran Vía",
                    "Avenida de la Constitución",
                    "Plaza de España",
                    "Paseo del Prado",
                )
            )
            return f"{street} {number}{pick(('', ', 3º B', ', 2º izquierda'))}, {_filled('28099', random)} {pick(('Madrid', 'Sevilla', 'Valencia'))}"
        case "IT":
            street = pick(
                (
                    "Via Roma",
                    "Corso Garibaldi",
                    "Piazza del Duomo",
                    "Viale dei Mille",
                    "Via Giuseppe Verdi",
                )
            )
            return f"{street}{pick((', ', ' '))}{number}, {_filled('20199', random)} {pick(('Milano (MI)', 'Torino', 'Bologna (BO)'))}"
        case "NL":
            street = pick(
                ("Kerkstraat", "Prinsengracht", "Dorpsweg", "Beatrixlaan", "Van Goghstraat")
            )
            return f"{street} {number}{pick(('', '-2', ' A'))}, {_filled('1999', random)} {_letters(random, 2)} {pick(('Amsterdam', 'Utrecht', 'Den Haag'))}"
        case "BR":
            street = pick(
                (
                    "Rua das Flores",
                    "Av. Paulista",
                    "Travessa da Lapa",
                    "Rua Sete de Setembro",
                    "Alameda Santos",
                )
            )
            return f"{street}, {number * 7}{pick(('', ' - Centro', ', apto 51'))}, {pick(('São Paulo - SP', 'Curitiba - PR', 'Recife/PE'))}, {_filled('01999-999', random)}"
        case "IN":
            street = pick(
                ("MG Road", "Nehru Nagar", "Park Street", "Gandhi Marg", "Koramangala Layout")
            )
            return f"{pick(('', 'Flat 12, ', 'House No. 7, '))}{number} {street}, {pick(('Bengaluru', 'Mumbai', 'New Delhi', 'Pune'))} {_filled('560099', random)}"
        case "SE":
            street = pick(("Storgatan", "Sveavägen", "Kungsgatan", "Drottninggatan", "Björkgränd"))
            return f"{street} {number}{pick(('', ' B'))}, {_filled('119 99', random)} {pick(('Stockholm', 'Göteborg', 'Malmö'))}"
        case "PL":
            street = pick(
                (
                    "ul. Marszałkowska",
                    "al. Jerozolimskie",
                    "ul. Długa",
                    "pl. Wolności",
                    "ul. Jana Pawła II",
                )
            )
            return f"{street} {number}{pick(('', '/5', ' m. 12'))}, {_filled('09-999', random)} {pick(('Warszawa', 'Kraków', 'Łódź'))}"
        case _:
            place = pick(
                (
                    "東京都千代田区千代田",
                    "大阪府大阪市北区梅田",
                    "神奈川県横浜市中区山下町",
                    "北海道札幌市中央区北一条西",
                )
            )
            postcode = pick(("", f"〒{_filled('199-9999', random)} "))
            house = pick((f"{small}-2-{number}", f"{small}丁目5番{number}号", f"{small}-{number}"))
            return f"{postcode}{place}{house}"


def _bank_account(locale: str, random: Random) -> str:
    patterns = {
        "US": "1999999999|199999999999|12345678", "GB": "19999999", "DE": "1999999999|19 999 999", "FR": "19999999999",
        "ES": "2100 0499 99 1999999999", "IT": "000001999999", "NL": "199999999|19.99.99.999", "BR": "19999-9|199.999-9",
        "IN": "199999999999|19999999999999", "SE": "8327-9,999 999 999-9|6789-123 999 999", "JP": "1999999",
        "PL": "61 1099 9999 0000 9999 1299 9999|1999999999",
    }  # fmt: skip
    return _filled(random.choice(patterns[locale].split("|")), random)


def _url_credentials(locale: str, random: Random) -> str:
    user = random.choice(_LAST[locale].split()).translate(_ASCII)
    password = _letters(random, 9, string.ascii_letters + string.digits + "!$*")
    host = random.choice(
        (
            "db.example.com:5432/shop",
            "example.org/private",
            "10.1.12.13:6379/0",
            "git.example.net/a.git",
        )
    )
    return f"{random.choice(('postgres', 'https', 'redis', 'ftp', 'mongodb+srv'))}://{user}:{password}@{host}"


_COINS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SEGWIT = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def _crypto_address(_: str, random: Random) -> str:
    match random.randint(0, 2):
        case 0:
            raw = bytes([random.choice((0, 5))]) + random.randbytes(20)
            raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
            number, text = int.from_bytes(raw, "big"), ""
            while number:
                number, rest = divmod(number, 58)
                text = _COINS[rest] + text
            return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text
        case 1:
            bits = "".join(f"{byte:08b}" for byte in random.randbytes(20))
            data = [0] + [int(bits[at : at + 5], 2) for at in range(0, 160, 5)]
            check = _polymod([3, 3, 0, 2, 3, *data, 0, 0, 0, 0, 0, 0]) ^ 1
            data += [check >> 5 * (5 - at) & 31 for at in range(6)]
            return "bc1" + "".join(_SEGWIT[d] for d in data)
        case _:
            return "0x" + random.randbytes(20).hex()


def _polymod(values: list[int]) -> int:
    check = 1
    for number in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ number
        for at, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> at & 1:
                check ^= part
    return check


_PLATES = {
    "US": "1AAA999|AAA-9999|AAA 9999", "GB": "AA19 AAA|AA59AAA", "DE": "B-AA 9999|M AB 199|HH-A 9999|KÖ-AA 99",
    "FR": "AA-199-AA|AA 199 AA", "ES": "1999 BCD|1999BBC", "IT": "AA 199 AA|AA199AA", "NL": "19-AAA-9|AA-199-A|1-AAA-99",
    "BR": "AAA1A99|AAA-1999", "IN": "MH 12 AA 1999|KA01AA1999|DL 8C AA 1999", "SE": "AAA 199|AAA19A", "PL": "WA 19999|KR 1AA99|GD 199AA",
    "JP": "品川 330 あ 12-34|横浜 501 さ 56-78|名古屋 300 に 10-99",
}  # fmt: skip


def _vehicle_plate(locale: str, random: Random) -> str:
    return _filled(random.choice(_PLATES[locale].split("|")), random)


_MAKERS: dict[str, Callable[[str, Random], str]] = {
    "email": _email, "phone": _phone, "us_ssn": _us_ssn, "payment_card": _payment_card, "iban": _iban,
    "ip_address": _ip_address, "mac_address": _mac_address, "passport": _passport, "driving_licence": _driving_licence,
    "national_id": _national_id, "date_of_birth": _date_of_birth, "street_address": _street_address,
    "bank_account": _bank_account, "url_credentials": _url_credentials, "crypto_address": _crypto_address,
    "vehicle_plate": _vehicle_plate,
}  # fmt: skip
