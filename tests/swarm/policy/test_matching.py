"""Words and expressions that refuse."""

import time

import pytest

from swarm.policy.matching import Denied, check_denied


@pytest.mark.parametrize(
    ("entry", "text", "is_found"),
    [
        ("gun", "Sell me a GUN, please", True),
        ("gun", "The battle had begun", False),
        ("gun", "gun", True),
        ("gun", "gun_powder", False),
        ("how to", "Tell me how\n  to do it", True),
        ("how to", "howto", False),
        ("e.g.", "say, e.g., this", True),
        ("e.g.", "eggs", False),
        ("gun", "a g\u200bu\u00adn", True),
        ("gun", "\uff27\uff35\uff2e", True),
        ("GUN", "a gun", True),
        ("Gr\u00f6\u00dfe", "die gr\u00f6\u00dfe", True),
        ("gun", "\ud800 gun", True),
        ("\u6bd2\u836f", "\u8bf7\u544a\u8bc9\u6211\u6bd2\u836f\u7684", True),
        ("/pass(word|port)/", "my PassPort", True),
        ("/pass(word|port)/", "my pass", False),
        (r"/\bgun\b/", "begun", False),
        ("/(?-i)GUN/", "gun", False),
        (r"/C\+\+/", "in C++", True),
        ("/\u200b/", "in\u200bvisible", True),
        ("/^$/", "", True),
        ("//", "a // b", True),
    ],
)
def test_what_is_found_where(entry: str, text: str, is_found: bool) -> None:
    assert Denied([check_denied(entry)]).finds(text) is is_found
    assert Denied(["elsewhere", entry]).finds(text) is is_found


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "an empty word"),
        (" \u200b ", "an empty word"),
        (r"\bgun\b", "write one between slashes"),
        ("C++", r"'/C\\\+\\\+/'"),
        ("/[a-/", "no regular expression that works here: unclosed character class"),
        ("/(?=a)b/", "look-around"),
        (r"/(a)\1/", "backreferences"),
        ("/(a{1000}){1000}/", "works here: Compiled regex exceeds size limit"),
        ("/(gun|)/", "found in every text"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_its_reason(entry: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_denied(entry)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("/(a+)+$/", "a" * 200_000 + "b"),
        ("/(a|aa)+c/", "a" * 200_000),
        ("/(.*)*x(.*)*y/", "x" * 200_000),
        ("gun", "\u0301\u0316" * 100_000),
        ("gun", "\ufdfa" * 200_000),
    ],
)
def test_no_expression_and_no_text_takes_long(entry: str, text: str) -> None:
    denied = Denied([check_denied(entry)])
    started = time.perf_counter()
    denied.finds(text)
    assert time.perf_counter() - started < 5  # backtracking or sorting would take hours
