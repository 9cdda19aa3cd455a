"""Messages for a program that is one file, whose exports are functions of the core's declarations.

Such a program declares nothing: a document names its functions, as `discount.ts#discount` does.
"""

from bindings.rpc.shapes import Wire

__all__ = ["BoundFunction", "FunctionBindParams", "FunctionBindResult"]


class BoundFunction(Wire):
    """An export of the program's file that is a function of a declaration of the core's."""

    kind: str
    """The kind of the declaration."""
    name: str
    """Its name."""
    field: str
    """Where the function stands: `call`, `callbacks.onBeforeCall`, `validations.0`."""
    export: str
    """What the file calls it."""


class FunctionBindParams(Wire):
    """Functions that the core will call as `kind:name.field`; those bound before stay bound."""

    functions: list[BoundFunction]


class FunctionBindResult(Wire):
    """Which of them the file has; where one is missing, none is bound."""

    exports: list[str]
    """The functions that the file exports."""
    missing: list[str]
    """The names that are no functions of it."""
