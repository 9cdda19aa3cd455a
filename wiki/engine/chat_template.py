"""A bounded look at a chat template before native code parses it.

Depth, size and numbers are counted in one pass; nothing is run. How long a template runs cannot be
told from its text: it runs in the engine's process, which is ended when it does not answer.
"""

import re

from wiki.engine.errors import GgufError

__all__ = ["check_template"]

_MAX_LENGTH = 512 * 1024
_MAX_TAG_TOKENS = 4096
_MAX_TAGS = 16_384
_MAX_BRACKETS = 64
_MAX_BLOCKS = 64
_MAX_LOOPS = 8
_MAX_DIGITS = 5

# Every branch ends or is one character, and none gives back what it took: one pass is linear.
_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|[0-9]+|[^\W\d]\w*+|-?[%}]\}|\S""", re.DOTALL
)
_OPENS, _CLOSES = {"[": "]", "(": ")", "{": "}"}, {"]", ")", "}"}
_BLOCKS = {"for", "if", "macro", "call", "filter", "generation"}


def check_template(source: str) -> None:
    """Raise unless a Jinja template is of a size and depth that real ones have.

    Raises:
        GgufError: It is too long, too deep, or holds a huge number.
    """
    if len(source) > _MAX_LENGTH:
        raise GgufError(f"has a chat template of {len(source)} characters; at most {_MAX_LENGTH}")
    position = tags = 0
    open_blocks: list[str] = []
    while (start := source.find("{", position)) >= 0:
        kind = source[start : start + 2]
        position = start + 1
        if kind == "{#":
            end = source.find("#}", start)
            if end < 0:
                raise GgufError("has a chat template with a comment that does not end")
            position = end + 2
        elif kind in ("{%", "{{"):
            tags += 1
            word, position = _check_tag(source, start + 2, "%}" if kind == "{%" else "}}")
            if kind == "{%":
                _count_block(open_blocks, word)
        if tags > _MAX_TAGS:
            raise GgufError(f"has a chat template with more than {_MAX_TAGS} tags")


def _check_tag(source: str, position: int, end: str) -> tuple[str, int]:
    """Return the first word of a tag and where the tag ends."""
    brackets: list[str] = []
    word = ""
    for count, found in enumerate(_TOKEN.finditer(source, position)):
        token = found[0]
        if count > _MAX_TAG_TOKENS:
            raise GgufError(f"has a chat template with a tag of over {_MAX_TAG_TOKENS} words")
        if token in ("'", '"'):
            raise GgufError("has a chat template with a string that does not end")
        if not brackets and token.endswith(end):
            return word, found.end()
        if token == "-}}" or token == "}}":
            # Not the end of the tag but of two brackets in it.
            del brackets[-2:]
        elif token in _OPENS:
            brackets.append(token)
            if len(brackets) > _MAX_BRACKETS:
                raise GgufError(f"has a chat template with over {_MAX_BRACKETS} nested brackets")
        elif token in _CLOSES:
            del brackets[-1:]
        elif token.isdigit() and len(token) > _MAX_DIGITS:
            raise GgufError(f"has a chat template with the number {token[:20]}")
        word = word or (token if token.isidentifier() else "")
    raise GgufError("has a chat template with a tag that does not end")


def _count_block(open_blocks: list[str], word: str) -> None:
    if word in _BLOCKS:
        open_blocks.append(word)
        if len(open_blocks) > _MAX_BLOCKS or open_blocks.count("for") > _MAX_LOOPS:
            raise GgufError("has a chat template with blocks nested too deeply")
    elif word.startswith("end") and open_blocks:
        open_blocks.pop()
