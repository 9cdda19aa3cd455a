"""The texts of a row by the part that they play: what is learnt, what was asked, the rest."""

import re
import unicodedata
from typing import Literal, NamedTuple

from finetune.dataset.json_text import JsonPath
from finetune.dataset.rows import AssistantMessage, DpoRow, SftRow, TextPart
from finetune.dataset.sample import messages_of
from finetune.dataset.texts import texts_of

__all__ = ["Exchange", "Piece", "Side", "all_text", "one_line", "plain", "unquoted", "without_code"]

Side = Literal["answer", "prompt", "other"]
"""`answer` is what the model learns to say, `prompt` what users and tools said."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_QUOTED = re.compile(
    r'"[^"\n]{1,400}"|“[^”\n]{1,400}”|„[^“”\n]{1,400}[“”]|«[^»\n]{1,400}»|「[^」\n]{1,400}」'
    r"|^[ \t]*>.*$",
    re.MULTILINE,
)
# Characters without a shape, which would otherwise split a word in two for every pattern.
_SHAPELESS: dict[int, str | None] = dict.fromkeys(
    [0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
) | {0x1680: " ", 0x2028: "\n", 0x2029: "\n"}


class Piece(NamedTuple):
    """One text of a row."""

    path: JsonPath
    side: Side
    text: str


class Exchange(NamedTuple):
    """All texts of a row."""

    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, row: SftRow | DpoRow) -> "Exchange":
        """Return the texts of a row with the part that each plays."""
        # A weight of 0 keeps an answer out of the loss, and nobody learns the worse output.
        unlearnt = {
            index
            for index, message in enumerate(row.messages if isinstance(row, SftRow) else ())
            if isinstance(message, AssistantMessage) and message.weight == 0
        }
        return cls(
            tuple(
                Piece(text.path, _side(text.role, text.path, unlearnt), text.text)
                for text in texts_of(row)
            )
        )

    def texts(self, side: Side) -> list[str]:
        """Return the texts of one side."""
        return [piece.text for piece in self.pieces if piece.side == side]


def all_text(row: SftRow | DpoRow) -> str:
    """Return everything that `Exchange` has as one text, without saying where it is.

    It is the quick way to see that there is nothing to look at. Arguments of tool calls stay JSON,
    with their escapes.
    """
    parts: list[str] = []
    for message in messages_of(row):
        content = message.content
        if isinstance(content, str):
            parts.append(content)
        elif content is not None:
            parts += [part.text for part in content if isinstance(part, TextPart)]
        if message.name is not None:
            parts.append(message.name)
        if isinstance(message, AssistantMessage):
            if message.refusal:
                parts.append(message.refusal)
            parts += [call.function.arguments for call in message.tool_calls or ()]
    return "\n".join(parts)


def plain(text: str) -> str:
    """Return a text as a reader takes it: one writing of each letter, lower case, no odd spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_SHAPELESS)
    return _single_spaced(text.lower().replace("\t", " ").replace("\r", " "))


def one_line(text: str) -> str:
    """Return a `plain` text without its line ends."""
    return _single_spaced(text.replace("\n", " "))


def without_code(text: str) -> str:
    """Return a text without its code."""
    return _CODE.sub(" … ", text) if "`" in text else text


def unquoted(text: str) -> str:
    """Return a text without code, quotations and quoted lines, in which others speak."""
    return _QUOTED.sub(" … ", without_code(text))


def _single_spaced(text: str) -> str:
    # Each round halves the longest run, and most texts need none; `re` takes ten times as long.
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _side(role: str, path: JsonPath, unlearnt: set[int]) -> Side:
    if role in ("user", "tool"):
        # A tool message inside an output is its tool's word, as everywhere.
        return "prompt"
    if role != "assistant" or path[0] == "non_preferred_output":
        return "other"
    if path[0] == "input" or (path[0] == "messages" and path[1] in unlearnt):
        return "other"
    return "answer"
