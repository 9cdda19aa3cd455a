"""What is taken for private, and what is not."""

import time

import pytest

from swarm.policy.redaction import Redaction, Redactor

ALL: list[Redaction] = ["card", "email", "iban", "secret"]


# The keys below are made up, and written in two pieces so that no scanner takes them for real.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to anna.b+c@sub.example.co.uk, please", "to [email], please"),
        ("<o@m\u00fcller.de>;o@xn--mller-kva.xn--p1ai", "<[email]>;[email]"),
        ("anna@localhost is @home", "anna@localhost is @home"),
        ("card 4111 1111 1111 1111.", "card [card]."),
        ("4111-1111-1111-1111/378282246310005", "[card]/[card]"),
        ("3782 822463 10005 and 4222222222222", "[card] and [card]"),
        ("2 4111 1111 1111 1111 4", "2 [card] 4"),
        ("4111 1111 1111 1111 5555 5555 5555 4444", "[card] [card]"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("order 1234567890128, call 0151 23456789", "order 1234567890128, call 0151 23456789"),
        ("DE89 3704 0044 0532 0130 00 please", "[iban] please"),
        ("gb82west12345698765432, NO93 8601 1117 947", "[iban], [iban]"),
        ("FR14 2004 1010 0505 0001 3M02 606", "[iban]"),
        ("GB83 WEST 1234 5698 7654 32", "GB83 WEST 1234 5698 7654 32"),
        ("ABDE89370400440532013000", "ABDE89370400440532013000"),
        ("use sk-" + "proj-abc123def456ghi789!", "use [secret]!"),
        ("ghp_" + "abcdefghijklmnopqrstuvwxyz0123", "[secret]"),
        ("AKIA" + "IOSFODNN7EXAMPLE is mine", "[secret] is mine"),
        ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.abcdefgh-_1", "[secret]"),
        ("export DB_PASSWORD='hunter22'", "export DB_PASSWORD='[secret]'"),
        ("OPENAI_API_KEY: sesame-open", "OPENAI_API_KEY: [secret]"),
        ('{"api_key": "0123456789abcdef"}', '{"api_key": "[secret]"}'),
        ("MONKEY: bananas, key: bananas", "MONKEY: bananas, key: bananas"),
        ("see sk-learn-models-and-more", "see sk-learn-models-and-more"),
        (
            "-----BEGIN RSA " + "PRIVATE KEY-----\nab-c\n-----END RSA PRIVATE KEY-----!",
            "[secret]!",
        ),
        ("cut: -----BEGIN " + "PRIVATE KEY-----\nabc", "cut: [secret]"),
        ("the word is open sesame", "the word is [secret]"),
    ],
)
def test_what_is_replaced(text: str, expected: str) -> None:
    redact = Redactor(ALL, {"SHOP_KEY": "open sesame", "LONG_KEY": "open sesame"})
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize("name", ALL)
def test_only_what_is_named_is_replaced(name: Redaction) -> None:
    texts = {
        "card": "4111111111111111",
        "email": "anna@example.com",
        "iban": "DE89370400440532013000",
        "secret": "ghp_" + "abcdefghijklmnopqrstuvwxyz0123",
    }
    assert Redactor([name], {})(" ".join(texts.values())) == " ".join(
        f"[{each}]" if each == name else text for each, text in texts.items()
    )
    assert Redactor([], {"SHOP_KEY": "sesame"})("sesame") == "sesame"


@pytest.mark.parametrize(
    "piece",
    ["DE12 ", "4444 ", "4", "a@", "a@a.", "eyJ", "eyJaaaaaaaa.", "KEY_", "A_", "sk-", "-", "api "],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 200_000)[:200_000]
    started = time.perf_counter()
    Redactor(ALL, {})(text)
    assert time.perf_counter() - started < 5  # time quadratic in the text would be an hour
