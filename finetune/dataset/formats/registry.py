"""The table of all formats, by name, and the format that an object shows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from finetune.dataset.formats.alpaca import ALPACA
from finetune.dataset.formats.chatml import CHATML, CHATML_JSON
from finetune.dataset.formats.cohere import COHERE
from finetune.dataset.formats.completion import COMPLETION
from finetune.dataset.formats.extra import EXTRA_KEY
from finetune.dataset.formats.format import Format, JsonObject
from finetune.dataset.formats.openai import OPENAI
from finetune.dataset.formats.sharegpt import SHAREGPT
from finetune.dataset.formats.trl import TRL, TRL_PROMPT_COMPLETION
from finetune.dataset.problem import DatasetError, Problem
from finetune.dataset.rows import DatasetKind
from swarm.errors import suggest

__all__ = ["FORMATS", "get_format", "recognise"]

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        found.name: found
        for found in (
            OPENAI,
            TRL,
            TRL_PROMPT_COMPLETION,
            SHAREGPT,
            ALPACA,
            CHATML,
            CHATML_JSON,
            COMPLETION,
            COHERE,
        )
    }
)
"""Every format by its name."""


def get_format(name: str) -> Format:
    """Return a format.

    Raises:
        DatasetError: There is none of this name; says which there are.
    """
    if name in FORMATS:
        return FORMATS[name]
    known = list(FORMATS)
    reason = f"no format named {name!r}; {suggest(name, known) or ', '.join(known)}"
    raise DatasetError("format", (Problem.of("unknown_format", reason),))


def recognise(value: JsonObject) -> tuple[Format, DatasetKind] | None:
    """Return the format and the kind that an object shows; None when it fits none.

    Files of plain messages are the same in OpenAI's and in TRL's format; they count as OpenAI's.
    """
    if value.get(EXTRA_KEY) is not None and "conversations" not in value:
        order = (TRL_PROMPT_COMPLETION, TRL)
    elif _has_objects_as_arguments(value):
        order = (TRL_PROMPT_COMPLETION, TRL, OPENAI)
    else:
        order = (COHERE, OPENAI, SHAREGPT, ALPACA, TRL_PROMPT_COMPLETION, TRL, CHATML, COMPLETION)
    for found in order:
        if (kind := found.recognise(value)) is not None:
            return found, kind
    return None


def _has_objects_as_arguments(value: JsonObject) -> bool:
    messages = value.get("messages")
    for message in messages if isinstance(messages, list) else ():
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
                return True
    return False
