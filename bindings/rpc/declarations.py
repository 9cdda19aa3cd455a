"""What a program declares: added together or not at all, and gone when the program leaves."""

import itertools
import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError as PydanticError

from bindings.rpc.callbacks import Callbacks
from bindings.rpc.failures import issue_of
from bindings.rpc.methods import KINDS, TEMPLATES
from bindings.rpc.reading import find_callback, read_arguments, read_fields
from bindings.rpc.shapes import to_wire_name
from bindings.rpc.wire import DeclareResult, Issue
from swarm import Catalog, Kind, Spec, ToolSpec, use_catalog
from swarm.catalog import TOOLS
from swarm.declare import field_problems
from swarm.errors import DeclarationError, Problem, UnknownNameError, ValidationError, suggest
from swarm.validate import find_problems

__all__ = ["Declarations", "names_of"]

_QUOTED = re.compile(r"([`'])([a-z]+(?:_[a-z]+)+)\1")


class Declarations:
    """The declarations of one program in the core's catalog."""

    def __init__(self, catalog: Catalog, callbacks: Callbacks) -> None:
        self._catalog, self._callbacks = catalog, callbacks
        self._own: list[tuple[Kind[Any], Spec]] = []
        self._overrides: dict[str, tuple[Kind[Any], Spec, Spec]] = {}
        self._ids = itertools.count(1)

    def declare(self, given: list[dict[str, Any]]) -> DeclareResult:
        """Add a batch, or say everything that is wrong with it."""
        made: list[tuple[Kind[Any], Spec]] = []
        issues: list[Issue] = []
        names: set[tuple[str, str]] = set()
        for index, fields in enumerate(given):
            kind_name = fields.get("kind")
            try:
                kind, spec = self._make(fields)
            except ValidationError as wrong:
                issues += [_issue(kind_name, fields, problem) for problem in wrong.problems]
                continue
            except DeclarationError as wrong:
                place = f"{kind_name}[{index}]"
                issues.append(
                    _issue(kind_name, fields, Problem(str(wrong), place, hint=wrong.hint))
                )
                continue
            name: str = getattr(spec, kind.key)
            if name in self._catalog.registry(kind) or (kind.name, name) in names:
                text = f"{kind.name} {name!r} is declared already; declare each name once"
                issues.append(_issue(kind_name, fields, Problem(text, f"{kind.section}.{name}")))
            names.add((kind.name, name))
            made.append((kind, spec))
        if issues:
            return DeclareResult(declared=[], issues=issues)
        for kind, spec in made:
            self._catalog.registry(kind).add(spec)
        self._own += made
        return DeclareResult(
            declared=[f"{kind.name}:{getattr(spec, kind.key)}" for kind, spec in made], issues=[]
        )

    def check(self) -> DeclareResult:
        """Check every reference between declarations, those of all programs."""
        problems = find_problems(self._catalog)
        issues = [Issue.model_validate(_spoken(issue_of(problem))) for problem in problems]
        return DeclareResult(declared=[], issues=issues)

    def override(self, kind_name: str, name: str, fields: Mapping[str, Any]) -> str:
        """Change fields of a declaration; returns the id that takes it back.

        Raises:
            UnknownNameError: Nothing declares the name, or there is no such kind.
            ValidationError: A field is unknown or of the wrong type.
        """
        kind = KINDS.get(kind_name)
        if kind is None:
            raise UnknownNameError("kind", kind_name, list(KINDS))
        registry = self._catalog.registry(kind)
        old: Spec = registry.get(name)
        kept = {key: getattr(old, key) for key in old.model_fields_set}
        changes = read_fields(kind, fields, self._callbacks)
        try:
            new = kind.spec.model_validate({**kept, **changes, kind.key: name})
        except PydanticError as wrong:
            problems = field_problems(wrong, f"{kind.section}.{name}", kind)
            raise ValidationError([_in_wire_words(problem) for problem in problems]) from None
        registry.replace(new)
        override_id = f"o{next(self._ids)}"
        self._overrides[override_id] = (kind, old, new)
        return override_id

    def restore(self, override_id: str) -> None:
        """Take a change back, where the declaration is still the changed one.

        Raises:
            UnknownNameError: There is no such change.
        """
        known = self._overrides.pop(override_id, None)
        if known is None:
            raise UnknownNameError("override", override_id, list(self._overrides))
        kind, old, new = known
        registry = self._catalog.registry(kind)
        name: str = getattr(old, kind.key)
        if name in registry and registry.get(name) is new:
            registry.replace(old)

    def get(self, kind_name: str | None, name: str | None) -> list[dict[str, Any]]:
        """Return declarations as they are on the wire.

        Raises:
            UnknownNameError: There is no such kind, or none of that name.
        """
        if kind_name is not None and kind_name not in KINDS:
            raise UnknownNameError("kind", kind_name, list(KINDS))
        kinds = list(KINDS.values()) if kind_name is None else [KINDS[kind_name]]
        found: list[dict[str, Any]] = []
        for kind in kinds:
            registry = self._catalog.registry(kind)
            if name is not None and (kind_name is not None or name in registry):
                found.append(_written(kind, registry.get(name)))
            elif name is None:
                found += [_written(kind, spec) for spec in registry]
        return found

    def names(self) -> set[tuple[str, str]]:
        """Return the names that the program has declared, each with its kind."""
        return {(kind.name, getattr(spec, kind.key)) for kind, spec in self._own}

    def leave(self) -> None:
        """Take back everything that the program declared and changed."""
        for override_id in reversed(list(self._overrides)):
            self.restore(override_id)
        for kind, spec in reversed(self._own):
            registry = self._catalog.registry(kind)
            name: str = getattr(spec, kind.key)
            if name in registry:
                registry.remove(name)
        self._own.clear()

    def _make(self, given: Mapping[str, Any]) -> tuple[Kind[Any], Spec]:
        kind_name: Any = given.get("kind")
        fields = {name: value for name, value in given.items() if name != "kind"}
        if isinstance(kind_name, str) and kind_name in TEMPLATES:
            return TOOLS, self._from_template(kind_name, fields)
        kind = KINDS.get(kind_name) if isinstance(kind_name, str) else None
        if kind is None:
            raise UnknownNameError("kind", str(kind_name), [*KINDS, *TEMPLATES])
        name = str(fields.get(to_wire_name(kind.key), "?"))
        where = f"{kind.section}.{name}"
        if find_callback(fields.get("getSimilarity")) is not None:
            text = "vectors are compared inside the core; a program's function cannot do it"
            hint = "use `similarity`"
            raise ValidationError([Problem(text, f"{where}.getSimilarity", hint=hint)])
        values = read_fields(kind, fields, self._callbacks)
        try:
            spec = kind.spec.model_validate(values)
        except PydanticError as wrong:
            raise ValidationError(field_problems(wrong, where, kind)) from None
        if isinstance(spec, ToolSpec) and spec.call is not None and spec.parameters is None:
            # A program's function has no signature here that could say what it takes.
            spec = spec.model_copy(update={"parameters": {"type": "object", "properties": {}}})
        return kind, spec

    def _from_template(self, template: str, fields: Mapping[str, Any]) -> Spec:
        add = TEMPLATES[template]
        scratch = Catalog()
        arguments = read_arguments(add, fields, self._callbacks)
        where = f"tools.{fields.get('toolName', '?')}"
        known = [to_wire_name(name) for name in add.__annotations__ if name != "return"]
        unknown = [name for name in fields if name not in known]
        if unknown:
            raise ValidationError(
                [
                    Problem(f"unknown field {name!r}", f"{where}.{name}", hint=suggest(name, known))
                    for name in unknown
                ]
            )
        try:
            with use_catalog(scratch):
                name = add(**arguments)
        except PydanticError as wrong:
            raise ValidationError(field_problems(wrong, f"{where}.function", TOOLS)) from None
        except TypeError as wrong:
            text = str(wrong).partition("() ")[2] or str(wrong)
            raise ValidationError([Problem(text, where)]) from None
        return scratch.tools.get(name)


def names_of(given: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return the names in a batch as far as it can be read, each with its kind."""
    names: set[tuple[str, str]] = set()
    for fields in given:
        kind_name = str(fields.get("kind"))
        kind = TOOLS if kind_name in TEMPLATES else KINDS.get(kind_name)
        if kind is not None:
            names.add((kind.name, str(fields.get(to_wire_name(kind.key)))))
    return names


def _issue(kind: object, fields: Mapping[str, Any], problem: Problem) -> Issue:
    known = KINDS.get(str(kind))
    key = "toolName" if known is None else to_wire_name(known.key)
    problem = _in_wire_words(problem)
    return Issue(
        kind=str(kind),
        name=str(fields.get(key, "?")),
        path=problem.where,
        message=problem.message,
        hint=problem.hint,
    )


def _in_wire_words(problem: Problem) -> Problem:
    """Return a problem with the names of fields as they are on the wire."""
    head, dot, rest = problem.where.partition(".")
    name, second, path = rest.partition(".")
    steps = re.sub(r"[a-z]+(?:_[a-z]+)+", lambda found: to_wire_name(found[0]), path)
    return problem._replace(
        where=f"{head}{dot}{name}{second}{steps}",
        message=_QUOTED.sub(_camel, problem.message),
        hint=_QUOTED.sub(_camel, problem.hint) if problem.hint else None,
    )


def _spoken(issue: dict[str, Any]) -> dict[str, Any]:
    problem = Problem(issue["message"], issue["path"], hint=issue["hint"])
    problem = _in_wire_words(problem)
    return {**issue, "path": problem.where, "message": problem.message, "hint": problem.hint}


def _camel(found: "re.Match[str]") -> str:
    # In backticks stand the names of fields; in quotes what a user called something.
    return f"`{to_wire_name(found[2])}`" if found[1] == "`" else found[0]


def _written(kind: Kind[Any], spec: Spec) -> dict[str, Any]:
    return {"kind": kind.name, **cast("dict[str, Any]", _plain(spec))}


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return {
            to_wire_name(name): _plain(getattr(value, name))
            for name in sorted(value.model_fields_set)
        }
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {name: _plain(part) for name, part in fields.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in cast("list[Any]", value)]
    if callable(value):
        name = getattr(value, "__name__", "")
        return {"$callback": name} if ":" in name or name.startswith("$") else None
    return value
