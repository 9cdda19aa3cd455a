"""A model's chat template: from messages to the text that the model sees, and what it marks.

Templates are Jinja programs that come with a model, so they run in Jinja's sandbox. The tags
`{% generation %}` and `{% endgeneration %}` mark what is trained; the rest of the dialect is that
of transformers, whose results these are to equal.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from swarm.errors import DataError, require

__all__ = ["ChatTemplate", "Rendered", "TemplateRefusedError"]

_MAX_SOURCE = 1_000_000
_TODAY = "2026-01-01"
"""Templates that write the date get this one: the same file must always give the same counts."""


class TemplateRefusedError(DataError):
    """A chat template that is broken, or that cannot write these messages."""

    code = "template_refused"
    rpc_code = -32120

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the chat template refuses: {reason}")


class Rendered(NamedTuple):
    """What a template wrote."""

    text: str
    marked: tuple[tuple[int, int], ...]
    """The parts that the template marks as trained: from character, to character."""


class ChatTemplate:
    """A compiled template."""

    def __init__(self, source: str, special_tokens: Mapping[str, str]) -> None:
        """Compile a template.

        Args:
            source: The Jinja program.
            special_tokens: Values such as `bos_token` that the template may write.

        Raises:
            TemplateRefusedError: It is no template.
            MissingExtraError: Jinja is not installed.
        """
        require("jinja2", extra="data")
        from jinja2 import TemplateError

        if len(source) > _MAX_SOURCE:
            raise TemplateRefusedError("it is longer than a megabyte")
        # Nobody can guess the marks, so no text of a row can pass for one.
        self._start, self._end = (f"\x00{secrets.randbelow(10**18):018}\x00" for _ in range(2))
        self._special = dict(special_tokens)
        self._error = TemplateError
        try:
            self._template = _environment(self._start, self._end).from_string(source)
        except (TemplateError, RecursionError) as error:
            raise TemplateRefusedError(str(error)[:300]) from None
        self.marks_answers = _has_marks(source)
        """Whether the template says which parts are trained."""

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None = None,
        *,
        is_prompt: bool = False,
    ) -> Rendered:
        """Return the text of a conversation.

        Args:
            messages: As a template sees them; arguments of calls are objects.
            tools: The declared tools.
            is_prompt: Whether the text ends where the model begins to answer.

        Raises:
            TemplateRefusedError: The template cannot write these messages.
        """
        try:
            text = self._template.render(
                messages=messages,
                tools=tools,
                documents=None,
                add_generation_prompt=is_prompt,
                **self._special,
            )
        except (
            self._error,
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise TemplateRefusedError(str(error)[:300] or type(error).__name__) from None
        return self._parted(text)

    def _parted(self, text: str) -> Rendered:
        pieces: list[str] = []
        marked: list[tuple[int, int]] = []
        length = depth = 0
        for piece in re.split(f"({self._start}|{self._end})", text):
            if piece == self._start:
                depth += 1
            elif piece == self._end:
                depth -= 1
            elif piece:
                if depth:
                    marked.append((length, length + len(piece)))
                pieces.append(piece)
                length += len(piece)
        return Rendered("".join(pieces), tuple(marked))


def _has_marks(source: str) -> bool:
    parts = source.split("{%")[1:]
    return any(part.partition("%}")[0].strip("-+ \t\r\n") == "generation" for part in parts)


def _environment(start: str, end: str) -> Any:
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, LoopControlExtension
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """Puts marks around the blocks that are trained."""

        tags = {"generation"}  # noqa: RUF012 - Jinja declares it as a plain attribute

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            block = nodes.CallBlock(self.call_method("_mark"), [], [], body)
            return block.set_lineno(line)

        def _mark(self, caller: Callable[[], str]) -> str:
            return f"{start}{caller()}{end}"

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, LoopControlExtension]
    )
    environment.filters["tojson"] = _json
    environment.globals.update(raise_exception=raise_exception, strftime_now=_strftime)  # pyright: ignore[reportArgumentType] - its types know Jinja's own globals only
    return environment


def _json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write plain JSON, where Jinja's own filter would write HTML."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _strftime(form: str) -> str:
    from datetime import date

    return date.fromisoformat(_TODAY).strftime(form)
