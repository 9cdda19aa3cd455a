"""What people and models said, as the conventions write it: only for those who ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from swarm.completion import CompletionResult
from swarm.environment import read_environment
from swarm.messages import Message
from swarm.secrets import hide, secrets_of
from swarm.telemetry.names import Names

__all__ = ["ContentOptions"]

_Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class ContentOptions:
    """Whether content is captured, and how much of it."""

    is_captured: bool = False
    longest: int = 16_384
    """Characters of one text; a longer one is cut, and says so."""
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys by their variables, which are never captured."""

    @classmethod
    def of(
        cls, is_captured: bool, longest: int, environment: Mapping[str, str] | None
    ) -> "ContentOptions":
        """Return the options; the environment is read only when content is captured."""
        if not is_captured:
            return cls(longest=longest)
        known = read_environment() if environment is None else environment
        return cls(True, longest, secrets_of(known))

    def text(self, text: str) -> str:
        """Return a text without keys and not too long."""
        text = hide(text, self.secrets)
        if len(text) <= self.longest:
            return text
        return f"{text[: self.longest]} [cut: {len(text)} characters]"

    def question(self, messages: Sequence[Message]) -> dict[str, str]:
        """Return the attributes of what a model was asked."""
        if not self.is_captured:
            return {}
        system = [self._part(m.content) for m in messages if m.role == "system"]
        history = [self._message(m) for m in messages if m.role != "system"]
        attributes = {Names.INPUT_MESSAGES: _json(history)}
        return attributes | ({Names.SYSTEM_INSTRUCTIONS: _json(system)} if system else {})

    def answer(self, result: CompletionResult) -> dict[str, str]:
        """Return the attributes of what a model answered."""
        if not self.is_captured:
            return {}
        finish = result.finish_reason or ("tool_call" if result.message.tool_calls else "stop")
        return {
            Names.OUTPUT_MESSAGES: _json(
                [self._message(result.message) | {"finish_reason": finish}]
            )
        }

    def said(self, name: str, role: str, text: str) -> dict[str, str]:
        """Return the attribute of one message."""
        if not self.is_captured:
            return {}
        return {name: _json([{"role": role, "parts": [self._part(text)]}])}

    def plain(self, name: str, text: str) -> dict[str, str]:
        """Return the attribute of a text that is no message."""
        return {name: self.text(text)} if self.is_captured else {}

    def _part(self, text: str) -> _Json:
        return {"type": "text", "content": self.text(text)}

    def _message(self, message: Message) -> _Json:
        parts: list[_Json] = []
        if message.role == "tool":
            result = self.text(message.content)
            parts.append(
                {"type": "tool_call_response", "id": message.tool_call_id, "response": result}
            )
        elif message.content:
            parts.append(self._part(message.content))
        for call in message.tool_calls:
            arguments = self.text(call.arguments)
            parts.append(
                {"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments}
            )
        return {"role": message.role, "parts": parts}


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
