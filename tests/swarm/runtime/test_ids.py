"""Client ids: what is refused, in words, before anything is opened."""

from typing import Any

import pytest

from swarm.errors import InvalidIdError
from swarm.runtime.ids import check_client_id


@pytest.mark.parametrize(
    ("client_id", "reason"),
    [
        (None, "is text, not NoneType"),
        (5, "is text, not int"),
        (b"ann", "is text, not bytes"),
        ("", "has 1 to 256 characters, not 0"),
        ("../ann", "reads like a path"),
        ("ann\n", "has control characters"),
    ],
)
def test_a_client_id_that_may_not_be_used_says_why(client_id: Any, reason: str) -> None:
    with pytest.raises(InvalidIdError, match=reason):
        check_client_id(client_id)


def test_any_printable_text_is_a_client_id() -> None:
    assert check_client_id("клиент 🔥") == "клиент 🔥"
