"""A completion without any model: it calls the tool that fits best and relays its output.

It makes every example run on a fresh machine without a key. It understands nothing; it compares
words. Its answers carry `offline` as their model, so nobody takes them for a model's.
"""

import math
import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import orjson

from swarm.completion import CompletionRequest, CompletionResult, ToolDefinition
from swarm.completions.sample import sample_document
from swarm.messages import Message, ToolCall

__all__ = ["OfflineCompletion"]

# fmt: off
_STOP_WORDS = frozenset((
    "a", "an", "and", "any", "are", "at", "be", "by", "can", "could", "do", "does", "for",
    "from", "have", "how", "i", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or",
    "please", "so", "some", "tell", "that", "the", "there", "these", "this", "to", "what",
    "when", "where", "which", "who", "will", "with", "would", "you", "your",
))
# fmt: on
_NO_OUTPUT = "I answer offline, without a model. The tool that I called gave no output."
_REPORT = re.compile(r"The call .* that waited for approval \(\w+\) was ", re.DOTALL)
"""How a message begins that says what became of a call which a person had to agree to."""
_TEXT_NAMES = ("question", "query", "text", "message", "prompt")


class OfflineCompletion:
    """Matches words; see `Completion`."""

    model = "offline"

    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Return a tool call, the outputs of the tools that were called, or an empty document."""
        if request.response_format is not None:
            document = orjson.dumps(sample_document(request.response_format.schema)).decode()
            return CompletionResult(Message(role="assistant", content=document), self.model)
        relayed = _relay(request.messages)
        if relayed is None:
            return CompletionResult(_choose(request), self.model)
        # An empty output is an answer too: asking again would give the same one.
        text = relayed if relayed.strip() else _NO_OUTPUT
        return CompletionResult(Message(role="assistant", content=text), self.model)

    async def stream(
        self, request: CompletionRequest
    ) -> AsyncGenerator[str | CompletionResult, None]:
        """Yield the text in one piece, then the answer."""
        result = await self.complete(request)
        if result.message.content:
            yield result.message.content
        yield result


def _relay(messages: Sequence[Message]) -> str | None:
    """Return the outputs of the last tool calls since the user spoke, or None without any."""
    outputs: list[str] = []
    for message in reversed(messages):
        if message.role == "user" and message.mode == "user":
            break
        if message.role == "tool":
            outputs.append(message.content)
        elif message.role == "user" and _REPORT.match(message.content):
            outputs = outputs or [message.content]  # what was said of the call before is over
            break
        elif message.role == "assistant" and outputs:
            break
    return "\n".join(reversed(outputs)) if outputs else None


def _choose(request: CompletionRequest) -> Message:
    question = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
    ranked = sorted(
        ((_score(question, tool), -index) for index, tool in enumerate(request.tools)), reverse=True
    )
    for score, place in ranked:
        tool = request.tools[-place]
        arguments = _arguments(question, tool)
        if score > 0 and arguments is not None:
            call = ToolCall(id="", name=tool.name, arguments=orjson.dumps(arguments).decode())
            return Message(role="assistant", tool_calls=(call,))
    names = ", ".join(tool.name for tool in request.tools)
    known = (
        f"I can only call {names}, and no words of your message fit" if names else "I have no tools"
    )
    text = f"I answer offline, without a model. {known}. Name a model in the completion to talk."
    return Message(role="assistant", content=text)


def _score(question: str, tool: ToolDefinition) -> float:
    """Return how well a tool fits: the best of its description and each of its examples."""
    words = _words(question)
    texts = [f"{tool.name.replace('_', ' ')} {tool.description}", *tool.examples]
    best = 0.0
    for text in texts:
        known = _words(text)
        shared = len(words & known)
        if shared:
            best = max(best, shared / math.sqrt(len(words) * len(known)))
    return best


def _words(text: str) -> set[str]:
    found = {word.rstrip("s") or word for word in re.findall(r"\w+", text.lower())}
    return (found - _STOP_WORDS) or found


def _arguments(question: str, tool: ToolDefinition) -> dict[str, object] | None:
    """Fill in the arguments a tool must have, or return None where the message has none."""
    arguments: dict[str, object] = {}
    properties = cast("dict[str, dict[str, Any]]", tool.parameters.get("properties") or {})
    for name in cast("list[str]", tool.parameters.get("required") or []):
        value = _value(question, name, properties.get(name, {}))
        if value is None:
            return None
        arguments[name] = value
    return arguments


def _value(question: str, name: str, schema: dict[str, Any]) -> object:
    choices: list[object] = schema.get("enum") or []
    for choice in choices:
        if re.search(rf"(?<!\w){re.escape(str(choice))}(?!\w)", question, re.IGNORECASE):
            return choice
    kind = schema.get("type")
    numbers = re.findall(r"-?\d+(?:\.\d+)?", question)
    if kind == "integer":
        return next((int(n) for n in numbers if "." not in n), None)
    if kind == "number":
        return float(numbers[0]) if numbers else None
    if kind != "string" or choices:
        return None
    if name in _TEXT_NAMES:
        return question
    quoted = re.search(r"[\"'“]([^\"'”]+)[\"'”]", question)
    if quoted:
        return quoted.group(1)
    # A word with a digit or a capital that does not begin the sentence is most likely a name.
    named = re.findall(r"(?<!^)\b(?=\w*[\dA-Z])\w[\w-]+", question)
    return named[-1] if named else None
