"""`add_*`, `get_*` and `override_*`: declarations in Python.

`add_agent` and its like take the fields of a spec as keyword arguments, add the declaration to the
current catalog and return its name. The order of declarations is free; `validate` checks the
references. `override_agent` and its like change fields inside a `with` block.
"""

import inspect
import typing
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar, overload

from pydantic import BaseModel
from pydantic import ValidationError as PydanticError

from swarm.catalog import AGENTS, COMPLETIONS, SWARMS, TOOLS, current_catalog
from swarm.errors import DeclarationError, Problem, ValidationError, suggest
from swarm.mcp.spec import MCPS, McpSpec
from swarm.registry import Kind
from swarm.schema import describe_function, read_signature
from swarm.specs import AgentSpec, CompletionSpec, Spec, SwarmSpec, ToolSpec

__all__ = [
    "add_agent",
    "add_completion",
    "add_mcp",
    "add_swarm",
    "add_tool",
    "declarer",
    "field_problems",
    "get_agent",
    "get_completion",
    "get_mcp",
    "get_swarm",
    "get_tool",
    "getter",
    "override",
    "override_agent",
    "override_completion",
    "override_mcp",
    "override_swarm",
    "override_tool",
    "with_fields",
]

P = ParamSpec("P")
SpecT = TypeVar("SpecT", bound=Spec)
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


_PLAIN = {
    "sequence_str": "Input should be a list",
    "dict_type": "Input should be a mapping",
}
"""What some of pydantic's messages mean to somebody who writes a declaration."""


def declarer(kind: Kind[SpecT], make: Callable[P, SpecT]) -> Callable[P, str]:
    """Return the `add_*` function of a kind; `make` is the kind's model and gives the types."""

    def add(*args: P.args, **fields: P.kwargs) -> str:
        if args:
            raise DeclarationError(
                f"add_{kind.name} takes fields by name, such as {kind.key}={args[0]!r}"
            )
        try:
            spec = make(*args, **fields)
        except PydanticError as wrong:
            name = str(fields.get(kind.key, "?"))
            raise ValidationError(field_problems(wrong, f"{kind.section}.{name}", kind)) from None
        return current_catalog().registry(kind).add(spec)

    add.__name__ = add.__qualname__ = f"add_{kind.name}"
    add.__doc__ = (
        f"Declare {'an' if kind.name[0] in 'aeiou' else 'a'} {kind.name} and return its name.\n\n"
        f"Takes the fields of `{kind.spec.__name__}` as keyword arguments.\n\n"
        "Raises:\n"
        "    DeclarationError: A field is given without its name.\n"
        "    DuplicateNameError: The name is taken.\n"
        "    ValidationError: A field is missing, unknown or of the wrong type.\n"
    )
    setattr(add, "__signature__", _signature(kind.spec))  # noqa: B010 - for help()
    return add


def field_problems(wrong: PydanticError, where: str, kind: Kind[Any]) -> list[Problem]:
    """Turn what pydantic found in a declaration into problems with their paths."""
    problems: list[Problem] = []
    for error in wrong.errors(include_url=False, include_input=False):
        is_unknown = error["type"] == "extra_forbidden"
        *before, last = error["loc"] or ("",)
        steps = [step for step in before if not _is_union_branch(step)]
        # What a user wrote counts, also where it is called like the branch of a union.
        if last != "" and (is_unknown or not _is_union_branch(last)):
            steps.append(last)
        path = where + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)
        message, hint = error["msg"].removeprefix("Value error, "), None
        if is_unknown:
            message = f"unknown field {last!r}"
            hint = suggest(str(last), _fields_at(kind.spec, steps[:-1]))
        elif error["type"] in _PLAIN:
            message = _PLAIN[error["type"]]
        # Each branch of a union complains about the same value; the first says enough.
        if all(problem.where != path for problem in problems):
            problems.append(Problem(message, path, hint=hint))
    return problems


def _fields_at(model: type[BaseModel], steps: Sequence[int | str]) -> list[str]:
    """Return the fields of the mapping that stands at a path inside a declaration."""
    for step in steps:
        field = model.model_fields.get(str(step))
        inner = None if field is None else _model_in(field.annotation)
        if inner is not None:
            model = inner
        elif not isinstance(step, int):
            return []
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field takes, also one of several or a list of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)


def _signature(spec: type[Spec]) -> inspect.Signature:
    """Return the fields as parameters; pydantic has none for a model that is built later."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.is_required() else field.get_default(),
                annotation=field.annotation,
            )
            for name, field in spec.model_fields.items()
        ]
    )


def _is_union_branch(step: int | str) -> bool:
    """Whether a step of an error's path names a branch of a union, which no user wrote."""
    return isinstance(step, str) and (
        "[" in step or step in ("str", "int", "float", "bool", "callable", "none")
    )


class _Getter(Generic[SpecT]):
    """The `get_*` function of a kind."""

    def __init__(self, kind: Kind[SpecT]) -> None:
        self._kind = kind
        self.__name__ = f"get_{kind.name}"
        self.__doc__ = f"Return the declaration of a name: a `{kind.spec.__name__}`."

    def __call__(self, name: str) -> SpecT:
        """Return the declaration of that name in the current catalog.

        Raises:
            UnknownNameError: Nothing declares it; the message offers the nearest name.
        """
        return current_catalog().registry(self._kind).get(name)


class _Override(Generic[SpecT]):
    """The `override_*` context manager of a kind."""

    def __init__(self, kind: Kind[SpecT]) -> None:
        self._kind = kind
        self.__name__ = f"override_{kind.name}"
        self.__doc__ = (
            f"Change fields of {kind.name} declarations inside a `with` block; sessions that open "
            "in it see the change, and those that are open keep what they have."
        )

    @contextmanager
    def __call__(self, name: str, /, **fields: Any) -> Generator[SpecT]:
        """Replace fields of a declaration until the block ends; yields the changed declaration.

        Args:
            name: The declared name.
            **fields: What to replace; the other fields stay.

        Raises:
            UnknownNameError: Nothing declares the name.
            ValidationError: A field is unknown or of the wrong type.
        """
        registry = current_catalog().registry(self._kind)
        old = registry.get(name)
        changed = with_fields(self._kind, old, fields)
        registry.replace(changed)
        try:
            yield changed
        finally:
            registry.replace(old)


def getter(kind: Kind[SpecT]) -> _Getter[SpecT]:
    """Return the `get_*` function of a kind."""
    return _Getter(kind)


def override(kind: Kind[SpecT]) -> _Override[SpecT]:
    """Return the `override_*` context manager of a kind."""
    return _Override(kind)


def with_fields(kind: Kind[SpecT], old: SpecT, fields: Mapping[str, Any]) -> SpecT:
    """Return a declaration with some fields replaced; the others stay.

    Raises:
        ValidationError: A field is unknown or of the wrong type.
    """
    name: str = getattr(old, kind.key)
    given = {key: getattr(old, key) for key in old.model_fields_set}
    try:
        return kind.spec.model_validate({**given, **fields, kind.key: name})
    except PydanticError as wrong:
        raise ValidationError(field_problems(wrong, f"{kind.section}.{name}", kind)) from None


add_agent = declarer(AGENTS, AgentSpec)
add_completion = declarer(COMPLETIONS, CompletionSpec)
add_mcp = declarer(MCPS, McpSpec)
add_swarm = declarer(SWARMS, SwarmSpec)
get_agent = getter(AGENTS)
get_completion = getter(COMPLETIONS)
get_mcp = getter(MCPS)
get_swarm = getter(SWARMS)
get_tool = getter(TOOLS)
override_agent = override(AGENTS)
override_completion = override(COMPLETIONS)
override_mcp = override(MCPS)
override_swarm = override(SWARMS)
override_tool = override(TOOLS)


class _AddTool(Generic[P]):
    """`add_tool` with fields, and `@add_tool` above a function."""

    def __init__(self, make: Callable[P, ToolSpec]) -> None:
        # The overloads have checked the fields; below they are only passed on.
        self._declare_fields: Callable[..., str] = declarer(TOOLS, make)
        self.__doc__ = self._declare_fields.__doc__

    @overload
    def __call__(self, function: FunctionT, /) -> FunctionT: ...

    @overload
    def __call__(self, *args: P.args, **fields: P.kwargs) -> str: ...

    def __call__(self, *args: Any, **fields: Any) -> Any:
        """Declare a tool; above a function, return that function unchanged."""
        if len(args) == 1 and callable(args[0]) and not fields:
            function = args[0]
            name = getattr(function, "__name__", "")
            read_signature(function)  # a function no model can call is refused here, not later
            shape: dict[str, Any] = {"description": describe_function(function), "call": function}
            self._declare_fields(tool_name=name, **shape)
            return function
        return self._declare_fields(*args, **fields)


add_tool = _AddTool(ToolSpec)
