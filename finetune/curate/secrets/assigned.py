"""Passwords and keys that are known by the name in front of them.

In code, configuration, logs, commands, addresses and sentences alike: a name, something that says
"is", and a value. Whether the value is one, and no placeholder, is decided by its look.
"""

import re

from finetune.curate.secrets.likely import is_password, is_placeholder, is_random
from finetune.curate.secrets.names import FOREIGN, Called, called
from finetune.curate.secrets.rule import Rule, Span, extended

__all__ = ["ASSIGNED", "FOREIGN_RULE", "is_secret_value"]

_LONGEST_NAME = 48
_LONGEST_VALUE = 512
_LONGEST_BARE = 200

_NAME = re.compile(r"[\w.\-]*")
_RIGHT = re.compile(r"[\w\-]{0,40}")
_WORDS_BEFORE = re.compile(r"([A-Za-z]{1,20})[ \t]\Z")

_CLOSE = r"(?:\\*[\"'`]|\*{1,2}|_{1,2})?\]?"
_ASSIGNS = re.compile(
    rf"{_CLOSE}"
    r"(?:[ \t][a-z]{3,12}(?=[ \t]{0,4}=[^=>]))?"
    r"(?::[ \t]?[A-Za-z][\w.\[\]|?<>&' ]{0,40}?(?=[ \t]{1,4}=[^=>]|=[ \t]?[\"']))?[ \t]{0,20}"
    r"(?::=|=>|->|={1,3}|:\*{0,2}|\uff1a|\|)[ \t]{0,20}"
)
_CALLS = re.compile(r"\([ \t]{0,8}(?=\\?[\"'`])|\\?[\"'`]\)?[ \t]{0,4},[ \t]{0,8}(?=\\?[\"'`])")
_ATTRIBUTE = re.compile(r"\\?[\"'][ \t]{1,8}value[ \t]?=[ \t]?(?=\\?[\"'])", re.IGNORECASE)
_OPTION = re.compile(r"[ \t]{1,4}(?!-)")
_SAYS = re.compile(
    r"(?:[ \t]+(?:for|of|on|at|für|pour|para|de|zum)(?:[ \t]+[\w@.\-/]{1,40}){1,4}?)?"
    r"(?:[ \t]*(?::|=|\uff1a|\u662f|\u306f)|[ \t]+(?:is|was|ist|war|lautet|est|es|è|é|to|as|equals"
    r"|jest|är|er|auf|à|a)(?:[ \t]+(?:now|set to|changed to|currently|actually|nun|jetzt))?:?)"
    r"[ \t]{1,4}"
)
_SAYS_DENSE = re.compile(
    r"[ \t]{0,4}(?:\uff1a|:|=|\u662f|\u306f|는|은|\u0e04\u0e37\u0e2d)?[ \t]{0,4}"
)
_DIRECT = re.compile(r"[ \t]{1,2}\(?")
_ELEMENT = re.compile(r">([^<>\n]{3,512})</")

_OPENS = re.compile(
    r"(?:[brfuBRFU@$]{1,2}(?=[\"']))?(\\*(?:\"\"\"|[\"'`])|[\u201c\u201e\u2018\u00ab]|\*\*)"
)
_CLOSES = {"\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "\u00ab": "\u00bb"}
_BARE = re.compile(r"[^\s\"'`<>\u3002\uff0c\u3001\u201d]{3,200}")
_BARE_REST = re.compile(r"[\w+/=.~\-]*")
_ENDS_BARE = re.compile(
    r"\\+[nrt\"']|[;&,|](?=[ \t]{0,2}[A-Za-z][\w.\- ]{0,30}=)|;$|&(?:amp;|quot;)"
)
_PRINTABLE = re.compile("[!-~]+")
_KINDS = ("[a-z]", "[A-Z]", "[0-9]")


def is_secret_value(kind: Called, value: str, *, is_bare: bool = False) -> bool:
    """Return whether a value is what its name promises.

    Args:
        kind: What the name promises.
        value: The value.
        is_bare: It stood without quotes, where a name or an expression may stand as well.
    """
    if kind == "password":
        return is_password(value, is_bare=is_bare) or is_random(value)
    if kind == "secret":
        return is_random(value, 10) or (_is_mixed(value) and is_password(value, is_bare=is_bare))
    if " " in value or is_placeholder(value):
        return False
    if kind == "token":
        return is_random(value) and not _UUID.fullmatch(value)
    return len(value) >= 24 and is_random(value) and all(re.search(k, value) for k in _KINDS)


_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def _is_mixed(value: str) -> bool:
    """Return whether letters, digits and signs beyond those of names are all there."""
    return (
        len(value) >= 8
        and any(c.isalpha() for c in value)
        and any(c.isdigit() for c in value)
        and any(not c.isalnum() and c not in "-_./: " for c in value)
    )


def _assigned(text: str, at: int) -> Span | None:
    backwards = _NAME.match(text[max(0, at - _LONGEST_NAME) : at][::-1])
    right = _RIGHT.match(text, at)
    if backwards is None or right is None:
        return None
    start = at - backwards.end()
    name = text[start : right.end()]
    words = _WORDS_BEFORE.search(text, max(0, start - 24), start)
    kind = called(f"{words[1]} {name}" if words else name)
    if kind is None or (kind == "key" and name.lower() != "key"):
        return None
    end = right.end()
    if name.startswith("--") and (found := _OPTION.match(text, end)) is not None:
        return _judged(text, found.end(), kind, is_bare=True)
    span = _value_behind(text, end, kind)
    if span is None and name.lower() != "pass":  # in sentences that is a verb
        span = _said(text, end, kind)
    if span is None or span.end - span.start < _LONGEST_BARE:
        return span
    return extended(span, text, _BARE_REST)


def _foreign(text: str, at: int) -> Span | None:
    word = next((word for word in FOREIGN if text[at : at + len(word)].lower() == word), None)
    if word is None:
        return None
    end = at + len(word)
    for separator in (_SAYS, _SAYS_DENSE):
        found = separator.match(text, end)
        value = _value(text, found.end()) if found else None
        if value is None:
            continue
        # Where words are not parted by spaces, a value ends at the first letter of the script.
        word = _PRINTABLE.match(text, value.start, value.end)
        if word is not None and is_password(word.group(), is_bare=True):
            return Span(*word.span())
    return _value_behind(text, end, "password") or _said(text, end, "password")


def _value_behind(text: str, end: int, kind: Called) -> Span | None:
    """Return the value that code or configuration gives a name that ends there."""
    if (element := _ELEMENT.match(text, end)) is not None:
        return Span(*element.span(1)) if is_secret_value(kind, element[1]) else None
    for separator in (_ASSIGNS, _CALLS, _ATTRIBUTE):
        if (found := separator.match(text, end)) is None:
            continue
        # `NAME=value` of a shell and `name: value` of YAML hold text, `name = value` may be code.
        is_bare = separator is _ASSIGNS and found.group().strip() != found.group()
        return _judged(text, found.end(), kind, is_bare=is_bare and ":" not in found.group())
    return None


def _said(text: str, end: int, kind: Called) -> Span | None:
    """Return the value that a sentence tells of a name that ends there."""
    if (found := _SAYS.match(text, end)) is not None:
        return _judged(text, found.end(), kind, is_bare=True)
    if (found := _DIRECT.match(text, end)) is not None:
        value = _value(text, found.end())
        if value is None:
            return None
        word = text[value.start : value.end]
        is_quoted = not text[value.start - 1].isspace() and text[value.start - 1] != "("
        if is_quoted and is_secret_value(kind, word):
            return value
        return value if is_random(word, 10) or (_is_mixed(word) and is_password(word)) else None
    return None


def _judged(text: str, at: int, kind: Called, *, is_bare: bool) -> Span | None:
    value = _value(text, at)
    if value is None:
        return None
    is_quoted = value.start > at
    word = text[value.start : value.end]
    return value if is_secret_value(kind, word, is_bare=is_bare and not is_quoted) else None


def _value(text: str, at: int) -> Span | None:
    """Return the value that begins there, in quotes or up to where it must end."""
    opens = _OPENS.match(text, at)
    if opens is not None:
        close = _CLOSES.get(opens[1], opens[1])
        end = text.find(close, opens.end(), opens.end() + _LONGEST_VALUE)
        while end > 0 and text[end - 1] == "\\" and not close.startswith("\\"):
            end = text.find(close, end + 1, opens.end() + _LONGEST_VALUE)
        if end > 0 and "\n" not in text[opens.end() : end]:
            return Span(opens.end(), end)
        at = opens.end()
    bare = _BARE.match(text, at)
    if bare is None:
        return None
    word = bare.group()
    if (cut := _ENDS_BARE.search(word)) is not None:
        word = word[: cut.start()]
    stripped = word.rstrip(".,;:)]}|*!?")
    # An exclamation mark may end a sentence or a password; it goes with the password.
    kept = stripped + word[len(stripped) :].partition(",")[0].rstrip(".,;:)]}|*?")
    return Span(at, at + len(kept)) if kept else None


_NAMES = """
pass pwd _pw secret token key credential kennwort contrase senha parola wachtwoord heslo haslo clave
salasana
"""
ASSIGNED = (Rule("named_secret", tuple(_NAMES.split()), _assigned),)
"""The rule for names of ASCII; `FOREIGN_RULE` has the others."""

FOREIGN_RULE = Rule("named_secret", FOREIGN, _foreign)
"""The rule for names of other letters; its anchors are not ASCII."""
