"""Values are JSON, ids are names: what is refused, and that nothing else changes on the way."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from swarm.errors import InvalidIdError
from swarm.memory import NotJsonError
from swarm.memory.values import as_item, decode_value, encode_value, item_key

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class Model(BaseModel):
    name: str = "x"


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    """kit:state:value."""
    text = encode_value(value, "state 'a'")
    assert text.isascii(), "a text column of any database takes it"
    assert decode_value(text) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "state 'a': nan is no JSON number"),
        ({"a": [1, math.inf]}, "state 'a' at a[1]: inf is no JSON number"),
        ({"a": {1: 2}}, "state 'a' at a: the key 1 is not text"),
        ({"a": object()}, "state 'a' at a: object is not JSON"),
        ([{1, 2}], "state 'a' at [0]: set is not JSON"),
        (b"x", "state 'a': bytes is not JSON"),
        (Model(), "state 'a': Model is not JSON; pass its `model_dump(mode='json')`"),
        ([1 << 20_000], "state 'a' at [0]: a number of more than 4096 bits"),
    ],
)
def test_what_json_has_nothing_like_is_refused_with_its_place(value: object, said: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        encode_value(value, "state 'a'")
    assert str(caught.value) == said


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(NotJsonError, match="more than 100 deep"):
        encode_value(loop, "state 'a'")


@pytest.mark.parametrize(
    "item_id",
    ["", "x" * 257, "../x", "a/../b", "/etc", "a\\b", "..", ".", "a\nb", "\ud800", True, 1.5, None],
)
def test_an_id_that_is_no_name_is_refused(item_id: object) -> None:
    with pytest.raises(InvalidIdError):
        item_key(item_id, "storage 'a'")


def test_ids_of_different_types_are_different() -> None:
    assert len({item_key(item, "s") for item in (1, "1", "01", '"1"', -1)}) == 5


def test_an_item_is_a_mapping() -> None:
    with pytest.raises(NotJsonError, match="an item is a mapping, not list"):
        as_item([1], "storage 'a'")
