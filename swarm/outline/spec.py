"""The declaration of an outline, and the kind it brings to a catalog."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue, field_validator
from pydantic.json_schema import SkipJsonSchema

from swarm.fields import Callback, Callbacks, Name, Spec, as_lines
from swarm.json_schema import read_format
from swarm.registry import Kind

__all__ = ["OUTLINES", "OutlineCallbacks", "OutlineSpec"]


class OutlineCallbacks(Spec):
    """Functions that hear of an outline."""

    on_attempt: Callback | None = None
    """`(context)`, an `OutlineContext`, before each question to the model."""
    on_document: Callback | None = None
    """`(document, context)`, when an answer held a JSON object, before it is checked."""
    on_valid_document: Callback | None = None
    """`(result)`, when a document passed every check."""
    on_invalid_document: Callback | None = None
    """`(result)`, when the attempts are used up."""


class OutlineSpec(Spec):
    """A JSON document that a model fills in: its schema, what to ask, and what makes it valid."""

    outline_name: Name
    """What `json` calls it."""
    completion: Name
    """The name of a declared completion that does not have `json_mode: false`."""
    format: Mapping[str, JsonValue] | SkipJsonSchema[type[BaseModel]]
    """JSON Schema of type object, or `{"type": "json_schema", "json_schema": {...}}`; in Python
    also a pydantic model."""
    prompt: str | Callback = ""
    """The system prompt, or a function `(outline_name) -> str`."""
    system: str | Sequence[str] | Callback = ()
    """Further system lines, or a function `(outline_name) -> str | list[str]`."""
    get_outline_history: Callback | None = None
    """A function `(context)`, an `OutlineContext`, that returns the messages before each attempt;
    without it each parameter of `json` is a message of the user."""
    validations: Callbacks = ()
    """Functions `(data)` that return None, or the reason why a document is not valid; what they
    raise is a reason too."""
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 5
    """How often the model is asked; each time it reads what was wrong before."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds for all attempts together."""
    callbacks: OutlineCallbacks | None = None
    """Functions that are told of attempts and documents."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""

    @field_validator("format")
    @classmethod
    def _describes_an_object(
        cls, value: Mapping[str, JsonValue] | type[BaseModel]
    ) -> Mapping[str, JsonValue] | type[BaseModel]:
        if not isinstance(value, type):  # a model may still refer to classes that come below it
            read_format(value)
        return value

    @field_validator("system")
    @classmethod
    def _are_lines(cls, value: str | Sequence[str] | Callback) -> tuple[str, ...] | Callback:
        return value if callable(value) else as_lines(value)


OUTLINES = Kind("outline", OutlineSpec, "outline_name")
