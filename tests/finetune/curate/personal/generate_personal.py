# ruff: noqa: E501, RUF001
"""Labelled documents: personal data of 16 kinds from 12 countries among text that has none.

The same seed gives the same documents. Numbers that look personal and are not stand among them:
orders, prices, versions, hashes, coordinates.
"""

import json
import string
import uuid
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from finetune.dataset import (
    AssistantMessage,
    FunctionCall,
    SftRow,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from tests.finetune.curate.personal.generate_phrases import (
    FILLERS,
    HARMLESS,
    LANGUAGES,
    SENTENCES,
)
from tests.finetune.curate.personal.generate_values import KINDS, LOCALES, value

__all__ = ["Document", "Value", "clean_rows", "documents", "row_of"]

_WIDE = {ord(c): ord(c) + 0xFEE0 for c in string.digits}
_ARABIC = {ord(c): 0x0660 + int(c) for c in string.digits}
_ARGUMENTS = {
    "email": "email", "phone": "phoneNumber", "us_ssn": "ssn", "payment_card": "card", "iban": "iban",
    "ip_address": "client_ip", "mac_address": "mac", "passport": "passport_number",
    "driving_licence": "driver_license_number", "national_id": "national_id",
    "date_of_birth": "date_of_birth", "street_address": "address", "bank_account": "account_number",
    "url_credentials": "url", "crypto_address": "wallet", "vehicle_plate": "license_plate",
}  # fmt: skip


class Value(NamedTuple):
    """One piece of personal data in a document."""

    kind: str
    start: int
    end: int
    plain: str
    """As it was before a disguise."""


class Document(NamedTuple):
    """A text, the personal data in it, and what must stay."""

    locale: str
    text: str
    values: list[Value]
    harmless: list[str]


def documents(seed: int, count: int) -> Iterator[Document]:
    """Yield documents in which all kinds and countries take turns."""
    random = Random(seed)
    for at in range(count):
        locale = LOCALES[at % len(LOCALES)]
        kind = KINDS[at // len(LOCALES) % len(KINDS)]
        kinds = [kind, *random.choices(KINDS, k=random.choice((0, 0, 1, 2)))]
        yield _document(locale, [] if at % 10 == 9 else kinds, random)


def clean_rows(seed: int, count: int) -> Iterator[SftRow]:
    """Yield conversations of about 1,300 characters without personal data, some with numbers."""
    random = Random(seed)
    for _ in range(count):
        language = LANGUAGES[random.choice(("US", "GB", "IN", "US", *LOCALES))]
        texts: list[str] = []
        for _ in range(4):
            sentences = [random.choice(FILLERS[language].split("|")) for _ in range(12)]
            for _ in range(random.choice((0, 0, 1, 1, 2))):
                sentence = random.choice(HARMLESS[language].split("|"))
                sentences.insert(random.randrange(12), _harmless(sentence, random))
            texts.append(" ".join(sentences))
        yield SftRow(
            messages=(
                UserMessage(content=texts[0]),
                AssistantMessage(content=texts[1]),
                UserMessage(content=texts[2]),
                AssistantMessage(content=texts[3]),
            )
        )


def row_of(document: Document) -> SftRow:
    """Return a conversation whose tool call and its output carry the document's values again."""
    arguments: dict[str, object] = {"note": document.text}
    for item in document.values:
        plain: object = item.plain
        if item.plain.isdigit() and item.plain[0] != "0":
            plain = int(item.plain)
        arguments[_ARGUMENTS[item.kind]] = {"value": plain} if len(item.plain) % 2 else [plain]
    written = json.dumps(arguments, ensure_ascii=len(document.text) % 2 == 0)
    call = ToolCall(id="c1", function=FunctionCall(name="save", arguments=written))
    return SftRow(
        messages=(
            UserMessage(content=document.text),
            AssistantMessage(tool_calls=(call,)),
            ToolMessage(tool_call_id="c1", content=f'{{"saved": {json.dumps(document.text)}}}'),
            AssistantMessage(content="I have written that down."),
        )
    )


def _document(locale: str, kinds: list[str], random: Random) -> Document:
    language = LANGUAGES[locale]
    pieces: list[tuple[str, str | None, str]] = [
        (random.choice(FILLERS[language].split("|")), None, "") for _ in range(random.randint(1, 3))
    ]
    harmless: list[str] = []
    for _ in range(random.randint(0, 4)):
        sentence = _harmless(random.choice(HARMLESS[language].split("|")), random)
        harmless.append(sentence)
        pieces.append((sentence, None, ""))
    for kind in kinds:
        plain = value(kind, locale, random)
        sentence = random.choice(SENTENCES[language][kind].split("|"))
        pieces.append((sentence, kind, plain))
    random.shuffle(pieces)
    joint = (
        random.choice(("\n", "\n\n", ""))
        if language == "ja"
        else random.choice((" ", " ", "\n", "\n\n"))
    )
    text, values = "", list[Value]()
    for sentence, kind, plain in pieces:
        if kind is not None:
            before, after = sentence.split("{}")
            shown = _disguised(kind, plain, random)
            start = len(text) + len(before)
            values.append(Value(kind, start, start + len(shown), plain))
            sentence = before + shown + after
        text += sentence + joint
        if sentence[-1] not in ".!?。" and "\n" not in joint:
            text += "\n"
    return Document(locale, text, values, harmless)


def _disguised(kind: str, plain: str, random: Random) -> str:
    """Return a value as somebody writes it who wants to get past a filter, one time in eight."""
    if random.random() > 0.125 or kind in ("url_credentials", "crypto_address"):
        return plain
    if kind == "email":
        at, dot = random.choice(
            ((" (at) ", " dot "), ("[at]", "[dot]"), (" at ", " dot "), ("(at)", "."))
        )
        local, _, domain = plain.partition("@")
        return random.choice(
            (
                local + at + domain.replace(".", dot),
                plain.replace("@", "＠"),
                plain.replace("@", "\u200b@"),
            )
        )
    match random.randint(0, 4):
        case 0:
            return plain.translate(_WIDE)
        case 1:
            return plain.translate(_ARABIC)
        case 2:
            return plain.replace(" ", "\u00a0").replace("-", "\u2011")
        case 3:
            at = random.randint(1, len(plain) - 1)
            return plain[:at] + random.choice("\u200b\u00ad\u2060\u200d") + plain[at:]
        case _:
            return plain.replace("-", "\u2013").replace(" ", "\u202f")


def _harmless(sentence: str, random: Random) -> str:
    def digits(count: int) -> str:
        return "".join(random.choice(string.digits) for _ in range(count))

    year, month, day = random.randint(1990, 2026), random.randint(1, 12), random.randint(1, 28)
    clock = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}"
    body = "978" + digits(9)
    check = -sum(int(d) * (1 + 2 * (at % 2)) for at, d in enumerate(body)) % 10
    isbn = f"{body}{check}"
    fields = {
        "order": random.choice((digits(random.randint(5, 14)), f"{digits(3)}-{digits(7)}-{digits(7)}", f"ORD-{digits(8)}", f"#{digits(6)}")),
        "invoice": random.choice((f"{year}-{digits(5)}", f"RE{digits(8)}", digits(10), f"{year}/{month:02}/{digits(4)}")),
        "price": random.choice((f"${random.randint(1, 9999):,}.{digits(2)}", f"1.{digits(3)},{digits(2)} €", f"{digits(4)} EUR", f"¥{digits(5)}", f"{digits(2)}.{digits(2)}")),
        "version": random.choice((f"{digits(1)}.{digits(1)}.{digits(1)}.{digits(1)}", f"v{digits(2)}.{digits(1)}.{digits(4)}", f"{digits(1)}.{digits(2)}.{digits(4)}.{digits(2)}")),
        "date": random.choice((f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{month}/{day}/{year}", f"{day}/{month}/{year % 100:02}", f"{year}-{month:02}-{day:02} {clock}")),
        "isbn": random.choice((isbn, f"{isbn[:3]}-{isbn[3]}-{isbn[4:7]}-{isbn[7:12]}-{isbn[12]}", f"{digits(1)}-{digits(3)}-{digits(5)}-X")),
        "sha": random.choice((random.randbytes(20).hex(), random.randbytes(4).hex(), random.randbytes(32).hex(), random.randbytes(16).hex())),
        "uuid": str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "sku": random.choice((f"AB-{digits(5)}-X", f"{digits(4)}-{digits(3)}", f"SKU{digits(9)}", f"TX{digits(3)}BL-{digits(2)}")),
        "coordinates": f"{random.randint(-89, 89)}.{digits(random.randint(4, 8))}, {random.randint(-179, 179)}.{digits(random.randint(4, 8))}",
        "science": random.choice((f"3.{digits(14)}", f"6.{digits(8)}e{digits(2)}", f"{digits(1)}.{digits(5)} x 10^{digits(1)}", f"1.{digits(3)}E-{digits(2)}")),
        "stamp": random.choice((f"1{digits(9)}", f"17{digits(11)}", f"{year}-{month:02}-{day:02}T{clock}:{digits(2)}.{digits(6)}Z", f"[{day:02}/{month:02}/{year}:{clock}:07]")),
        "hours": random.choice((f"{clock} - {clock}", "8:30 to 19:00", "9-17", "08.00-18.30")),
        "tracking": random.choice((f"1Z{digits(3)}AA1{digits(10)}", digits(12), f"{digits(4)} {digits(4)} {digits(4)} {digits(4)} {digits(4)} {digits(2)}", f"RR{digits(9)}DE")),
        "size": random.choice((f"{digits(4)}x{digits(4)} px", f"{digits(2)} x {digits(2)} x {digits(2)} cm", f"{digits(3)}.{digits(1)} MB")),
        "small": digits(2),
        "thousands": random.choice((f"{random.randint(1, 99)},{digits(3)},{digits(3)}", f"{random.randint(1, 99)}.{digits(3)}.{digits(3)}", f"{random.randint(1, 99)} {digits(3)} {digits(3)}")),
    }  # fmt: skip
    return sentence.format(**fields)
