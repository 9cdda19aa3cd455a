"""Secrets in texts: what is found, what is not, and how long it takes."""

import random
import time

import pytest

from finetune.curate.secrets import find_secrets, redact_secrets
from finetune.curate.secrets.find import RULES, Finder
from tests.finetune.curate.secrets.generate_clean import clean_lines
from tests.finetune.curate.secrets.generate_secrets import labelled_lines
from tests.finetune.curate.secrets.generate_values import TOKENS, pem

SEED = time.time_ns() % 1_000_000
"""A new one for each run; set it to what a failure names to see that again."""

ROWS = 10_000


@pytest.mark.requirement("S3-25")
def test_at_least_99_of_100_secrets_are_taken_out() -> None:
    lines = list(labelled_lines(ROWS, SEED))
    missed = [line for line in lines if line.secret in redact_secrets(line.text)]
    shown = "\n".join(f"{line.kind}: {line.text}" for line in missed[:10])
    assert len(missed) <= ROWS // 100, f"seed {SEED}: {len(missed)} missed, such as\n{shown}"


@pytest.mark.requirement("S3-25")
def test_of_10_000_lines_without_secrets_at_most_one_is_taken_for_another() -> None:
    wrong = [line for line in clean_lines(ROWS, SEED) if find_secrets(line)]
    assert len(wrong) <= 1, f"seed {SEED}\n" + "\n".join(wrong[:10])


@pytest.mark.parametrize("kind", TOKENS)
def test_each_kind_of_token_is_found_in_a_sentence(kind: str) -> None:
    token = TOKENS[kind](random.Random(SEED))
    assert token not in redact_secrets(f"Is {token} still valid?"), f"seed {SEED}"


def test_only_the_value_is_replaced() -> None:
    text = "DATABASE_URL=postgres://shop:" + "s3cr" + "3tpw@db:5432/shop # the shop"
    assert redact_secrets(text) == "DATABASE_URL=postgres://shop:[SECRET]@db:5432/shop # the shop"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\\n"])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_private_key_goes_as_a_block(newline: str, is_whole: bool) -> None:
    block = pem(random.Random(SEED), "RSA ", newline=newline, is_whole=is_whole)
    text = f"My key:{newline}{block}{newline}{newline}Thanks, Bob"
    redacted = redact_secrets(text)
    assert redacted.startswith(f"My key:{newline}[SECRET]"), f"seed {SEED}"
    assert redacted.endswith("Thanks, Bob"), f"seed {SEED}"
    assert len(redacted) < 120, f"seed {SEED}"


def test_a_long_token_goes_whole() -> None:
    token = "gh" + "p_" + "a1B2c3D4e5F6" * 200
    assert redact_secrets(f"use {token} now") == "use [SECRET] now"
    assert redact_secrets(f"Authorization: Bearer {token[4:]}") == "Authorization: Bearer [SECRET]"


def test_without_re2_the_same_is_found() -> None:
    fast, plain = Finder(), Finder(engine="plain")
    lines = [line.text for line in labelled_lines(ROWS // 2, SEED)]
    lines += clean_lines(ROWS // 2, SEED)
    differing = [line for line in lines if fast.find(line) != plain.find(line)]
    assert not differing, f"seed {SEED}: {differing[:3]}"
    maybe = [fast.may_hold_secrets(line) for line in lines]
    assert maybe == [plain.may_hold_secrets(line) for line in lines], f"seed {SEED}"


def test_a_text_that_may_hold_none_holds_none() -> None:
    finder = Finder()
    for line in labelled_lines(2000, SEED):
        assert finder.may_hold_secrets(line.text) or not finder.find(line.text), f"seed {SEED}"


@pytest.mark.parametrize("anchor", sorted({anchor for rule in RULES for anchor in rule.anchors}))
def test_a_text_full_of_beginnings_ends(anchor: str) -> None:
    """The time is not measured: with work that grows with the square this would not come back."""
    for filling in ("", "a1B2", "=", "-a", '="', " is "):
        piece = anchor + filling
        find_secrets(piece * (20_000 // len(piece)))


@pytest.mark.parametrize(
    "text",
    [
        "password: ********",
        "my key is <TOKEN>",
        "password=${TOKEN}",
        "api_key = your-api-key",
        'token = os.environ["TOKEN"]',
        "password: changeme",
        "Die Passwörter sind sicher.",
        "",
        "\ud800 password \udfff: \x00",
    ],
)
def test_placeholders_stay(text: str) -> None:
    assert redact_secrets(text) == text
