"""From one declaration of a document to its spec, with every problem of its fields."""

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic import ValidationError as PydanticError

from declarative.kinds import SECTIONS
from declarative.project import Declaration
from declarative.scripts import SourceError, names_script
from declarative.source import Source
from swarm import Kind, Spec, ToolSpec
from swarm.declare import field_problems
from swarm.errors import Problem
from swarm.schema import describe_function, read_signature
from swarm.specs import ToolFunction

__all__ = ["Made", "is_callback", "make_spec"]

_REFERENCES = ("model", "fallback", "embedding")
"""Fields that hold model references, or `python:module:function` like one."""

_ROOTS = {"documents_root": "documents"}
"""Fields that hold a folder, relative to the document, with the field whose paths start there."""


class Made(NamedTuple):
    """What became of a declaration."""

    spec: Spec | None
    """With problems, a stand-in of what is right, good for checking references only."""
    problems: list[Problem]


def make_spec(declaration: Declaration, source: Source) -> Made:
    """Check the fields of a declaration and make its spec."""
    kind = SECTIONS[declaration.section]
    maker = _Maker(declaration, kind, source)
    maker.read()
    return Made(maker.make(), maker.problems)


def is_callback(annotation: Any) -> bool:
    """Whether a field takes a function and no text, so that text in YAML names a function."""
    parts = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.get_origin(Callable[..., Any]):
        return True
    return str not in parts and any(is_callback(part) for part in parts)


class _Maker:
    def __init__(self, declaration: Declaration, kind: Kind[Any], source: Source) -> None:
        self.problems: list[Problem] = []
        self._where = declaration.where
        self._name = declaration.name
        self._beside = declaration.document.path
        self._kind = kind
        self._source = source
        self._values: dict[str, Any] = dict(declaration.fields)
        self._is_script = names_script(declaration.fields.get("call"))

    def read(self) -> None:
        """Turn what YAML can only name into what the spec takes."""
        values, fields = self._values, self._kind.spec.model_fields
        if values.pop(self._kind.key, None) is not None:
            message = f"unknown field {self._kind.key!r}"
            self._report(self._kind.key, message, "the key above is the name")
        for name in [name for name in values if name in fields]:
            annotation = fields[name].annotation
            if name in _REFERENCES:
                values[name] = self._reference(name, values[name])
            elif _takes_both(annotation):
                values[name] = self._text_or_function(name, values[name])
            elif bool in typing.get_args(annotation) and isinstance(values[name], bool):
                continue  # a yes or a no, where a function may say which
            elif is_callback(annotation) and values[name] is not None:
                values[name] = self._functions(name, values[name], annotation)
            elif (model := _nested(annotation)) is not None and values[name] is not None:
                self._nested(name, model)
        for name, needed_by in _ROOTS.items():
            if name in fields and (name in values or needed_by in values):
                self._root(name)
        if issubclass(self._kind.spec, ToolSpec):
            self._tool()

    def make(self) -> Spec | None:
        """Return the spec; without the fields that are wrong, if it can do without them."""
        values = {**self._values, self._kind.key: self._name}
        try:
            return self._kind.spec.model_validate(values)
        except PydanticError as wrong:
            self.problems += _in_yaml(field_problems(wrong, self._where, self._kind))
            bad = {error["loc"][0] for error in wrong.errors() if error["loc"]}
        try:
            kept = {name: value for name, value in values.items() if name not in bad}
            return self._kind.spec.model_validate(kept)
        except PydanticError:
            return None

    def _report(self, field: str, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(message, f"{self._where}.{field}", hint=hint))

    def _functions(self, field: str, value: object, annotation: Any) -> Any:
        """Return the function that a field names, or those that a list in it names."""
        if typing.get_origin(annotation) is not Sequence:
            return self._function(field, value)
        if not isinstance(value, list):
            self._report(field, "must be a list")
            return ()
        items = typing.cast("list[object]", value)  # it comes from JSON
        return [self._function(f"{field}[{n}]", item) for n, item in enumerate(items)]

    def _function(self, field: str, text: object, *, is_script: bool = False) -> Callable[..., Any]:
        try:
            if isinstance(text, str) and (is_script or names_script(text)):
                return self._script(field, text)
            return self._source.function(text, self._beside)
        except SourceError as wrong:
            self._report(field, str(wrong), wrong.hint)
            return _stand_in

    def _script(self, field: str, text: str) -> Callable[..., Any]:
        given = self._values.get("timeout")
        timeout = float(given) if isinstance(given, int | float) and given > 0 else None
        return self._source.script(
            text,
            self._beside,
            kind=self._kind.name,
            name=self._name,
            field=field.replace("[", ".").removesuffix("]"),
            timeout=timeout,
        )

    def _text_or_function(self, field: str, value: Any) -> Any:
        """Return a text as it is, and what `python:module:function` or `node:file#export` names."""
        if isinstance(value, str) and value.startswith("python:"):
            return self._function(field, value.removeprefix("python:"))
        if isinstance(value, str) and value.startswith("node:"):
            return self._function(field, value.removeprefix("node:"), is_script=True)
        return value

    def _reference(self, field: str, value: Any) -> Any:
        if isinstance(value, list):
            items = typing.cast("list[Any]", value)  # it comes from JSON
            return [self._reference(f"{field}[{n}]", item) for n, item in enumerate(items)]
        if not isinstance(value, str) or not value.startswith("python:"):
            return value
        try:
            return self._source.reference(value, self._beside)
        except SourceError as wrong:
            self._report(field, str(wrong), wrong.hint)
            return "offline"

    def _root(self, field: str) -> None:
        """Make a folder absolute; it lies where the document does, or below."""
        given = self._values.get(field, ".")
        home = self._beside.parent.resolve()
        root = (home / given).resolve() if isinstance(given, str) else home
        if not root.is_relative_to(home):
            self._report(field, f"{given!r} leads out of the document's folder")
            root = home
        if isinstance(given, str):
            self._values[field] = str(root)

    def _nested(self, field: str, model: type[BaseModel]) -> None:
        value = self._values[field]
        if not isinstance(value, dict):
            self._report(field, "must be a mapping")
            del self._values[field]
            return
        fields = typing.cast("dict[str, Any]", value)  # the keys of a document are text
        for name, inner in model.model_fields.items():
            if fields.get(name) is not None and is_callback(inner.annotation):
                found = self._functions(f"{field}.{name}", fields[name], inner.annotation)
                fields = {**fields, name: found}
        try:
            self._values[field] = model.model_validate(fields)
        except PydanticError as wrong:
            kind: Kind[Any] = Kind(field, model, "name")
            self.problems += _in_yaml(field_problems(wrong, f"{self._where}.{field}", kind))
            del self._values[field]

    def _tool(self) -> None:
        """Describe a tool by its function's docstring, and refuse one that no model can call."""
        call = self._values.get("call")
        if call is None or call is _stand_in:
            return
        if self._is_script:
            # Its signature says nothing here; what a model gives it, it takes.
            shape = self._values.get("function")
            has_shape = isinstance(shape, ToolFunction) and "parameters" in shape.model_fields_set
            if self._values.get("parameters") is None and not has_shape:
                self._values["parameters"] = {"type": "object", "properties": {}}
            return
        has_schema = any(self._values.get(name) is not None for name in ("parameters", "function"))
        try:
            read_signature(call, has_schema=has_schema)
        except Exception as wrong:  # annotations are the user's code too
            self._report("call", str(wrong).partition("\n")[0])
            self._values["call"] = _stand_in
            return
        has_text = any(name in self._values for name in ("description", "function"))
        # A callable object has the docstring of its class, which describes no tool.
        if not has_text and inspect.isroutine(call):
            self._values["description"] = describe_function(call)


def _takes_both(annotation: Any) -> bool:
    """Whether a field takes a text or a function, so that text in YAML is meant as it stands."""
    parts = typing.get_args(annotation)
    return str in parts and any(is_callback(part) for part in parts)


def _in_yaml(problems: list[Problem]) -> list[Problem]:
    """Return problems as they read for YAML, where nothing is a function."""
    return [problem for problem in problems if problem.message != "Input should be callable"]


def _nested(annotation: Any) -> type[BaseModel] | None:
    for part in typing.get_args(annotation) or (annotation,):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _stand_in() -> None:
    """Take the place of a function that could not be loaded, while the rest is checked."""
