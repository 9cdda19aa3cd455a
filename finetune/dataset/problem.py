"""What can be wrong with a training file: one `Problem` per finding, and the table of all codes.

The codes that OpenAI's cookbook uses for its own check keep their names. This module only names
the rules; `shape`, `rules` and `tool_rules` find the violations, `read` and `check` report them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from finetune.dataset.json_text import JsonPath
from swarm.errors import DataError

__all__ = [
    "CODES",
    "DatasetError",
    "Finding",
    "Problem",
    "Rule",
    "Severity",
    "UnknownFormatError",
]

Severity = Literal["error", "warning"]
"""An error stops training or is refused by a provider; a warning is worth a look."""


class Rule(NamedTuple):
    """What one code means."""

    severity: Severity
    meaning: str


class Problem(BaseModel):
    """One thing that is wrong with one place of a training file."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    line: int
    """1-based; 0 for a problem of the whole file."""
    column: int
    """1-based, in characters, a byte order mark not counted; 0 for the whole line or file."""
    code: str
    """One of the keys of `CODES`."""
    message: str
    """What was found and what to do about it."""
    severity: Severity

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.severity}: {self.message} [{self.code}]"

    @classmethod
    def of(cls, code: str, message: str, *, line: int = 0, column: int = 0) -> "Problem":
        """Return a problem with the severity that its code has."""
        severity = CODES[code].severity
        return cls(line=line, column=column, code=code, message=message, severity=severity)


class Finding(NamedTuple):
    """A problem inside one row, placed by path; `read` turns the path into a column."""

    code: str
    message: str
    path: JsonPath = ()
    is_at_key: bool = False
    """Point at the key of the last step instead of at its value."""


class DatasetError(DataError):
    """A training file or a row that cannot be used; carries its problems."""

    code = "dataset_error"
    rpc_code = -32034

    def __init__(self, where: str, problems: tuple[Problem, ...]) -> None:
        self.where, self.problems = where, problems
        first, *rest = problems
        more = f" (and {len(rest)} more)" if rest else ""
        super().__init__(f"{where}:{first}{more}")


class UnknownFormatError(DataError):
    """A file in which no row has the keys of a known format; says what was seen."""

    code = "unknown_format"
    rpc_code = -32035

    def __init__(self, path: str, seen: tuple[str, ...], reason: str) -> None:
        self.path, self.seen = path, seen
        self.hint = "a row is {messages} (SFT) or {input, preferred_output, non_preferred_output}"
        super().__init__(f"{path}: {reason}; {self.hint}")


def _error(meaning: str) -> Rule:
    return Rule("error", meaning)


def _warning(meaning: str) -> Rule:
    return Rule("warning", meaning)


CODES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        # the file and its lines
        "unreadable_file": _error("the file is missing, a folder, or may not be read"),
        "not_text": _error("the file is compressed or not encoded in UTF-8"),
        "empty_file": _error("no line of the file holds anything"),
        "blank_line": _error("an empty line between two rows"),
        "line_too_long": _error("a line above the size limit"),
        "line_too_deep": _error("brackets nested above the depth limit"),
        "invalid_unicode": _error("bytes that are not UTF-8, or half of a surrogate pair"),
        "invalid_json": _error("the line is not one JSON value"),
        "not_finite": _error("NaN, Infinity, or a number too large for a double"),
        "duplicate_key": _error("an object names a key twice"),
        "data_type": _error("the line's JSON value is not an object"),
        "unknown_format": _error("the row has the keys of no known format"),
        "mixed_formats": _error("SFT rows, DPO rows or other formats in one file or row"),
        "truncated_file": _error("the file ends in the middle of a row"),
        "guessed_encoding": _warning("the file is not UTF-8; what it is was guessed"),
        "unmapped_fields": _error("columns that fit no field of a format"),
        "not_expressible": _error("a row that the target format cannot hold"),
        "template_injection": _error("a text with the markers of the format's template"),
        "large_file": _warning("above the size that plain upload calls accept everywhere"),
        "too_few_examples": _error("fewer rows than the provider's minimum"),
        "few_examples": _warning("fewer than the 50 rows from which gains are usual"),
        "duplicate_row": _warning("the same row as an earlier line"),
        # keys and types
        "missing_key": _error("a required key of the row, of a tool or of a call is absent"),
        "unrecognized_key": _error("a key that the format does not have"),
        "wrong_type": _error("a value of another type than the format's"),
        "wrong_value": _error("a value other than the ones the format allows"),
        "null_key": _warning("a key that is null where the format omits it"),
        "deprecated_functions": _error("functions and function_call, replaced by tools"),
        # messages
        "missing_messages_list": _error("`messages` is absent, empty or not a list"),
        "message_missing_key": _error("a message without role, or without a key its role needs"),
        "message_unrecognized_key": _error("a message with a key that its role does not have"),
        "unrecognized_role": _error("a role that the format does not have"),
        "missing_content": _error("a message that says nothing"),
        "unsupported_content": _error("audio, a file, or an image where only text is allowed"),
        "invalid_weight": _error("`weight` must be 0 or 1, on assistant messages only"),
        "example_missing_user_message": _error("a conversation without a user message"),
        "example_missing_assistant_message": _error("a row without an assistant message"),
        "example_untrained": _error("every assistant message has weight 0"),
        "last_message_role": _warning("the conversation does not end with the assistant"),
        "system_not_first": _warning("a system message after the conversation began"),
        "too_many_tokens": _warning("the row is longer than the limit and would be cut"),
        # tools
        "too_many_tools": _error("more than 128 tools in one row"),
        "tool_name_invalid": _error("a tool name outside ^[a-zA-Z0-9_-]{1,64}$"),
        "duplicate_tool": _error("two tools of one row have the same name"),
        "tool_schema_invalid": _error("`parameters` is not a usable JSON Schema of an object"),
        "unknown_tool": _error("a call of a tool that the row does not declare"),
        "tool_arguments_not_string": _error("`arguments` must be a string that holds JSON"),
        "tool_arguments_not_json": _error("`arguments` does not hold one JSON object"),
        "tool_arguments_invalid": _error("`arguments` violates the tool's JSON Schema"),
        "undeclared_argument": _warning("an argument that the tool's schema does not name"),
        "empty_tool_calls": _error("`tool_calls` is an empty list"),
        "tool_call_id_empty": _error("a call or an answer with an empty id"),
        "duplicate_tool_call_id": _error("two calls of one row have the same id"),
        "unknown_tool_call_id": _error("a tool message that answers no open call"),
        "unanswered_tool_call": _error("a call without its tool message"),
        "parallel_calls_disallowed": _warning("several calls although parallel calls are off"),
        # preferences
        "output_role": _error("an output message that is not assistant or tool"),
        "output_not_single": _warning("an output of several messages; most providers take one"),
        "last_input_role": _error("the input does not end with a user or tool message"),
        "preferred_equals_non_preferred": _error("both outputs say the same"),
        "empty_rejected": _warning("the rejected output is empty or a placeholder"),
        "length_ratio": _warning("one output is much longer; length may be what is learned"),
        # two files
        "overlap_row": _error("a held-out row that is in the training file"),
        "overlap_prompt": _warning("a held-out prompt that is in the training file"),
    }
)
"""Every code, its severity and its meaning."""
