"""Random rows with everything that the internal shape can hold, from a seed.

Faster than hypothesis, so that ten thousand rows fit into a test; what a row holds is drawn
without care for sense: merged roles, parallel calls in any order, broken arguments, images.
"""

import json
import random
from collections.abc import Iterator

from pydantic import JsonValue

from finetune.dataset import (
    AssistantMessage,
    Content,
    DeveloperMessage,
    DpoInput,
    DpoRow,
    FunctionCall,
    FunctionDefinition,
    ImagePart,
    ImageUrl,
    Message,
    OutputMessage,
    SftRow,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolMessage,
    UserMessage,
)

__all__ = ["dpo_rows", "sft_rows"]

_WORDS = (
    *("How much is Velorin?", " Paris.", "", " ", "\n\n", "5 mg", "naïve café", "中文", "😀"),
    *("\u2028", "\u0085", "\x00", "\\", '"', '{"a": 1}', "[1, 2]", '["a", "b"]', "null"),
    *("<image>", "</tool_response>", "Error: timeout", "system", "call_1", "\r\n", "\ufeff"),
)
_TOOLS = ("dose", "stock", "get_weather", "a-b", "x")


def sft_rows(seed: int, count: int, *, has_images: bool = True) -> Iterator[SftRow]:
    """Yield conversations."""
    draw = _Draw(seed, has_images=has_images)
    for _ in range(count):
        yield draw.sft()


def dpo_rows(seed: int, count: int) -> Iterator[DpoRow]:
    """Yield preferences, in which the input ends with a user or tool message."""
    draw = _Draw(seed, has_images=False)
    for _ in range(count):
        yield draw.dpo()


class _Draw:
    def __init__(self, seed: int, *, has_images: bool) -> None:
        self.random = random.Random(seed)
        self.has_images = has_images
        self.has_images_now = False
        self.calls = 0

    def maybe(self, chance: float = 0.3) -> bool:
        return self.random.random() < chance

    def text(self) -> str:
        text = "".join(self.random.choices(_WORDS, k=self.random.randint(1, 4)))
        # A text that looks like the placeholder of an image is refused beside a real one.
        return text.replace("<image>", "") if self.has_images_now else text

    def content(self, *, images: bool = False) -> Content:
        if not self.maybe(0.15):
            return self.text()
        has_image = images and self.has_images_now and self.maybe(0.5)
        parts = [TextPart(text=self.text()) for _ in range(self.random.randint(1, 3))]
        if not has_image:
            return tuple(parts)
        detail = "low" if self.maybe() else None
        url = f"https://example.com/{self.random.randint(0, 99)}.png"
        image = ImagePart(image_url=ImageUrl(url=url, detail=detail))
        at = self.random.randint(0, len(parts))
        return (*parts[:at], image, *parts[at:])

    def name(self) -> str | None:
        return self.random.choice([None, None, None, "ann", "dose"])

    def value(self, depth: int = 2) -> JsonValue:
        kind = self.random.randint(0, 8 if depth else 6)
        if kind == 7:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 3))]
        if kind == 8:
            return {self.text(): self.value(depth - 1) for _ in range(self.random.randint(0, 3))}
        numbers: list[JsonValue] = [0, 1, -5, 10**30, 0.5, 1.0, -0.0, 1e300]
        plain: list[JsonValue] = [None, True, False, self.text(), self.random.choice(numbers)]
        return self.random.choice(plain)

    def arguments(self) -> str:
        if self.maybe(0.1):
            return self.random.choice(['{"a":', "", "5", '["x"]', '{"a": NaN}', '{"a":1,"a":2}'])
        value = {self.text(): self.value() for _ in range(self.random.randint(0, 3))}
        separators = self.random.choice([(", ", ": "), (",", ":")])
        return json.dumps(value, ensure_ascii=self.maybe(), separators=separators)

    def call(self) -> ToolCall:
        self.calls += 1
        call_id = self.random.choice([f"call_{self.calls}", f"call_{self.random.randint(1, 3)}x"])
        function = FunctionCall(name=self.random.choice(_TOOLS), arguments=self.arguments())
        return ToolCall(id=f"{call_id}{self.calls}", function=function)

    def round_of_calls(self) -> list[AssistantMessage | ToolMessage]:
        calls = tuple(self.call() for _ in range(self.random.choice([1, 1, 2, 3])))
        content = self.content() if self.maybe(0.2) else None
        weight = self.random.choice([None, 0, 1])
        answers = [
            ToolMessage(
                tool_call_id=call.id,
                content=self.content(),
                name=self.random.choice([None, None, call.function.name, "other"]),
            )
            for call in calls
        ]
        if self.maybe():
            self.random.shuffle(answers)
        if self.maybe(0.05):
            answers.pop()
        asked = AssistantMessage(content=content, tool_calls=calls, weight=weight)
        return [asked, *answers]

    def answer(self) -> AssistantMessage:
        refusal = self.text() if self.maybe(0.05) else None
        content = None if refusal and self.maybe(0.7) else self.content()
        weight = self.random.choice([None, None, 0, 1])
        return AssistantMessage(content=content, refusal=refusal, name=self.name(), weight=weight)

    def talk(self, *, has_tools: bool) -> list[Message]:
        said: list[Message] = []
        for _ in range(self.random.choice([0, 0, 1, 1, 1, 2, 3])):
            system = SystemMessage if self.maybe(0.8) else DeveloperMessage
            said.append(system(content=self.content(), name=self.name()))
        for _ in range(self.random.randint(1, 3)):
            said.append(UserMessage(content=self.content(images=True), name=self.name()))
            if self.maybe(0.05):
                said.append(UserMessage(content=self.text()))
            for _ in range(self.random.randint(0, 2) if has_tools else 0):
                said += self.round_of_calls()
            said.append(self.answer())
            if self.maybe(0.05):
                said.append(self.answer())
            if self.maybe(0.03):
                said.append(SystemMessage(content=self.text()))
        if self.maybe(0.03):
            said = [m for m in said if not isinstance(m, UserMessage)]
        if self.maybe(0.03):
            said.append(UserMessage(content=self.text()))
        return said

    def tools(self) -> tuple[ToolDefinition, ...] | None:
        if self.maybe(0.4):
            return self.random.choice([None, ()])
        found: list[ToolDefinition] = []
        for name in self.random.sample(_TOOLS, self.random.randint(1, 3)):
            number: dict[str, JsonValue] = {"type": "integer", "default": None}
            schemas: list[dict[str, JsonValue] | None] = [
                None,
                {},
                {"type": "object", "properties": {"a": number}},
                {"properties": {}, "type": "object", "x": self.value()},
            ]
            function = FunctionDefinition(
                name=name,
                description=self.text() if self.maybe(0.5) else None,
                parameters=self.random.choice(schemas),
                strict=self.random.choice([None, True, False]),
            )
            found.append(ToolDefinition(function=function))
        return tuple(found)

    def sft(self) -> SftRow:
        self.has_images_now = self.has_images and self.maybe(0.5)
        tools = self.tools()
        return SftRow(
            messages=tuple(self.talk(has_tools=bool(tools))),
            tools=tools,
            parallel_tool_calls=self.random.choice([None, True, False]),
        )

    def output(self) -> tuple[OutputMessage, ...]:
        if self.maybe(0.2):
            return (*self.round_of_calls(), self.answer())
        if self.maybe(0.2):
            return (AssistantMessage(tool_calls=(self.call(),)),)
        return (self.answer(),)

    def dpo(self) -> DpoRow:
        tools = self.tools()
        said = self.talk(has_tools=bool(tools))
        while said and not isinstance(said[-1], UserMessage | ToolMessage):
            said.pop()
        held = DpoInput(
            messages=tuple(said or [UserMessage(content=self.text())]),
            tools=tools,
            parallel_tool_calls=self.random.choice([None, True]),
        )
        return DpoRow(
            input=held, preferred_output=self.output(), non_preferred_output=self.output()
        )
