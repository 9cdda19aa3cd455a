"""What a conversion of one row changes or cannot carry: coded, placed, and counted later.

A loss is no error: the row is usable. A row that a format cannot hold at all is refused with
`RowRefusedError`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from finetune.dataset.json_text import JsonPath
from finetune.dataset.problem import DatasetError, Finding, Problem

__all__ = ["LOSSES", "Loss", "RowRefusedError"]

LOSSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "arguments_not_object": "arguments that are no JSON object stay a string",
        "call_text_hidden": "text beside a tool call, which the target's loader does not train",
        "developer_as_system": "a developer message written as a system message",
        "exchange_in_prompt": "earlier answers are part of the prompt and no longer trained",
        "extra_unusable": "kept data that no longer fits the row and was left out",
        "field_dropped": "a key that the format does not have",
        "functions_translated": "functions and function_call translated to tools and tool_calls",
        "image_lost": "an image, which the target cannot hold",
        "input_joined": "`instruction` and `input` joined by a line break",
        "name_lost": "the name of a speaker",
        "no_boundary_space": "no space between prompt and completion",
        "output_cut": "an output of several messages, of which the loader sees the first",
        "parts_joined": "content parts joined to one text",
        "refusal_as_content": "a refusal written as the message's text",
        "roles_lost": "messages joined to one prompt without their roles",
        "system_moved": "a system message moved to the start of the conversation",
        "systems_joined": "several system messages joined to one",
        "tool_call_lost": "a tool call, which the target cannot hold",
        "tool_result_lost": "a tool message, which the target cannot hold",
        "tools_lost": "the declared tools, which the target cannot hold",
        "turn_inserted": "an empty user turn inserted, because the loader wants one first",
        "turn_left_out": "turns after the last answer, which cannot be trained",
        "turns_merged": "consecutive messages of one side joined to one turn",
        "weight_not_applied": "a message of weight 0, which the target trains all the same",
    }
)
"""Every code of a loss and its meaning."""


class Loss(NamedTuple):
    """One thing that the target does not say as the source did."""

    code: str
    """One of the keys of `LOSSES`."""
    message: str
    path: JsonPath = ()
    """Where it is in the row that was read or encoded."""
    is_kept: bool = False
    """Stands in a key that trainers ignore, and comes back when our reader reads the row."""


class RowRefusedError(DatasetError):
    """A row that a format cannot read or cannot hold; says every reason."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        problems = tuple(
            Problem.of(f.code, (".".join(map(str, f.path)) + ": " if f.path else "") + f.message)
            for f in self.findings
        )
        super().__init__("row", problems)

    @classmethod
    def of(cls, code: str, message: str, path: JsonPath = ()) -> "RowRefusedError":
        """Return the refusal for one reason."""
        return cls([Finding(code, message, path)])
