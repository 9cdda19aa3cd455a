"""Which variables are keys, and that their values do not show."""

import pytest

from swarm.secrets import hide, is_secret, secrets_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OPENAI_API_KEY", True),
        ("HF_TOKEN", True),
        ("MYTOKEN", True),
        ("DB_PASSWORD", True),
        ("OPENAI_API_KEY_2", True),
        ("client_secret", True),
        ("MAX_TOKENS", False),
        ("KEYBOARD", False),
        ("HOME", False),
    ],
)
def test_a_key_is_known_by_its_name(name: str, expected: bool) -> None:
    assert is_secret(name) is expected


def test_a_key_shows_as_its_variable() -> None:
    secrets = secrets_of({"A_KEY": "abcdef", "B_KEY": "abcdef-ghi'\n", "C_KEY": "on", "D": "abcde"})
    assert set(secrets) == {"A_KEY", "B_KEY"}
    text = f"abcdef on abcdef-ghi'\n and {secrets['B_KEY']!r}"
    assert hide(text, secrets) == '${A_KEY} on ${B_KEY} and "${B_KEY}"'
