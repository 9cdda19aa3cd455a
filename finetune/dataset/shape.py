"""From a parsed JSON value to a typed row, or to what is wrong with its shape.

The models of `rows` decide; this module only says their verdict in the format's own terms and
codes. What must hold between the parts of a row is in `rules`.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from finetune.dataset.json_text import JsonPath
from finetune.dataset.problem import DatasetError, Finding, Problem
from finetune.dataset.rows import DatasetKind, DpoRow, SftRow

__all__ = ["Shape", "kind_of", "parse_row", "shape_row"]

Shape = SftRow | DpoRow | list[Finding]
"""A row, or why the value is none."""

_DPO_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})
_LISTS = frozenset({"messages", "preferred_output", "non_preferred_output"})
_OTHER_FORMATS = _DPO_KEYS.union(
    ("text", "prompt", "completion", "chosen", "rejected"),
    ("conversations", "instruction", "output"),
)
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_MAX_FINDINGS = 20


def kind_of(value: Mapping[str, object]) -> DatasetKind | None:
    """Tell the kind of row from its top-level keys; None when they fit neither or both."""
    is_dpo = not _DPO_KEYS.isdisjoint(value)
    is_sft = "messages" in value
    if is_dpo == is_sft:
        return None
    return "dpo" if is_dpo else "sft"


def parse_row(value: object) -> SftRow | DpoRow:
    """Return the typed row of one JSON object.

    Raises:
        DatasetError: With every finding about the shape.
    """
    shape = shape_row(value)
    if isinstance(shape, list):
        found = tuple(Problem.of(f.code, f"{_dotted(f)}{f.message}") for f in shape)
        raise DatasetError("row", found)
    return shape


def shape_row(value: object, kind: DatasetKind | None = None) -> Shape:
    """Return the typed row, or the findings that say why there is none.

    Args:
        value: What the line holds.
        kind: The kind that is expected; a row of the other kind is a finding.
    """
    if not isinstance(value, Mapping):
        return [Finding("data_type", f"a row is a JSON object, this is {_name(value)}")]
    data = cast("Mapping[str, JsonValue]", value)  # JSON objects have string keys
    seen = kind_of(data)
    if seen is None or (kind is not None and seen != kind):
        return [_foreign(data, seen, kind)]
    try:
        return (SftRow if seen == "sft" else DpoRow).model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found = [f for detail in details for f in _finding(detail, data)]
        return found[:_MAX_FINDINGS]


def _foreign(
    data: Mapping[str, JsonValue], seen: DatasetKind | None, kind: DatasetKind | None
) -> Finding:
    if seen is not None:
        return Finding("mixed_formats", f"a {seen} row in a file of {kind} rows")
    keys = ", ".join(list(data)[:8]) or "none"
    if "messages" in data:
        return Finding("mixed_formats", f"the keys of two formats in one row: {keys}")
    if kind == "sft":
        return Finding("missing_messages_list", f"no `messages`; the row's keys are: {keys}")
    return Finding("unknown_format", f"the row's keys fit no known format: {keys}")


def _finding(error: ErrorDetails, data: Mapping[str, JsonValue]) -> Iterator[Finding]:
    path, parent = _real_path(error["loc"], data)
    kind, value = error["type"], error["input"]
    key = str(error["loc"][-1]) if error["loc"] else ""
    if kind == "too_short" and value:
        return  # pydantic counts valid items only; the invalid ones have their own error
    if kind == "missing":
        yield _missing(key, path)
    elif kind == "extra_forbidden":
        yield _extra(key, path, parent)
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        yield _bad_tag(path, value)
    elif path[-1:] == ("weight",):
        yield Finding("invalid_weight", f"`weight` is {_name(value)}; it must be 0 or 1", path)
    elif path[-1:] == ("content",) and value is None:
        yield Finding("missing_content", "`content` is null; say something or drop the row", path)
    elif path[-1:] == ("content",) and kind == "too_short":
        yield Finding("missing_content", "`content` is an empty list", path)
    elif path[-1:] == ("messages",):
        yield Finding("missing_messages_list", f"`messages` is {_name(value)}", path)
    elif path[-1:] == ("arguments",):
        message = f"`arguments` is {_name(value)}; write the JSON object as a string"
        yield Finding("tool_arguments_not_string", message, path)
    elif kind == "too_short" and path[-1:] == ("tool_calls",):
        yield Finding("empty_tool_calls", "`tool_calls` is empty; leave the key out", path)
    elif kind == "too_short":
        yield Finding("example_missing_assistant_message", f"`{path[-1]}` is empty", path)
    elif kind == "literal_error":
        expected = error.get("ctx", {}).get("expected", "another value")
        yield Finding("wrong_value", f"{_label(path)} is {_name(value)}, not {expected}", path)
    else:
        expected = _EXPECTED.get(kind, error["msg"].lower())
        yield Finding("wrong_type", f"{_label(path)} is {_name(value)}, not {expected}", path)


_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def _missing(key: str, path: JsonPath) -> Finding:
    if key == "messages":
        return Finding("missing_messages_list", "the row has no `messages`", path)
    code = "message_missing_key" if _is_message(path) else "missing_key"
    return Finding(code, f"the key `{key}` is missing", path)


def _extra(key: str, path: JsonPath, parent: Mapping[str, JsonValue]) -> Finding:
    def at_key(code: str, message: str) -> Finding:
        return Finding(code, message, path, is_at_key=True)

    if key in ("functions", "function_call"):
        return at_key("deprecated_functions", f"`{key}` is deprecated; use tools and tool_calls")
    if key == "weight":
        return at_key("invalid_weight", "`weight` belongs on assistant messages only")
    if key == "audio":
        return at_key("unsupported_content", "audio cannot be trained here; keep its transcript")
    if "role" in parent and _is_message(path[:-1]):
        message = f"`{key}` is not a key of a message with role {parent['role']!r}"
        return at_key("message_unrecognized_key", message)
    if len(path) == 1 and key in _OTHER_FORMATS:
        return at_key("mixed_formats", f"`{key}` belongs to another format; one file, one format")
    return at_key("unrecognized_key", f"the format has no key `{key}` here")


def _bad_tag(path: JsonPath, value: object) -> Finding:
    item = cast("Mapping[str, object]", value)  # a tag was looked for, so this is an object
    if not _is_message(path):
        kind = item.get("type")
        if not isinstance(kind, str):
            return Finding("message_missing_key", "a content part without `type`", path)
        message = f"content of type {kind!r}; only text and image_url can be trained"
        return Finding("unsupported_content", message, (*path, "type"))
    role = item.get("role")
    if role is None:
        return Finding("message_missing_key", "the key `role` is missing", path)
    here = (*path, "role")
    if role == "function":
        message = "role 'function' is deprecated; use role 'tool' with tool_call_id"
        return Finding("deprecated_functions", message, here)
    if isinstance(role, str) and role in _ROLES:
        return Finding("output_role", f"an output holds assistant messages, not {role!r}", here)
    return Finding("unrecognized_role", f"the role is {_name(role)}", here)


def _real_path(
    loc: JsonPath, data: Mapping[str, JsonValue]
) -> tuple[JsonPath, Mapping[str, JsonValue]]:
    """Drop the steps that pydantic adds for unions, and keys that are not there."""
    path: list[str | int] = []
    node: JsonValue | Mapping[str, JsonValue] = data
    parent = data
    for step in loc:
        if isinstance(node, Mapping):
            if not isinstance(step, str) or step not in node:
                continue
            parent, node = node, node[step]
        elif isinstance(node, list) and isinstance(step, int):
            node = node[step]
        else:
            continue
        path.append(step)
    return tuple(path), parent


def _is_message(path: JsonPath) -> bool:
    return len(path) >= 2 and path[-2] in _LISTS


def _label(path: JsonPath) -> str:
    if len(path) > 1 and isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{path[-2]}`"
    return f"`{path[-1]}`" if path else "the row"


def _dotted(finding: Finding) -> str:
    return ".".join(map(str, finding.path)) + ": " if finding.path else ""


def _name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)[:20]
    if isinstance(value, str):
        return repr(value[:40]) if value else "an empty string"
    if isinstance(value, Mapping):
        return "an object"
    return "an empty list" if value in ([], ()) else "a list"
