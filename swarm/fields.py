"""The types of fields that declarations share, and the base of all declarations."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

__all__ = ["Callback", "Callbacks", "Lines", "Name", "Names", "Spec", "ToolName", "as_lines"]

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", min_length=1, max_length=64)
]
"""A declared name: letters, digits, `_`, `.` and `-`, at most 64 characters."""

ToolName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=64)
]
"""A tool's name is also what models see, and providers allow no dots in it."""

Names = Annotated[Sequence[Name], AfterValidator(tuple)]
"""An ordered list of declared names."""

Callback = Callable[..., Any]
"""A user's function, plain or async. Its result is checked where it is called."""

Callbacks = Annotated[Sequence[Callback], AfterValidator(tuple)]
"""Functions that are called in order."""


def as_lines(value: str | Sequence[str]) -> tuple[str, ...]:
    """Return text, or several texts, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)


Lines = Annotated[str | Sequence[str], AfterValidator(as_lines)]
"""One line of instructions, or several."""


class Spec(BaseModel):
    """Base of the declarations: frozen, no unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True
    )
