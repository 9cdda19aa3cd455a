"""Tokens of chat templates, and markup that a browser would run, inside contents."""

import re
from collections.abc import Iterator

from finetune.curate.poison.exchange import without_code
from finetune.curate.step import Note

__all__ = ["MARKS", "find_scripts", "find_template_tokens"]

_TOKENS = re.compile(
    r"<\|[a-z0-9_ \u2581-]{2,40}\|>|<\uff5c[^>\n]{2,40}\uff5c>"
    r"|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT|PREFIX|SUFFIX|MIDDLE)\]"
    r"|<</?SYS>>|<(?:start|end)_of_turn>|</?(?:tool_call|tool_response|tool_calls)>|<(?:bos|eos"
    r"|pad|unk)>"
    r"|<\|?(?:eot_id|end_of_text|endoftext|im_start|im_end)\|?>|<(?:begin|end)_of_(?:text"
    r"|sentence)>"
    r"|\[gMASK\]|<sop>|<extra_id_\d+>|<0x[0-9A-F]{2}>|<SPECIAL_\d+>",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"<s>[^<\n]{1,200}</s>")
_SENTENCE_MARKS = re.compile(r"</?s>")
_SCRIPTS = re.compile(
    r"<\s*(?:script|iframe|object|embed|applet|base|svg[^>]{0,200}\bon\w+)\b[^>]{0,400}>"
    r"|<\s*meta\b[^>]{0,200}http-equiv"
    r"|<\s*[a-z][^>]{0,400}?\son(?:error|load|click|mouseover|focus|toggle|start|animationstart"
    r"|pageshow)\s*="
    r"|(?:href|src|action|formaction|data)\s*=\s*[\"']?\s*(?:javascript|vbscript|data:text/html)"
    r"|\]\(\s*(?:javascript|vbscript|data:text/html)[:;,]"
    r"|<\s*form\b[^>]{0,300}\baction\s*=\s*[\"']?\s*https?:",
    re.IGNORECASE,
)

MARKS = (
    r"\[/?(?:inst|available_tools|tool_calls|tool_results|system_prompt|prefix|suffix|middle|gmask)"
    r"|javascript:|vbscript:|data:text"
)
"""What is somewhere, in lower case, in every text without `<` that has something of this module."""


def find_template_tokens(text: str) -> Iterator[Note]:
    """Yield the template token of a text.

    A quotation of one counts too: to a tokenizer it is the token wherever it stands.
    """
    if "<" not in text and "[" not in text:
        return
    found = _TOKENS.search(text) or _SENTENCE_MARKS.search(_STRUCK.sub("", text))
    if found:
        yield Note("template_token", f"the template token {found[0][:40]}")


def find_scripts(text: str) -> Iterator[Note]:
    """Yield markup that runs where it is shown; code in a code block is not shown as markup."""
    if ("<" in text or "](" in text) and _SCRIPTS.search(without_code(text)):
        yield Note("script", "markup that runs or loads code where it is shown")
