"""From signatures to schemas, and back from a model's arguments to Python values."""

import functools
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import orjson
import pytest
from pydantic import AfterValidator, BaseModel, Field
from typing_extensions import TypedDict

from swarm import ToolContext
from swarm.errors import DeclarationError
from swarm.schema import ArgumentsError, describe_function, read_signature


class Size(Enum):
    """How big a box is."""

    SMALL = "S"
    LARGE = "L"


class Box(BaseModel):
    """A box on a shelf."""

    sku: str
    title: str = "no title"
    size: Size = Size.SMALL


class Place(TypedDict):
    """Where a box stands."""

    shelf: int


@dataclass
class Order:
    """What is ordered."""

    boxes: list[Box]


class Alien:
    """Nothing that JSON knows."""


def search(
    sku: str,
    size: Size,
    limit: int = 10,
    day: date | None = None,
    kind: Literal["new", "old"] = "new",
    *,
    context: ToolContext,
) -> None:
    """Search the shelves.

    It looks everywhere.

    Args:
        sku: What is printed on the box.
        size (Size): How big it is; for example
            a large one: "L".
        limit: At most so many.
        day: Only boxes of that day.
        kind: New or old.
        context: Who asks.

    Returns:
        Nothing: it is a test.
    """
    raise NotImplementedError


@pytest.mark.requirement("S4-14")
def test_a_signature_becomes_a_schema() -> None:
    signature = read_signature(search)
    assert signature.parameters == {
        "$defs": {
            "Size": {"description": "How big a box is.", "enum": ["S", "L"], "type": "string"}
        },
        "additionalProperties": False,
        "properties": {
            "sku": {"description": "What is printed on the box.", "type": "string"},
            "size": {
                "$ref": "#/$defs/Size",
                "description": 'How big it is; for example a large one: "L".',
            },
            "limit": {"default": 10, "description": "At most so many.", "type": "integer"},
            "day": {
                "anyOf": [{"format": "date", "type": "string"}, {"type": "null"}],
                "default": None,
                "description": "Only boxes of that day.",
            },
            "kind": {
                "default": "new",
                "description": "New or old.",
                "enum": ["new", "old"],
                "type": "string",
            },
        },
        "required": ["sku", "size"],
        "type": "object",
    }
    assert signature.context_name == "context"
    assert describe_function(search) == "Search the shelves."


def test_arguments_become_the_annotated_types() -> None:
    convert = read_signature(search).convert
    assert convert({"sku": "A", "size": "L", "day": "2026-01-31", "limit": "3"}) == {
        "sku": "A",
        "size": Size.LARGE,
        "limit": 3,
        "day": date(2026, 1, 31),
        "kind": "new",
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "sku: Field required; size: Field required"),
        ({"sku": 7, "size": "L"}, "sku: Input should be a valid string"),
        ({"sku": "A", "size": "XL"}, "size: Input should be 'S' or 'L'"),
        ({"sku": "A", "size": "L", "colour": 1}, "colour: Extra inputs are not permitted"),
        ({"sku": "A", "size": "L", "context": {}}, "context: Extra inputs are not permitted"),
        ({"sku": "A", "size": "L", "argument_0": 1}, "argument_0: Extra inputs are not permitted"),
        ({"sku": "A", "size": "L", "day": "soon"}, "day: Input should be a valid date"),
    ],
)
def test_the_model_is_told_which_argument_does_not_fit(
    arguments: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ArgumentsError) as caught:
        read_signature(search).convert(arguments)
    assert str(caught.value).startswith(reason)


def test_models_dataclasses_and_typed_dicts_are_arguments() -> None:
    def store(box: Box, place: Place, order: Order) -> None:
        raise NotImplementedError

    signature = read_signature(store)
    definitions: Any = signature.parameters["$defs"]
    assert set(definitions) == {"Box", "Place", "Order", "Size"}
    assert definitions["Box"]["properties"]["title"] == {"default": "no title", "type": "string"}
    values = signature.convert(
        {"box": {"sku": "A"}, "place": {"shelf": 2}, "order": {"boxes": [{"sku": "B"}]}}
    )
    assert values["box"] == Box(sku="A")
    assert values["place"] == {"shelf": 2}
    assert values["order"] == Order([Box(sku="B")])


def test_arguments_may_have_any_name_and_their_own_notes() -> None:
    def odd(
        schema: str, model_config: int, self_: str, title: Annotated[str, Field(min_length=2)]
    ) -> None:
        raise NotImplementedError

    signature = read_signature(odd)
    properties: Any = signature.parameters["properties"]
    assert list(properties) == ["schema", "model_config", "self_", "title"]
    assert properties["title"] == {"minLength": 2, "type": "string"}
    fitting = {"schema": "a", "model_config": 1, "self_": "b", "title": "cc"}
    assert signature.convert(fitting) == fitting


class Counter:
    """Counts boxes."""

    async def __call__(self, sku: str, by: int = 1) -> int:
        raise NotImplementedError

    def method(self, sku: str) -> int:
        raise NotImplementedError


@pytest.mark.parametrize(
    "function", [Counter(), Counter().method, functools.partial(search, limit=1)]
)
def test_callable_objects_and_methods_have_signatures_too(function: Callable[..., Any]) -> None:
    properties: Any = read_signature(function).parameters["properties"]
    assert properties["sku"]["type"] == "string"


def _alien(x: Alien) -> None:
    raise NotImplementedError


def _callable(x: Callable[[], int]) -> None:
    raise NotImplementedError


def _annotated(*annotation: str) -> Callable[..., Any]:
    """Return a function whose parameter has this annotation, or none."""

    def function(x: int) -> None:
        raise NotImplementedError

    del function.__annotations__["x"]
    function.__annotations__.update(zip("x", annotation, strict=False))
    return function


def _positional(x: int, /) -> None:
    raise NotImplementedError


def _yields(x: int) -> Iterator[int]:
    yield x


async def _yields_later(x: int) -> AsyncIterator[int]:
    yield x


def _anything(**given: int) -> None:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (_yields, "tool function '_yields' is a generator; return the whole output"),
        (_yields_later, "tool function '_yields_later' is a generator"),
        (functools.partial(_yields), "tool function '_yields' is a generator"),
        (_anything, r"which arguments `\*\*given` takes; declare `parameters`"),
        (_alien, "an annotation cannot be described to a model"),
        (_callable, "an annotation cannot be described to a model"),
        (_annotated("list[int"), "unknown annotation"),
        (_annotated("functools.nothing"), "unknown annotation"),
        (_annotated(), "parameter 'x' has no type annotation"),
        (_positional, "parameter 'x' must be a keyword parameter"),
        (dict, "tool function 'dict'"),
    ],
)
def test_a_function_that_cannot_be_described(function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(DeclarationError, match=reason):
        read_signature(function)


def test_a_schema_of_its_own_needs_no_annotations() -> None:
    signature = read_signature(_annotated(), has_schema=True)
    assert signature.argument_names == ("x",)


def test_a_validator_of_the_program_may_refuse() -> None:
    def no(value: str) -> str:
        raise ValueError(f"{value} is sold out")

    def buy(sku: Annotated[str, AfterValidator(no)]) -> None:
        raise NotImplementedError

    with pytest.raises(ArgumentsError, match="sku: Value error, A is sold out"):
        read_signature(buy).convert({"sku": "A"})


def test_a_default_that_is_no_json_is_kept_and_not_shown() -> None:
    marker = Alien()

    def look(sku: str, cache: Any = marker) -> None:
        raise NotImplementedError

    signature = read_signature(look)
    assert signature.convert({"sku": "A"})["cache"] is marker


def test_plain_arguments_are_described_as_pydantic_describes_them() -> None:
    """Without a model for them; an annotation with anything more to it asks pydantic."""

    def plain(
        sku: str, count: int = 3, price: float = 0.5, is_new: bool = True, note: str = ""
    ) -> None: ...

    def annotated(
        sku: Annotated[str, "a"],
        count: Annotated[int, "b"] = 3,
        price: Annotated[float, "c"] = 0.5,
        is_new: Annotated[bool, "d"] = True,
        note: Annotated[str, "e"] = "",
    ) -> None: ...

    notes = "Add a box.\n\nArgs:\n    sku: Its print.\n    price: In euros.\n    note:\n"
    plain.__doc__ = annotated.__doc__ = notes
    shown = [orjson.dumps(read_signature(f).parameters) for f in (plain, annotated)]
    assert shown[0] == shown[1]
    given = {"sku": "A1", "count": "4", "is_new": False}
    converted = [read_signature(f).convert(given) for f in (plain, annotated)]
    assert converted[0] == converted[1]
    assert converted[0]["count"] == 4


@pytest.mark.parametrize("default", [float("inf"), 1, None, "x"])
def test_a_default_of_another_kind_is_left_to_pydantic(default: Any) -> None:
    def weigh(grams: float = default) -> None: ...

    def annotated(grams: Annotated[float, "g"] = default) -> None: ...

    assert read_signature(weigh).parameters == read_signature(annotated).parameters


def test_a_function_without_arguments_takes_none() -> None:
    def now() -> str: ...

    signature = read_signature(now)
    assert signature.parameters == {
        "additionalProperties": False,
        "properties": {},
        "type": "object",
    }
    with pytest.raises(ArgumentsError, match="sku"):
        signature.convert({"sku": "A1"})


def test_what_was_read_of_a_function_goes_with_it() -> None:
    """A program may make functions for as long as it runs."""

    def made() -> Callable[..., Any]:
        def stock_level(skus: list[str]) -> str: ...

        return stock_level

    function = made()
    assert read_signature(function) is read_signature(function)
    assert read_signature(function, has_schema=True) is not read_signature(function)
    left = weakref.ref(function)
    del function
    gc.collect()
    assert left() is None
