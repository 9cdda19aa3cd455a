"""`add_agent`, `add_tool`, `add_completion`, `add_swarm`: declarations in Python.

Each takes the fields of its spec as keyword arguments, adds the declaration to the current
catalog and returns its name. The order of declarations is free; `validate` checks the references.
"""

import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from pydantic import ValidationError as PydanticError

from swarm.catalog import AGENTS, COMPLETIONS, SWARMS, TOOLS, current_catalog
from swarm.errors import Problem, ValidationError, suggest
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
]

P = ParamSpec("P")
SpecT = TypeVar("SpecT", bound=Spec)
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def declarer(kind: Kind[SpecT], make: Callable[P, SpecT]) -> Callable[P, str]:
    """Return the `add_*` function of a kind; `make` is the kind's model and gives the types."""

    def add(*args: P.args, **fields: P.kwargs) -> str:
        try:
            spec = make(*args, **fields)
        except PydanticError as wrong:
            name = str(fields.get(kind.key, "?"))
            raise ValidationError(field_problems(wrong, f"{kind.name}s.{name}", kind)) from None
        return current_catalog().registry(kind).add(spec)

    add.__name__ = add.__qualname__ = f"add_{kind.name}"
    add.__doc__ = (
        f"Declare {'an' if kind.name[0] in 'aeiou' else 'a'} {kind.name} and return its name.\n\n"
        f"Takes the fields of `{kind.spec.__name__}` as keyword arguments.\n\n"
        "Raises:\n"
        "    DuplicateNameError: The name is taken.\n"
        "    ValidationError: A field is missing, unknown or of the wrong type.\n"
    )
    setattr(add, "__signature__", _signature(kind.spec))  # noqa: B010 - for help()
    return add


def field_problems(wrong: PydanticError, where: str, kind: Kind[Any]) -> list[Problem]:
    """Turn what pydantic found in a declaration into problems with their paths."""
    problems: list[Problem] = []
    known = list(kind.spec.model_fields)
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
            hint = suggest(str(last), known) if len(steps) == 1 else None
        # Each branch of a union complains about the same value; the first says enough.
        if all(problem.where != path for problem in problems):
            problems.append(Problem(message, path, hint=hint))
    return problems


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


add_agent = declarer(AGENTS, AgentSpec)
add_completion = declarer(COMPLETIONS, CompletionSpec)
add_mcp = declarer(MCPS, McpSpec)
add_swarm = declarer(SWARMS, SwarmSpec)


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
